"""The script of a batch, run by every shell that a node may have: what its command sees, and what it leaves behind."""

import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from holdfast.actors.slurm.attempt_folders import SECRETS_ARGV, secrets_stdin
from holdfast.actors.slurm.script import NOT_CLAIMED, NOT_STARTED, Place, render, sbatch_argv
from holdfast.events.errors import BadInput
from holdfast.events.spec import SlurmSpec
from tests.system.place import until

from .batchfolder import HOME, SHELLS, BatchFolder, order

every_shell = pytest.mark.parametrize("shell", SHELLS, ids=" ".join)


@pytest.fixture
def place(tmp_path: Path) -> BatchFolder:
    return BatchFolder(tmp_path / "work dir")


@every_shell
def test_the_command_gets_its_words_its_variables_and_its_folder(place: BatchFolder, shell: Sequence[str]) -> None:
    command = 'printf "%s|" "$0" "$PWD" "$A" "$HOLDFAST_JOB" "$HOLDFAST_ATTEMPT" "$HOLDFAST_TOKEN" "$@"'
    run = ("sh", "-c", command, "zero", "a b", "", "$(false)", "-x")
    code, log = place.end(place.script(order(run=run, cwd="runs/a", env={"A": "it's"})), shell=shell)
    assert (code, log) == (0, "")
    words = place.output().decode().split("|")[:-1]
    assert words == ["zero", f"{place.workdir}/runs/a", "it's", "7", "1", f"{HOME}.7.1", "a b", "", "$(false)", "-x"]


@every_shell
def test_a_string_is_a_shells_and_a_job_cannot_give_itself_another_token(
    place: BatchFolder, shell: Sequence[str]
) -> None:
    script = place.script(order(run="echo $HOLDFAST_TOKEN >&2; exit 7", env={"HOLDFAST_TOKEN": "other"}))
    assert place.end(script, shell=shell) == (7, "")
    assert place.output(kind="err") == f"{HOME}.7.1\n".encode()


@every_shell
def test_a_program_may_have_the_name_of_an_assignment(place: BatchFolder, shell: Sequence[str]) -> None:
    program = place.workdir / "-a=b"
    program.write_text("#!/bin/sh\necho ran $1\n")
    program.chmod(0o700)
    code, _ = place.end(
        place.script(order(run=("-a=b", "x"), env={"PATH": f"{place.workdir}:/usr/bin:/bin"})), shell=shell
    )
    assert code == 0
    assert place.output() == b"ran x\n"


@every_shell
def test_every_task_of_an_array_runs_its_own_command(place: BatchFolder, shell: Sequence[str]) -> None:
    orders = [
        order(10 * number, number, run=("sh", "-c", 'echo "$PWD|$A|$B|$0"', str(number)), cwd=cwd, env=env)
        for number, cwd, env in [(1, "x", {"A": "1"}), (2, "y y", {"B": "2"}), (3, ".", {})]
    ]
    script = place.script(*orders)
    assert [place.end(script, shell=shell, job=5 + task, task=task) for task in range(3)] == [(0, "")] * 3
    found = [place.output(work).decode() for work in ("10.1", "20.2", "30.3")]
    assert found == [f"{place.workdir}/x|1||1\n", f"{place.workdir}/y y||2|2\n", f"{place.workdir}|||3\n"]


@every_shell
def test_a_task_that_the_array_does_not_have_runs_nothing(place: BatchFolder, shell: Sequence[str]) -> None:
    script = place.script(order(1, run=("touch", "1")), order(2, run=("touch", "2")))
    code, log = place.end(script, shell=shell, task=2)
    assert code == NOT_CLAIMED
    assert "nothing was run" in log
    assert place.read("1.1", "2.1")["1.1"].claimed is False


@every_shell
def test_who_ran_it_and_how_it_ended_is_written_down(place: BatchFolder, shell: Sequence[str]) -> None:
    place.end(place.script(order(1), order(run="printf 123; exit 9")), shell=shell, job=12, task=1)
    found = place.read("7.1")["7.1"]
    claim, end = found.claim, found.exit
    assert claim is not None
    assert end is not None
    assert (claim.slurm_id, claim.array, claim.task, claim.restart, claim.host) == (12, 5, 1, 0, "n1")
    assert claim.time_us <= end.began_us <= end.ended_us < claim.time_us + 60_000_000
    assert (end.exit_code, end.signal) == (9, None)
    assert (found.out_bytes, found.err_bytes, found.seconds, found.refused, found.void) == (3, 0, (), None, False)


@every_shell
@pytest.mark.parametrize("shared", ["", "{boot} {tick} 1000000 end\n", "other {tick} 1000000 end\n",
                                    "{boot} 0 1000000 end\n", "{boot} 99999999999 1000000 end\n",
                                    "{boot} {tick} 10", "{boot} x y end\n"],
                         ids=["none", "good", "other-boot", "old", "future", "half", "damaged"])  # fmt: skip
def test_the_tasks_of_a_node_share_one_look_at_the_clock(place: BatchFolder, shell: Sequence[str], shared: str) -> None:
    clock = place.folder / "clocks" / "n1"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    tick = int(float(Path("/proc/uptime").read_text().split()[0]) * 100) - 100
    if shared:
        clock.write_text(shared.format(boot=boot, tick=tick))
    began_us = time.time_ns() // 1000
    assert place.end(place.script(order()), shell=shell) == (0, "")
    ended_us = time.time_ns() // 1000
    claim = place.read("7.1")["7.1"].claim
    assert claim is not None
    if shared.startswith("{boot} {tick} 1000000"):
        assert 2_000_000 <= claim.time_us < 60_000_000
    else:
        assert began_us - 20_000 <= claim.time_us <= ended_us + 20_000
        assert clock.read_text().startswith(f"{boot} ")
        assert clock.read_text().endswith(" end\n")


@every_shell
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGINT])
def test_a_command_that_a_signal_ends_is_told_from_one_that_exits(
    place: BatchFolder, shell: Sequence[str], number: signal.Signals
) -> None:
    code, _ = place.end(place.script(order(run=f"kill -{number.value} $$")), shell=shell)
    assert code == 128 + number
    end = place.read("7.1")["7.1"].exit
    assert end is not None
    assert (end.exit_code, end.signal) == (None, number)


@every_shell
def test_what_slurm_tells_all_processes_is_the_commands_own_to_handle(place: BatchFolder, shell: Sequence[str]) -> None:
    command = "trap 'echo handled; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    child = place.start(place.script(order(run=command)), shell=shell)
    until(lambda: place.output() == b"ready\n", "it runs")
    pids = [child.pid, *_below(child.pid)]
    for pid in pids:
        subprocess.run(["kill", "-TERM", str(pid)], check=False, stderr=subprocess.DEVNULL)  # a `sleep` may be gone
    assert child.wait(60) == 3
    child.communicate()
    assert place.output() == b"ready\nhandled\n"
    end = place.read("7.1")["7.1"].exit
    assert end is not None
    assert end.exit_code == 3


def _below(pid: int) -> list[int]:
    children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [each for child in children for each in _below(child)]


@every_shell
def test_no_signal_is_ignored_or_blocked_in_the_command(place: BatchFolder, shell: Sequence[str]) -> None:
    place.end(place.script(order(run=("grep", "^Sig[BI]", "/proc/self/status"))), shell=shell)
    masks = [int(line.split()[1], 16) for line in place.output().decode().splitlines()]
    assert masks == [0, 0]


@every_shell
def test_what_was_told_to_end_before_its_command_started_does_not_start_it(
    place: BatchFolder, shell: Sequence[str]
) -> None:
    text = "{{ header }}\n{{ claim }}\nkill -TERM $$\n{{ command }}\n"
    slurm = SlurmSpec(templates={"t": text}, template="t")
    code, log = place.end(place.script(order(run=("touch", "ran")), slurm=slurm), shell=shell)
    assert code == NOT_STARTED
    assert "told to end" in log
    assert place.read("7.1")["7.1"].refused == "was told to end before its command was started"
    assert not (place.workdir / "ran").exists()


@every_shell
def test_a_folder_that_cannot_be_claimed_is_said_so_and_nothing_runs(place: BatchFolder, shell: Sequence[str]) -> None:
    script = place.script(order(run=("touch", "ran")))
    (place.folder / "attempts").rename(place.folder / "elsewhere")
    code, log = place.end(script, shell=shell)
    assert code == NOT_CLAIMED
    assert "attempt 7.1 can't be claimed on n1, so the command was not run" in log
    assert f"{place.folder}/attempts/7.1: " in log  # the shell's own words why
    assert not (place.workdir / "ran").exists()


@every_shell
@pytest.mark.parametrize(
    "broken, said",
    [("runs", "can't use its folder"), ("output", "can't write its output"), ("secrets", "no file with")],
)
def test_what_was_claimed_and_cannot_start_says_why(
    place: BatchFolder, shell: Sequence[str], broken: str, said: str
) -> None:
    script = place.script(order(run=("touch", "ran"), cwd="runs/a", secrets=("KEY",)))
    if broken != "secrets":
        place.give_secrets({"7.1": {"KEY": "x"}})
    if broken == "runs":
        (place.workdir / "runs").write_text("a file")
    if broken == "output":
        (place.folder / "output").rename(place.folder / "elsewhere")
    code, log = place.end(script, shell=shell)
    (place.folder / "output").mkdir(exist_ok=True)
    found = place.read("7.1")["7.1"]
    assert code == NOT_STARTED
    assert said in log
    assert found.refused is not None
    assert said in found.refused
    assert found.exit is None
    assert not (place.workdir / "runs" / "a" / "ran").exists()


@every_shell
def test_p10_secrets_reach_the_command_and_nobody_else(place: BatchFolder, shell: Sequence[str]) -> None:
    value = 'it\'s $(secret) `x`\r\n\\ "é" end\n'
    seen = "import os,sys; print(ascii(os.environ['KEY'])); print(open('/proc/self/cmdline').read())"
    script = place.script(order(run=(sys.executable, "-c", seen), secrets=("KEY",), env={"KEY": "overruled"}))
    place.give_secrets({"7.1": {"KEY": value}})
    file = place.folder / "secrets" / "7.1"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "secret)" not in script
    assert place.end(script, shell=shell) == (0, "")
    shown, argv = place.output().decode().split("\n", 1)
    assert shown == ascii(value)
    assert "secret" not in argv
    assert not file.exists()


def test_p10_the_values_of_secrets_are_in_no_argument_on_their_way() -> None:
    assert b"very-secret" in secrets_stdin("/f", {"7.1": {"KEY": "very-secret"}})
    assert SECRETS_ARGV == ("/bin/sh", "-s")
    script = render("h.7.1", [order(secrets=("KEY",))], (), SlurmSpec(), Place("/w", "/f"))
    words = sbatch_argv(script, ["KEY"])
    assert words[: words.index("sbatch") + 1] == ["env", "-u", "KEY", "sbatch"]


@every_shell
@pytest.mark.parametrize("name", ["a b", "it's", 'a"b', "$HOME", "`x`", "é", "-n", "%j", "#"])
def test_folders_may_be_called_anything(tmp_path: Path, shell: Sequence[str], name: str) -> None:
    place = BatchFolder(tmp_path / name)
    assert place.end(place.script(order(run="echo ran")), shell=shell) == (0, "")
    assert place.output() == b"ran\n"


def test_a_folder_that_sbatch_would_take_for_something_else_is_refused() -> None:
    for folder in ("/a\\b", "/a\nb", "/a\x01b"):
        with pytest.raises(BadInput, match="line breaks, control characters and backslashes"):
            render("h.7.1", [order()], (), SlurmSpec(), Place("/w", folder))


def test_directives_are_composed_and_given_again_as_options() -> None:
    script = render(
        f"{HOME}.7.1",
        [order(name="my job\n#SBATCH --uid=0"), order(8)],
        (("exclusive", ""), ("gres", "gpu:a100:2")),
        SlurmSpec(),
        Place("/w", "/w/a %j 'b\"c"),
    )
    header = script[: script.index("holdfast_folder")].splitlines()
    assert header == [
        "#!/bin/sh",
        f"#SBATCH --job-name={HOME}.7.1",
        f"#SBATCH --comment={HOME}.7.1:my_job_SBATCH_--uid_0",
        "#SBATCH --no-requeue",
        '#SBATCH --output="/w/a %%j \'b\\"c/slurm/%A_%a.log"',
        "#SBATCH --open-mode=append",
        "#SBATCH --export=ALL",
        "#SBATCH --ignore-pbs",
        "#SBATCH --array=0-1",
        "#SBATCH --exclusive",
        "#SBATCH --gres=gpu:a100:2",
    ]
    words = sbatch_argv(script)
    assert words[:4] == [
        "sbatch",
        "--parsable",
        f"--job-name={HOME}.7.1",
        f"--comment={HOME}.7.1:my_job_SBATCH_--uid_0",
    ]
    assert "--output=/w/a %%j 'b\"c/slurm/%A_%a.log" in words
    assert len(words) == len(header) + 1


@pytest.mark.parametrize(
    "fields", [{"env": {"a b": "1"}}, {"env": {"1a": ""}}, {"secrets": ("UID",)}, {"secrets": ("a-b",)}]
)
def test_names_that_no_shell_can_pass_on_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="can't be the name of a variable in a script"):
        render("h.7.1", [order(**fields)], (), SlurmSpec(), Place("/w", "/f"))


@every_shell
def test_ten_thousand_tasks_find_their_own(place: BatchFolder, shell: Sequence[str]) -> None:
    script = place.script(*[order(number, run=("echo", str(number))) for number in range(1, 10_001)])
    assert len(script.encode()) < 2_000_000
    for task in (0, 4_999, 9_999):
        assert place.end(script, shell=shell, job=task + 1, task=task) == (0, "")
        assert place.output(f"{task + 1}.1") == f"{task + 1}\n".encode()
