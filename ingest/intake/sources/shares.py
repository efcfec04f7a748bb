"""Each gateway's share of intake: what it sends beyond it is not read, so that nobody else waits for it.

All gateways come through one session, in one order, and acknowledgements must go back in that order. So fairness cannot
mean letting others pass: it means that a message beyond its sender's share costs next to nothing. Its payload is
dropped where it was received, and its place in the order is acknowledged with the rest. Nothing is lost by that: what
is not read is not `committed`, and what is not committed a gateway sends again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ingest.base.telemetry import Event
from ingest.intake.wire.topics import Topic, frame_topic, parse_topic

Who = tuple[str, str]
"""(plant, gateway)"""

UNKNOWN_GATEWAYS: Final[Who] = ("*", "*")
"""All gateways that no plant file has, together: anybody may make them up."""

MESSAGE: Final = 1024
"""Bytes a message counts for besides its own: what an empty one costs."""

_MB: Final = 1 << 20
_TOPICS: Final = 1_000  # of strangers, remembered with whose they are


@dataclass(frozen=True, slots=True)
class GatewayThrottled(Event, level="warning", amount="messages"):
    """A gateway sent more than its share: these messages were not read. It is to send them again, as uncommitted."""

    plant: str
    gateway: str
    messages: int
    bytes: int


@dataclass(slots=True)
class _Share:
    """What one topic has used up: its messages are paid for until then, by the steady clock (s).

    Attributes:
        shut: nothing is read until half of the burst is paid for, so that what is missing is one long gap, not many.
    """

    paid_until: float = 0.0
    shut: bool = False
    messages: int = 0
    bytes: int = 0


class Shares:
    """Says of each message whether it is to be read: a leaky bucket a topic (cell rate algorithm, ITU-T I.371).

    A topic belongs to one gateway, whose status has a topic of its own: it gets through beside a flood of frames.

    `admit` is for one thread. `charge` and `refused` may be called from another: at worst a charge counts for less.

    >>> clock = iter([0.0, 0.0, 0.0, 0.5])
    >>> shares = Shares(1.0, 2.0, lambda: {("p", "g")}, now=lambda: next(clock))
    >>> [shares.admit("yujing/v1/p/g/frame", 1 << 20) for _ in range(4)]  # read again once half of two is paid
    [True, False, False, True]
    >>> shares.refused()
    [(('p', 'g'), 2, 2097152)]
    """

    def __init__(
        self,
        mb_per_s: float,
        burst_mb: float,
        known: Callable[[], Collection[Who]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Everybody has used nothing yet.

        Args:
            mb_per_s: what each may send in the long run, MiB/s.
            burst_mb: and at once, after it was quiet, MiB.
            known: the gateways of the configuration in force; a new collection with each configuration.
            now: seconds, steady.
        """
        self._s_per_byte = 1 / (mb_per_s * _MB)
        self._burst_s = burst_mb / mb_per_s
        self._known = known
        self._now = now
        self._configuration: Collection[Who] = ()
        self._of: dict[str, tuple[Who, _Share]] = {}  # by topic
        self._strangers = _Share()

    def admit(self, topic: str, size: int) -> bool:
        """Whether this message, of so many bytes, is to be read; if not, it is counted."""
        share, now = self._share(topic), self._now()
        used = max(share.paid_until - now, 0.0)
        after = used + (size + MESSAGE) * self._s_per_byte
        share.shut = used > self._burst_s / 2 if share.shut else after > self._burst_s
        if share.shut:
            share.messages += 1
            share.bytes += size
            return False
        share.paid_until = now + after
        return True

    def charge(self, who: Who, size: int) -> None:
        """A frame of this gateway has cost as much as so many bytes more: at most, all it may use at once."""
        share, now = self._share(frame_topic(*who)), self._now()
        share.paid_until = min(max(share.paid_until, now) + size * self._s_per_byte, now + self._burst_s)

    def refused(self) -> list[tuple[Who, int, int]]:
        """Whose messages were not read since this was asked last, how many, and their bytes."""
        found = []
        for who, share in [*self._of.values(), (UNKNOWN_GATEWAYS, self._strangers)]:
            if share.messages:
                found.append((who, share.messages, share.bytes))
                share.messages, share.bytes = 0, 0
        return found

    def _share(self, topic: str) -> _Share:
        known = self._known()
        if known is not self._configuration:
            self._configuration = known
            self._of = {topic: kept for topic, kept in self._of.items() if kept[0] in known}
        if topic in self._of:
            return self._of[topic][1]
        parsed = _parse(topic)
        if parsed is None or (who := (parsed.plant, parsed.gateway)) not in known:
            return self._strangers
        return self._of.setdefault(topic, (who, _Share()))[1]


_parse: Callable[[str], Topic | None] = lru_cache(maxsize=_TOPICS)(parse_topic)
