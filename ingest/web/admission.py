"""Authenticates tokens, at the sign-in page and in every bearer header, with a rate limit on wrong guesses."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final

from ingest.services.access import Principal, TokenStore
from ingest.services.errors import TooManyGuesses
from ingest.web.proxies import place_of

WINDOW_S: Final = 60.0
GUESSES_OF_PREFIX: Final = 5
"""Wrong tokens of the same prefix that an address may try within `WINDOW_S`."""

GUESSES: Final = 50
"""Wrong tokens an address may try altogether: a control room, or a county behind an untrusted proxy, shares one."""

PREFIX: Final = 4
"""Characters that tell attempts at one token from those at others."""

_PLACES: Final = 2_000
_KNOWN: Final = 10_000


class RateLimiter:
    """Counts distinct wrong guesses by key and makes a key wait after `most` of them within `WINDOW_S`.

    A repeated guess is not counted again: a client with an outdated token does not lock others out.
    """

    def __init__(self, clock: Callable[[], float], most: int) -> None:
        self._clock = clock
        self._most = most
        self._guessed: OrderedDict[Hashable, dict[bytes, float]] = OrderedDict()  # oldest guess first

    def wait_s(self, key: Hashable) -> int:
        """Return how long to wait before the next attempt, in whole seconds; 0: not at all."""
        guessed = self._guessed.get(key, {})
        if len(guessed) < self._most:
            return 0
        left = next(iter(guessed.values())) + WINDOW_S - self._clock()
        return int(left) + 1 if left > 0 else 0

    def failed(self, key: Hashable, guess: bytes) -> None:
        """Count a wrong guess."""
        guessed = self._guessed.setdefault(key, {})
        self._guessed.move_to_end(key)
        guessed.pop(guess, None)
        guessed[guess] = self._clock()
        if len(guessed) > self._most:
            del guessed[next(iter(guessed))]
        if len(self._guessed) > _PLACES:
            self._guessed.popitem(last=False)


class Admission:
    """Authenticates callers by token; an address with too many wrong guesses has to wait.

    A token accepted from an address stays accepted from there: others who guess at the same address do not lock it
    out. No response reveals how much of a guess was right.
    """

    def __init__(self, tokens: TokenStore, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._tokens = tokens
        self._by_prefix, self._overall = RateLimiter(clock, GUESSES_OF_PREFIX), RateLimiter(clock, GUESSES)
        self._known: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._changing = Lock()

    def admit(self, client: str, token: str) -> Principal | None:
        """Return the caller of a token, or None.

        Raises:
            TooManyGuesses: the client's address has to wait, whatever the token.
        """
        principal, place, guess = self._tokens.find(token), place_of(client), _digest(token)
        if principal is not None and (place, guess) in self._known:
            return principal
        beginning = (place, _digest(token[:PREFIX]))
        with self._changing:
            wait_s = max(self._overall.wait_s(place), self._by_prefix.wait_s(beginning))
            if wait_s:
                raise TooManyGuesses(wait_s)
            if principal is None:
                self._overall.failed(place, guess)
                self._by_prefix.failed(beginning, guess)
                return None
            self._known[place, guess] = None
            if len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        return principal


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
