"""Phases go into the history beside the readings: the same after a crash, an outage and a change of the plant file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ingest.base.telemetry import EmittedSeldom
from ingest.domain.model.phase_record import PhaseRecord
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.errors import HistoryRejected, HistoryUnavailable
from ingest.storage.history.phases import PhaseCarrier
from ingest.storage.history.writer import HistoryWriter
from tests.ingest.engine.pits import batch_of, history, two_pits
from tests.ingest.plants.test_phase_series import checked, frames_of, run
from tests.ingest.storage.history.made_up import until
from tests.ingest.storage.history.writing import (
    MemoryAlarms,
    MemoryJournal,
    MemoryStore,
    logged_as,
    running,
)


@pytest.fixture(scope="module")
def pits(tmp_path_factory: pytest.TempPathFactory) -> PlantConfiguration:
    return two_pits(tmp_path_factory.mktemp("pits"))


def filled(pits: PlantConfiguration, seed: int) -> MemoryJournal:
    journal = MemoryJournal()
    for frame in history(seed):
        if frame.readings:
            journal.add(batch_of(pits, [frame]))
    return journal


def kept(records: Sequence[PhaseRecord]) -> dict[tuple[str, int], PhaseRecord]:
    """What a store has of them: the last of an equipment and time."""
    return {(record.equipment, record.time): record for record in records}


def carrier(store: MemoryStore, journal: MemoryJournal) -> PhaseCarrier:
    return PhaseCarrier(store, journal, checked, EmittedSeldom())


@pytest.mark.parametrize("seed", range(4))
def test_a_crash_anywhere_leaves_the_phases_of_a_service_that_never_stopped(
    pits: PlantConfiguration, seed: int
) -> None:
    """Killed between a write and its cursor, again and again, with other cuts each time."""
    journal = filled(pits, seed)
    expected = kept(run(pits, [(entry.batch, entry.step) for entry in journal.entries]))
    store, done, length = MemoryStore(), 0, 3 + seed
    while done < len(journal.entries):
        carrier(store, journal)(journal.entries[done : done + length], pits)  # the process dies: no cursor
        again = carrier(store, journal)
        again(journal.entries[done : done + 2 * length], pits)
        done += 2 * length
        if done < len(journal.entries):
            again(journal.entries[done : done + 1], pits)
        done += 1
    found = kept(store.phase_records)
    assert {key: found[key] for key in expected} == expected
    assert all(record == standing(expected, record) for record in found.values())  # said again, and never otherwise


def standing(expected: dict[tuple[str, int], PhaseRecord], record: PhaseRecord) -> PhaseRecord:
    """What the records of an equipment tell for the time of another one, as if recorded then."""
    before = [each for each in expected.values() if each.equipment == record.equipment and each.time <= record.time]
    return replace(max(before, key=lambda each: each.time), time=record.time)


def test_a_history_that_is_away_gets_the_phases_of_the_outage(pits: PlantConfiguration) -> None:
    journal, store = filled(pits, 1), MemoryStore(refuses_phases=HistoryUnavailable("away"))
    carry = carrier(store, journal)
    for end in (10, 40, len(journal.entries)):
        with pytest.raises(HistoryUnavailable):
            carry(journal.entries[:end], pits)
    store.refuses_phases = None
    carry(journal.entries, pits)
    assert kept(store.phase_records) == kept(run(pits, [(entry.batch, entry.step) for entry in journal.entries]))


def test_the_writer_writes_them_before_its_cursor_moves(pits: PlantConfiguration) -> None:
    journal, store = filled(pits, 2), MemoryStore(refuses_phases=HistoryUnavailable("away", retry_after_s=0.01))
    writer = HistoryWriter(store, journal, MemoryAlarms(), configuration=lambda: pits, add_flags=checked)
    with running(writer):
        until(lambda: store.tries > 2)
        assert journal.position == 0
        store.refuses_phases = None
        until(lambda: journal.position == len(journal.entries))
    assert kept(store.phase_records) == kept(run(pits, [(entry.batch, entry.step) for entry in journal.entries]))


def test_refused_phases_are_logged_and_readings_go_on(pits: PlantConfiguration, logged: list[Any]) -> None:
    journal, store = filled(pits, 2), MemoryStore(refuses_phases=HistoryRejected("a text where numbers are"))
    writer = HistoryWriter(store, journal, MemoryAlarms(), configuration=lambda: pits, add_flags=checked)
    with running(writer):
        until(lambda: journal.position == len(journal.entries))
    assert store.count_readings() == sum(len(entry.batch) for entry in journal.entries)
    [event] = logged_as(logged, "history_phases_rejected")
    assert event["reason"] == "a text where numbers are"
    assert event["records"] > 0


def test_another_plant_file_tells_the_phase_at_once(pits: PlantConfiguration) -> None:
    """An equipment whose phases are renamed does not wait for its next change."""
    journal, store = MemoryJournal(), MemoryStore()
    for frame in frames_of("LEN-1", [(0, 900.0), (1, 900.0)]):
        journal.add(batch_of(pits, [frame]))
    carry = carrier(store, journal)
    carry(journal.entries[:1], pits)
    plant = pits.plants["p"]
    equipment = tuple(
        replace(each, phases=tuple(replace(phase, code=f"my_{phase.code}") for phase in each.phases))
        for each in plant.equipment
    )
    changed = replace(pits, plants={**pits.plants, "p": replace(plant, equipment=equipment)})
    carry(journal.entries[1:], changed)
    assert [record.phase for record in store.phase_records] == ["steady", "my_steady"]


def test_what_the_journal_no_longer_has_is_no_fault(pits: PlantConfiguration) -> None:
    journal, store = filled(pits, 3), MemoryStore()
    whole = [*journal.entries]

    def trimmed(after: int, limit: int) -> Sequence[Any]:
        return MemoryJournal.read(journal, max(after, 50), limit)

    journal.read = trimmed  # type: ignore[method-assign]
    carrier(store, journal)(whole[50:], pits)
    assert store.phase_records
