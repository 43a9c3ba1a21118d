"""What can go wrong with a home and its log; each says what was seen, the rule, and the remedy."""

from __future__ import annotations

from pathlib import Path

from holdfast.events.errors import Damaged, Unavailable


class NoHome(Unavailable):
    """There is no home here."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"there is no home at {path}; `holdfast run FLOW` or `holdfast submit` makes one, --home names another"
        )


class NotAFolder(Unavailable):
    """A file stands where the home, or a folder above it, should be."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is a file, but a home and all that is above it are folders; choose another --home")


class NoPlace(Unavailable):
    """The system makes no folders where the home should be."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no folder can be made at {path}; choose another place with --home")


class NoLock(Unavailable):
    """Something else stands where the home's lock should be."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is a folder, but the lock of a home is a file; move that folder away")


class HomeLocked(Unavailable):
    """Another process has the home."""

    def __init__(self, path: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid is not None else "another process"
        super().__init__(
            f"{path} is in use by {holder}: a home has one supervisor; wait for it, stop it, or use another --home"
        )
        self.pid = pid


class NetworkFilesystem(Unavailable):
    """The home lies where SQLite's locks and shared memory can't be trusted."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(
            f"{path} is on a {kind} file system: a log there can be lost or torn, because its locks and shared memory "
            "don't hold across machines; put the home on a local disk with --home, or, if only this machine ever "
            "uses it, set HOLDFAST_ALLOW_NETWORK_FILESYSTEM=1"
        )


class OldSQLite(Unavailable):
    """The SQLite library has the WAL-reset defect."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"SQLite {version} can lose committed rows (the WAL-reset defect); it takes 3.51.3 or later, 3.50.7 or "
            "3.44.6; install a newer apsw"
        )


class NoChecksums(Unavailable):
    """The pages of the log have checksums, which this apsw can't keep."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the pages of {path} have checksums, which this apsw can't keep: it was built without SQLite's cksumvfs; "
            "install the apsw that its authors built (pip install --only-binary apsw apsw)"
        )


class NewerSchema(Unavailable):
    """The log was written by a newer Holdfast."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} has schema {found}, newer than the {known} that this Holdfast knows; use the newer Holdfast"
        )


class OlderSchema(Unavailable):
    """The log was last written by an older Holdfast, and reading does not change it."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} has schema {found}, older than the {known} that this Holdfast reads; "
            "`holdfast rebuild` brings it up, and starts nothing"
        )


class NoPermission(Unavailable):
    """The system does not let us."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"no permission to {what} {path}; a home must belong to the user who runs Holdfast (0700)")


class ReadOnly(Unavailable):
    """The file system or the file can't be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} can't be written: it is read-only; make it writable or choose another --home")


class DiskFull(Unavailable):
    """There is no room. `seen` says more of it, where more is known."""

    def __init__(self, path: Path, seen: str = "") -> None:
        super().__init__(
            f"no space left for {path}{seen and f' ({seen})'}; nothing that was recorded is lost; make room there: "
            "what runs goes on by itself, what was refused is to be asked for again"
        )


class LogBusy(Unavailable):
    """Another program holds a lock on the log."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is locked by another SQLite program; close that program, or end its transaction")


class LogFailed(Unavailable):
    """The disk reported an error.

    Whether a commit that was under way is in the log is not known until the log is read again.
    """

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(
            f"the disk failed under {path} ({cause}); a commit under way may or may not be recorded; check the disk, "
            "then start again"
        )


class DamagedLog(Damaged):
    """The file is not what was written."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            f"{path} is damaged: {what}; nothing was changed; restore the home from a backup, "
            "or save what `sqlite3 log.db .recover` can read"
        )


class PerhapsDamaged(DamagedLog):
    """SQLite can't make sense of the file, or the disk did not give it this once: SQLite calls both the same."""

    certain = False


class WrongChecksums(DamagedLog):
    """Pages do not hold what was written into them, or another program wrote them."""

    def __init__(self, path: Path, pages: str) -> None:
        Damaged.__init__(
            self,
            f"{path} is damaged: the checksum is wrong of {pages}; nothing was changed; restore the home from a "
            "backup, or, if another program is known to have written into it (a checkpoint by a SQLite tool does), let "
            "`holdfast rebuild --trust-pages` check all else and take these pages as they are",
        )


class DamagedView(Damaged):
    """A row of a view is not what was written; the log itself may be whole."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"a view of the log is damaged: {what}; nothing was changed; `holdfast rebuild` makes the views afresh"
        )
