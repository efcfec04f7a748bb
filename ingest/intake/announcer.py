"""What gateways are told of their frames, soon after each commit but no more often than it is of use.

Which are on disk; and before that which of them could not be taken, so that who knows a frame to be on disk has heard
what is wrong with it.
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
_WITH_NEXT_S: Final = 0.05  # what is due waits so much longer for the next commit, with whose acknowledgements it goes
_RARELY_S: Final = 10.0
_REFUSALS: Final = 1_000
"""Kinds of refusals that wait to be told at most."""

PATIENCE_S: Final = 60.0
"""So long gaps may keep others waiting that find no room beside them in a message."""

Announce = Callable[[Sequence[tuple[str, str, Committed]]], Sequence[Committed | None]]
"""Tells gateways (plant, gateway, what), and returns as much of each as was told. None: nothing."""

Refuse = Callable[[str, str, Refusal], bool]
"""Tells a gateway what could not be taken; False: nobody is there to carry it, so it is to be told later."""


@dataclass(frozen=True, slots=True)
class RefusalsUntold(Event, level="warning", amount="frames"):
    """Frames could not be taken and their gateways are not told, since too many have to be: see the quarantine."""

    frames: int


class Announcer:
    """Gathers the boots whose gateways are to be told, and tells each its newest position.

    A gateway that has not been told for a while is told at once; one that sends all the time is told ten times a
    second, and less often when so many send that it takes long to tell them.
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
        self._cut: dict[BootKey, tuple[Committed, float]] = {}  # what was told in part, and since when it is the same

    def due(self, keys: Iterable[BootKey], *, at_once: bool = False) -> None:
        """Their positions have changed, or may have been forgotten. From any thread."""
        with self._lock:
            self._due.update(dict.fromkeys(keys))
            if at_once:
                self._pace.hurry()

    def refused(self, refusals: Iterable[tuple[tuple[str, str], Refusal]]) -> None:
        """What of whom could not be taken: (plant, gateway), refusal. From the thread that tells."""
        untold = 0
        for who, new in refusals:
            key = (*who, new.boot, new.reason)
            old = self._refusals.get(key)
            if old is not None:
                frames, readings = old.frames + new.frames, old.readings + new.readings
                self._refusals[key] = msgspec.structs.replace(old, frames=frames, readings=readings)
            elif len(self._refusals) < _REFUSALS:
                self._refusals[key] = new
            else:
                untold += new.frames
        if untold:
            emit(RefusalsUntold(untold))

    def tell(self, positions: Mapping[BootKey, SequenceState]) -> None:
        """Tell everyone who is due and still known, unless the last time was just now."""
        with self._lock:
            if self._rest_s():
                return
            due, self._due = self._due, {}
            self._pace.begin()
        now = self._now()
        self._tell_refusals()
        said = list[tuple[BootKey, Committed]]()
        for key in due:
            at = positions.get(key)
            if at is None:
                self._cut.pop(key, None)
            else:
                said.append((key, Committed(key[2], at.committed, [(gap.first, gap.last) for gap in at.missing])))
        told = self._announce([(key[0], key[1], committed) for key, committed in said])
        for (key, committed), heard in zip(said, told, strict=True):
            self._note(key, committed, heard, now)
        self._pace.end()

    def due_s(self) -> float:
        """So long from now `tell` may be left to the next commit, should one come; for ever, if nobody is due."""
        rest_s = self._rest_s()
        return rest_s and rest_s + _WITH_NEXT_S

    def _rest_s(self) -> float:
        """So long from now until there is something to tell; for ever, if nobody is due."""
        return self._pace.rest_s() if self._due or self._refusals else math.inf

    def in_the_way(self, key: BootKey, position: SequenceState) -> tuple[Gap, ...]:
        """Gaps that others wait behind, and that nobody has begun to close although asked for long enough."""
        told, since = self._cut.get(key, (None, 0.0))
        if told is None or self._now() - since < PATIENCE_S:
            return ()
        return tuple(gap for gap in position.missing if gap.last <= told.seq)

    def _tell_refusals(self) -> None:
        for key, refusal in [*self._refusals.items()]:
            if not self._refuse(key[0], key[1], refusal):
                return
            del self._refusals[key]

    def _note(self, key: BootKey, committed: Committed, told: Committed | None, now: float) -> None:
        """Remember what was told in part."""
        if told is None or told.seq == committed.seq:
            self._cut.pop(key, None)
        elif key not in self._cut or self._cut[key][0] != told:
            self._cut[key] = (told, now)
