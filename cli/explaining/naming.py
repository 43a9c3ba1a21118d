"""Jobs by id and name, `job 3 (fetch)`, each looked up once."""

from __future__ import annotations

from holdfast.store.reader import Reader

from ..screen.terminal import printable

_KEPT = 10_000


class Names:
    """Names jobs of a home that is open for reading."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._names: dict[int, str] = {}

    def bare(self, job: int) -> str:
        """The name that the job was given, or an empty string."""
        found = self._names.get(job)
        if found is None:
            if len(self._names) >= _KEPT:
                self._names.clear()
            line = next(self._reader.jobs("id = ?", (job,)), None)
            found = self._names[job] = "" if line is None else printable(line.name)
        return found

    def __call__(self, job: int) -> str:
        """`job 3 (fetch)`, or `job 3` if it has no name."""
        name = self.bare(job)
        return f"job {job} ({name})" if name else f"job {job}"
