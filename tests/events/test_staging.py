"""Where a job's files may come from and go to: whatever is asked for, no accepted place leads out of its folder."""

from __future__ import annotations

from posixpath import normpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.events.checks import check_job
from holdfast.events.errors import BadInput
from holdfast.events.spec import JobSpec
from holdfast.events.staging import (
    ENTRIES_MAX,
    PART_SUFFIX,
    InputFile,
    OutputFile,
    check_staging,
    input_place,
    output_place,
    parts_of,
)

# Paths out of what makes them dangerous, and any text at all.
PIECES = st.sampled_from(["..", ".", "/", "//", "a", "~", "*", "\\", "\n", "-", " ", ".holdfast", "ö", "x" * 300, "'"])
PATHS = st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(max_size=20))


def accepted(inputs: tuple[InputFile, ...] = (), outputs: tuple[OutputFile, ...] = ()) -> bool:
    try:
        check_staging(inputs, outputs, "jobs.a")
    except BadInput:
        return False
    return True


def stays_below(parts: tuple[str, ...]) -> bool:
    path = "/".join(("/folder", *parts))
    return bool(parts) and normpath(path) == path and path.startswith("/folder/") and "" not in parts


@given(PATHS, PATHS)
def test_an_accepted_input_goes_below_the_jobs_folder_and_not_to_holdfasts_own(source: str, to: str) -> None:
    file = InputFile(source, to)
    if accepted(inputs=(file,)):
        place = input_place(file)
        assert stays_below(place)
        assert place[0] != ".holdfast"
        assert not any(name.endswith(PART_SUFFIX) or len(name.encode(errors="surrogatepass")) > 255 for name in place)


@given(PATHS, PATHS, st.lists(st.sampled_from(["a", "b", "c.csv"]), min_size=1, max_size=4))
def test_an_accepted_output_comes_below_the_flows_folder(pattern: str, to: str, below: list[str]) -> None:
    file = OutputFile(pattern, "/flow", to)
    if accepted(outputs=(file,)):
        found = (*parts_of(pattern), *below)  # a folder that the pattern names comes whole
        assert stays_below(output_place(file, found))


@pytest.mark.parametrize("to", ["a", "a/b", "./", "a/", ".", "a/.", ".a", "..a", "a..", "~", "a b", "-rf", "a\nb"])
def test_places_in_the_folder_are_accepted(to: str) -> None:
    assert accepted(inputs=(InputFile("/x/name", to),))


@pytest.mark.parametrize(
    "to", ["", "/", "/a", "..", "../a", "a/../b", "a/..", ".holdfast", ".holdfast/x", "./.holdfast/"]
)
def test_places_out_of_the_folder_or_in_holdfasts_own_are_refused(to: str) -> None:
    assert not accepted(inputs=(InputFile("/x/name", to),))
    assert not accepted(outputs=(OutputFile(to, "/flow"),))
    assert to == "" or not accepted(outputs=(OutputFile("a", "/flow", to),))


@pytest.mark.parametrize("source", ["", "a", "./a", "/", "//", "/..", "/a/..", "/a/."])
def test_an_input_that_is_not_absolute_or_has_no_name_is_refused(source: str) -> None:
    assert not accepted(inputs=(InputFile(source, "./"),))


def test_two_inputs_with_one_place_are_refused_however_it_is_written() -> None:
    with pytest.raises(BadInput) as refused:
        check_staging((InputFile("/a", "x/"), InputFile("/b", "./x//a")), (), "jobs.a")
    assert str(refused.value) == (
        "jobs.a.inputs.2: './x//a' is the place of number 1 already; "
        "give each file a place of its own, as in to = 'data/b.dat'"
    )


def test_more_entries_than_a_job_may_have_are_refused() -> None:
    assert accepted(inputs=tuple(InputFile(f"/{n}", "./") for n in range(ENTRIES_MAX)))
    assert not accepted(inputs=tuple(InputFile(f"/{n}", "./") for n in range(ENTRIES_MAX + 1)))


@pytest.mark.parametrize("target", ["local", "functions"])
@pytest.mark.parametrize("key", ["inputs", "outputs"])
def test_a_job_on_this_machine_takes_no_files_along(target: str, key: str) -> None:
    inputs = (InputFile("/a", "a"),) if key == "inputs" else ()
    outputs = (OutputFile("a", "/f"),) if key == "outputs" else ()
    job = JobSpec("true" if target == "local" else (), target=target, inputs=inputs, outputs=outputs)
    with pytest.raises(BadInput):
        check_job(job, "jobs.a")


@pytest.mark.parametrize("text,problem", [("a\0b", "NUL"), ("a\udc80", "not UTF-8")])
def test_text_that_can_not_be_recorded_or_passed_on_is_refused(text: str, problem: str) -> None:
    for inputs, outputs in (((InputFile("/a", text),), ()), ((), (OutputFile(text, "/f"),))):
        with pytest.raises(BadInput, match=problem):
            check_job(JobSpec("true", cwd="", target="gpu", inputs=inputs, outputs=outputs), "jobs.a")
