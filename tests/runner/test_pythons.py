"""The runner on every Python that a host may have, as far as this machine has it: 3.6 is the oldest."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .driving import RUNNER, Home

OLDEST = (3, 6)


def found_pythons() -> dict[str, str]:
    """The interpreters beside this one's folder and on the usual paths, the path of one for each version."""
    beside = Path(sys.base_prefix).parent.glob("*/bin/python3")
    usual = (Path(folder) / f"python3.{minor}" for folder in ("/usr/bin", "/usr/local/bin") for minor in range(6, 20))
    pythons: dict[str, str] = {}
    for path in (*beside, *usual):
        if path.is_file():
            told = subprocess.run([str(path), "--version"], stdout=subprocess.PIPE, check=False).stdout.decode()
            version = re.fullmatch(r"Python (\d+)\.(\d+)\S*\s*", told)
            if version and (int(version[1]), int(version[2])) >= OLDEST:
                pythons.setdefault(f"{version[1]}.{version[2]}", str(path))
    return dict(sorted(pythons.items(), key=lambda python: int(python[0].partition(".")[2])))


PYTHONS = found_pythons()


def test_the_code_is_older_than_any_python_it_is_sent_to() -> None:
    if "3.6" not in PYTHONS:
        pytest.skip("no Python 3.6 beside this one or in /usr/bin: the runner was NOT tried on the oldest it promises")
    compiled = subprocess.run(
        [PYTHONS["3.6"], "-c", f"compile(open({str(RUNNER)!r}).read(), 'runner', 'exec')"], check=True
    )
    assert compiled.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_it_runs_stops_and_adopts(tmp_path: Path, version: str) -> None:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    home = Home(folder, PYTHONS[version])
    try:
        link = home.begin()
        plain = home.shell('cat; echo "$HOLDFAST_TOKEN $EXTRA"; echo wrong >&2; exit 3', env={"EXTRA": "ä"})
        missing, script = home.attempt("./missing"), home.attempt("./script")
        (home.work / "script").write_text("echo\n")
        (home.work / "script").chmod(0o755)
        trapped = home.shell("trap '' TERM; while :; do sleep 0.01; done", timeout_us=100_000, grace_us=100_000)
        link.launch(plain, missing, script, trapped)
        end = link.end(plain)
        assert (end.how, end.exit_code) == ("exited", 3)
        assert home.read(end.output[0]) == f"{plain.token} ä\n".encode()
        assert home.read(end.output[1]) == b"wrong\n"
        assert [link.end(each).how for each in (missing, script)] == ["not_started", "not_started"]
        assert (link.end(trapped).how, link.end(trapped).signal) == ("timeout", 9)
        lasting = home.shell("exec sleep 1000")
        link.launch(lasting)
        pid = link.until(lasting, "running").pid
        home.kill_runner()
        link = home.begin()
        assert (link.statuses[lasting.token].state, link.statuses[lasting.token].pid) == ("running", pid)
        link.send("stop", tokens=[lasting.token])
        assert link.end(lasting).how == "stopped"
        signals = home.shell("grep -E 'SigBlk|SigIgn' /proc/self/status" if sys.platform == "linux" else "exit 0")
        link.launch(signals)
        for line in home.read(link.end(signals).output[0]).splitlines():
            assert int(line.split()[1], 16) & 0x7FFFFFFF == 0
        assert "Traceback" not in (home.path / "runner.log").read_text()
    finally:
        home.close()
