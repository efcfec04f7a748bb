"""Table `position`: reads, updates and deletes the sequence state of each boot; commits add to it."""

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
"""The current boot of every gateway, its columns in the order of `GatewaySequence`'s fields."""


class SequenceTable:
    """Sequence states as committed. Safe to use from any thread; damaged columns are reported once and left out."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        self._rows = SequenceRows()

    @property
    def damaged(self) -> int:
        """How many columns of boots were found damaged since the start."""
        return len(self._rows)

    def all(self) -> dict[BootKey, SequenceState]:
        """The sequence state of every boot, the one received longest ago first."""
        rows = self._file.rows("SELECT plant, gateway, boot, committed, missing, lost FROM position ORDER BY received")
        return {
            (key := (plant, gateway, boot)): SequenceState(seq, *self._gaps(key, missing, lost))
            for plant, gateway, boot, seq, missing, lost in rows
        }

    def boots(self) -> dict[Who, tuple[str, GatewayClock | None]]:
        """Each gateway's current boot and its clock: the boot with a clock, else the newest."""
        rows = self._file.rows("SELECT plant, gateway, boot, clock FROM position ORDER BY clock != 'null', began")
        return {
            (plant, gateway): (boot, self._rows.clock((plant, gateway, boot), clock))
            for plant, gateway, boot, clock in rows
        }

    def recent(self) -> dict[Who, RecentFrames]:
        """The last frames of each gateway; only their newest time where an earlier version wrote them."""
        rows = self._file.rows(
            "SELECT plant, gateway, boot, clock, recent FROM position ORDER BY clock != 'null', began"
        )
        read = (
            (plant, gateway, self._rows.recent((plant, gateway, boot), *rest)) for plant, gateway, boot, *rest in rows
        )
        return {(plant, gateway): recent for plant, gateway, recent in read if recent is not None}

    def gateways(self) -> list[GatewaySequence]:
        """What is on disk of each gateway's current boot."""
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

    def save(self, key: BootKey, state: SequenceState) -> None:
        """Store the changed gaps of a known boot."""
        gaps = (gaps_text(state.missing), gaps_text(state.lost))
        with self._file.transaction() as cursor:
            where = "WHERE plant = ? AND gateway = ? AND boot = ?"
            cursor.execute(f"UPDATE position SET missing = ?, lost = ? {where}", (*gaps, *key))  # noqa: S608  constant

    def forget(self, boots: Sequence[BootKey]) -> None:
        """Delete the sequence states of these boots, in steps."""
        for start in range(0, len(boots), AT_ONCE):
            with self._file.transaction() as cursor:
                cursor.executemany(
                    "DELETE FROM position WHERE plant = ? AND gateway = ? AND boot = ?",
                    boots[start : start + AT_ONCE],
                )

    def _gaps(self, key: BootKey, missing: object, lost: object) -> tuple[tuple[Gap, ...], tuple[Gap, ...]]:
        return self._rows.gaps(key, "missing", missing), self._rows.gaps(key, "lost", lost)
