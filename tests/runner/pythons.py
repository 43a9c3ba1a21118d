"""The Pythons of this machine: the runner and the relay must serve with each that a host may have."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

OLDEST: Final = (3, 6)


def _found() -> dict[str, str]:
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


PYTHONS: Final = _found()
