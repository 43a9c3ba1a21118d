"""A job's folder on the other machine: made below the workdir, and never outside of it, whatever links stand there.

What is checked is what stands there at that moment. SFTP has no way to open a path without following links, so whoever
may write to the folder there can put one in between; that is a user of that machine with the rights of the job itself.
"""

from __future__ import annotations

from msgspec import Struct

from .localtree import Parts
from .remotefiles import Kind, RemoteFiles, StagingFailed, shown_path


class JobFolder(Struct, frozen=True):
    """Where a job works on the other machine: `cwd` below `workdir`; `private` is for Holdfast's own files there."""

    workdir: str
    cwd: str
    private: str


async def settle(files: RemoteFiles, workdir: str, names: Parts) -> tuple[str, str]:
    """Make the folder of these names below the workdir; its path and that of the workdir, both without links."""
    root = await files.real_path(workdir)
    if root is None:
        raise StagingFailed(f"the workdir {shown_path(workdir)} is not there; `holdfast hosts check` says more")
    path = root
    for name in names:
        path = f"{path}/{name}"
        await make_folder(files, path, root)
    return (await files.real_path(path) or path) if names else root, root


async def make_folder(files: RemoteFiles, path: str, root: str) -> None:
    """Make a folder in one that is known to lie in the root; one that is there already must lie in it as well."""
    status = await files.status(path)
    if status is None:
        await files.make_folder(path)
        status = await files.status(path)
    if status is not None and status.kind is Kind.FOLDER:
        return
    real = await files.real_path(path)
    if real is None or not is_within(real, root):
        message = f"{shown_path(path)} leads out of the workdir {shown_path(root)}, or nowhere; nothing is put there"
        raise StagingFailed(f"{message}; remove the link, or take another place")
    there = await files.status(real)
    if there is None or there.kind is not Kind.FOLDER:
        raise StagingFailed(f"{shown_path(path)} is no folder, and files are to go into it; move it away")


def is_within(path: str, root: str) -> bool:
    """Whether a path without links is the root, or below it."""
    return path == root or path.startswith(root.rstrip("/") + "/")
