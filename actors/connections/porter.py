"""Bringing files along: an attempt is launched once its inputs are there, and has ended once its outputs are here.

Nothing of it waits for anything else: attempts without files pass at once. All of it may be done again after any crash,
as the launch and the end that it goes with are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import trio
from msgspec import Struct
from msgspec.structs import replace

from holdfast.events.errors import Unavailable
from holdfast.events.messages import AttemptStatus, Reported, Staged
from holdfast.events.spec import JobSpec

from ..address import Address
from ..errors import InboxFull, lone
from ..staging.jobfolders import JobFolder
from ..staging.memory import Memory
from ..staging.moving import stage_in, stage_out
from ..staging.remotefiles import RemoteFiles, StagingFailed
from ..targets.messages import Order
from .dialling import RemoteLine

CARRIERS: Final = 4
AGAIN_S: Final = 2.0
PROGRESS_S: Final = 5.0
_ENDED: Final = ("exited", "timeout", "stopped")

Work = Callable[[RemoteFiles], Awaitable[None]]


class Told(Struct, frozen=True):
    """Where a porter takes its questions and its news.

    `spec_of`: what was asked for, by an attempt's token. `alive` hears of every block that arrived somewhere: on a slow
    link what the runner says waits behind them, and the host is not silent for that.
    """

    scheduler: Address[Reported | Staged]
    spec_of: Callable[[str], JobSpec | None]
    now: Callable[[], int]
    trouble: Callable[[str | None], None]
    alive: Callable[[], None]


class Porter:
    """Of one target."""

    def __init__(self, target: str, home_id: str, told: Told) -> None:
        self._target = target
        self._told = told
        self._memory = Memory(home_id)
        self._waiting: dict[str, Work] = {}
        self._busy: dict[str, trio.CancelScope] = {}
        self._launched: dict[str, JobSpec] = {}
        self._fetching: set[str] = set()
        self._news = trio.Event()
        self._line: RemoteLine | None = None

    # What passes through it.

    def take_along(self, orders: Sequence[Order], launch: Callable[[Order], Awaitable[None]]) -> list[Order]:
        """Those that can be launched at once; the others are when their files are there."""
        at_once: list[Order] = []
        for order in orders:
            self._launched[order.token] = order.spec
            if order.spec.inputs:
                self._add(order.token, partial(self._send, order, launch))
            else:
                at_once.append(order)
        return at_once

    def let_go(self, tokens: Sequence[str]) -> None:
        """These are not to start: their inputs are given up. What has ended is brought back all the same."""
        gone = set(tokens) - self._fetching
        for token in gone:
            self._waiting.pop(token, None)
            self._launched.pop(token, None)
        for token in gone & self._busy.keys():
            self._busy[token].cancel()

    def bring_back(self, statuses: Sequence[AttemptStatus]) -> list[AttemptStatus]:
        """What can be told now: an attempt whose outputs are still there counts as running until they are here."""
        told: list[AttemptStatus] = []
        for status in statuses:
            spec = self._outputs_of(status)
            if spec is None:
                told.append(status)
            else:
                self._fetching.add(status.token)
                self._add(status.token, partial(self._fetch, status, spec))
                told.append(replace(status, state="running"))
        return told

    def _outputs_of(self, status: AttemptStatus) -> JobSpec | None:
        if status.state not in {"ended", "revoked"}:
            return None
        spec = self._launched.pop(status.token, None) or self._told.spec_of(status.token)
        has = spec is not None and spec.outputs and status.how in _ENDED and (status.pid or status.started_at)
        return spec if has else None

    def _add(self, token: str, work: Work) -> None:
        if token not in self._busy and token not in self._waiting:
            self._waiting[token] = work
            self._news.set()

    # The work, for as long as a connection stands.

    async def run(self, line: RemoteLine) -> None:
        """Carry until cancelled; what is under way then is begun again on the next connection."""
        assert line.files is not None, "another machine has files"
        self._line = line
        try:
            while True:
                await self._news.wait()
                self._news = trio.Event()
                try:
                    async with line.files() as files, trio.open_nursery() as nursery:
                        await self._keep_carrying(files, nursery)
                except* Unavailable as group:
                    # If the link is gone, whoever speaks with the runner sees that too.
                    self._told.trouble(str(lone(group)))
                if self._waiting:
                    await trio.sleep(AGAIN_S)
                    self._news.set()
        finally:
            # The runner and the scheduler say all of it again on the next connection.
            self._waiting.clear()
            self._launched.clear()
            self._fetching.clear()

    async def _keep_carrying(self, files: RemoteFiles, nursery: trio.Nursery) -> None:
        """Until nothing is left; what comes meanwhile need not wait for what is large."""
        while self._waiting or self._busy:
            while self._waiting and len(self._busy) < CARRIERS:
                token = next(iter(self._waiting))
                work = self._waiting.pop(token)
                self._busy[token] = trio.CancelScope()
                nursery.start_soon(self._carry, files, token, work)
            await self._news.wait()
            self._news = trio.Event()

    async def _carry(self, files: RemoteFiles, token: str, work: Work) -> None:
        scope = self._busy[token]
        try:
            with scope:
                await work(files)
        except BaseException:
            self._waiting = {token: work, **self._waiting}
            raise
        finally:
            self._busy.pop(token)
            self._news.set()

    async def _send(self, order: Order, launch: Callable[[Order], Awaitable[None]], files: RemoteFiles) -> None:
        try:
            progress = self._progress(AttemptStatus(order.token, "queued", message="its inputs are on their way"))
            staged = await stage_in(files, self._memory, self._folder(order.spec), order.spec.inputs, progress)
        except StagingFailed as error:
            self._launched.pop(order.token, None)
            failed = AttemptStatus(order.token, "ended", ended_at=self._told.now(), how="not_started", error=str(error))
            await self._told.scheduler.tell(Reported(self._target, (failed,)))
        else:
            await self._told.scheduler.tell(Staged(self._target, order.token, staged))
            await launch(order)

    async def _fetch(self, status: AttemptStatus, spec: JobSpec, files: RemoteFiles) -> None:
        succeeded = status.how == "exited" and status.exit_code == 0
        try:
            progress = self._progress(replace(status, state="running", message="its outputs are on their way"))
            folder = self._folder(spec)
            staged = await stage_out(files, self._memory, folder, spec.outputs, progress, missing_ok=not succeeded)
        except StagingFailed as error:
            if succeeded:
                status = replace(status, how="outputs_missing", error=str(error))
        else:
            await self._told.scheduler.tell(Staged(self._target, status.token, staged, back=True))
        self._fetching.discard(status.token)
        await self._told.scheduler.tell(Reported(self._target, (status,)))

    def _progress(self, status: AttemptStatus) -> Callable[[int, int], None]:
        """Tells how far it is, now and then; what is quickly done says nothing."""
        told_at = trio.current_time()

        def tell(done_bytes: int, total_bytes: int) -> None:
            nonlocal told_at
            self._told.alive()
            if trio.current_time() - told_at >= PROGRESS_S and done_bytes < total_bytes:
                told_at = trio.current_time()
                news = replace(status, fraction=done_bytes / total_bytes)
                with suppress(InboxFull):
                    self._told.scheduler.tell_nowait(Reported(self._target, (news,)))

        return tell

    def _folder(self, spec: JobSpec) -> JobFolder:
        line = self._line
        assert line is not None, "files are carried while a connection stands"
        return JobFolder(line.workdir or "/", spec.cwd, line.private)
