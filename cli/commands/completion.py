"""`holdfast completion`: a script that completes commands, options, states, and the ids and names of jobs.

For bash: `source <(holdfast completion bash)`, or the same into a file of bash-completion. For zsh: into a file
`_holdfast` on the fpath. For tcsh: `holdfast completion tcsh > ~/.holdfast.csh` and source that.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Final, cast

import shtab

from holdfast import __version__
from holdfast.store.home import Home

from ..arguments import build_parser
from .jobs import STATES

_BASH: Final = r"""
_holdfast_jobs() {
  compgen -W "$(holdfast jobs --json --limit 1000 2>/dev/null |
    sed -n 's/^{"id":\([0-9]*\),"name":"\([A-Za-z0-9_.@%+=-]*\)".*/\1 \2/p')" -- "$1"
}
"""
_ZSH: Final = r"""
_holdfast_jobs() {
  local -a found
  found=(${(f)"$(holdfast jobs --json --limit 1000 2>/dev/null |
    sed -n 's/^{"id":\([0-9]*\),"name":"\([A-Za-z0-9_.@%+=-]*\)","flow":[^,]*,"state":"\([a-z]*\)".*/\1:\2 \3/p')"})
  _describe job found
}
"""
_PREAMBLE: Final = {"bash": _BASH, "zsh": _ZSH, "tcsh": ""}
_JOBS: Final = {"bash": "_holdfast_jobs", "zsh": "_holdfast_jobs"}
_BY_METAVAR: Final = {"JOB": _JOBS, "FLOW": shtab.FILE, "DIR": shtab.DIRECTORY}


def execute(arguments: argparse.Namespace, home: Home) -> int:
    """Print the script for the shell."""
    del home
    parser = build_parser(__version__)
    for action in _actions(parser):
        how = _BY_METAVAR.get(action.metavar if isinstance(action.metavar, str) else "")
        if how is not None:
            vars(action)["complete"] = how  # the attribute that shtab looks for
        elif action.metavar == "STATE":
            action.choices = STATES
    sys.stdout.write(shtab.complete(parser, arguments.shell, preamble=_PREAMBLE[arguments.shell]) + "\n")
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument of a parser and of its commands; there is no public way to them."""
    for action in parser._actions:  # noqa: SLF001
        yield action
        choices: object = vars(action)["choices"]
        if isinstance(choices, Mapping):
            for each in cast("Mapping[str, object]", choices).values():
                if isinstance(each, argparse.ArgumentParser):
                    yield from _actions(each)
