"""Templates of a user's: what stands in them is data or is refused, and what Holdfast puts there stays as it is."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.actors.slurm.script import Place, check_job_template, render
from holdfast.actors.slurm.templates import PIECES, check_template
from holdfast.events.errors import BadInput
from holdfast.events.spec import JobSpec, SlurmSpec

from .batchfolder import BatchFolder, order

TOP = "{{ header }}\n{{ claim }}\n"
WHOLE = "{{ header }}\n# of our site\n\n{{ claim }}\nmodule() { :; }\n{{ command }}\n"


def rendered(text: str, variables: dict[str, str] | None = None, **others: str) -> str:
    """The script that a template makes, `others` being those that it may include."""
    slurm = SlurmSpec(templates={"main": text, **others}, template="main")
    return render("h.7.1", [order(variables=variables or {})], (), slurm, Place("/w", "/f"))


def refusal(text: str, variables: dict[str, str] | None = None, **others: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        rendered(text, variables, **others)
    return caught.value


def test_a_templates_own_text_stands_around_the_pieces(tmp_path: Path) -> None:
    place = BatchFolder(tmp_path / "work")
    text = (
        "{{ header }}\n# of our site\n{{ claim }}\nset -eu\nGREETING={{ greeting }}; export GREETING\n"
        "{% for each in modules | words %}\necho module {{ each }}\n{% endfor %}\n"
        '{% if needs.cpus > 1 %}\necho many\n{% endif %}\n{% include "common" %}\n{{ command }}\necho after\n'
    )
    slurm = SlurmSpec(templates={"main": text, "common": "echo {{ needs.cpus }} cpus\n"}, template="main")
    variables = {"greeting": "it's $(a) day", "modules": "gcc openmpi"}
    job = order(run="echo $GREETING; exit 4", variables=variables, needs={"cpus": 2})
    code, log = place.end(place.script(job, slurm=slurm))
    assert (code, log) == (4, "module gcc\nmodule openmpi\nmany\n2 cpus\nafter\n")
    assert place.output() == b"it's $(a) day\n"


def test_what_stands_after_the_command_does_not_change_how_it_ended(tmp_path: Path) -> None:
    place = BatchFolder(tmp_path / "work")
    slurm = SlurmSpec(templates={"main": "{{ header }}\n{{ claim }}\n{{ command }}\nfalse\n"}, template="main")
    assert place.end(place.script(order(1), slurm=slurm))[0] == 0
    assert place.end(place.script(order(2, run="exit 5"), slurm=slurm))[0] == 5


def test_what_ends_the_script_before_the_command_has_not_run_it(tmp_path: Path) -> None:
    place = BatchFolder(tmp_path / "work")
    slurm = SlurmSpec(templates={"main": TOP + "exit 9\n{{ command }}\n"}, template="main")
    assert place.end(place.script(order(run=("touch", "ran")), slurm=slurm))[0] == 9
    found = place.read("7.1")["7.1"]
    assert found.claim is not None
    assert found.exit is None
    assert not (place.workdir / "ran").exists()


@pytest.mark.parametrize(
    "text",
    [
        "{{ claim }}\n{{ header }}\n{{ command }}\n",
        "{{ header }}\n{{ command }}\n{{ claim }}\n",
        "\n{{ header }}\n{{ claim }}\n{{ command }}\n",
        "#!/bin/bash\n{{ header }}\n{{ claim }}\n{{ command }}\n",
        "{{ header }}\nrm -rf x\n{{ claim }}\n{{ command }}\n",
        "{{ header }}\n{{ claim }}\n",
        "{{ header }}\n{{ claim }}\n{{ command }}\n{{ command }}\n",
        "{{ header }}\n{{ claim }}\nif false; then {{ command }}; fi\n",
        "{{ header }}\n{{ claim }}\n: <<'X' {{ command }}\n",
        "{{ header }}\n{{ claim }}\n{% for i in range(2) %}\n{{ command }}\n{% endfor %}\n",
        "{{ header }}\n{{ claim }}\n{{ command | upper }}\n",
        "{{ header }}\n{{ claim }}\n{% set command = 'true' %}\n{{ command }}\n",
        "",
    ],
)
def test_the_pieces_stand_in_their_order_each_once_on_a_line_of_its_own(text: str) -> None:
    assert refusal(text).where.startswith("main")


@pytest.mark.parametrize("line", ["#SBATCH --uid=0", "  #SBATCH -p x", "#PBS -N x", "#BSUB -J x", "# SBATCH --x"])
def test_directives_of_a_templates_own_are_refused_and_say_what_to_do(line: str) -> None:
    error = refusal(f"{{{{ header }}}}\n{line}\n{{{{ claim }}}}\n{{{{ command }}}}\n")
    assert error.where == "main:2"
    assert "give sbatch = { ... }" in error.remedy


@pytest.mark.parametrize(
    "code, said",
    [
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ needs.gpus }}", "has no attribute 'gpus'"),
        ("{{ needs }}", "only text, numbers and lists"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{{ x.__class__.__mro__ }}", "unsafe"),
        ("{{ x | attr('__class__') }}", "no filter attr"),
        ("{{ x.format(1) }}", "call can't be used"),
        ("{{ x.upper() }}", "call can't be used"),
        ("{{ 'a' * 1000000000 }}", "mul can't be used"),
        ("{{ 9 ** 999999999 }}", "pow can't be used"),
        ("{{ x ~ x }}", "concat can't be used"),
        ("{{ '%999999999d' % 1 }}", "mod can't be used"),
        ("{{ x | center(999999999) }}", "no filter center"),
        ("{{ x is divisibleby 2 }}", "no test divisibleby"),
        ("{{ range(100000) | length }}", "more than 1000 numbers"),
        ("{% for a in range(1001) %}{% endfor %}", "more than 1000 numbers"),
        ("{% for a in x %}{% endfor %}", "a loop goes over"),
        ("{% for a in needs.items() %}{% endfor %}", "a loop goes over|call can't be used"),
        ("{% for a in [[x, x], [x, x]] %}{{ a }}{% endfor %}", "holds text and numbers"),
        ("{% set a = [x] %}{% set a = [a, a] %}", "holds text and numbers"),
        ("{% for a in (1,) recursive %}{{ loop((1,)) }}{% endfor %}", "not recursive|call can't"),
        (
            "{% for a in range(9) %}{% for b in range(9) %}{% for c in range(9) %}{% endfor %}{% endfor %}{% endfor %}",
            "more than 2 loops",
        ),
        ("{% for a in range(1000) %}{% for b in range(1000) %}{{ x }}{% endfor %}{% endfor %}", "longer than 1000000"),
        ("{% macro m() %}{% endmacro %}", "macro can't be used"),
        ("{% import 'other' as o %}", "import can't be used"),
        ("{% from 'other' import o %}", "import can't be used"),
        ("{% extends 'other' %}", "extends can't be used"),
        ("{% block b %}{% endblock %}", "block can't be used"),
        ("{% set a %}x{% endset %}", "set ... endset can't be used"),
        ("{% filter upper %}x{% endfilter %}", "filter can't be used"),
        ("{% include '../secret' %}", "there is no template '../secret'"),
        ("{% include '/etc/passwd' %}", "there is no template '/etc/passwd'"),
        ("{% include x %}", "a name that is written out"),
        ("{% include ['other'] %}", "a name that is written out"),
        ("{% include 'main' %}", "included by itself"),
        ("{% for a in (1, 2) %}{% include 'other' %}{% endfor %}", "stands in no loop"),
        ("{% if %}", "Expected an expression"),
        ("{{ 'a", "unexpected|end of"),
        ("{{ " + "(" * 5000 + " }}", "nested too deeply|unexpected|Expected"),
    ],
)
def test_what_could_grow_or_look_elsewhere_is_refused_with_its_line(code: str, said: str) -> None:
    error = refusal(f"{TOP}\n{code}\n{{{{ command }}}}\n", {"x": "value"}, other="echo\n")
    assert error.where.startswith("main")
    with pytest.raises(BadInput, match=said):
        raise error
    if "nested" not in error.problem and "longer" not in error.problem and "included" not in error.problem:
        assert error.where == "main:4"


def test_includes_cannot_multiply_without_end() -> None:
    names = [f"t{number}" for number in range(30)]
    others = {name: f"{{% include '{after}' %}}\n" * 2 for name, after in pairwise(names)}
    error = refusal(f"{TOP}{{% include 't0' %}}\n{{{{ command }}}}\n", None, **others, t29="x\n")
    assert "more than 100 includes" in error.problem


@pytest.mark.parametrize("name", [*PIECES, "needs", "loop", "range"])
def test_names_with_a_meaning_of_their_own_are_no_variables(name: str) -> None:
    assert refusal(WHOLE, {name: "x"}).where == f"variables.{name}"


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    ["'", "$(touch owned)", "`touch owned`", "\n#SBATCH --uid=0\n", "\r\n", "; touch owned", "{{ command }}", "\\", ""]
)


@given(values=st.lists(_TEXTS, min_size=1, max_size=5))
def test_variables_arrive_as_data(tmp_path_factory: pytest.TempPathFactory, values: list[str]) -> None:
    place = BatchFolder(tmp_path_factory.mktemp("work"))
    variables = {f"v{number}": value for number, value in enumerate(values)}
    words = " ".join(f"{{{{ {name} }}}}" for name in variables)
    slurm = SlurmSpec(templates={"main": f"{TOP}printf '%s\\000' {words} >seen\n{{{{ command }}}}\n"}, template="main")
    script = place.script(order(variables=variables), slurm=slurm).replace(">seen", f">'{place.workdir}/seen'")
    assert place.end(script) == (0, "")
    assert (place.workdir / "seen").read_bytes() == b"".join(value.encode() + b"\0" for value in values)
    assert sorted(each.name for each in place.workdir.iterdir()) == [".holdfast", "script.5.0", "seen"]


_TOKENS = st.sampled_from(
    [
        *("{{ ", " }}", "{% ", " %}", "{# ", " #}", "-", "header", "claim", "command", "x", "needs", "range", "words"),
        *(
            "for",
            "in",
            "endfor",
            "if",
            "else",
            "endif",
            "set",
            "include",
            "main",
            "other",
            "loop",
            ".",
            "(",
            ")",
            "[",
            "]",
        ),
        *(
            "|",
            "=",
            "==",
            "'",
            '"',
            ",",
            "~",
            "*",
            "**",
            "is",
            "not",
            "defined",
            "__class__",
            "9",
            "999999999",
            "\n",
            " ",
        ),
        *(
            "\n{{ header }}\n",
            "\n{{ claim }}\n",
            "\n{{ command }}\n",
            "{% for a in x|words %}",
            "{% endfor %}",
            "#SBATCH",
        ),
        *(
            "{% raw %}",
            "{% endraw %}",
            "{% set a = x %}",
            "{{ a }}",
            "upper",
            "default",
            "int",
            "length",
            "\0",
            "\r",
            "é",
        ),
    ]
)


@given(middle=st.lists(_TOKENS, max_size=12), top=st.booleans())
def test_whatever_a_template_says_it_is_refused_or_keeps_the_pieces(middle: list[str], *, top: bool) -> None:
    text = (TOP if top else "") + "".join(middle) + ("\n{{ command }}\n" if top else "")
    try:
        script = rendered(text, {"x": "a b"}, other="echo {{ x }}\n")
    except BadInput as error:
        where = error.where
    else:
        check_that_it_keeps_the_pieces(script)
        where = "main"
    assert where.startswith(("main", "other"))


def check_that_it_keeps_the_pieces(script: str) -> None:
    """The header is first, then the claim, and then the command, as they are without a template's own text."""
    plain = rendered(WHOLE)
    header, claim = (
        plain[: plain.index("\n# of our site")],
        plain[plain.index("# The fence.") : plain.index("\nmodule()")],
    )
    assert script.startswith(header)
    assert script.count(claim) == 1
    assert script.index(claim) == len(header) + 1
    assert script.count("\nholdfast_row holdfast_run\n") == 1


def test_a_target_is_checked_before_there_is_a_job() -> None:
    check_template("main", {"main": WHOLE + "{{ a }} {% if b is defined %}{{ b }}{% endif %}\n"})
    for text in (WHOLE.replace("{{ claim }}\n", ""), WHOLE + "{{ header }}", WHOLE + "{{ a() }}", WHOLE + "\r\n"):
        with pytest.raises(BadInput):
            check_template("main", {"main": text})
    check_template("main", {"main": WHOLE, "part": "echo\n"})
    with pytest.raises(BadInput):
        check_template("main", {"main": WHOLE, "part": "#SBATCH --x\n"})


@pytest.mark.parametrize(
    "job, where",
    [
        (JobSpec(run="x", template="other"), "jobs.a.template"),
        (JobSpec(run="x", secrets=("IFS",)), "jobs.a.secrets"),
        (JobSpec(run="x", env={"a-b": ""}), "jobs.a.env"),
        (JobSpec(run="x", template="main"), "main:6"),
        (JobSpec(run="x", template="main", variables={"needs": "1"}), "variables.needs"),
    ],
)
def test_a_job_is_checked_against_its_template_before_it_is_submitted(job: JobSpec, where: str) -> None:
    slurm = SlurmSpec(templates={"main": WHOLE.replace("{{ command }}", "echo {{ a }}\n{{ command }}")})
    with pytest.raises(BadInput) as caught:
        check_job_template(job, slurm, "jobs.a")
    assert caught.value.where == where
    check_job_template(JobSpec(run="x", template="main", variables={"a": "1"}), slurm, "jobs.a")
    check_job_template(JobSpec(run="x"), slurm, "jobs.a")


def test_variables_without_a_template_are_a_mistake() -> None:
    with pytest.raises(BadInput, match="no template that could use them"):
        check_job_template(JobSpec(run="x", variables={"a": "1"}), SlurmSpec())


def test_jinja_is_not_loaded_where_no_script_is_made() -> None:
    program = (
        "import json, sys\n"
        "import holdfast.actors.tree, holdfast.cli.flows.flowfile, holdfast.supervisor\n"
        "import holdfast.actors.slurm.script, holdfast.actors.slurm.templates\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert not {"jinja2", "markupsafe"} & set(json.loads(ran.stdout))
