"""A job's files: there before it starts, and back when it has ended; each whole or not at all.

All files of a job are first brought into parts beside their places, whole and synced, and only then put there. So what
fails or is cancelled leaves no half file under a final name, and half of the files only if the link breaks while they
are being put there. A cut leaves parts; the next try for the same places goes on with them, or removes them.

No file is sent whose content is there already: `manifest` knows, or the other machine is asked for the SHA-256. That of
a file that was sent is of the bytes that were sent; SSH's own codes guard them on their way.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from holdfast.events.staging import InputFile, OutputFile, StagedFile, output_place, parts_of

from .inward import Inward, Progress
from .jobfolders import JobFolder, make_folder, settle
from .localtree import find_inputs
from .memory import Memory
from .outward import Outward, Place, Wanted
from .remotefiles import RemoteFiles, StagingFailed, shown_path
from .walking import Walk


def no_progress(_done_bytes: int, _total_bytes: int) -> None:
    """Tell nobody."""


async def stage_in(
    files: RemoteFiles,
    memory: Memory,
    folder: JobFolder,
    inputs: Sequence[InputFile],
    progress: Progress = no_progress,
) -> tuple[StagedFile, ...]:
    """Bring a job's inputs to its folder, which is made. Raises StagingInterrupted and StagingFailed."""
    found = await trio.to_thread.run_sync(find_inputs, inputs)
    base, root = await settle(files, folder.workdir, parts_of(folder.cwd))
    async with memory.claimed("/".join((base, *place)) for place in found.files):
        for place in sorted(found.folders, key=len):
            await make_folder(files, "/".join((base, *place)), root)
        manifest = memory.manifest(folder.private, base)
        await manifest.load(files)
        return await Inward(files, memory, manifest, base).send_all(list(found.files.values()), progress)


async def stage_out(
    files: RemoteFiles,
    memory: Memory,
    folder: JobFolder,
    outputs: Sequence[OutputFile],
    progress: Progress = no_progress,
    *,
    missing_ok: bool = False,
) -> tuple[StagedFile, ...]:
    """Bring a job's outputs back. Raises StagingInterrupted and StagingFailed.

    `missing_ok`: the job failed, so that an output which isn't there is no news.
    """
    base, root = await settle(files, folder.workdir, parts_of(folder.cwd))
    walk = Walk(files, base, root)
    wanted: dict[Place, Wanted] = {}
    for output in outputs:
        for names, found in (await walk.find(output.pattern, missing_ok=missing_ok)).items():
            place = Place(output.folder, output_place(output, names))
            other = wanted.setdefault(place, Wanted(names, found, place))
            if other.names != names:
                both = " and ".join(shown_path("/".join(each)) for each in (other.names, names))
                message = f"the outputs {both} have the same place {shown_path(place.path)} here; give one another"
                raise StagingFailed(message)
    async with memory.claimed(place.path for place in wanted):
        return await Outward(files, memory).fetch_all(wanted, progress)
