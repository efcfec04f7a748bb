"""Announces to gateways which frames are on disk, soon after each commit but not too often.

Refusals are sent first, so that a gateway which learns that a frame is on disk already knows what is wrong with it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from ingest.base.pace import Pace
from ingest.base.telemetry import Event, emit
from ingest.intake.wire.frame import Committed, Refusal
from ingest.storage.journal.sequence_state import BootKey, Gap, SequenceState

_EVERY_S: Final = 0.1
_WAIT_FOR_COMMIT_S: Final = 0.05  # extra wait, to go out with the acknowledgements of the next commit
_RARELY_S: Final = 10.0
_REFUSALS: Final = 1_000
"""Most kinds of refusals that wait to be sent."""

PATIENCE_S: Final = 60.0
"""How long gaps may block others that find no room beside them in a message."""

Announce = Callable[[Sequence[tuple[str, str, Committed]]], Sequence[Committed | None]]
"""Sends to gateways (plant, gateway, message) and returns as much of each message as was sent. None: nothing."""

Refuse = Callable[[str, str, Refusal], bool]
"""Sends a refusal to a gateway; False: not connected, so it has to be sent later."""


@dataclass(frozen=True, slots=True)
class RefusalsUntold(Event, level="warning", amount="frames"):
    """Frames could not be taken and their gateways are not notified, since there are too many: see the quarantine."""

    frames: int


class Announcer:
    """Collects boots with new frames on disk, and sends each gateway its newest sequence state.

    After a pause a gateway is told at once; one that sends all the time ten times a second, and less often when so many
    send that telling them takes long.
    """

    def __init__(
        self,
        announce: Announce,
        now: Callable[[], float] = time.monotonic,
        *,
        refuse: Refuse = lambda _plant, _gateway, _refusal: True,
    ) -> None:
        self._announce = announce
        self._refuse = refuse
        self._now = now
        self._pace = Pace(_RARELY_S, _EVERY_S, clock=now)
        self._refusals: dict[tuple[str, str, str, str], Refusal] = {}  # by plant, gateway, boot and reason
        self._lock = threading.Lock()
        self._due: dict[BootKey, None] = {}
        self._cut: dict[BootKey, tuple[Committed, float]] = {}  # what was sent in part, and since when unchanged

    def mark_due(self, keys: Iterable[BootKey], *, at_once: bool = False) -> None:
        """Mark boots whose sequence state changed or may have been lost by the broker. From any thread."""
        with self._lock:
            self._due.update(dict.fromkeys(keys))
            if at_once:
                self._pace.hurry()

    def add_refusals(self, refusals: Iterable[tuple[tuple[str, str], Refusal]]) -> None:
        """Add refusals to be sent: (plant, gateway), refusal. From the thread that sends."""
        dropped = 0
        for who, new in refusals:
            key = (*who, new.boot, new.reason)
            old = self._refusals.get(key)
            if old is not None:
                frames, readings = old.frames + new.frames, old.readings + new.readings
                self._refusals[key] = msgspec.structs.replace(old, frames=frames, readings=readings)
            elif len(self._refusals) < _REFUSALS:
                self._refusals[key] = new
            else:
                dropped += new.frames
        if dropped:
            emit(RefusalsUntold(dropped))

    def send(self, sequences: Mapping[BootKey, SequenceState]) -> None:
        """Send to every gateway that is due and still known, unless the last time was just now."""
        with self._lock:
            if self._rest_s():
                return
            due, self._due = self._due, {}
            self._pace.begin()
        now = self._now()
        self._send_refusals()
        messages = list[tuple[BootKey, Committed]]()
        for key in due:
            at = sequences.get(key)
            if at is None:
                self._cut.pop(key, None)
            else:
                messages.append((key, Committed(key[2], at.committed, [(gap.first, gap.last) for gap in at.missing])))
        sent = self._announce([(key[0], key[1], committed) for key, committed in messages])
        for (key, committed), announced in zip(messages, sent, strict=True):
            self._note_cut(key, committed, announced, now)
        self._pace.end()

    def due_s(self) -> float:
        """Seconds for which `send` may wait for a next commit; infinite if nobody is due."""
        rest_s = self._rest_s()
        return rest_s and rest_s + _WAIT_FOR_COMMIT_S

    def _rest_s(self) -> float:
        """Seconds until something is to be sent; infinite if nobody is due."""
        return self._pace.rest_s() if self._due or self._refusals else math.inf

    def blocking_gaps(self, key: BootKey, sequence: SequenceState) -> tuple[Gap, ...]:
        """Gaps that block others in a message, and that the gateway has not begun to close in time."""
        sent, since = self._cut.get(key, (None, 0.0))
        if sent is None or self._now() - since < PATIENCE_S:
            return ()
        return tuple(gap for gap in sequence.missing if gap.last <= sent.seq)

    def _send_refusals(self) -> None:
        for key, refusal in [*self._refusals.items()]:
            if not self._refuse(key[0], key[1], refusal):
                return
            del self._refusals[key]

    def _note_cut(self, key: BootKey, committed: Committed, sent: Committed | None, now: float) -> None:
        """Remember what was sent only in part."""
        if sent is None or sent.seq == committed.seq:
            self._cut.pop(key, None)
        elif key not in self._cut or self._cut[key][0] != sent:
            self._cut[key] = (sent, now)
