"""What every history store that answers queries promises of the phases of equipment; used as `HistoryQueries` is."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from ingest.domain.model.phase_record import HEARTBEAT, PhaseRecord
from ingest.storage.history.store import HistoryStore, PhaseQuery
from tests.conformance.history_store import HOSTILE, Kept
from tests.ingest.storage.history.made_up import NOON, PLANT


class HistoryPhases:
    """The phase of an equipment is what was written last of its time, and of no other equipment."""

    @pytest.fixture
    def store(self, kept: Kept) -> HistoryStore:
        return kept.store

    def test_phases_are_those_of_one_equipment_and_span_by_time(self, kept: Kept) -> None:
        """Also after a restart; a record at the start of the span is one of it, one at its end is not."""
        written = [
            PhaseRecord(plant, equipment, NOON + at * HEARTBEAT + 7, phase, number)
            for plant, equipment in ((PLANT, "CM-01"), (PLANT, "CM-02"), ("other", "CM-01"))
            for at, (phase, number) in enumerate((("idle", 1), ("start", 3), ("steady", 4), ("unknown", 0)))
        ]
        kept.store.write_phases([])
        assert kept.store.write_phases(written[::-1]) == 0
        query = PhaseQuery(PLANT, "CM-01", NOON + HEARTBEAT + 7, NOON + 3 * HEARTBEAT + 7)
        assert [*kept.store.phases(query)] == written[1:3]
        kept.store.close()
        with closing(kept.again()) as store:
            assert [*store.phases(query)] == written[1:3]
            assert [*store.phases(replace(query, end=query.end + 1))] == written[1:4]
            assert [*store.phases(replace(query, equipment="CM-03"))] == []

    def test_a_phase_written_again_takes_the_place_of_the_first(self, store: HistoryStore) -> None:
        first, second = (PhaseRecord(PLANT, "CM-01", NOON, *of) for of in (("idle", 1), ("start", 3)))
        third = replace(second, phase="steady", number=4)
        store.write_phases([first, second])
        query = PhaseQuery(PLANT, "CM-01", NOON, NOON + 1)
        assert [*store.phases(query)] == [second]
        store.write_phases([third])
        store.write_phases([third])
        assert [*store.phases(query)] == [third]

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_name_of_an_equipment_has_its_own_phases(self, store: HistoryStore, name: str) -> None:
        store.write_phases([PhaseRecord(PLANT, "CM-01", NOON, "idle", 1), PhaseRecord(PLANT, name, NOON, "end", 5)])
        assert [each.phase for each in store.phases(PhaseQuery(PLANT, name, NOON, NOON + 1))] == ["end"]
