"""How many may do something costly at once: so many altogether, and so many of one token."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingest.base.telemetry import Event, emit
from ingest.services.access import Principal
from ingest.services.errors import Away, Busy


@dataclass(frozen=True, slots=True)
class ReadRefused(Event, level="warning", labels=("what", "limit")):
    """Requests refused because as many of their kind are under way as there may be."""

    what: str
    limit: str  # token | service
    token: str
    most: int


class ConcurrencyLimit:
    """ConcurrencyLimit for one kind of request. Belongs to the event loop."""

    def __init__(self, what: str, most: int, most_of_one: int, *, retry_after_s: float) -> None:
        """`what`: they are, in the plural, for messages and counters."""
        self._what = what
        self._most, self._most_of_one = most, most_of_one
        self._retry_after_s = retry_after_s
        self._taken: Counter[str] = Counter()

    @contextmanager
    def held(self, caller: Principal) -> Iterator[None]:
        """Hold a place for the length of a block.

        Raises:
            Busy: this token has as many as one may have.
            Away: all places are taken.
        """
        if self._taken[caller.name] >= self._most_of_one:
            self._refused("token", caller, self._most_of_one)
            raise Busy(
                f"this token has {self._most_of_one} {self._what} under way, as many as one token may have; "
                f"try again in {self._retry_after_s:g} s",
                retry_after_s=self._retry_after_s,
            )
        if self._taken.total() >= self._most:
            self._refused("service", caller, self._most)
            raise Away(
                f"{self._most} {self._what} are under way, as many as there may be at once; "
                f"try again in {self._retry_after_s:g} s",
                retry_after_s=self._retry_after_s,
            )
        self._taken[caller.name] += 1
        try:
            yield
        finally:
            self._taken[caller.name] -= 1

    def _refused(self, limit: str, caller: Principal, most: int) -> None:
        emit(ReadRefused(self._what, limit, caller.name, most))


class Pace:
    """Lets each token have so many requests in work; more of them wait their turn, so that nobody crowds others out.

    Belongs to the event loop. Streams are not counted: they have places of their own.
    """

    def __init__(self, most_of_one: int) -> None:
        self._most_of_one = most_of_one
        self._turns: dict[str, asyncio.Semaphore] = {}

    def of(self, caller: Principal | None) -> asyncio.Semaphore:
        """Return what a request of this caller holds while it is in work; strangers share one."""
        name = "" if caller is None else caller.name  # as many as there are tokens
        return self._turns.setdefault(name, asyncio.Semaphore(self._most_of_one))
