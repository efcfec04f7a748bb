"""Writes the phases of equipment into the history, from the same entries of the journal as the readings.

What decides a phase lies at most the longest silence of its points back, so nothing is stored beside the cursor: after
a restart, and with another configuration, that part of the journal is read again. A repeated write says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import EmittedSeldom, Event
from ingest.domain.model.batch import Batch
from ingest.domain.model.phase_record import PhaseRecord
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.phase_series import Commits, PhaseSeries
from ingest.storage.history.errors import HistoryRejected
from ingest.storage.history.events import HistoryItemsExpired
from ingest.storage.history.store import HistoryStore
from ingest.storage.journal.records import Entry
from ingest.storage.journal.roles import JournalReader

LONGEST: Final = 3600 * 10**9
"""The most of the journal that is read again, ns of arrivals."""

_READINGS: Final = 40_000  # read again at once
_STEP: Final = 64  # entries


@dataclass(frozen=True, slots=True)
class HistoryPhasesRejected(Event, level="error", amount="records"):
    """The history store refused phases of equipment for good; they follow from the readings, which it has."""

    records: int
    plant: str
    equipment: str
    reason: str


class PhaseCarrier:
    """Writes phases as the history writer's cycles go on, before its cursor moves."""

    def __init__(
        self,
        store: HistoryStore,
        journal: JournalReader,
        add_flags: Callable[[Batch, PlantConfiguration], Batch],
        seldom: EmittedSeldom[tuple[str, str]],
    ) -> None:
        """`seldom` emits what was not kept; the caller flushes it."""
        self._store = store
        self._journal = journal
        self._add_flags = add_flags
        self._series: PhaseSeries | None = None
        self._next = 0  # the entry that follows those the series has; 0: it must be made anew
        self._seldom = seldom

    def __call__(self, entries: Sequence[Entry], configuration: PlantConfiguration) -> None:
        """Write what these entries tell. Raises HistoryUnavailable: call again with the same entries, or more."""
        records: list[PhaseRecord] = []
        series = self._series
        if series is None or series.configuration is not configuration or self._next != entries[0].id:
            series = self._series = PhaseSeries(configuration, self._add_flags)
            for before in self._before(entries[0].id, min(series.silence, LONGEST)):
                series.advance(_commits(before))
            records = series.standing()
        self._next = 0
        records += series.advance(_commits(entries))
        if records:
            self._write(records)
        self._next = entries[-1].id + 1

    def _write(self, records: Sequence[PhaseRecord]) -> None:
        try:
            expired = self._store.write_phases(records)
        except HistoryRejected as error:
            first = records[0]
            rejected = HistoryPhasesRejected(len(records), first.plant, first.equipment, str(error))
            self._seldom.add(("phases", str(error)), rejected)
        else:
            if expired:
                self._seldom.add(("phases", "expired"), HistoryItemsExpired("phases", expired))

    def _before(self, entry: int, silence: int) -> Iterator[Sequence[Entry]]:
        """Yield the entries before one that arrived within `silence` (ns) before it, as far as they are kept."""
        newest = self._received(entry - 1) if silence and entry > 1 else None
        if newest is None:
            return
        back = _STEP
        while back < entry and (self._received(entry - back) or newest) > newest - silence:
            back *= 2
        done = max(0, entry - 1 - back)
        while done < entry - 1:
            read = [each for each in self._journal.read(done, _READINGS) if each.id < entry]
            if not read:
                return
            yield read
            done = read[-1].id

    def _received(self, entry: int) -> int | None:
        """When an entry was received, or the next that is kept; None: there is none, or it is damaged."""
        found = self._journal.read(entry - 1, 1)
        return int(found[0].batch.received.max()) if found and len(found[0].batch) else None


def _commits(entries: Sequence[Entry]) -> Commits:
    return [(entry.batch, entry.step) for entry in entries]
