"""Nothing of a cluster is left: neither after its end, nor after that of the process that held it, however it came."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests.hosts.family import below
from tests.system.place import until
from tests.system.processes import alive, kill
from tests.tree import ROOT

from .cluster import Cluster
from .daemons import Ports, Warden, listening

# It has left its job, its session and its environment behind.
ESCAPES: Final = "env -i setsid sh -c 'sleep 600 & echo $! > {pid}.new; mv {pid}.new {pid}; wait' >/dev/null 2>&1 &"
HOLDER: Final = """
import signal, sys
from pathlib import Path
from tests.slurm.cluster import Cluster
with Cluster(Path(sys.argv[1])) as cluster:
    cluster.submit("escapes", sys.argv[2])
    print(cluster.warden_pid, *cluster.ports, flush=True)
    signal.pause()
"""


def escaped(pid_file: Path) -> int:
    """The pid of the process that escapes, once it runs."""
    until(pid_file.exists, "it runs")
    pid = int(pid_file.read_text())
    assert alive(pid)
    return pid


def test_the_end_of_a_cluster_ends_daemons_jobs_and_what_escaped_from_them(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with Cluster(tmp_path / "slurm", accounting=True) as cluster:
        cluster.submit("escapes", ESCAPES.format(pid=pid_file))
        cluster.submit("runs", "sleep 600")
        short, ports = cluster.short_folder, cluster.ports
        pid = escaped(pid_file)
        cluster.controller.stop()
        pids = [pid, cluster.warden_pid, *(pid for pid, _ in below(cluster.warden_pid))]
        # munge, MariaDB, slurmdbd, the controller, two nodes, and what they started
        assert len(pids) > 8
        assert all(map(listening, ports))
        assert short.exists()
    assert [pid for pid in pids if alive(pid)] == []
    assert not any(map(listening, ports))
    assert not short.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_end_of_its_holder_ends_a_cluster(tmp_path: Path, number: signal.Signals) -> None:
    pid_file = tmp_path / "pid"
    words = [sys.executable, "-c", HOLDER, str(tmp_path / "slurm"), ESCAPES.format(pid=pid_file)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as holder:
        assert holder.stdout is not None
        warden, *ports = map(int, holder.stdout.readline().split())
        pids = [escaped(pid_file), warden, *(pid for pid, _ in below(warden))]
        assert all(map(listening, ports))
        holder.send_signal(number)
    until(lambda: not any(map(alive, pids)), "everything ends")
    assert not any(map(listening, ports))


def test_a_cluster_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        cluster = pool.submit(Cluster(tmp_path / "slurm").__enter__).result()
    try:
        cluster.submit("runs")
        cluster.wait_idle()
    finally:
        cluster.end()


def test_the_end_of_the_warden_ends_the_daemons(tmp_path: Path) -> None:
    with Cluster(tmp_path / "slurm") as cluster:
        pids = [cluster.munge.pid, cluster.controller.pid, *(node.pid for node in cluster.nodes.values())]
        kill(cluster.warden_pid)
        until(lambda: not any(map(alive, pids)), "the daemons end")
    assert not cluster.short_folder.exists()


def test_a_cluster_that_does_not_come_up_leaves_nothing(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "slurm", SelectType="select/nonsense")
    with pytest.raises(AssertionError, match="slurmctld has ended"), cluster:
        pass
    assert not cluster.short_folder.exists()
    assert not alive(cluster.warden_pid)


def test_a_warden_gives_what_it_starts_its_words_its_environment_and_its_log(tmp_path: Path) -> None:
    warden, log = Warden([]), tmp_path / "log"
    words = ["/bin/sh", "-c", 'printf "%s|" "$0" "$A"; env | wc -l; exec sleep 600', "it's\n"]
    pid = warden.start(words, {"A": "b c"}, log)
    until(lambda: log.exists() and log.read_text().endswith("\n"), "it has written")
    assert log.read_text().startswith("it's\n|b c|")
    warden.end()
    assert not alive(pid)


def test_ports_belong_to_one_though_nobody_listens_there() -> None:
    both = [Ports(200), Ports(200)]
    taken = [ports.take() for ports in both for _ in range(200)]
    assert len(set(taken)) == 400
    for ports in both:
        ports.close()


NOWHERE: Final[dict[str, tuple[Callable[..., object], str]]] = {
    "os.geteuid": (lambda: 1000, "run the tests as root"),
    "socket.gethostbyname": (lambda *args: f"172.17.0.{len(args)}", "/etc/hosts must say 127.0.0.1"),
    "shutil.which": (lambda *args, **kwargs: None, "slurmctld, slurmd and slurm-client.*apt-get install"),  # noqa: ARG005
}


@pytest.mark.parametrize("what", NOWHERE)
def test_where_it_can_t_run_the_test_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    value, said = NOWHERE[what]
    monkeypatch.setenv("HOLDFAST_NO_SKIP", "1")
    monkeypatch.setattr(what, value)
    with pytest.raises(pytest.fail.Exception, match=said):
        Cluster(tmp_path / "slurm")
    assert not (tmp_path / "slurm").exists()
