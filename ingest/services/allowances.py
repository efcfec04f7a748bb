"""Limits how much a token may add to the records in a day: above what people do, below what a runaway script does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from ingest.base.telemetry import Event, emit
from ingest.domain.cases.config import CasesConfig
from ingest.services.errors import TooManyRequests, Unavailable

DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class AllowanceSpent(Event, level="warning", labels=("what",)):
    """A token wanted to add more to the records than one may in a day; it was refused."""

    what: str
    token: str
    a_day: float


class Allowance:
    """A daily allowance for each token: may be used all at once, and refills evenly. Thread-safe."""

    def __init__(self, what: str, setting: str, a_day: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`what`: what is counted, in the plural, with its unit, for messages and counters; `setting`: its key."""
        self._what = what
        self._setting = setting
        self._a_day = a_day
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[str, tuple[float, float]] = {}  # token -> used, at that time

    def take(self, token: str, amount: float = 1.0) -> None:
        """Use `amount` of a token's allowance. Raises TooManyRequests if less is left."""
        with self._lock:
            now = self._clock()
            before, at = self._used.get(token, (0.0, now))
            used = max(0.0, before - (now - at) * self._a_day / DAY_S) + amount
            if used <= self._a_day:
                self._used[token] = used, now
                return
        emit(AllowanceSpent(self._what, token, self._a_day))
        wait_s = (used - self._a_day) * DAY_S / self._a_day
        raise TooManyRequests(
            f"this token has added as many {self._what} as one may in a day ({self._a_day:g}); try again in"
            f" {wait_s:.0f} s, or have `{self._setting}` raised",
            retry_after_s=wait_s,
        )


@dataclass(frozen=True, slots=True)
class Allowances:
    """The allowances of acts and of evidence, and the room for all evidence."""

    acts: Allowance
    evidence: Allowance
    """In MiB."""
    evidence_gb: float
    """Room for the evidence of all tokens, in GiB."""

    @classmethod
    def of(cls, config: CasesConfig, clock: Callable[[], float] = time.monotonic) -> Self:
        """Return the allowances that the settings give."""
        return cls(
            Allowance("acts on records", "cases.acts_a_day", config.acts_a_day, clock),
            Allowance(
                "MiB of evidence",
                "cases.evidence_mb_a_day",
                max(config.evidence_mb_a_day, config.max_evidence_mb),
                clock,
            ),
            config.evidence_gb,
        )

    def require_room(self, kept: int, size: int) -> None:
        """Check that a file of that size fits beside what is kept (bytes). Raises Unavailable."""
        if kept + size > self.evidence_gb * 2**30:
            raise Unavailable(
                f"evidence has {kept / 2**30:.2f} of the {self.evidence_gb:g} GiB that `cases.evidence_gb` gives it:"
                " have it raised, and the disk with it",
                retry_after_s=3600,
            )
