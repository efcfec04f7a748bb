"""A point that goes by another id now lives on: its alarms, who acknowledged them, and what hides them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.domain.cases.dead_points import DeadPoint
from ingest.domain.model.alarm import AlarmEventKind, AlarmFilter, AlarmState
from ingest.domain.model.suppression import SuppressionKind
from ingest.engine.commands import Acknowledge, Person, Suppress
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.suppressions import SuppressionStore
from tests.ingest.engine.bench import PATIENCE_S, SECOND, Bench
from tests.ingest.engine.warned import Bench as Warned
from tests.small_plant import PLANT, TEXT, small_configuration

RENAMED = TEXT.replace('id = "CO-01"', 'id = "CO-09"\nwas = "CO-01"')
RENAMED_WITHOUT_A_WORD = TEXT.replace('id = "CO-01"', 'id = "CO-09"')
OPERATOR = Person("张三", "operator")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.engine.start()
    yield made
    assert made.engine.stop(PATIENCE_S)
    assert made.failures == []


def compiled(bench: Bench, text: str = RENAMED) -> PlantConfiguration:
    return small_configuration(bench.folder, bench.journal.number_points, text)


def change_over(bench: Bench, how: str) -> None:
    """Rename the point while the service runs, while it is off, or so that it dies between journal and state."""
    state = bench.store.load()
    configuration = compiled(bench)
    if how == "running":
        bench.engine.adopt(configuration)
    else:
        assert bench.engine.stop(PATIENCE_S)
        if how == "crash":  # nothing but the oldest snapshot, which knows the former id, and entries to replay
            with bench.database.write() as connection:
                connection.exec_driver_sql(
                    "UPDATE engine_state SET snapshot_cursor = ?, snapshot = ?", (state.snapshot_cursor, state.snapshot)
                )
        bench.engine = bench.build(configuration)
        bench.engine.start()
    wait_for(bench, "CO-09")


def wait_for(bench: Bench, point: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while {alarm.point for alarm in bench.found()} != {point}:
        assert time.monotonic() < deadline, bench.found()
        time.sleep(0.01)


def audited(bench: Bench) -> list[tuple[str, str, str]]:
    acts = [row.act for row in AuditStore(bench.database.rows).acts(limit=100, kind="point")]
    return [(act.action, act.subject, act.detail["was"]) for act in acts]


@pytest.mark.parametrize("how", ["running", "off", "crash"])
def test_a_renamed_point_keeps_its_alarms_with_their_comments(bench: Bench, how: str) -> None:
    bench.send("CO-01", [5, 30, 170])
    bench.settle()
    before = {alarm.rule: alarm for alarm in bench.found()}
    bench.engine.submit(Acknowledge(before["HH"].id, OPERATOR, "已到现场")).result(PATIENCE_S)
    until = time.time_ns() + 3600 * SECOND
    shelve = Suppress(SuppressionKind.SHELVED, PLANT, "CO-01", "H", "探头更换中", until, OPERATOR)
    shelved = bench.engine.submit(shelve).result(PATIENCE_S)
    change_over(bench, how)
    after = {alarm.rule: alarm for alarm in bench.found()}
    assert {rule: alarm.id for rule, alarm in after.items()} == {rule: alarm.id for rule, alarm in before.items()}
    assert (after["HH"].state, after["HH"].acked_by) == (AlarmState.ACKNOWLEDGED, "张三")
    assert after["H"].state is AlarmState.SHELVED
    (kept,) = SuppressionStore(bench.database).suppressions(limit=10, point="CO-09")
    assert kept.id == shelved.id

    bench.restart(clean=how != "crash")  # the line is still in the file
    bench.send("CO-09", [5], start_s=3)
    bench.settle()
    ended = {alarm.rule: alarm for alarm in bench.found()}
    assert {rule: alarm.id for rule, alarm in ended.items()} == {rule: alarm.id for rule, alarm in before.items()}
    assert (ended["HH"].state, ended["HH"].returned) == (AlarmState.NORMAL, bench.t0 + 3 * SECOND)
    kinds = [event.kind for event in bench.alarms.alarm_history(before["HH"].id)]
    assert kinds == [AlarmEventKind.RAISED, AlarmEventKind.ACKNOWLEDGED, AlarmEventKind.RETURNED]
    assert audited(bench) == [("renamed", "CO-09", "CO-01")]


@pytest.mark.parametrize("how", ["running", "off", "crash"])
def test_a_renamed_points_alarm_that_returned_comes_back_as_the_same(bench: Bench, how: str) -> None:
    bench.send("CO-01", [30, 5])
    bench.settle()
    (alarm,) = bench.found()
    change_over(bench, how)
    bench.send("CO-09", [30], start_s=3)
    bench.settle()
    assert [(alarm.id, alarm.raises) for alarm in bench.found()] == [(alarm.id, 2)]


def test_a_past_excursion_that_grows_after_a_renaming_keeps_its_identity(bench: Bench) -> None:
    bench.send("CO-01", [5], start_s=1000)
    bench.send("CO-01", [30], start_s=100)
    bench.send("CO-01", [5], start_s=1500)
    bench.settle()
    (before,) = bench.found()
    assert before.historical
    change_over(bench, "running")
    bench.send("CO-09", [31, 31], start_s=101)
    bench.send("CO-09", [5], start_s=2500)
    bench.settle()
    (after,) = bench.found()
    assert (after.id, after.returned) == (before.id, bench.t0 + 102 * SECOND)


def test_renamed_back_and_forth_it_is_one_point_all_the_time(bench: Bench) -> None:
    bench.send("CO-01", [170])
    bench.settle()
    ids = {alarm.id for alarm in bench.found()}
    back = TEXT.replace('id = "CO-01"', 'id = "CO-01"\nwas = "CO-09"')
    for text, point in ((RENAMED, "CO-09"), (back, "CO-01"), (RENAMED, "CO-09")):
        bench.engine.adopt(compiled(bench, text))
        wait_for(bench, point)
    bench.send("CO-09", [5], start_s=3)
    bench.settle()
    assert {(alarm.id, alarm.state) for alarm in bench.found()} == {(uuid, AlarmState.RETURNED) for uuid in ids}


def test_without_was_or_with_a_late_was_the_alarm_is_removed_and_the_points_stay_apart(bench: Bench) -> None:
    bench.send("CO-01", [170])
    bench.settle()
    bench.engine.adopt(compiled(bench, RENAMED_WITHOUT_A_WORD))
    configuration = compiled(bench)
    assert configuration.renamed == {}
    bench.engine.adopt(configuration)
    bench.send("CO-02", [5], start_s=1)
    bench.settle()
    deadline = time.monotonic() + PATIENCE_S
    while {alarm.state for alarm in bench.found()} != {AlarmState.REMOVED}:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert {alarm.point for alarm in bench.found()} == {"CO-01"}
    assert audited(bench) == []


def test_a_dead_points_time_goes_on_under_its_new_id(bench: Bench) -> None:
    """Also if the check of dead points has met the new id before the state database knows it."""
    books = CaseStore(bench.database)
    books.note_dead([DeadPoint(PLANT, "CO-01", 7, 8), DeadPoint(PLANT, "CO-09", 70, None)], [])
    bench.engine.adopt(compiled(bench))
    deadline = time.monotonic() + PATIENCE_S
    while len(books.dead_points()) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert books.dead_points() == [DeadPoint(PLANT, "CO-09", 7, 8)]


def test_a_gateway_under_a_new_id_costs_its_own_alarms_and_none_of_its_points(bench: Bench) -> None:
    """Its points are the same ones at another gateway."""
    bench.send("CO-01", [170])
    bench.send("GW-01", [0] * 300)
    bench.settle()
    before = {(alarm.point, alarm.rule): alarm for alarm in bench.found()}
    bench.engine.submit(Acknowledge(before["CO-01", "HH"].id, OPERATOR)).result(PATIENCE_S)
    bench.engine.adopt(compiled(bench, TEXT.replace('"GW-01"', '"GW-09"')))
    deadline = time.monotonic() + PATIENCE_S
    while AlarmState.REMOVED not in {alarm.state for alarm in bench.found()}:
        assert time.monotonic() < deadline, bench.found()
        time.sleep(0.01)
    after = {(alarm.point, alarm.rule): alarm for alarm in bench.found()}
    assert {key for key, alarm in after.items() if alarm.state is AlarmState.REMOVED} == {
        key for key in before if key[0] == "GW-01"
    }
    assert {key: after[key].id for key in before} == {key: alarm.id for key, alarm in before.items()}
    assert after["CO-01", "HH"].state is AlarmState.ACKNOWLEDGED


NAMES = ("CO-01", "CO-09", "CO-X")


def lived(folder: Path, seed: int, *, renamed: bool) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What is on record of alarms and warnings after a random hour in which the point is, or is not, renamed."""
    folder.mkdir()
    draw, bench, at = random.Random(seed), Warned(folder, TEXT), 0  # noqa: S311
    for _ in range(60):
        what, value, name = draw.random(), draw.choice((5.0, 22.0, 30.0, 150.0, 170.0)), draw.randrange(len(NAMES))
        if what < 0.6:
            bench.read({NAMES[at]: value, "CO-02": 5.0})
        elif what < 0.7:
            for alarm in [*bench.engine.engine_state.alarms.values()]:
                bench.submit(Acknowledge(alarm.id, OPERATOR))
        elif what < 0.8:
            until = bench.clock.wall() + draw.randrange(1, 60) * SECOND
            bench.submit(Suppress(SuppressionKind.SHELVED, PLANT, NAMES[at], "H", "检修", until, OPERATOR))
        elif what < 0.85:
            bench.wait(draw.randrange(60))
        elif what < 0.9:
            bench.start()
        elif renamed and name != at:
            text = TEXT.replace('id = "CO-01"', f'id = "{NAMES[name]}"\nwas = "{NAMES[at]}"')
            bench.configuration, at = small_configuration(folder, bench.journal.number_points, text), name
            if value < 30:
                bench.start()
            else:
                bench.engine.adopt(bench.configuration)
                bench.engine.process()
    found = bench.alarms.alarms(AlarmFilter(), limit=1000)
    assert {alarm.point for alarm in found} <= {NAMES[at], "CO-02"}
    alarms: list[tuple[object, ...]] = [
        (a.point == "CO-02", a.rule, a.state, a.raises, a.acked_by, a.onset, a.raised, a.returned, a.value)
        for a in found
    ]
    alarms.sort(key=str)  # those of one moment are listed by their ids
    warnings: list[tuple[object, ...]] = [(w.colour, w.state, w.acknowledged_by, w.raised) for w in bench.warnings()]
    bench.close()
    return alarms, warnings


@pytest.mark.parametrize("seed", range(6))
def test_a_history_with_renames_is_that_of_a_point_that_was_never_renamed(tmp_path: Path, seed: int) -> None:
    """With restarts, acknowledgements and shelving in between, renamed while the engine runs and while it is off."""
    never, often = (lived(tmp_path / str(renamed), seed, renamed=renamed) for renamed in (False, True))
    assert often == never
    assert never[0]
