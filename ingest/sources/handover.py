"""The bounded hand-over between a source's thread and intake: whole chunks at a time, in order, nothing dropped."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from ingest.sources.raw import Raw

MOST_BYTES: Final = 4 << 20
"""Of payload that is taken at once, or a little more."""


class Handover:
    """A queue that takes and gives many messages under one lock.

    Args:
        most: messages it holds before whoever puts must wait. A chunk is never split, so it may hold one chunk more.
        most_bytes: the same for the bytes of their payloads.
    """

    def __init__(self, most: int, most_bytes: int = 64 << 20) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: deque[Raw] = deque()
        self._bytes = 0
        self._wanted = 1  # messages for which whoever takes is woken
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, messages: Sequence[Raw], give_up: Callable[[], bool]) -> bool:
        """Hand over; waits while it is full. False if `give_up` said so before there was room: nothing was put."""
        with self._changed:
            while len(self._waiting) >= self._most or self._bytes >= self._most_bytes:
                if give_up():
                    return False
                self._changed.wait(0.5)
            self._waiting.extend(messages)
            self._bytes += sum(len(message.payload) for message in messages)
            if len(self._waiting) >= self._wanted or self._bytes >= MOST_BYTES:
                self._changed.notify_all()
        return True

    def take(self, most: int, timeout_s: float, rest_s: float = 0.0) -> list[Raw]:
        """Up to `most` messages as soon as there is one, or none after the timeout or on `wake`.

        The first that makes it `MOST_BYTES` of payload or more is the last: what follows shall not wait for long.

        Args:
            most: messages to take.
            timeout_s: so long the first is awaited.
            rest_s: before that, so long nothing is taken unless there is as much as is taken at once, or on `wake`.
        """
        taken: list[Raw] = []
        size = 0
        with self._changed:
            if rest_s > 0 and len(self._waiting) < most and self._bytes < MOST_BYTES:
                self._wanted = most
                self._changed.wait(rest_s)
                self._wanted = 1
            if not self._waiting:
                self._changed.wait(timeout_s)
            while self._waiting and len(taken) < most and size < MOST_BYTES:
                taken.append(self._waiting.popleft())
                size += len(taken[-1].payload)
            if taken:
                self._bytes -= size
                self._changed.notify_all()
        return taken

    def wake(self) -> None:
        """Let whoever waits look up."""
        with self._changed:
            self._changed.notify_all()
