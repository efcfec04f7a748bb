"""Puts lines that wait for their turn into one post: the grave first, and none is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from ingest.delivery.channels.rate import PostLimit


@dataclass(slots=True, eq=False)
class Waiting:
    """A line that waits, and what becomes of it: None: it was posted; else why not, and for how long to wait (s).

    Attributes:
        grave: it stands first, and takes a post of the reserve.
        before_grave: it takes one, too, since a grave one may wait behind it.
    """

    text: str
    id: str
    grave: bool
    address: str | None = None
    before_grave: bool = False
    result: asyncio.Future[Refusal | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a post was not taken.

    Attributes:
        error: in words, without secrets.
        block_s: for how long the channel takes no post at all.
        final: however often it is sent, it is not taken: the recipient is none.
    """

    error: str
    block_s: float = 0.0
    final: bool = False


Post = Callable[[Sequence[Waiting]], Awaitable[Refusal | None]]


class Bundler:
    """Posts lines as the limit allows, several in one post once it is used up. Belongs to one event loop."""

    def __init__(self, post: Post, limit: PostLimit, most: int, steady: Callable[[], float]) -> None:
        """Open nothing yet.

        Args:
            post: makes one post; never raises.
            limit: when the next may be made.
            most: bytes of a post's text in UTF-8.
            steady: seconds of a clock that nobody sets.
        """
        self._post = post
        self._limit = limit
        self._most = most
        self._steady = steady
        self._waiting = list[Waiting]()
        self._news = asyncio.Event()
        self._tasks = set[asyncio.Task[None]]()
        self._posting: asyncio.Task[None] | None = None

    async def deliver(self, lines: Sequence[Waiting]) -> list[Refusal | None]:
        """Wait until each line was posted, or was not taken. While the channel takes no post, none waits here."""
        refusal = self._blocked()
        if refusal is not None:
            return [refusal for _ in lines]
        self._waiting += lines
        self.wake()
        if self._posting is None or self._posting.done():
            self._posting = asyncio.create_task(self._post_waiting(), name="bundle")
        try:
            return list(await asyncio.gather(*(line.result for line in lines)))
        finally:  # whoever gave up is not posted later
            self._waiting = [line for line in self._waiting if not line.result.done()]

    def wake(self) -> None:
        """Look again whether a post may be made."""
        self._news.set()

    async def close(self) -> None:
        """Make no further post."""
        tasks = [task for task in (self._posting, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in self._waiting:
            line.result.cancel()
        self._waiting.clear()

    async def _post_waiting(self) -> None:
        while self._waiting:
            now, grave = self._steady(), any(line.grave or line.before_grave for line in self._waiting)
            wait_s = self._limit.wait_s(now, grave=grave)
            if wait_s > 0:
                await self._until_news(wait_s)
                continue
            self._limit.count(now, grave=grave)
            bundle = self._bundle()
            task = asyncio.create_task(self._deliver(bundle), name="post")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _until_news(self, wait_s: float) -> None:
        self._news.clear()
        alarm = asyncio.get_running_loop().call_later(wait_s, self.wake)
        try:
            await self._news.wait()
        finally:
            alarm.cancel()

    def _bundle(self) -> list[Waiting]:
        """Take what fits into one post: the grave first, then what others of them wait for, else as they came."""
        size, taken = 0, list[Waiting]()
        for line in sorted(self._waiting, key=lambda line: (not line.grave, not line.before_grave)):
            size += len(line.text.encode()) + bool(taken)
            if taken and size > self._most:
                break
            taken.append(line)
        self._waiting = [line for line in self._waiting if line not in taken]
        return taken

    async def _deliver(self, bundle: Sequence[Waiting]) -> None:
        refusal: Refusal | None = Refusal("the post was given up")
        try:
            refusal = await self._post(bundle)
            if refusal is not None and refusal.block_s:
                self._limit.block(self._steady(), refusal.block_s)
                _settle(self._waiting, self._blocked())
        finally:
            _settle(bundle, refusal)

    def _blocked(self) -> Refusal | None:
        blocked_s = self._limit.blocked_s(self._steady())
        return Refusal(f"it takes no post for another {blocked_s:.0f} s", blocked_s) if blocked_s > 0 else None


def _settle(lines: Sequence[Waiting], refusal: Refusal | None) -> None:
    for line in lines:
        if not line.result.done():
            line.result.set_result(refusal)
