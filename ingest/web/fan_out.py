"""Event streams for many at once: one reader of the log, each event encoded once, no work while nothing happens.

A stream stands at a sequence number: it has sent every event up to there that is for its caller. What is newer comes
from the recent events that all streams share; what is older than those is read from the log, for one stream at a time.
So a slow client costs no memory and misses nothing: its stream only stands further back.
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
"""Shortest time from one event to the next look at the log: what is committed meanwhile is sent together."""

TICK_S: Final = 1.0
"""How often heartbeats, the server's closing and the ends of sessions are looked at."""

RECENT: Final = 1_000
"""Events kept for all streams. Whoever comes back after a restart of the service finds the newest half here, too."""

AT_ONCE: Final = 8
"""Streams that are woken before other work of the event loop, such as webhooks, has its turn."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event as it is sent: its number, the plant it is of, its bytes."""

    seq: int
    plant: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """A log of events that can be followed.

    Attributes:
        last: the newest number. Blocking.
        after: events with a greater number than the first argument, oldest first, at most so many. Blocking.
        wait: until there may be one with a greater number, or so many seconds.
    """

    name: str
    last: Callable[[], int]
    after: Callable[[int, int], Sequence[Sent]]
    wait: Callable[[int, float], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Stream:
    caller: Principal
    seq: int
    over: Callable[[], bool]
    beat: float  # when its next heartbeat is due
    awake: asyncio.Event = field(default_factory=asyncio.Event)


class FanOut:
    """Every stream of one log. Belongs to the event loop."""

    def __init__(self, log: Log, now: Callable[[], int]) -> None:
        """`now`: ns since the epoch, for heartbeats."""
        self._log = log
        self._now = now
        self._recent: deque[Sent] = deque()  # every event after `_floor`, up to `_seq`
        self._floor = self._seq = -1
        self._streams: dict[_Stream, None] = {}  # in the order of their heartbeats
        self._reading: asyncio.Task[None] | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._behind = asyncio.Lock()

    async def follow(self, caller: Principal, after: int, over: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Send what is newer than `after` and for this caller, and heartbeats, until it is over or the log is away.

        Every heartbeat bears a number, as events do, so that a client that has not seen an event yet can go on, too.
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
            return  # a stream that beats and tells nothing would be taken for quiet
        finally:
            self._streams.pop(stream, None)

    async def _after(self, seq: int) -> Sequence[Sent]:
        if seq >= self._floor:
            first = bisect_right(self._recent, seq, key=lambda event: event.seq)
            return list(islice(self._recent, first, first + BATCH))
        async with self._behind:
            return await asyncio.to_thread(self._log.after, seq, BATCH)

    def _begin(self) -> None:
        """Have the log read and time kept as long as there are streams."""
        if not self._runs(self._reading):
            self._reading = asyncio.create_task(self._read(), name=f"{self._log.name}-stream")
        if not self._runs(self._ticking):
            self._ticking = asyncio.create_task(self._tick(), name=f"{self._log.name}-heartbeat")

    async def _read(self) -> None:
        """Follow the log for all streams. Ends with the last stream, and while the state database is away."""
        try:
            newest = await asyncio.to_thread(self._log.last)
            if not max(0, newest - RECENT // 2) <= self._seq <= newest:
                self._recent.clear()
                self._floor = self._seq = max(0, newest - RECENT // 2)
                await self._wake(list(self._streams))
            while self._streams:
                found = await asyncio.to_thread(self._log.after, self._seq, BATCH)
                if found:
                    await self._wake(self._keep(found))
                    await asyncio.sleep(GATHER_S)
                else:
                    await self._log.wait(self._seq, TICK_S)
        except StateUnavailable:
            return
        finally:
            for stream in self._streams:
                stream.awake.set()

    def _keep(self, found: Sequence[Sent]) -> list[_Stream]:
        """Take in what is new; returns the streams for which some of it is."""
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
                stream.seq = self._seq  # it had sent all before, and of this there is nothing to send
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
