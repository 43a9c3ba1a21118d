"""Words that stand nowhere: in no code, no comment, no document. Brackets keep them from standing even here."""

import io
import re
import tokenize
from collections.abc import Iterator
from typing import Final

from .source import Source

BANNED: Final = {
    r"py[p]i\.org|python[h]osted\.org|npm[j]s\.(org|com)|crates[.]io": "a package registry's host; name the package",
    r"(?<![\w.])/(ro[o]t\b|ho[m]e/\w|Us[e]rs/\w)": "a path of one machine; make it relative, or take it as input",
    r"\b(TO[D]O|FIX[M]E|XX[X])\b": "unfinished work; finish it, or leave it out",
    r"(?i)not[ ]implemented|NotImpl[e]mentedError": "a promise that the code doesn't keep; keep it, or leave it out",
}

BARE_IGNORES: Final = {
    r"#\s*type:\s*ignore(?!\[)": "a bare type: ignore; name the rule in brackets",
    r"#\s*pyright:\s*ignore(?!\[)": "a bare pyright: ignore; name the rule in brackets",
    r"#\s*noqa(?!:)": "a bare noqa; name the rule after a colon",
}


def banned_word(source: Source) -> Iterator[str]:
    """No file holds a banned word."""
    for pattern, remedy in BANNED.items():
        for match in re.finditer(pattern, source.text):
            line = source.text.count("\n", 0, match.start()) + 1
            yield source.at(line, f"{match.group()!r} is {remedy}")


def bare_ignore(source: Source) -> Iterator[str]:
    """A check is switched off by the name of its rule only."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            for pattern, remedy in BARE_IGNORES.items():
                if re.search(pattern, token.string):
                    yield source.at(token.start[0], remedy)
