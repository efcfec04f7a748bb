"""The store of a gateway: every frame until the service says it is on disk. Pure; time is passed in."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

RESEND_MOST_S: Final = 15.0


@dataclass(slots=True)
class _Kept:
    payload: bytes
    attempts: int = 0
    sent_at: float = 0.0


class FrameBuffer:
    """Frames of one boot, oldest first, each until a commit covers it.

    Bounded: when `most` frames wait, the oldest is dropped for the newest and counted in `dropped`. What happens now
    matters more to safety than what happened longest ago.

    Args:
        most: frames kept at most.
        window: frames sent and not yet committed at most; paces a resend.
        resend_s: how long to wait for a commit before a frame is sent again; doubles per attempt up to 15 s.
    """

    def __init__(self, *, most: int = 100_000, window: int = 64, resend_s: float = 3.0) -> None:
        self._most = most
        self._window = window
        self._resend_s = resend_s
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._waiting: deque[int] = deque()  # to be sent, in order
        self._flying: dict[int, _Kept] = {}  # sent, commit awaited
        self.resent = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, seq: int, payload: bytes) -> None:
        """Keep a frame and queue it for sending."""
        if len(self._kept) >= self._most:
            oldest, _ = self._kept.popitem(last=False)
            self._flying.pop(oldest, None)
            self.dropped += 1
        self._kept[seq] = _Kept(payload)
        self._waiting.append(seq)

    def take(self, now: float) -> tuple[int, bytes] | None:
        """The next frame to send at monotonic time `now` (s), counted as sent; None when there is none yet."""
        seq = self._overdue(now)
        if seq is None:
            seq = self._next_waiting()
        if seq is None:
            return None
        kept = self._kept[seq]
        self.resent += kept.attempts > 0
        kept.attempts += 1
        kept.sent_at = now
        self._flying[seq] = kept
        return seq, kept.payload

    def commit(self, seq: int, missing: Sequence[tuple[int, int]], now: float) -> None:
        """Forget what is on disk, and queue again what is reported missing.

        A frame sent within the last `resend_s` is not yet called missing: it may still be on its way.
        """
        lost = []
        for kept_seq in list(takewhile(lambda kept: kept <= seq, self._kept)):
            if not any(first <= kept_seq <= last for first, last in missing):
                del self._kept[kept_seq]
                self._flying.pop(kept_seq, None)
            elif kept_seq in self._flying and now - self._flying[kept_seq].sent_at >= self._resend_s:
                del self._flying[kept_seq]
                lost.append(kept_seq)
        self._waiting.extendleft(reversed(lost))
        for kept in self._flying.values():  # the service is alive: no reason to be patient any longer
            kept.attempts = min(kept.attempts, 1)

    def send_all_again(self) -> None:
        """Queue every kept frame, oldest first: the connection they were sent on is gone."""
        self._flying.clear()
        self._waiting = deque(self._kept)

    def next_due(self) -> float | None:
        """Monotonic time (s) at which the earliest sent frame will be overdue."""
        return min((self._due(kept) for kept in self._flying.values()), default=None)

    def _due(self, kept: _Kept) -> float:
        return kept.sent_at + min(self._resend_s * 2.0 ** (kept.attempts - 1), RESEND_MOST_S)

    def _overdue(self, now: float) -> int | None:
        return next((seq for seq in sorted(self._flying) if self._due(self._flying[seq]) <= now), None)

    def _next_waiting(self) -> int | None:
        if len(self._flying) >= self._window:
            return None
        while self._waiting:
            seq = self._waiting.popleft()
            if seq in self._kept:
                return seq
        return None
