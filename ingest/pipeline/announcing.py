"""What gateways are told to be on disk: soon after each commit, but no more often than it is of use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ingest.journal.journal import BootKey
from ingest.journal.position import Position
from ingest.wire.frame import Committed

_EVERY_S: Final = 0.1
_A_SECOND: Final = 1_000
"""Announcements a second at most, over all gateways: one costs about as much as a small frame."""


class Announcer:
    """Gathers the boots whose gateways are to be told, and tells each its newest position.

    A gateway that has not been told for a while is told at once; one that sends all the time is told ten times a
    second, and less often when very many send.
    """

    def __init__(
        self, announce: Callable[[str, str, Committed], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._announce = announce
        self._now = now
        self._lock = threading.Lock()
        self._due: dict[BootKey, None] = {}
        self._not_before = 0.0

    def due(self, keys: Iterable[BootKey], *, at_once: bool = False) -> None:
        """Their positions have changed, or may have been forgotten. From any thread."""
        with self._lock:
            self._due.update(dict.fromkeys(keys))
            if at_once:
                self._not_before = 0.0

    def tell(self, positions: Mapping[BootKey, Position]) -> None:
        """Tell everyone who is due, unless the last time was just now."""
        now = self._now()
        with self._lock:
            if not self._due or now < self._not_before:
                return
            due, self._due = self._due, {}
            self._not_before = now + max(_EVERY_S, len(due) / _A_SECOND)
        for plant, gateway, boot in due:
            at = positions[plant, gateway, boot]
            missing = [(gap.first, gap.last) for gap in at.missing]
            self._announce(plant, gateway, Committed(boot, at.committed, missing))
