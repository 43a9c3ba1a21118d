"""Makes a flow of a few dozen jobs: word statistics over licence texts and documents that this machine has.

    python examples/wordstats.py FOLDER     writes FOLDER/wordstats.jsonl, for `holdfast run FOLDER/wordstats.jsonl`

gather -> split (one for each text) -> count (one for each) -> merge -> top, longest -> report. One of them, `top`,
fails twice and is retried. Only tools that every Unix has are run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

TEXTS_MAX = 16
TEXT_BYTES_MIN = 2_000

# Lower-case words, one a line.
SPLIT = r"tr -cs '[:alpha:]' '\n' <texts/{name} | tr '[:upper:]' '[:lower:]' >words/{name}"
# The sleep stands for work that takes longer than counting words does.
COUNT = "sleep 0.3; sort words/{name} | uniq -c | sort -rn >counts/{name}; wc -l <counts/{name}"
MERGE = "sort words/* | uniq -c | sort -rn >all.txt; wc -l <all.txt"
# Fails on its first two attempts, as a flaky service would.
TOP = """\
echo "attempt $HOLDFAST_ATTEMPT"
[ "$HOLDFAST_ATTEMPT" -ge 3 ] || { echo "service unavailable" >&2; exit 75; }
head -20 all.txt >top.txt"""
LONGEST = "awk '{ print length($2), $2 }' all.txt | sort -rn | head -5 >longest.txt"
REPORT = "echo 'most frequent:'; head -5 top.txt; echo 'longest:'; cat longest.txt"


def find_texts() -> list[Path]:
    """Licences and documents of this machine, else the modules of Python itself: at most `TEXTS_MAX`."""
    patterns = (
        (Path("/usr/share/common-licenses"), "*"),
        (Path("/usr/share/doc"), "*/copyright"),
        (Path(json.__file__).parent.parent, "*.py"),
    )
    found: dict[Path, None] = {}
    for folder, pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            if len(found) < TEXTS_MAX and path.is_file() and path.stat().st_size >= TEXT_BYTES_MIN:
                found[path.resolve()] = None
    return list(found)


def jobs_for(texts: list[Path]) -> Iterator[dict[str, object]]:
    """The flow, a job each."""
    names = [f"{number:02}-{path.name}" for number, path in enumerate(texts, start=1)]
    copies = "; ".join(f"cp {path} texts/{name}" for path, name in zip(texts, names, strict=True))
    yield {"name": "gather", "run": f"mkdir -p texts words counts; {copies}"}
    for name in names:
        yield {"name": f"split-{name}", "run": SPLIT.format(name=name), "after": "gather"}
        yield {"name": f"count-{name}", "run": COUNT.format(name=name), "after": f"split-{name}"}
    yield {"name": "merge", "run": MERGE, "after": [f"count-{name}" for name in names]}
    yield {"name": "top", "run": TOP, "after": "merge", "retries": 3, "retry_delay": "200ms"}
    yield {"name": "longest", "run": LONGEST, "after": "merge"}
    yield {"name": "report", "run": REPORT, "after": ["top", "longest"]}


def write_flow(folder: Path) -> Path:
    """Write the flow into the folder; returns its path."""
    path = folder / "wordstats.jsonl"
    path.write_text("".join(json.dumps(job) + "\n" for job in jobs_for(find_texts())), encoding="utf-8")
    return path


if __name__ == "__main__":
    print(write_flow(Path(sys.argv[1])))
