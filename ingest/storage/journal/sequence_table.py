"""Table `position`: where each boot of each gateway stands, read back and looked after; commits write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ingest.domain.quality.clock import GatewayClock
from ingest.storage.journal.file import AT_ONCE, JournalFile
from ingest.storage.journal.recent_frames import RecentFrames
from ingest.storage.journal.records import GatewaySequence
from ingest.storage.journal.sequence_rows import SequenceRows
from ingest.storage.journal.sequence_state import BootKey, Gap, SequenceState, Who, gaps_text

NEWEST_BOOTS: Final = (
    "SELECT p.plant, p.gateway, boot, committed, missing, lost, online, max(p.received, coalesce(s.received, 0)),"
    # One walk along the key: beside max() SQLite gives the other columns of the row that has it (lang_select, 2.5).
    # Greatest is the boot with a clock, which the gateway is in; where none has one, the boot that began last.
    " frames, duplicates FROM (SELECT *, max((clock != 'null') * (1 << 62) + began) FROM position"
    " GROUP BY plant, gateway) p"
    " LEFT JOIN status s ON s.plant = p.plant AND s.gateway = p.gateway ORDER BY p.plant, p.gateway"
)
"""Where every gateway stands, in the order of `GatewaySequence`'s fields."""


class SequenceTable:
    """Positions as committed. Safe to use from any thread; what is damaged is told once and left out."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        self._rows = SequenceRows()

    @property
    def damaged(self) -> int:
        """How many columns of boots were found damaged since the start."""
        return len(self._rows)

    def all(self) -> dict[BootKey, SequenceState]:
        """Every boot's position, the one heard longest ago first."""
        rows = self._file.rows("SELECT plant, gateway, boot, committed, missing, lost FROM position ORDER BY received")
        return {
            (key := (plant, gateway, boot)): SequenceState(seq, *self._gaps(key, missing, lost))
            for plant, gateway, boot, seq, missing, lost in rows
        }

    def boots(self) -> dict[Who, tuple[str, GatewayClock | None]]:
        """The boot each gateway is in, the one with a clock, and that as of the newest frame; else the newest boot."""
        rows = self._file.rows("SELECT plant, gateway, boot, clock FROM position ORDER BY clock != 'null', began")
        return {
            (plant, gateway): (boot, self._rows.clock((plant, gateway, boot), clock))
            for plant, gateway, boot, clock in rows
        }

    def recent(self) -> dict[Who, RecentFrames]:
        """The last frames of each gateway; of one that an earlier version of the service heard, their newest time."""
        rows = self._file.rows(
            "SELECT plant, gateway, boot, clock, recent FROM position ORDER BY clock != 'null', began"
        )
        read = (
            (plant, gateway, self._rows.recent((plant, gateway, boot), *rest)) for plant, gateway, boot, *rest in rows
        )
        return {(plant, gateway): recent for plant, gateway, recent in read if recent is not None}

    def gateways(self) -> list[GatewaySequence]:
        """Where every gateway stands, by the boot it is in."""
        rows = self._file.rows(NEWEST_BOOTS)
        return [
            GatewaySequence(
                *(key := (plant, gateway, boot)),
                seq,
                *self._gaps(key, missing, lost),
                {0: False, 1: True}.get(online),
                *rest,
            )
            for plant, gateway, boot, seq, missing, lost, online, *rest in rows
        ]

    def save(self, key: BootKey, position: SequenceState) -> None:
        """Change what a known boot's gateway is asked for."""
        gaps = (gaps_text(position.missing), gaps_text(position.lost))
        with self._file.transaction() as cursor:
            where = "WHERE plant = ? AND gateway = ? AND boot = ?"
            cursor.execute(f"UPDATE position SET missing = ?, lost = ? {where}", (*gaps, *key))  # noqa: S608  constant

    def forget(self, boots: Sequence[BootKey]) -> None:
        """Delete the positions of these boots, in steps."""
        for start in range(0, len(boots), AT_ONCE):
            with self._file.transaction() as cursor:
                cursor.executemany(
                    "DELETE FROM position WHERE plant = ? AND gateway = ? AND boot = ?",
                    boots[start : start + AT_ONCE],
                )

    def _gaps(self, key: BootKey, missing: object, lost: object) -> tuple[tuple[Gap, ...], tuple[Gap, ...]]:
        return self._rows.gaps(key, "missing", missing), self._rows.gaps(key, "lost", lost)
