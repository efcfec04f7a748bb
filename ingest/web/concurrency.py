"""Limits of concurrent requests, altogether and by token."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingest.base.telemetry import Event, emit
from ingest.services.access import Principal
from ingest.services.errors import TooManyRequests, Unavailable


@dataclass(frozen=True, slots=True)
class ReadRefused(Event, level="warning", labels=("what", "limit")):
    """Requests refused because as many of their kind are under way as there may be."""

    what: str
    limit: str  # token | service
    token: str
    most: int


class ConcurrencyLimit:
    """Limits concurrent requests of a kind and refuses further ones. Belongs to the event loop."""

    def __init__(self, what: str, most: int, most_per_token: int, *, retry_after_s: float) -> None:
        """`what`: the kind of request, in the plural, for messages and counters."""
        self._what = what
        self._most, self._most_per_token = most, most_per_token
        self._retry_after_s = retry_after_s
        self._taken: Counter[str] = Counter()

    @contextmanager
    def held(self, caller: Principal) -> Iterator[None]:
        """Hold a place for the length of a block.

        Raises:
            TooManyRequests: this token has as many as one may have.
            Unavailable: all places are taken.
        """
        if self._taken[caller.name] >= self._most_per_token:
            self._refused("token", caller, self._most_per_token)
            raise TooManyRequests(
                f"this token has {self._most_per_token} {self._what} under way, as many as one token may have; "
                f"try again in {self._retry_after_s:g} s",
                retry_after_s=self._retry_after_s,
            )
        if self._taken.total() >= self._most:
            self._refused("service", caller, self._most)
            raise Unavailable(
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


class TokenConcurrency:
    """Limits each token's concurrent requests; further ones wait, so that no token crowds out others.

    Belongs to the event loop. Streams are not counted: they have their own limit.
    """

    def __init__(self, most_per_token: int) -> None:
        self._most_per_token = most_per_token
        self._semaphores: dict[str, asyncio.Semaphore] = {}

    def of(self, caller: Principal | None) -> asyncio.Semaphore:
        """Return the semaphore that a request of this caller holds while processed; unknown callers share one."""
        name = "" if caller is None else caller.name  # as many as there are tokens
        return self._semaphores.setdefault(name, asyncio.Semaphore(self._most_per_token))
