"""Whether a rest is in vain because the broker waits for us (pure: times of arrival are passed in).

A broker lets only so many messages be unacknowledged: Mosquitto 20 unless told otherwise, and no more than
`mqtt.window`. None of them says how many. After a commit it sends that many at once and then waits for the next commit,
so resting would cost throughput and save nothing: a backlog of an hour would come in for hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ingest.sources.raw import Raw

_FEWEST: Final = 8
"""A rest in which fewer came says nothing: no broker lets as few be unacknowledged."""

_LONGEST: Final = 64
"""Cycles without a rest at most, until one is tried again."""


class HeldBack:
    """Lets a rest be while it gathers messages; else the next cycles follow at once, ever more of them."""

    def __init__(self) -> None:
        self._without = 0  # cycles without a rest that the newest rest in vain led to
        self._left = 0  # how many of them are left
        self._gathered = 0  # by the newest rest

    def rest_s(self, wanted_s: float) -> float:
        """How long to rest before the next cycle, which is to rest for so long."""
        if wanted_s > 0 and self._left:
            self._left -= 1
            return 0.0
        return wanted_s

    def rested(self, messages: Sequence[Raw], began: int, ended: int) -> None:
        """Learn from a rest (ns) and what there was at its end.

        It was in vain if all came in its first quarter, and as many as in the rest before.
        """
        as_many = _FEWEST <= len(messages) == self._gathered
        in_vain = as_many and messages[-1].received < began + (ended - began) // 4
        self._gathered = len(messages)
        self._without = min(max(2 * self._without, 1), _LONGEST) if in_vain else 0
        self._left = self._without
