"""Decodes columns of table `position`; a damaged one is reported once and replaced by its default."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ingest.base.telemetry import EmittedOnce, Event
from ingest.domain.quality.clock import GatewayClock
from ingest.storage.journal.recent_frames import RecentFrames, unpack_recent
from ingest.storage.journal.sequence_state import BootKey, Gap, gaps_of


@dataclass(frozen=True, slots=True)
class PositionDamaged(Event, level="error", labels=("column",)):
    """What the journal keeps of a boot cannot be read: missing frames are asked for no more, its clock begins anew."""

    plant: str
    gateway: str
    boot: str
    column: str
    error: str


class SequenceRows:
    """Decodes columns of sequence states. Safe to use from any thread."""

    def __init__(self) -> None:
        self._damaged: EmittedOnce[tuple[str, ...]] = EmittedOnce()

    def __len__(self) -> int:
        """The number of columns found damaged."""
        return len(self._damaged)

    def gaps(self, key: BootKey, column: str, text: object) -> tuple[Gap, ...]:
        """The gaps of column `missing` or `lost`; none if they cannot be read."""
        try:
            return gaps_of(text)
        except (ValueError, TypeError) as error:
            self._report(key, column, error)
            return ()

    def clock(self, key: BootKey, text: object) -> GatewayClock | None:
        """The gateway's clock as of that boot; None if there is none or it cannot be read."""
        try:
            return clock_of(text)
        except (ValueError, TypeError) as error:
            self._report(key, "clock", error)
            return None

    def recent(self, key: BootKey, clock: object, packed: bytes) -> RecentFrames | None:
        """The last frames of that boot; without checksums if only its clock is known, None if nothing is."""
        if packed:
            try:
                return unpack_recent(key[2], packed)
            except ValueError as error:
                self._report(key, "recent", error)
        known = self.clock(key, clock)
        return RecentFrames(key[2], known.device // 1_000_000) if known is not None else None

    def _report(self, key: BootKey, column: str, error: Exception) -> None:
        self._damaged.emit((*key, column), PositionDamaged(*key, column, str(error)))


def clock_of(text: object) -> GatewayClock | None:
    """Decode a clock. Raises ValueError or TypeError if it is malformed."""
    fields = json.loads(text)  # type: ignore[arg-type]
    if fields is None:
        return None
    if not all(isinstance(field, int) for field in fields):
        raise ValueError(f"{str(text)[:80]}: expected whole numbers")
    return GatewayClock(*fields)
