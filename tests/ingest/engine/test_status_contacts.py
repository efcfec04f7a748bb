"""A contact of an instrument says the same of its readings as the quality code of a gateway would."""

from __future__ import annotations

from itertools import pairwise, permutations
from pathlib import Path

import pytest

from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.batch import Batch, concat
from ingest.domain.model.device_status import STATUS_FLAGS, DeviceStatus
from ingest.domain.model.flags import CHECKED, Flag
from ingest.engine.engine import Engine
from ingest.engine.engine_state import EngineState
from ingest.engine.order import Policy
from ingest.plants.numbering import MemoryNumbering
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.state.alarm_store import AlarmStore
from tests import migrated
from tests.ingest.engine.bench import begun
from tests.ingest.engine.clock import Clock
from tests.ingest.engine.contacts import CONTACTS, HEALTHY, WIRED, WiredHead, frame
from tests.ingest.engine.test_function_check import GAS, SECOND, START
from tests.small_plant import small_configuration

SILENCE = 90
"""Seconds after which a status contact is silent, by the catalogue."""
UNKNOWN = int(Flag.STATUS_UNKNOWN)


@pytest.fixture
def head(tmp_path: Path) -> WiredHead:
    made = WiredHead(tmp_path)
    made.each_second(0, 5, 5.0, HEALTHY)
    return made


@pytest.mark.parametrize("status", CONTACTS)
def test_a_contact_does_what_the_quality_code_does(tmp_path: Path, status: DeviceStatus) -> None:
    """The same alarms at the same times, the same flags and status, while it holds and after."""
    by_contact, by_code = WiredHead(tmp_path, longest_s=60), WiredHead(tmp_path, longest_s=60)
    for begin, end, value, holds in (
        (0, 5, 5.0, False),
        (5, 90, GAS, True),
        (90, 120, 5.0, False),
        (120, 130, GAS, True),
    ):
        contacts = {**HEALTHY, CONTACTS[status]: float(holds)}
        flags = int(STATUS_FLAGS[status]) if holds else 0
        events = by_contact.each_second(begin, end, value, contacts)
        assert events == by_code.each_second(begin, end, value, HEALTHY, flags)
        assert by_contact.flags() == by_code.flags()
        assert by_contact.status() is by_code.status() is (status if holds else DeviceStatus.GOOD)
    found, expected = (
        [(event.kind, event.alarm.rule, event.time, event.alarm.value) for event in head.events]
        for head in (by_contact, by_code)
    )
    assert found == expected


def test_calibration_by_a_key_switch_raises_nothing_of_the_process_and_gas_after_it_is_gas(head: WiredHead) -> None:
    for begin in (5, 105, 205):  # as often as it is done
        assert head.each_second(begin, begin + 30, GAS, {**HEALTHY, "CO-01-CAL": 1.0}) == set()
        assert head.status() is DeviceStatus.FUNCTION_CHECK
        assert head.each_second(begin + 30, begin + 60, 5.0, HEALTHY) == set()
        assert ("raised", "H") in head.each_second(begin + 60, begin + 70, GAS, HEALTHY)
        head.each_second(begin + 70, begin + 100, 5.0, HEALTHY)


def test_a_key_switch_that_is_forgotten_does_not_blind_the_head(tmp_path: Path) -> None:
    head = WiredHead(tmp_path, longest_s=60)
    assert head.each_second(0, 60, GAS, {**HEALTHY, "CO-01-CAL": 1.0}) == set()
    assert {("raised", "BAD"), ("raised", "H")} <= head.each_second(60, 80, GAS, {**HEALTHY, "CO-01-CAL": 1.0})
    assert head.flags() & CHECKED == CHECKED


def test_a_failure_is_a_bad_signal_and_no_limit_sees_the_value(head: WiredHead) -> None:
    assert head.each_second(5, 30, GAS, {**HEALTHY, "CO-01-FAULT": 1.0}) == {("raised", "BAD")}
    assert head.status() is DeviceStatus.FAILURE
    assert head.each_second(30, 60, 5.0, HEALTHY) == {("returned", "BAD")}


def test_of_two_at_once_the_worse_counts(head: WiredHead) -> None:
    gravest = list(CONTACTS)
    for at, (worse, lesser) in enumerate(pairwise(gravest), start=5):
        head.frame(at, {"CO-01": 5.0, **HEALTHY, CONTACTS[worse]: 1.0, CONTACTS[lesser]: 1.0})
        assert head.flags() == STATUS_FLAGS[worse]


def test_a_normally_closed_contact_means_its_status_by_zero_and_is_of_its_own_instrument(head: WiredHead) -> None:
    head.frame(5, {"CO-01": 5.0, "CO-02": 5.0, "CO-02-OK": 0.0, **HEALTHY})
    assert (head.status("CO-01"), head.status("CO-02")) == (DeviceStatus.GOOD, DeviceStatus.FAILURE)
    head.frame(6, {"CO-01": 5.0, "CO-02": 5.0, "CO-02-OK": 1.0, **HEALTHY, "CO-01-FAULT": 1.0})
    assert (head.status("CO-01"), head.status("CO-02")) == (DeviceStatus.FAILURE, DeviceStatus.GOOD)


def test_the_order_of_columns_changes_nothing(tmp_path: Path) -> None:
    for at, order in enumerate(permutations(("CO-01", "CO-01-CAL", "CO-01-FAULT"))):
        head = WiredHead(tmp_path)
        head.each_second(0, 5, 5.0, HEALTHY)
        values = {"CO-01": GAS, "CO-01-CAL": 1.0, "CO-01-FAULT": 0.0}
        assert head.frame(5, {name: values[name] for name in order}) == set(), at
        assert head.flags() == Flag.FUNCTION_CHECK


def test_a_contact_of_an_earlier_frame_counts_for_later_values_until_it_is_silent(head: WiredHead) -> None:
    head.frame(5, {**HEALTHY, "CO-01-CAL": 1.0})
    for at in range(6, 6 + SILENCE - 1, 10):
        assert head.frame(at, {"CO-01": GAS}) == set()
    assert ("raised", "H") in head.frame(6 + SILENCE, {"CO-01": GAS})
    assert (head.flags(), head.status()) == (UNKNOWN, DeviceStatus.UNKNOWN)


@pytest.mark.parametrize(("value", "flags"), [(float("nan"), Flag.NO_VALUE), (1.0, Flag.BAD), (0.5, 0)])
def test_a_contact_that_is_bad_is_unknown_and_its_own_alarm_says_so(head: WiredHead, value: float, flags: int) -> None:
    """The value is judged; what a better contact says counts beside it."""
    for at in range(5, 30):
        head.frame(at, {"CO-01": GAS, **HEALTHY, "CO-01-CAL": value}, {"CO-01-CAL": int(flags)})
    raised = {(event.alarm.point, event.alarm.rule) for event in head.events if event.kind is AlarmEventKind.RAISED}
    assert ("CO-01", "H") in raised
    assert (("CO-01-CAL", "BAD") in raised) is bool(flags)
    assert head.status() is DeviceStatus.UNKNOWN
    head.frame(30, {"CO-01": GAS, **HEALTHY, "CO-01-CAL": value, "CO-01-FAULT": 1.0}, {"CO-01-CAL": int(flags)})
    assert head.status() is DeviceStatus.FAILURE


def test_a_contact_that_was_never_heard_is_unknown(tmp_path: Path) -> None:
    head = WiredHead(tmp_path)
    head.frame(0, {"CO-01": 5.0})
    assert head.status() is DeviceStatus.UNKNOWN


@pytest.mark.parametrize("historical", [0, int(Flag.HISTORICAL)])
def test_calibration_gas_that_arrives_late_is_no_excursion_and_what_lies_outside_is(
    head: WiredHead, historical: int
) -> None:
    head.each_second(60, 64, 5.0, HEALTHY)
    for at in range(10, 40):
        contacts = {**HEALTHY, "CO-01-CAL": float(20 <= at < 30)}
        sent = {"CO-01": GAS if at in {12, 22, 23, 24} else 5.0, **contacts}
        head.frame(at, sent, dict.fromkeys(sent, historical), arrives=65 + at / 100)
    head.each_second(70, 120, 5.0, HEALTHY)
    recorded = [event.alarm for event in head.events if event.kind is AlarmEventKind.RECORDED]
    assert [(alarm.rule, (alarm.onset - START) // SECOND) for alarm in recorded] == [("H", 12)]
    assert not [event for event in head.events if event.kind is AlarmEventKind.RAISED]


def test_a_point_that_the_file_does_not_bind_any_more_is_judged_by_itself(tmp_path: Path) -> None:
    head, numbering = WiredHead(tmp_path), MemoryNumbering()
    head.configuration = small_configuration(tmp_path, numbering, WIRED)
    head.engine_state = EngineState(head.configuration)
    assert head.each_second(0, 8, GAS, {**HEALTHY, "CO-01-CAL": 1.0}) == set()
    head.configuration = small_configuration(tmp_path, numbering, WIRED.partition("\n[[instruments]]")[0])
    head.engine_state = head.engine_state.successor(head.configuration)
    assert ("raised", "H") in head.frame(8, {"CO-01": GAS})
    assert head.flags() == 0


class Life:
    """Frames of the small plant, by an engine on files that dies after each third entry, or never."""

    def __init__(self, folder: Path, *, dies: bool) -> None:
        folder.mkdir()
        self.clock, self.dies = Clock(START), dies
        self.journal, self.database = Journal(folder / "journal.db"), migrated.opened(folder / "state.db")
        self.configuration = small_configuration(folder, self.journal.number_points, WIRED)
        self.engine = self.begin()

    def begin(self) -> Engine:
        return begun(
            self.clock, self.journal, self.database, self.configuration, Policy(function_check_max=60 * SECOND)
        )

    def send(self, *frames: Batch) -> None:
        """Journal frames in one entry, a second after the last, and evaluate them."""
        self.clock.time += SECOND
        batch = concat(frames)
        self.journal.append(Commit(batch, len(batch)))
        self.engine.process()
        if self.dies and self.journal.last() % 3 == 0:
            self.engine = self.begin()

    def alarm_events(self) -> list[tuple[str, str, str, int]]:
        events = AlarmStore(self.database).events_after(0, limit=1000)
        return [
            (str(event.kind), event.alarm.point, event.alarm.rule, (event.time - START) // SECOND)
            for event in events
            if event.alarm.rule in {"H", "HH", "BAD"}
        ]


def lived(folder: Path, *, dies: bool) -> tuple[list[tuple[str, str, str, int]], bytes]:
    """Calibrated, faulty, calibrated again while the other head fails; some frames late, some contacts missing."""
    life = Life(folder, dies=dies)

    def at(second: int, values: dict[str, float]) -> Batch:
        return frame(life.configuration, START + second * SECOND, values, received=life.clock.wall() + SECOND)

    for second in range(1, 100):
        checking, failed = 10 <= second < 30 or second >= 60, 35 <= second < 50
        life.send(
            at(second, {"CO-01": GAS if 12 <= second < 25 or 55 <= second < 80 else 5.0}),
            at(second, {} if second % 3 else {**HEALTHY, "CO-01-CAL": checking, "CO-01-FAULT": failed}),
            at(second, {"CO-02-OK": float(second < 40), "CO-02": 5.0}),
        )
        if second == 50:
            life.send(*(at(late, {**HEALTHY, "CO-01-CAL": 1.0, "CO-01": GAS}) for late in range(-40, -30)))
    life.engine.process()  # what was evaluated without results is so again
    dump = life.engine.engine_state.dump()
    life.journal.close()
    life.database.close()
    return life.alarm_events(), dump


def test_a_life_with_crashes_is_that_without_to_the_byte(tmp_path: Path) -> None:
    events, dump = lived(tmp_path / "whole", dies=False)
    assert (events, dump) == lived(tmp_path / "broken", dies=True)
    assert events == [("raised", "CO-01", "BAD", 41), ("raised", "CO-02", "BAD", 45), ("raised", "CO-01", "H", 55)]
