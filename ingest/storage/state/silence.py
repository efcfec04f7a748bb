"""Sessions of PostgreSQL that wait for its answers, but not for ever.

A server whose processes are stopped, or whose disk hangs, keeps its connections and says nothing. Its system goes on
acknowledging what it is sent, so that neither keepalives nor `tcp_user_timeout` notice anything, and a limit that the
server itself enforces (`statement_timeout`) never ends the statement. So each answer is waited for here, in the client.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen

from ingest.storage.state.errors import StateAway

T = TypeVar("T")

CONNECT_S: Final = 5
"""Longest wait for a new session."""

ANSWER_S: Final = 8.0
"""Longest wait for one answer to the session that writes: less than the watchdog gives the engine for its whole cycle,
and longer than `statement_timeout` of that session, so that a server that is only slow says so itself."""

READ_S: Final = 35.0
"""The same for a session that reads, whose statements the server ends after 30 s."""


class Silence:
    """Whether a server has stopped answering, as the sessions of this process find out together.

    While it is silent, reads end as soon as a write would, and only one session at a time is opened: whoever wants
    another one is refused at once, so that no thread waits where waiting was in vain.
    """

    def __init__(self, server: str) -> None:
        """`server`: its name in messages."""
        self._server = server
        self._why: str | None = None
        self._trying = threading.Lock()

    def note(self, why: str) -> None:
        """Note that it did not answer; `why` is what others are refused with."""
        self._why = why

    def __bool__(self) -> bool:
        """Whether it did not answer lately, and no session was opened since."""
        return self._why is not None

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Open a session in the block, which notes whether the server answers.

        Raises:
            StateAway: it does not answer, or is silent and another session is being tried.
        """
        if self._why is None:
            with self._noting():
                yield
            return
        why = self._why
        if not self._trying.acquire(blocking=False):
            raise StateAway(f"{self._server}: {why}")
        try:
            with self._noting():
                yield
        finally:
            self._trying.release()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.ConnectionTimeout as error:
            why = f"no answer within {CONNECT_S} s"
            self.note(why)
            raise StateAway(f"{self._server}: {why}") from error
        except psycopg.Error:  # it refuses: that is an answer
            self._why = None
            raise
        self._why = None


class Session(psycopg.Connection[tuple[Any, ...]]):
    """A session that fails when the server does not answer in time; it is closed then, since nobody knows its state.

    Attributes:
        patience_s: longest wait for one answer; None: for ever.
        silence: of the server.
    """

    patience_s: float | None = None
    silence: Silence | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """See `psycopg.Connection`. Raises psycopg.OperationalError if the server does not answer in time."""
        return super().wait(self._bounded(gen), interval, timeout)

    def _bounded(self, gen: PQGen[T]) -> PQGen[T]:
        began = time.monotonic()
        try:
            waits_for = next(gen)
            while True:
                ready = yield waits_for
                waited_s = time.monotonic() - began
                if not ready and self._is_over(waited_s):
                    gen.close()
                    raise self._unanswered(waited_s)
                waits_for = gen.send(ready)
        except StopIteration as done:
            answer: T = done.value
            return answer

    def _is_over(self, waited_s: float) -> bool:
        if self.patience_s is None:
            return False
        return waited_s >= self.patience_s or (bool(self.silence) and waited_s >= ANSWER_S)

    def _unanswered(self, waited_s: float) -> psycopg.OperationalError:
        self.pgconn.finish()
        why = f"no answer within {waited_s:.0f} s"
        if self.silence is not None:
            self.silence.note(why)
        return psycopg.OperationalError(why)
