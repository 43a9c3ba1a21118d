"""The project's files as they are shared with others: what git knows, or would if it were asked to add everything."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Only for a copy without its repository; with one, .gitignore decides.
_LEFT_BEHIND = {".git", ".venv", "__pycache__", "build", "dist", ".holdfast", ".hypothesis"}


def project_files(root: Path = ROOT) -> list[Path]:
    """Return the project's files and links, committed or not but not ignored, relative to `root` and sorted."""
    found = (_known_to_git(root) if (root / ".git").exists() else None) or _found_by_walking(root)
    return sorted(path for path in found if (root / path).is_symlink() or (root / path).is_file())


def _known_to_git(root: Path) -> list[Path] | None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):  # no git here, or a repository of another user
        return None
    return [Path(name) for name in listed.split("\0") if name]


def _found_by_walking(root: Path) -> list[Path]:
    found: list[Path] = []
    folders = [root]
    while folders:
        for path in folders.pop().iterdir():
            if path.name in _LEFT_BEHIND or path.name.endswith((".egg-info", "_cache")):
                continue
            if path.is_dir() and not path.is_symlink():
                folders.append(path)
            else:
                found.append(path.relative_to(root))
    return found
