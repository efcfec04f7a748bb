"""The bodies of messages about to be sent: read ahead, many at a time, and kept for their first try alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ingest.delivery.outbox_access import FRESH, PatientOutbox
from ingest.domain.model.outbox import Message, Waiting

AHEAD: Final = 64
"""Messages read beyond those that are sent now: each read costs a change of threads."""


class Bodies:
    """Messages with their bodies, of one connector. Belongs to one event loop."""

    def __init__(self, outbox: PatientOutbox, upcoming: Callable[[int], Sequence[int]]) -> None:
        """`upcoming`: the numbers of so many messages that are sent next."""
        self._outbox = outbox
        self._upcoming = upcoming
        self._ahead: dict[int, Message] = {}
        self._wanted: set[int] = set()  # by deliveries that wait for their turn to read
        self._read: dict[int, Message] = {}  # for them
        self._lock = asyncio.Lock()

    def keep(self, messages: Iterable[Message]) -> None:
        """Keep new messages, the newest few, until they are sent."""
        for message in messages:
            self._ahead[message.seq] = message
        self._trim()

    def release(self, messages: Iterable[Waiting]) -> None:
        """Keep these no longer: they are not sent."""
        for message in messages:
            self._ahead.pop(message.seq, None)

    def kept(self, seqs: Sequence[int]) -> list[Message] | None:
        """These messages, in order, if all of them are in memory; each is handed out once."""
        if not all(seq in self._ahead for seq in seqs):
            return None
        return [self._ahead.pop(seq) for seq in sorted(seqs)]

    async def get(self, seqs: Sequence[int]) -> list[Message]:
        """These messages, in order; those that cannot be read are left out."""
        lacking = {seq for seq in seqs if seq not in self._ahead}
        self._read |= {seq: self._ahead.pop(seq) for seq in seqs if seq not in lacking}
        self._wanted |= lacking
        if lacking:
            async with self._lock:
                if lacking & self._wanted:  # else somebody has read them along
                    await self._fetch()
        return [self._read.pop(seq) for seq in sorted(seqs) if seq in self._read]

    async def _fetch(self) -> None:
        wanted, self._wanted = self._wanted, set()
        room = AHEAD - len(self._ahead)
        ahead = [seq for seq in self._upcoming(room) if seq not in self._ahead] if room > FRESH else []
        found = await self._outbox.messages([*wanted, *ahead])
        wanted |= self._wanted  # some of those ahead may be sent by now
        self._wanted -= {message.seq for message in found}
        for message in found:
            (self._read if message.seq in wanted else self._ahead)[message.seq] = message
        self._trim()

    def _trim(self) -> None:
        while len(self._ahead) > AHEAD:
            del self._ahead[next(iter(self._ahead))]
