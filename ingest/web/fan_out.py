"""Fans events out to many streams: one reader of the log, each event encoded once, no work while nothing happens.

A stream has a sequence number up to which it has sent every event for its caller. Newer events come from the recent
ones that all streams share; older ones are read from the log, for one stream at a time. So a slow client costs no
memory and misses nothing: its stream is only further behind.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Final

from ingest.domain.model.payload import iso
from ingest.services.access import Principal
from ingest.storage.state.errors import StateUnavailable

HEARTBEAT_S: Final = 5.0
BATCH: Final = 200
"""Events read from the log at a time."""

GATHER_S: Final = 0.05
"""Least time between an event and the next query of the log: events committed meanwhile are sent together."""

TICK_S: Final = 1.0
"""How often due heartbeats, the server's stop and ended sessions are checked."""

RECENT: Final = 1_000
"""Events kept for all streams; after a restart the newest half is loaded for clients that reconnect."""

AT_ONCE: Final = 8
"""Streams woken before the event loop is yielded to other work, such as webhooks."""


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """An event encoded for sending, with its sequence number and its plant."""

    seq: int
    plant: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """A log of events that can be followed.

    Attributes:
        last: returns the newest sequence number. Blocking.
        after: returns events with a number greater than the first argument, oldest first, at most as many as the
            second. Blocking.
        wait: waits until there may be a greater number, or so many seconds.
    """

    name: str
    last: Callable[[], int]
    after: Callable[[int, int], Sequence[EncodedEvent]]
    wait: Callable[[int, float], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Stream:
    caller: Principal
    seq: int
    over: Callable[[], bool]
    beat: float  # when its next heartbeat is due
    awake: asyncio.Event = field(default_factory=asyncio.Event)


class FanOut:
    """Serves every stream of a log. Belongs to the event loop."""

    def __init__(self, log: Log, now: Callable[[], int]) -> None:
        """`now`: ns since the epoch, for heartbeats."""
        self._log = log
        self._now = now
        self._recent: deque[EncodedEvent] = deque()  # every event after `_floor`, up to `_seq`
        self._floor = self._seq = -1
        self._streams: dict[_Stream, None] = {}  # in the order of their heartbeats
        self._reading: asyncio.Task[None] | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._behind = asyncio.Lock()

    async def follow(self, caller: Principal, after: int, over: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Yield this caller's events newer than `after`, and heartbeats, until `over` or until the log is unavailable.

        Every heartbeat bears a number, as events do, so that a client without an event so far can resume, too.
        """
        clock = asyncio.get_running_loop().time
        stream = _Stream(caller, after, over, clock() + HEARTBEAT_S)
        self._streams[stream] = None
        self._begin()
        try:
            yield b"retry: 2000\n" + self._heartbeat(stream)
            while not over():
                stream.awake.clear()
                found = await self._after(stream.seq)
                if found:
                    stream.seq = found[-1].seq
                    if mine := b"".join(event.text for event in found if caller.sees(event.plant)):
                        yield mine
                elif clock() >= stream.beat:
                    stream.beat = clock() + HEARTBEAT_S
                    self._streams.pop(stream)
                    self._streams[stream] = None
                    yield self._heartbeat(stream)
                elif self._runs(self._reading):
                    await stream.awake.wait()
                else:
                    return
        except StateUnavailable:
            return  # heartbeats without events would be taken for a quiet plant
        finally:
            self._streams.pop(stream, None)

    async def _after(self, seq: int) -> Sequence[EncodedEvent]:
        if seq >= self._floor:
            first = bisect_right(self._recent, seq, key=lambda event: event.seq)
            return list(islice(self._recent, first, first + BATCH))
        async with self._behind:
            return await asyncio.to_thread(self._log.after, seq, BATCH)

    def _begin(self) -> None:
        """Start the reader and the timer, which run as long as there are streams."""
        if not self._runs(self._reading):
            self._reading = asyncio.create_task(self._read(), name=f"{self._log.name}-stream")
        if not self._runs(self._ticking):
            self._ticking = asyncio.create_task(self._tick(), name=f"{self._log.name}-heartbeat")

    async def _read(self) -> None:
        """Read the log for all streams. Ends with the last stream, or when the state database is unavailable."""
        try:
            newest = await asyncio.to_thread(self._log.last)
            if not max(0, newest - RECENT // 2) <= self._seq <= newest:
                self._recent.clear()
                self._floor = self._seq = max(0, newest - RECENT // 2)
                await self._wake(list(self._streams))
            while self._streams:
                found = await asyncio.to_thread(self._log.after, self._seq, BATCH)
                if found:
                    await self._wake(self._append(found))
                    await asyncio.sleep(GATHER_S)
                else:
                    await self._log.wait(self._seq, TICK_S)
        except StateUnavailable:
            return
        finally:
            for stream in self._streams:
                stream.awake.set()

    def _append(self, found: Sequence[EncodedEvent]) -> list[_Stream]:
        """Append new events to the recent ones; return the streams that have some of them to send."""
        before, self._seq = self._seq, found[-1].seq
        self._recent.extend(found)
        while len(self._recent) > RECENT:
            self._floor = self._recent.popleft().seq
        plants = {event.plant for event in found}
        concerned = []
        for stream in self._streams:
            if any(map(stream.caller.sees, plants)):
                concerned.append(stream)
            elif before <= stream.seq < self._seq:
                stream.seq = self._seq  # it was up to date, and none of these is for it
        return concerned

    async def _tick(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._streams:
            await asyncio.sleep(TICK_S)
            now = clock()
            due = list(takewhile(lambda stream: stream.beat <= now, self._streams))  # noqa: B023  used up at once
            await self._wake([*due, *(stream for stream in self._streams if stream.over())])

    async def _wake(self, streams: Iterable[_Stream]) -> None:
        for number, stream in enumerate(streams, start=1):
            stream.awake.set()
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _heartbeat(self, stream: _Stream) -> bytes:
        """Return a comment for plain clients and an event for browsers, which cannot see comments."""
        return f": heartbeat\nevent: heartbeat\ndata: {iso(self._now())}\nid: {stream.seq}\n\n".encode()

    @staticmethod
    def _runs(task: asyncio.Task[None] | None) -> bool:
        return task is not None and not task.done()
