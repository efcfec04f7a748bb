"""The results of one cycle are written completely or not at all, and can be queried afterwards."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ingest.delivery.webhook.connector import cloud_event
from ingest.domain.alarms.lifecycle import Cause, acknowledged, raised, recorded, returned
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmFilter, AlarmState, alarm_id
from ingest.domain.model.contribution import Contribution, PointAspect
from ingest.domain.model.outbox import Attempt, Message, Urgency
from ingest.domain.model.plant import PhaseName
from ingest.domain.model.text import Text
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineCheckpoint, EngineStore
from ingest.storage.state.outbox_store import OutboxStore
from ingest.storage.state.rows import alarm_of, event_row
from ingest.storage.state.tables import METADATA
from ingest.storage.state.version import MIGRATIONS, known
from tests.ingest.delivery.outbox import alarm_message, readings_message, warning_message
from tests.ingest.delivery.platform.profiles import profile, report


def event(point: str = "CO-01", at: int = 100, plant: str = "p") -> AlarmEvent:
    """An alarm raised."""
    name = alarm_id(plant, point, "H", at)
    title = Text("一氧化碳 高报", "CO high")
    fresh = Alarm(
        name, plant, point, "H", 1, AlarmState.NORMAL, title, None, 24.0, "ppm", onset=at, raised=at, annunciated=at
    )
    made = raised(fresh, Cause(at, at + 5), value=25.5)
    assert made is not None
    return made


def message(number: UUID, connector: str = "inspector") -> Message:
    """A message to an inspector."""
    return Message(0, connector, number, "alarm", "p", {"event": "raised", "名": "值"}, 90, 100, 0)


def test_the_schema_the_migrations_make_is_the_one_the_tables_describe(database: Database) -> None:
    with database.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_versions_that_are_known_are_those_of_the_migrations() -> None:
    """Each by the name of its file, the newest last: without loading what runs them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert known() == {script.revision for script in scripts.walk_revisions()}
    assert max(known()) == scripts.get_current_head()


def test_the_results_of_a_cycle_are_found_after_reopening(state: StateConfig, database: Database) -> None:
    raised = event()
    EngineStore(database).commit(7, [raised], [message(raised.id)], b"memory")
    database.close()
    again = Database(state)
    assert EngineStore(again).load() == EngineCheckpoint(7, 7, b"memory")
    assert EngineStore(again).open_alarms() == [raised.alarm]
    assert AlarmStore(again).alarm_history(raised.alarm.id) == [replace(raised, seq=1)]
    again.close()


def test_a_cycle_that_cannot_be_written_whole_leaves_nothing(database: Database) -> None:
    engine = EngineStore(database)
    engine.commit(1, [], [], b"old")
    raised = event()
    faulty = replace(message(raised.id), connector="other", plant=cast("str", None))  # which no table takes
    with pytest.raises(sa.exc.IntegrityError):
        engine.commit(2, [raised], [message(raised.id), faulty], b"new")
    assert engine.load() == EngineCheckpoint(1, 1, b"old")
    assert engine.open_alarms() == []
    assert OutboxStore(database).oldest("inspector") is None


def test_events_written_before_a_crash_are_not_written_again(database: Database) -> None:
    engine, raised = EngineStore(database), event()
    engine.commit(1, [raised], [message(raised.id)])
    engine.commit(1, [raised], [message(raised.id), message(raised.id, "other")])
    assert AlarmStore(database).alarm_history(raised.alarm.id) == [replace(raised, seq=1)]
    assert {name: totals.messages for name, totals in OutboxStore(database).totals().items()} == {
        "inspector": 1,
        "other": 1,
    }


def test_a_commit_returns_what_is_new_in_the_outbox_unless_it_is_much(database: Database) -> None:
    engine, outbox = EngineStore(database), OutboxStore(database)
    first = [message(uuid4()), message(uuid4(), "other"), message(uuid4())]
    posted = engine.commit(1, [], first)
    assert posted is not None
    assert [replace(posted_message, seq=0) for posted_message in posted] == first
    assert outbox.messages("inspector", [posted_message.seq for posted_message in posted]) == [posted[0], posted[2]]
    fresh = message(uuid4())
    again = engine.commit(2, [], [*first, fresh])
    assert again is not None
    assert again == outbox.messages("inspector", [posted_message.seq for posted_message in again])
    assert [posted_message.id for posted_message in again] == [fresh.id]
    assert engine.commit(3, [], []) == []
    assert engine.commit(4, [], [message(uuid4()) for _ in range(50)]) is None
    assert len(outbox.waiting("inspector", "alarm", 0, 100)) == 53


def test_what_is_handed_on_leaves_as_the_same_bytes_as_what_is_read_again(database: Database) -> None:
    kinds = [alarm_message(seq, kind) for seq, kind in enumerate((AlarmEventKind.RAISED, AlarmEventKind.ACKNOWLEDGED))]
    readings = replace(readings_message(3), connector="inspector")
    endless = [reading | {"value": float("inf")} for reading in readings.body["readings"]]
    beyond = replace(readings, id=uuid4(), body={**readings.body, "readings": endless})
    posted = EngineStore(database).commit(1, [], [*kinds, warning_message(2), readings, beyond])
    assert posted is not None
    kept = OutboxStore(database).messages("inspector", [posted_message.seq for posted_message in posted])
    for handed, read in zip(posted, kept, strict=True):
        reports = [report(profile(), version.kind, [version]) for version in (handed, read)]
        assert msgspec.json.encode(reports[0]) == msgspec.json.encode(reports[1])
        assert handed.kind == "readings" or cloud_event(handed) == cloud_event(read)


def test_the_body_of_an_id_never_changes(database: Database) -> None:
    """Whatever is known by the time it would be sent again: the plant renamed, the service restarted, tried before."""
    engine, outbox, raised = EngineStore(database), OutboxStore(database), event()
    engine.commit(1, [raised], [message(raised.id)])
    (waiting,) = outbox.waiting("inspector", "alarm", 0, 10)
    before = outbox.messages("inspector", [waiting.seq])
    outbox.record("inspector", [Attempt(waiting.seq, 1, None, "HTTP 503")])
    EngineStore(database).commit(
        2, [raised], [replace(message(raised.id), body={"event": "raised", "enterprise": "renamed"})]
    )
    assert outbox.messages("inspector", [waiting.seq]) == [replace(before[0], attempts=1)]


def test_an_alarm_keeps_its_phase_and_its_name_of_then(database: Database) -> None:
    """In its row and in its history; one from before phases were recorded has none."""
    first, other = event(), event("CO-02")
    start = replace(first, alarm=replace(first.alarm, phase=PhaseName("start", Text("起铸", "start"))))
    EngineStore(database).commit(1, [start, other], [])
    alarms = AlarmStore(database)
    assert {alarm.phase for alarm in alarms.alarms(AlarmFilter(), limit=9)} == {start.alarm.phase, None}
    assert [kept.alarm.phase for kept in alarms.events_after(0, limit=9)] == [start.alarm.phase, None]
    before = {key: value for key, value in event_row(first)["snapshot"].items() if not key.startswith("phase")}
    assert alarm_of(before) == first.alarm


def test_an_alarm_keeps_what_contributed_to_it_and_the_names_of_then(database: Database) -> None:
    """In its row and in its history; one of a single point, or from before they were recorded, has none."""
    first, other = event(), event("CO-02")
    parts = (
        Contribution("IN", Text("进水", "inlet"), 62.4),
        Contribution("CO-01", Text("缓慢漂移", "slow drift"), 30.1, PointAspect.DRIFT),
    )
    group = replace(first, alarm=replace(first.alarm, contributions=parts))
    EngineStore(database).commit(1, [group, other], [])
    alarms = AlarmStore(database)
    assert {alarm.contributions for alarm in alarms.alarms(AlarmFilter(), limit=9)} == {parts, ()}
    assert [kept.alarm.contributions for kept in alarms.events_after(0, limit=9)] == [parts, ()]
    before = {key: value for key, value in event_row(group)["snapshot"].items() if key != "contributions"}
    assert alarm_of(before) == first.alarm
    earlier = {"point": "IN", "name": {"zh": "进水", "en": "inlet"}, "share": 62.4}  # from before aspects were recorded
    assert alarm_of({**before, "contributions": [earlier]}).contributions == parts[:1]


def test_a_historical_alarm_is_marked_and_can_be_queried(database: Database) -> None:
    raised = event()
    past = replace(raised.alarm, id=uuid4(), state=AlarmState.NORMAL, returned=110, historical=True)
    late = recorded(past, received=500)
    assert late is not None
    EngineStore(database).commit(1, [raised, late], [])
    alarms = AlarmStore(database)
    assert alarms.alarms(AlarmFilter(historical=True), limit=9) == [past]
    assert alarms.alarms(AlarmFilter(historical=False), limit=9) == [raised.alarm]
    assert EngineStore(database).open_alarms() == [raised.alarm]
    assert alarms.events_after(1, limit=9)[0].alarm.historical


def test_a_snapshot_stays_until_the_next_one(database: Database) -> None:
    engine = EngineStore(database)
    engine.commit(3, [], [], b"memory")
    engine.commit(9, [], [])
    assert engine.load() == EngineCheckpoint(9, 3, b"memory")


def test_an_alarm_keeps_its_history_to_the_end(database: Database) -> None:
    engine, alarms = EngineStore(database), AlarmStore(database)
    first = event()
    seen = acknowledged(first.alarm, Cause(200, 200, "张三", "operator", {"comment": "检查中"}))
    assert seen is not None
    back = returned(seen.alarm, Cause(300, 305))
    assert back is not None
    for cursor, step in enumerate((first, seen, back)):
        engine.commit(cursor, [step], [])
    assert engine.open_alarms() == []
    assert alarms.alarm(first.alarm.id) == back.alarm
    assert [e.kind for e in alarms.alarm_history(first.alarm.id)] == ["raised", "acknowledged", "returned"]
    assert [e.seq for e in alarms.events_after(1, limit=10)] == [2, 3]
    assert alarms.last_event() == 3
    assert alarms.alarm(uuid4()) is None


def test_alarms_are_filtered_and_paged_without_a_gap_or_a_repeat(database: Database) -> None:
    engine, alarms = EngineStore(database), AlarmStore(database)
    for at in range(10):
        engine.commit(at, [event(f"CO-{at % 3}", at // 2, "p" if at % 2 else "q")], [])
    everything = alarms.alarms(AlarmFilter(), limit=100)
    pages: list[Alarm] = []
    while page := alarms.alarms(AlarmFilter(), limit=3, before=(pages[-1].raised, pages[-1].id) if pages else None):
        pages += page
    assert pages == everything
    assert len(everything) == 10
    assert {a.plant for a in alarms.alarms(AlarmFilter(plants=frozenset({"q"})), limit=100)} == {"q"}
    assert [a.raised for a in alarms.alarms(AlarmFilter(since=1, until=3), limit=100)] == [2, 2, 1, 1]
    assert alarms.alarms(AlarmFilter(states=frozenset({AlarmState.NORMAL})), limit=100) == []
    assert alarms.alarms(AlarmFilter(plants=frozenset()), limit=100) == []
    assert len(alarms.alarms(AlarmFilter(point="CO-1", level=1), limit=100)) == 3


def test_alarms_are_counted_by_plant_level_and_state(database: Database) -> None:
    engine, alarms = EngineStore(database), AlarmStore(database)
    for at in range(10):
        engine.commit(at, [event(f"CO-{at % 3}", at // 2, "p" if at % 2 else "q")], [])
    unacknowledged = frozenset({AlarmState.UNACKNOWLEDGED})
    assert alarms.counts(AlarmFilter(states=unacknowledged)) == {
        ("p", 1, AlarmState.UNACKNOWLEDGED): 5,
        ("q", 1, AlarmState.UNACKNOWLEDGED): 5,
    }
    assert alarms.counts(AlarmFilter(states=unacknowledged, plants=frozenset({"q"}), until=2)) == {
        ("q", 1, AlarmState.UNACKNOWLEDGED): 2
    }
    assert alarms.counts(AlarmFilter(states=frozenset({AlarmState.NORMAL}))) == {}


def test_a_message_waits_until_it_is_delivered(database: Database) -> None:
    engine, outbox = EngineStore(database), OutboxStore(database)
    numbers = [uuid4(), uuid4()]
    urgent = replace(message(numbers[1]), subject="an alarm", urgency=Urgency.FIRST)
    engine.commit(1, [], [message(numbers[0]), urgent, message(numbers[0], "platform")])
    first, second = outbox.waiting("inspector", "alarm", 0, 10)
    assert (second.subject, second.urgency) == ("an alarm", Urgency.FIRST)
    assert outbox.waiting("inspector", "alarm", first.seq, 10) == [second]
    assert outbox.waiting("inspector", "alarm", 0, 1) == [first]
    assert outbox.waiting("inspector", "readings", 0, 10) == []
    bodies = outbox.messages("inspector", [second.seq, first.seq])
    assert [m.id for m in bodies] == numbers
    assert bodies[0].body == {"event": "raised", "名": "值"}
    outbox.record("inspector", [Attempt(first.seq, 150, None, "refused"), Attempt(second.seq, 150, 160, None)])
    assert outbox.waiting("inspector", "alarm", 0, 10) == [first]
    (again,) = outbox.messages("inspector", [first.seq])
    assert (again.id, again.attempts) == (numbers[0], 1)
    outbox.record("inspector", [Attempt(again.seq, 950, 960, None)])
    assert outbox.waiting("inspector", "alarm", 0, 10) == []
    assert outbox.latencies("inspector", "alarm") == [60, 60], "counted to the first try, not to the last"
    assert (outbox.oldest("platform"), outbox.oldest("inspector")) == (100, None)
    assert outbox.totals()["inspector"].delivered == 2


def test_readers_of_the_database_cannot_write(database: Database) -> None:
    """Two writers could corrupt a WAL database under an old SQLite: only one connection may."""
    with database._reader.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"read-?only"):
        connection.execute(sa.text("DELETE FROM alarm"))


def test_a_readers_cursor_is_remembered(database: Database) -> None:
    alarms = AlarmStore(database)
    assert alarms.reader_cursor("history") == 0
    alarms.save_reader_cursor("history", 3)
    alarms.save_reader_cursor("history", 8)
    assert alarms.reader_cursor("history") == 8


def test_what_cannot_be_had_again_is_synced_and_nothing_else(tmp_path: Path) -> None:
    """Also right after a commit that was not: the next one that has to be is."""
    database = Database(tmp_path / "state.db")
    synced: list[bool] = []

    @sa.event.listens_for(database._writer, "commit")
    def commits(connection: sa.Connection) -> None:
        raw = cast("sqlite3.Connection", connection.connection.driver_connection)
        synced.append(raw.execute("PRAGMA synchronous").fetchone()[0] >= 2)

    engine, alarms, outbox, raised = EngineStore(database), AlarmStore(database), OutboxStore(database), event()
    engine.commit(1, [], [], reached=5)
    assert synced == [False], "a cursor that moved over nothing"
    engine.commit(2, [raised], [])
    engine.commit(3, [], [message(raised.id)])
    engine.commit(4, [], [], b"memory")
    assert synced[1:] == [True] * 3, "alarms, messages, and what the journal may be trimmed by"
    outbox.record("inspector", [Attempt(1, 100, 200, None)])
    alarms.save_reader_cursor("history", 1)
    assert synced[4:] == [False] * 2, "what is delivered or carried once more, under the same id"
    engine.commit(5, [event("CO-02")], [])
    assert synced[6:] == [True]
    database.close()
