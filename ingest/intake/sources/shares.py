"""Limits each gateway's share of intake: messages beyond it are not read, so that other gateways do not wait.

All gateways share one session, and acknowledgements must go back in its order. So messages of others cannot overtake;
instead a message beyond its sender's share costs next to nothing. Its payload is dropped where it was received, and it
is acknowledged in order with the rest. Nothing is lost by that: an unread frame is not `committed`, so its gateway
sends it again.
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
"""All gateways in no plant file together, since anybody may invent such."""

MESSAGE: Final = 1024
"""Bytes that each message costs on top of its own."""

_MB: Final = 1 << 20
_TOPICS: Final = 1_000  # topics of unknown gateways remembered as parsed


@dataclass(frozen=True, slots=True)
class GatewayThrottled(Event, level="warning", amount="messages"):
    """A gateway sent more than its share: these messages were not read. It is to send them again, as uncommitted."""

    plant: str
    gateway: str
    messages: int
    bytes: int


@dataclass(slots=True)
class _Share:
    """What one topic has used up: the time until which its messages are paid for, by the steady clock (s).

    Attributes:
        shut: nothing is read until half of the burst is paid for, so that one long gap results, not many.
    """

    paid_until: float = 0.0
    shut: bool = False
    messages: int = 0
    bytes: int = 0


class Shares:
    """Decides for each message whether to read it: a leaky bucket per topic (cell rate algorithm, ITU-T I.371).

    A topic belongs to one gateway, whose status has a topic of its own, so it gets through a flood of frames.

    `admit` is for one thread. Others may call `charge` and `take_throttled`: at worst a charge counts for less.

    >>> clock = iter([0.0, 0.0, 0.0, 0.5])
    >>> shares = Shares(1.0, 2.0, lambda: {("p", "g")}, now=lambda: next(clock))
    >>> [shares.admit("yujing/v1/p/g/frame", 1 << 20) for _ in range(4)]  # read again once half of two is paid
    [True, False, False, True]
    >>> shares.take_throttled()
    [(('p', 'g'), 2, 2097152)]
    """

    def __init__(
        self,
        mb_per_s: float,
        burst_mb: float,
        known: Callable[[], Collection[Who]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with unused shares.

        Args:
            mb_per_s: sustained rate of each gateway, MiB/s.
            burst_mb: burst after a pause, MiB.
            known: the gateways of the configuration in force; a new collection with each configuration.
            now: seconds, steady.
        """
        self._s_per_byte = 1 / (mb_per_s * _MB)
        self._burst_s = burst_mb / mb_per_s
        self._known = known
        self._now = now
        self._configuration: Collection[Who] = ()
        self._of: dict[str, tuple[Who, _Share]] = {}  # by topic
        self._unknown = _Share()

    def admit(self, topic: str, size: int) -> bool:
        """Whether this message of `size` bytes is to be read; if not, it is counted."""
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
        """Charge this gateway for the cost of `size` more bytes, at most its whole burst."""
        share, now = self._share(frame_topic(*who)), self._now()
        share.paid_until = min(max(share.paid_until, now) + size * self._s_per_byte, now + self._burst_s)

    def take_throttled(self) -> list[tuple[Who, int, int]]:
        """Gateways with unread messages since the last call, with their number and bytes."""
        throttled = []
        for who, share in [*self._of.values(), (UNKNOWN_GATEWAYS, self._unknown)]:
            if share.messages:
                throttled.append((who, share.messages, share.bytes))
                share.messages, share.bytes = 0, 0
        return throttled

    def _share(self, topic: str) -> _Share:
        known = self._known()
        if known is not self._configuration:
            self._configuration = known
            self._of = {topic: entry for topic, entry in self._of.items() if entry[0] in known}
        if topic in self._of:
            return self._of[topic][1]
        parsed = _parse(topic)
        if parsed is None or (who := (parsed.plant, parsed.gateway)) not in known:
            return self._unknown
        return self._of.setdefault(topic, (who, _Share()))[1]


_parse: Callable[[str], Topic | None] = lru_cache(maxsize=_TOPICS)(parse_topic)
