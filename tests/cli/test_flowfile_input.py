"""Where flows come from: regular files and standard input, within bounds; and what tells flows apart."""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.cli.flows.flowfile import parse_flow, read_flow
from holdfast.cli.flows.jobfields import job_from
from holdfast.events.errors import BadInput
from holdfast.events.spec import JobSpec

TOML = b'[jobs.a]\nrun = "x"\n'
LINE = b'{"name": "a", "run": "x"}\n'
WAYS = "give a regular file, or - for standard input"


class Endless(io.RawIOBase):
    """A stream of one piece for ever; it counts what was taken."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.taken_bytes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        assert size > 0
        data = (self.piece * (size // len(self.piece) + 1))[:size]
        self.taken_bytes += len(data)
        return data


class Stdin:
    """Standard input with the bytes of a stream."""

    def __init__(self, buffer: io.IOBase) -> None:
        self.buffer = buffer


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as refused:
        read_flow(path)
    return str(refused.value)


def test_a_file_is_read_and_its_jobs_run_in_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "My flow (1).toml"
    path.write_bytes(TOML)
    flow = read_flow(path)
    assert flow.jobs == (JobSpec("x", name="a", cwd=str(tmp_path)),)
    assert flow.name == "My-flow-1"
    assert flow.digest == hashlib.sha256(str(tmp_path).encode() + b"\0" + TOML).hexdigest()


def test_a_relative_path_gives_the_same_flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "flow.toml").write_bytes(TOML)
    monkeypatch.chdir(tmp_path / "sub")
    assert read_flow(Path("../flow.toml")) == read_flow(tmp_path / "flow.toml")


def test_a_folder_reached_by_a_link_keeps_the_name_that_the_user_gave_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "flow.toml").write_bytes(TOML)
    assert read_flow(tmp_path / "link" / "flow.toml").jobs[0].cwd == str(tmp_path / "link")


def test_two_dots_behind_a_link_lead_where_the_link_leads(tmp_path: Path) -> None:
    (tmp_path / "far" / "real").mkdir(parents=True)
    (tmp_path / "link").symlink_to("far/real")
    (tmp_path / "far" / "flow.toml").write_bytes(TOML)
    assert read_flow(tmp_path / "link" / ".." / "flow.toml").jobs[0].cwd == str(tmp_path / "far")


def test_equal_bytes_in_another_folder_are_another_flow() -> None:
    digests = {parse_flow(TOML, source="f.toml", folder=Path(folder)).digest for folder in ("/a", "/b")}
    assert len(digests) == 2


@pytest.mark.parametrize(
    "source,name",
    [
        ("a/b.c.toml", "b.c"),
        ("ä b/größe 家.toml", "größe-家"),
        ("o\u0308.toml", "ö"),
        ("\udcff.toml", "flow"),
        ("-", "stdin"),
        ("x" * 150 + ".toml", "x" * 100),
        (".toml", "toml"),
    ],
)
def test_a_flow_is_named_for_its_file_in_safe_characters(source: str, name: str) -> None:
    assert parse_flow(TOML, source=source, folder=Path("/w")).name == name


@pytest.mark.parametrize("source", ["f.jsonl", "f.NDJSON", "f.json", "-", "f", "f.flow"])
def test_json_lines_are_known_by_the_file_name_or_the_first_character(source: str) -> None:
    assert parse_flow(b"\xef\xbb\xbf\n " + LINE, source=source, folder=Path("/w")).jobs[0].name == "a"


@pytest.mark.parametrize("source", ["f.toml", "-", "f", "f.flow"])
def test_toml_is_known_by_the_file_name_or_the_first_character(source: str) -> None:
    assert parse_flow(TOML, source=source, folder=Path("/w")).jobs[0].name == "a"


@pytest.mark.parametrize("data", [TOML, LINE])
def test_standard_input_is_read_and_its_jobs_run_in_the_working_folder(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", Stdin(io.BytesIO(data)))
    assert read_flow(Path("-")).jobs == (JobSpec("x", name="a", cwd=str(tmp_path)),)


def test_bad_input_on_standard_input_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(io.BytesIO(b"x = 1")))
    remedy = "the known keys are: jobs, limits, targets, defaults"
    assert refusal(Path("-")) == f"standard input:1: x: there is no such key; {remedy}"


def test_a_closed_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal(Path("-")) == "standard input: there is no standard input; give a file"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.toml"
    assert refusal(path) == f"{path}: there is no such file; {WAYS}"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: this is a folder; {WAYS}"


def test_a_named_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "flow.toml"
    os.mkfifo(path)
    assert refusal(path) == f"{path}: this is a named pipe; {WAYS}"


def test_a_device_is_refused() -> None:
    assert refusal(Path("/dev/zero")) == f"/dev/zero: this is a device; {WAYS}"


def test_a_file_in_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "flow.toml"
    assert refusal(path) == f"{path}: it can't be read: Not a directory; {WAYS}"


def test_a_path_with_a_nul_is_refused() -> None:
    assert refusal(Path("a\0.toml")) == f"'a\\x00.toml': the path holds a NUL character; {WAYS}"


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flow.toml"
    path.write_bytes(TOML)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)  # permissions themselves don't hold for root, who may be running this
        message = refusal(path)
    assert message == f"{path}: it may not be read; give yourself the permission to read it"


def test_a_file_in_a_folder_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes no such names")
    path = folder / "flow.toml"
    path.write_bytes(TOML)
    sentence = "the path of its folder holds the character U+DCFF (half a character, or a byte that is not UTF-8)"
    position = len(str(folder))
    remedy = "no control character is allowed; take it out"
    assert refusal(path) == f"{str(path)!r}: {sentence} at position {position}; {remedy}"


def test_a_file_of_more_than_a_gibibyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "flow.jsonl"
    path.touch()
    os.truncate(path, 2**30 + 1)
    assert refusal(path) == f"{path}: a flow of more than 1073741824 bytes; divide it"


def test_a_line_of_200_megabytes_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "flow.jsonl"
    path.write_bytes(LINE * 2)
    os.truncate(path, 200 * 10**6)
    remedy = "each job is one JSON object on one line"
    assert refusal(path) == f"{path}:3: the line is longer than 16777216 bytes; {remedy}"


def test_an_endless_line_on_standard_input_is_refused_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Endless(b"{")
    monkeypatch.setattr(sys, "stdin", Stdin(stream))
    remedy = "each job is one JSON object on one line"
    assert refusal(Path("-")) == f"standard input:1: the line is longer than 16777216 bytes; {remedy}"
    assert stream.taken_bytes <= 18 * 2**20


def test_endless_toml_on_standard_input_is_refused_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Endless(b"#\n")
    monkeypatch.setattr(sys, "stdin", Stdin(stream))
    remedy = "write big flows as JSON Lines (.jsonl), which are read several times faster"
    assert refusal(Path("-")) == f"standard input: TOML of more than 16777216 bytes; {remedy}"
    assert stream.taken_bytes <= 18 * 2**20


def test_options_make_a_job_through_the_same_rules() -> None:
    assert job_from({"run": ["x"], "timeout": "1s", "cwd": "b"}, "/a") == JobSpec(("x",), cwd="/a/b", timeout_us=10**6)
    with pytest.raises(BadInput) as refused:
        job_from({"run": ["x"], "env": {"A": "\udcff"}}, "/a")
    assert str(refused.value) == (
        "env.A: the value holds the character U+DCFF (half a character, or a byte that is not UTF-8) at position 1; "
        "only line breaks and tabs are allowed; take it out"
    )


def test_reading_flows_starts_without_what_it_does_not_need() -> None:
    heavy = {"trio", "asyncio", "asyncssh", "apsw", "difflib"}
    code = f"import sys, holdfast.cli.flows.flowfile; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
