"""Slurm's accounting: MariaDB on a Unix socket, slurmdbd before it, and the accounts and limits that tests ask for."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.tools import need

from .config import CLUSTER, Layout
from .daemons import Daemon, Warden, listening

HOW: Final = (
    "tests with Slurm need Debian's packages munge, slurmctld, slurmd and slurm-client, with accounting also slurmdbd "
    "and mariadb-server (apt-get install --no-install-recommends ...); nothing need be started or configured"
)
# Files of MariaDB that are soon copied.
SMALL: Final = (
    "--no-defaults",  # must come first
    "--innodb-autoextend-increment=2",
    "--innodb-log-file-size=8M",
    "--aria-log-file-size=8M",
)
# What tests may run into. It is enforced where a cluster is asked for with AccountingStorageEnforce.
SET_UP: Final = (
    f"add cluster {CLUSTER}",
    "add account chem Description=chemistry Organization=lab",
    "add user root Account=chem",
    "modify account chem set GrpSubmitJobs=5",
    "add qos short",
    "modify qos short set MaxSubmitJobsPerUser=2 MaxWall=00:10:00",
    "add qos long",
    "modify user root set qos+=short,long",
)


def database_daemon(warden: Warden, layout: Layout, environ: Mapping[str, str]) -> Daemon:
    """MariaDB, which listens on no port; its files are those of `layout`."""
    command = [
        need("mariadbd", HOW),
        *SMALL,
        "--user=root",
        *_places(layout),
        f"--socket={layout.database_socket}",
        f"--pid-file={layout.short / 'mariadb.pid'}",
        "--skip-networking",
        "--innodb-buffer-pool-size=32M",
        "--innodb-lock-wait-timeout=900",
        "--innodb-flush-log-at-trx-commit=0",  # nothing that a test needs after a power failure
        "--innodb-flush-method=nosync",
        "--innodb-doublewrite=0",
        "--max-allowed-packet=16M",
        "--skip-log-bin",
    ]
    daemon = Daemon(warden, "mariadb", command, environ, layout.log("mariadb"))
    daemon.ready = lambda: answers(layout.database_socket)
    return daemon


def accounting_daemon(warden: Warden, layout: Layout, environ: Mapping[str, str]) -> Daemon:
    """Start nothing yet; it is slurmdbd."""
    environ = {**environ, "MYSQL_UNIX_PORT": str(layout.database_socket)}
    daemon = Daemon(warden, "slurmdbd", [need("slurmdbd", HOW), "-D"], environ, layout.log("slurmdbd"))
    daemon.ready = lambda: listening(layout.database_port)
    return daemon


def fill(layout: Layout, template: Path | None) -> None:
    """Make the files of MariaDB: a copy of `template`, or those of a database that is new."""
    if template is not None:
        shutil.copytree(template, layout.data)
        return
    command = [need("mariadb-install-db", HOW), *SMALL, "--user=root", *_places(layout), "--skip-test-db"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert ran.returncode == 0, (ran.stdout, ran.stderr)


def set_up(environ: Mapping[str, str]) -> None:
    """Make the accounts and limits, by way of slurmdbd."""
    for words in SET_UP:
        command = [need("sacctmgr", HOW), "--immediate", *words.split()]
        ran = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        assert ran.returncode == 0, (words, ran.stdout, ran.stderr)


def _places(layout: Layout) -> tuple[str, ...]:
    # As it starts, it removes what others have left in the folder for temporary files, and what others have there now.
    return f"--datadir={layout.data}", f"--tmpdir={layout.short}"


def answers(path: Path) -> bool:
    """Whether a server takes connections on the Unix socket at `path`."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
