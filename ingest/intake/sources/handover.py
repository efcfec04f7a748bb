"""The bounded hand-over between a source's thread and intake: whole chunks at a time, in order, nothing dropped."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from ingest.intake.sources.raw import Raw


class Handover:
    """A bounded queue that puts and takes many messages under one lock.

    Args:
        most: messages it holds before `put` waits. A chunk is never split, so it may hold one chunk more.
        most_bytes: the same for the bytes of their payloads.
    """

    def __init__(self, most: int, most_bytes: int = 64 << 20) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: deque[Raw] = deque()
        self._bytes = 0
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, messages: Sequence[Raw], give_up: Callable[[], bool]) -> bool:
        """Put messages, waiting while it is full. False if `give_up` ended the wait: nothing was put."""
        with self._changed:
            while len(self._waiting) >= self._most or self._bytes >= self._most_bytes:
                if give_up():
                    return False
                self._changed.wait(0.5)
            self._waiting.extend(messages)
            self._bytes += sum(len(message.payload) for message in messages)
            self._changed.notify_all()
        return True

    def take(self, most: int, timeout_s: float, most_bytes: int = 4 << 20) -> list[Raw]:
        """Take up to `most` messages as soon as there is one, or none after the timeout or on `wake`.

        It stops at `most_bytes` of payload, so that later messages do not wait for long.
        """
        taken: list[Raw] = []
        size = 0
        with self._changed:
            if not self._waiting:
                self._changed.wait(timeout_s)
            while self._waiting and len(taken) < most and size < most_bytes:
                taken.append(self._waiting.popleft())
                size += len(taken[-1].payload)
            if taken:
                self._bytes -= size
                self._changed.notify_all()
        return taken

    def wake(self) -> None:
        """End a wait of `take` early."""
        with self._changed:
            self._changed.notify_all()
