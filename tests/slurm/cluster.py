"""A real Slurm on loopback, for one test or many: its daemons, its commands, and what tests do to them."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.hosts.lab import Lab
from tests.hosts.sshd import Host
from tests.leftovers import MARK
from tests.system.place import PATIENCE_S, until
from tests.tools import need, refuse

from .accounting import HOW, accounting_daemon, answers, database_daemon, fill, set_up
from .cgroups import Cgroups
from .commands import Call, Commands
from .config import Layout, Shape, write_configuration
from .daemons import Daemon, Ports, Warden, listening
from .queue import Row, Submission, rows, submissions

ROOTS_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
FORMAT: Final = "%i|%T|%j"


class Cluster:
    """munge, a controller, nodes n1, n2, ..., and accounting if asked for; entered, it is up; left, nothing is there.

    Partitions: `main` (default; all nodes) and `small` (n1; at most 10 minutes). Each node has two devices gres/gpu,
    memory of 4000 MB and the feature avx2; the cluster has two licences `matlab`. With accounting there are an account
    chem (at most 5 jobs), and the qos short (at most 2 jobs a user, 10 minutes) and long; they hold where
    AccountingStorageEnforce="associations,limits,qos" is given.
    """

    def __init__(
        self,
        folder: Path,
        *,
        accounting: bool = False,
        nodes: int = 2,
        cpus: int = 8,
        cgroup: bool = False,
        database: Path | None = None,
        **slurm_conf: str | int,
    ) -> None:
        """Prepare one in the new `folder`; `cpus` are those of a node, and `slurm_conf` parameters of that file.

        With `cgroup`, jobs beyond their memory are OUT_OF_MEMORY; one such cluster runs on a machine at a time.
        `database` holds what `Cluster.keep_database` kept, which saves the time to make it.
        """
        _need_all(accounting=accounting)
        self._shape, self._database_kept = Shape(nodes, cpus, accounting, cgroup), database
        self._folder, self._overrides = folder, {name: str(value) for name, value in slurm_conf.items()}
        self._ended = False

    @property
    def conf(self) -> Path:
        """Slurm's configuration."""
        return self._layout.conf

    @property
    def path(self) -> str:
        """A PATH whose first folder has the counted commands."""
        return f"{self.commands.bin}:/usr/local/sbin:/usr/local/bin:{ROOTS_PATH}"

    @property
    def environ(self) -> Mapping[str, str]:
        """What a client needs to have in its environment, counted commands among it."""
        return {"SLURM_CONF": str(self.conf), "PATH": self.path}

    @property
    def warden_pid(self) -> int:
        """The pid of the process below which everything is that runs here."""
        return self._warden.pid

    @property
    def ports(self) -> list[int]:
        """The ports that the daemons listen on."""
        layout = self._layout
        return [layout.controller_port, *layout.node_ports, *[layout.database_port] * self._shape.accounting]

    @property
    def short_folder(self) -> Path:
        """Where sockets and large files are while it lives."""
        return self._layout.short

    def calls(self, *names: str) -> list[Call]:
        """The calls of counted commands so far; this object's own are none."""
        return self.commands.calls(*names)

    def run(
        self, *words: str | Path, timeout_s: float = PATIENCE_S, data: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of Slurm, uncounted, to its end, with `data` as its standard input."""
        command = [need(str(words[0]), HOW), *map(str, words[1:])]
        return subprocess.run(
            command,
            env=self._own_environ,
            cwd=self._folder,
            input=data,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def submit(self, name: str, command: str = "true", *options: str) -> int:
        """Submit a job of our own that runs `command` in a shell; return its id. What it says goes to slurm-ID.out."""
        ran = self.run("sbatch", "--parsable", f"--job-name={name}", *options, "--wrap", command)
        assert ran.returncode == 0, ran.stderr
        return int(ran.stdout.partition(";")[0])

    def jobs(self, prefix: str = "") -> list[Row]:
        """The jobs that the controller knows now, each task of an array for itself; those whose names begin so."""
        ran = self.run("squeue", "--noheader", "--array", "--states=all", f"--format={FORMAT}")
        assert ran.returncode == 0, ran.stderr
        return [row for row in rows(ran.stdout) if row.name.startswith(prefix)]

    def recorded(self, prefix: str = "") -> list[Row]:
        """The jobs that accounting knows, also those that were purged, and each run of one that was requeued."""
        words = ("--allusers", "--allocations", "--duplicates", "--noheader", "--parsable2")
        ran = self.run("sacct", *words, "--starttime=2000-01-01", "--format=JobID,State,JobName")
        assert ran.returncode == 0, ran.stderr
        return [row for row in rows(ran.stdout) if row.name.startswith(prefix)]

    def submissions(self, prefix: str = "") -> list[Submission]:
        """The submissions that the controller ever accepted, also of jobs that it has purged or was made to forget."""
        return [each for each in submissions(self.controller.said) if each.name.startswith(prefix)]

    def submitted_count(self, prefix: str = "") -> int:
        """How many jobs the controller ever accepted whose names begin so, tasks of arrays for themselves."""
        return sum(each.tasks for each in self.submissions(prefix))

    def state(self, job: int | str) -> str:
        """The state of a job, or of a task "25_3", in Slurm's word; empty where the controller knows none."""
        return next((row.state for row in self.jobs() if row.id == str(job)), "")

    def until_state(self, job: int | str, *states: str) -> None:
        """Wait until a job's state is one of these."""
        until(lambda: self.state(job) in states, f"job {job} is {' or '.join(states)}")

    def wait_idle(self, within_s: float = PATIENCE_S) -> None:
        """Wait until no job waits, runs or completes, and all nodes are ready for others."""

        def left() -> str:
            return self.run("squeue", "--noheader", f"--format={FORMAT}").stdout

        until(lambda: not left() and self._nodes_are_idle(), "no job is left", within_s)

    def hurry(self, job: int | str) -> None:
        """Let the time limit of a running job come within 2 seconds; the controller sees it within the next 30."""
        ran = self.run("scontrol", "update", f"JobId={job}", "EndTime=now+2")
        assert ran.returncode == 0, ran.stderr

    def cancel_all(self) -> None:
        """Cancel what waits or runs, and wait for its end."""
        self.run("scancel", "--user=root")
        self.wait_idle()

    def keep_state(self) -> None:
        """Keep what the controller knows now, for `restart_controller(forget=True)`; it is started anew for that."""
        self.controller.shut_down()  # then all is saved
        self._keep()
        self.controller.start()

    def restart_controller(self, *, forget: bool = False) -> None:
        """Start the controller anew, after it has saved what it knows.

        With `forget` it is killed instead, and remembers what it did at `keep_state`, or nothing: then it gives the
        same ids to other jobs, and knows nothing of those that it acknowledged since.
        """
        if forget:
            self.controller.kill()
            shutil.rmtree(self._layout.state)
            shutil.copytree(self._kept, self._layout.state)
        else:
            self.controller.shut_down()
        self.controller.start()

    def keep_database(self, folder: Path) -> None:
        """Copy the files of MariaDB to the new `folder`, for other clusters; this one's accounting ends."""
        self.accounting.shut_down()
        self.database.shut_down()
        shutil.copytree(self._layout.data, folder)

    def login(self, lab: Lab, name: str = "login", **options: str | int) -> Host:
        """Start a host of `lab` whose sessions reach this cluster, by its counted commands."""
        return lab.host(name, self.environ, **options)

    def __enter__(self) -> Self:
        """Start everything, and wait until the nodes take jobs."""
        self._folder.mkdir(parents=True)
        self._ports = Ports(2 + self._shape.nodes)
        self._cgroups = Cgroups(self._shape.nodes) if self._shape.cgroup else None
        take = self._ports.take
        short = Path(tempfile.mkdtemp(prefix="slurm-"))
        node_ports = [take() for _ in range(self._shape.nodes)]
        self._layout = Layout(self._folder, short, take(), take(), node_ports)
        self._kept = self._folder / "kept"
        remove = [short, *(self._cgroups.folders if self._cgroups else ())]
        self._warden = Warden(remove, keep_open=self._cgroups.descriptors if self._cgroups else ())
        try:
            self._prepare()
            self._start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything, jobs included."""
        self.end()

    def end(self) -> None:
        """End every daemon and all that ran on the nodes."""
        if not self._ended:
            self._ended = True
            self._warden.end()
            shutil.rmtree(self._layout.short, ignore_errors=True)  # where the warden was killed
            self._ports.close()
            if self._cgroups is not None:
                self._cgroups.close()

    def _prepare(self) -> None:
        layout = self._layout
        write_configuration(layout, self._shape, self._overrides)
        layout.state.mkdir()
        self._keep()
        self.commands = Commands(self._folder)
        self._own_environ = {
            "SLURM_CONF": str(layout.conf),
            "PATH": ROOTS_PATH,
            "LC_ALL": "C",
            MARK: os.environ.get(MARK, ""),
            "PYTEST_CURRENT_TEST": os.environ.get("PYTEST_CURRENT_TEST", "no test"),
        }
        self.munge = self._munge()
        self.controller = self._daemon("slurmctld", "-D", "-f", str(layout.conf))
        self.controller.ready = lambda: self.run("scontrol", "ping").returncode == 0
        self.nodes: dict[str, Daemon] = {}
        for number, port in enumerate(layout.node_ports, start=1):
            name = f"n{number}"
            node = self._daemon("slurmd", "-D", "-N", name, "-f", str(layout.conf), log=f"slurmd.{name}")
            layout.spool(name).mkdir()
            node.ready = partial(self._node_is_ready, name, port)
            self.nodes[name] = node
        if self._shape.accounting:
            self.database = database_daemon(self._warden, layout, self._own_environ)
            self.accounting = accounting_daemon(self._warden, layout, self._own_environ)

    def _start(self) -> None:
        self.munge.start()
        if self._shape.accounting:
            fill(self._layout, self._database_kept)
            self.database.start()
            self.accounting.start()
            if self._database_kept is None:
                set_up(self._own_environ)
        self.controller.start()
        for node in self.nodes.values():
            node.launch()
        for node in self.nodes.values():
            node.until_ready()

    def _nodes_are_idle(self) -> bool:
        return all(self._node_state(name) == "idle" for name in self.nodes)

    def _node_state(self, name: str) -> str:
        """The state as sinfo says it, with a star where the controller hears nothing from the node."""
        return self.run("sinfo", "--noheader", "--partition=main", f"--nodes={name}", "--format=%T").stdout.strip()

    def _node_is_ready(self, name: str, port: int) -> bool:
        return listening(port) and self._node_state(name) in {"idle", "mixed", "allocated"}

    def _munge(self) -> Daemon:
        layout = self._layout
        key = layout.short / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        options = {
            "key-file": key,
            "socket": layout.munge_socket,
            "pid-file": layout.short / "munge.pid",
            "seed-file": layout.short / "munge.seed",
            "log-file": layout.log("munged"),
            "num-threads": 2,
        }
        # By force, for after a kill its socket is still there.
        daemon = self._daemon(
            "munged", "--foreground", "--force", *(f"--{name}={value}" for name, value in options.items())
        )
        daemon.ready = lambda: answers(layout.munge_socket)
        return daemon

    def _daemon(self, program: str, *options: str, log: str = "") -> Daemon:
        path = self._layout.log(log or program)
        return Daemon(self._warden, log or program, [need(program, HOW), *options], self._own_environ, path)

    def _keep(self) -> None:
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self._layout.state, self._kept)


def _need_all(*, accounting: bool) -> None:
    """End the test where a cluster can't be had here, saying what is missing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        refuse(
            "Slurm's daemons of these tests run as root on Linux only: run the tests as root, in a container if need be"
        )
    for program in ("munged", "slurmctld", "slurmd", "sbatch", *(("slurmdbd", "mariadbd") if accounting else ())):
        need(program, HOW)
    # Slurm listens where the machine's name leads, and nowhere else.
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except OSError:
        address = "nothing"
    if not address.startswith("127."):
        refuse(
            f"this machine's name, {name}, leads to {address}, where Slurm would listen: /etc/hosts must say 127.0.0.1"
        )
