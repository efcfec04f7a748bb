"""The one way in by a token, at the sign-in page and with every bearer token: a brake on guessing stands before it."""

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
GUESSES_AT_ONE: Final = 5
"""Wrong tokens of one beginning that a place may try within `WINDOW_S`."""

GUESSES: Final = 50
"""Wrong tokens altogether: a control room, or a whole county behind a proxy that is not trusted, is one place."""

PREFIX: Final = 4
"""Characters by which attempts at one token are known."""

_PLACES: Final = 2_000
_KNOWN: Final = 10_000


class RateLimiter:
    """Counts different wrong guesses by key, and how long to wait once there were `most` within `WINDOW_S`.

    The same guess again is no further one: a client that was left with an old token keeps nobody out.
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
        """Remember a wrong guess."""
        guessed = self._guessed.setdefault(key, {})
        self._guessed.move_to_end(key)
        guessed.pop(guess, None)
        guessed[guess] = self._clock()
        if len(guessed) > self._most:
            del guessed[next(iter(guessed))]
        if len(self._guessed) > _PLACES:
            self._guessed.popitem(last=False)


class Admission:
    """Lets callers in by their tokens; wherever a place has guessed too often, it waits.

    A token that was let in from a place goes on from there: others who guess at the same address do not lock it out.
    Nothing in the answers tells how much of a guess was right.
    """

    def __init__(self, keyring: TokenStore, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._keyring = keyring
        self._at_one, self._at_all = RateLimiter(clock, GUESSES_AT_ONE), RateLimiter(clock, GUESSES)
        self._known: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._changing = Lock()

    def admit(self, client: str, token: str) -> Principal | None:
        """Return whose token this is, None for nobody's.

        Raises:
            TooManyGuesses: this place has to wait, whatever it brings.
        """
        principal, place, guess = self._keyring.find(token), place_of(client), _digest(token)
        if principal is not None and (place, guess) in self._known:
            return principal
        beginning = (place, _digest(token[:PREFIX]))
        with self._changing:
            wait_s = max(self._at_all.wait_s(place), self._at_one.wait_s(beginning))
            if wait_s:
                raise TooManyGuesses(wait_s)
            if principal is None:
                self._at_all.failed(place, guess)
                self._at_one.failed(beginning, guess)
                return None
            self._known[place, guess] = None
            if len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        return principal


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
