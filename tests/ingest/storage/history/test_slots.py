"""Alarm metrics reach the history slot by slot: none is missed during an outage, none is written early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.metrics import lead, measure
from ingest.domain.alarms.operator_load import OperatorLoad
from ingest.domain.alarms.slot import SLOT, AlarmSlot, slot_of
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.errors import HistoryRejected, HistoryUnavailable
from ingest.storage.history.line_protocol import slot_lines
from ingest.storage.history.slots import AFTER, OLDEST, SlotCarrier
from ingest.storage.history.store import HistoryStore
from ingest.storage.history.writer import HistoryWriter
from tests.ingest.domain.alarms.annunciated import columns, history
from tests.ingest.storage.history.made_up import configuration
from tests.ingest.storage.history.writing import MemoryAlarms, MemoryJournal, as_it_is, running

START = 3_000_000 * SLOT


@dataclass
class World:
    """A clock, a store that may be away, and metrics that say when they were asked for."""

    now: int = START + AFTER
    error: Exception | None = None
    expired: int = 0  # of each write
    written: list[AlarmSlot] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> int:
        if self.error:
            raise self.error
        self.written += slots
        return self.expired

    def slot_metrics(self, end: int, now: int) -> list[AlarmSlot]:
        self.asked.append(now)
        return [AlarmSlot("p", end, 0, 0, 0, 0, 0.0, None)]

    def ends(self) -> list[int]:
        return [(slot.end - START) // SLOT for slot in self.written]

    def carrier(self, cursors: MemoryAlarms) -> SlotCarrier:
        return SlotCarrier(self, cursors, self, now=lambda: self.now)  # type: ignore[arg-type]


def test_a_slot_is_written_once_it_is_over_and_its_alarms_are_committed() -> None:
    world = World()
    carry = world.carrier(MemoryAlarms())
    carry()
    carry()
    assert world.ends() == [0]
    world.now = START + SLOT + AFTER - 1
    carry()
    assert world.ends() == [0]
    world.now += 1
    carry()
    assert world.ends() == [0, 1]


def test_what_passed_while_the_store_was_away_or_the_service_off_follows_in_order() -> None:
    world, cursors = World(), MemoryAlarms()
    carry = world.carrier(cursors)
    carry()
    world.now += 3 * SLOT
    world.error = HistoryUnavailable("away")
    with pytest.raises(HistoryUnavailable):
        carry()
    world.error = None
    again = world.carrier(cursors)
    for _ in range(9):
        again()
    assert world.ends() == [0, 1, 2, 3]


def test_slots_older_than_a_week_are_not_caught_up_with() -> None:
    world, cursors = World(), MemoryAlarms(position=1)
    world.carrier(cursors)()
    assert world.written[0].end == START - OLDEST


def test_a_slot_the_store_will_never_take_holds_up_no_other() -> None:
    world = World()
    carry = world.carrier(MemoryAlarms())
    world.error = HistoryRejected("no such field type")
    carry()
    world.error, world.now = None, world.now + SLOT
    carry()
    assert world.ends() == [1]


def test_a_clock_that_is_set_back_stops_nothing_for_longer_than_a_slot() -> None:
    world = World()
    carry = world.carrier(MemoryAlarms())
    world.now += 1000 * SLOT
    carry()
    world.now -= 900 * SLOT
    carry()
    world.now += SLOT
    carry()
    assert world.ends() == [1000, 101]


@pytest.mark.parametrize("seed", range(20))
def test_slots_add_up_to_the_metrics_of_their_span(seed: int) -> None:
    config = AlarmsConfig()
    calls = columns(history(seed))
    slots = [slot_of("p", calls, at * SLOT, config, None) for at in range(1, 49)]
    whole = measure(calls, 0, 48 * SLOT, config)
    assert sum(slot.raised for slot in slots) == whole.raised
    assert sum(slot.hidden for slot in slots) == whole.hidden
    assert sum(slot.level_2 for slot in slots) == whole.levels[2]
    assert sum(slot.flood_s for slot in slots) == pytest.approx(whole.flood_share * 48 * 600)
    assert lead(config) >= SLOT


def test_a_line_holds_what_is_known_and_nothing_else() -> None:
    known = OperatorLoad({1: 3, 2: 1}, unacknowledged=2, stale=1, hidden=9, chattering=0, raised=9, flood=False)
    slot = AlarmSlot("room 1", 5, 4, 3, 1, 2, 30.5, None)
    head = r"alarm_metrics,position=room\ 1 raised=4i,level_1=3i,level_2=1i,hidden=2i,flood_s=30.5"
    assert slot_lines([slot]).decode() == f"{head} 5\n"
    full = AlarmSlot("room 1", 5, 4, 3, 1, 2, 30.5, known)
    rest = ",standing_1=3i,standing_2=1i,unacknowledged=2i,stale=1i,chattering=0i"
    assert slot_lines([full]).decode() == f"{head}{rest} 5\n"


def test_the_history_writer_carries_them_and_tries_again(tmp_path: Path) -> None:
    """What fails is called again, and holds up neither readings nor alarm events for good."""
    called, calls = Event(), []

    def also() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise HistoryUnavailable("away")
        called.set()

    store: HistoryStore = DuckDBStore(DuckDBConfig(path=tmp_path / "h.duckdb"))
    writer = HistoryWriter(
        store, MemoryJournal(), MemoryAlarms(), configuration=configuration, add_flags=as_it_is, after_cycle=also
    )
    with running(writer):
        assert called.wait(60)
    store.close()
