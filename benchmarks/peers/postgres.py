"""A PostgreSQL server of one's own, for one measurement: in a folder, on a Unix socket there, ended by its pid.

Its settings are those it comes with, so `fsync` and `synchronous_commit` are on.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# Debian keeps the server's programs off the path.
_DEBIAN: Final = Path("/usr/lib/postgresql")
_ACCOUNT: Final = "postgres"  # the server refuses to run as root
_READY_S: Final = 20.0


def find_programs() -> Path | None:
    """The folder of `postgres`, `initdb` and `pg_isready`: the newest of Debian's, or where the path leads."""
    found = sorted(_DEBIAN.glob("*/bin/postgres"), key=lambda each: int(each.parent.parent.name))
    on_path = shutil.which("postgres")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def postgres(programs: Path) -> Generator[dict[str, str]]:
    """Run a new server; gives the environment that leads a client to it."""
    account = _ACCOUNT if os.geteuid() == 0 else None
    with _folder(account) as folder:
        settings = [
            "--pgdata",
            f"{folder}/data",
            "--auth=trust",
            "--username=postgres",
            "--locale=C",
            "--encoding=UTF8",
        ]
        subprocess.run(
            [programs / "initdb", *settings], user=account, cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        command = [str(programs / "postgres"), "-D", f"{folder}/data", "-k", str(folder), "-c", "listen_addresses="]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, user=account, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_until_ready(programs, folder)
            yield {"PGHOST": str(folder), "PGUSER": "postgres", "PGDATABASE": "postgres"}
        finally:
            server.send_signal(signal.SIGINT)  # cuts off its clients, and leaves in order
            server.wait()


@contextmanager
def _folder(account: str | None) -> Generator[Path]:
    """A folder that the server's account may use, all the way to it."""
    with tempfile.TemporaryDirectory(prefix="holdfast-postgres-") as name:
        if account is not None:
            entry = pwd.getpwnam(account)
            os.chown(name, entry.pw_uid, entry.pw_gid)
        yield Path(name)


def _wait_until_ready(programs: Path, folder: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode != 0:
        if time.monotonic() > deadline:
            raise TimeoutError((folder / "log").read_text())
        time.sleep(0.05)
