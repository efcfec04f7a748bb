"""The alarm load of each operator position, at present and slot by slot for the history."""

from __future__ import annotations

from dataclasses import replace

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.lifecycle import Cause, acknowledged, consequences, raised, returned
from ingest.domain.alarms.slot import SLOT
from ingest.domain.model.alarm import Alarm, AlarmState, alarm_id
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.domain.model.text import Text
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore

S = 10**9
NOW = 3_000_000 * SLOT + 100 * S


def stand(database: Database, point: str, ago: float, *, level: int = 1, plant: str = "p") -> Alarm:
    """An alarm that was raised so many seconds ago."""
    at = NOW - int(ago * S)
    fresh = Alarm(
        alarm_id(plant, point, "H", at), plant, point, "H", 1, AlarmState.NORMAL, Text("", ""), 1.0, 1.0, "", at, at, at
    )
    event = raised(replace(fresh, level=2 if level == 2 else 1), Cause(at, at), value=1.0)
    assert event is not None
    EngineStore(database).commit(1, [event], [])
    return event.alarm


def load_of(database: Database, **settings: object) -> AlarmLoad:
    return AlarmLoad(AlarmStore(database), AlarmsConfig.model_validate(settings), lambda: ["p", "q", "quiet"])


def test_the_present_counts_what_stands_and_what_is_hidden(database: Database) -> None:
    engine = EngineStore(database)
    stand(database, "A", 200_000)
    stand(database, "B", 100, level=2)
    seen = stand(database, "C", 90)
    engine.commit(1, [acknowledged(seen, Cause(NOW, NOW, "x", "operator"))], [])
    gone = stand(database, "D", 80)
    back = returned(gone, Cause(NOW, NOW))
    assert back is not None
    engine.commit(1, [back], [])
    shelved = stand(database, "E", 70)
    cover = Suppression(
        shelved.id, SuppressionKind.SHELVED, SuppressionState.IN_FORCE, "p", "E", None, "", "x", 1, 1, None
    )
    engine.commit(1, consequences(shelved, Cause(NOW, NOW), cover), [])
    stand(database, "A", 10, plant="q")
    load = load_of(database)
    found = load.present(load.positions(), NOW)
    p, q, quiet = found["p"], found["q"], found["quiet"]
    assert (dict(p.levels), p.unacknowledged, p.stale, p.hidden, p.raised) == ({1: 3, 2: 1}, 3, 1, 1, 4)
    assert (dict(q.levels), q.raised, dict(quiet.levels), quiet.raised) == ({1: 1, 2: 0}, 1, {1: 0, 2: 0}, 0)


def test_a_flood_is_one_of_a_position_and_not_of_its_plants(database: Database) -> None:
    for at in range(6):
        stand(database, f"A-{at}", 60 + at)
        stand(database, f"A-{at}", 30 + at, plant="q")
    apart = load_of(database)
    assert {name: operator_load.flood for name, operator_load in apart.present(apart.positions(), NOW).items()} == {
        "p": False, "q": False, "quiet": False,
    }  # fmt: skip
    room = load_of(database, positions=[{"name": "room", "plants": ["p", "q"]}])
    assert {name: operator_load.flood for name, operator_load in room.present(room.positions(), NOW).items()} == {
        "room": True, "quiet": False,
    }  # fmt: skip


def test_a_slot_tells_what_stands_only_while_that_can_be_known(database: Database) -> None:
    for at in range(12):
        stand(database, f"A-{at}", 100 + 10 * at)
    stand(database, "A", 150, plant="no-longer-enrolled")
    end = NOW - 100 * S
    load = load_of(database)
    soon, _, quiet = load.slot_metrics(end, NOW)
    assert (soon.position, soon.end, soon.raised, quiet.raised) == ("p", end, 11, 0)
    assert soon.flood_s == 10
    assert soon.present is not None
    assert soon.numbers()["standing_1"] == 12
    late = load.slot_metrics(end, NOW + SLOT)[0]
    assert (late.raised, late.present) == (11, None)
    assert load.slot_metrics(end + SLOT, NOW + SLOT)[0].flood_s == 560  # from the flood that began before it


def test_what_a_point_called_under_its_former_id_counts_as_its_own(database: Database) -> None:
    """Alarms that were over long before the rename too: a point that chatters does so over it."""
    for ago, point in ((50, "A"), (40, "B"), (30, "A"), (20, "C"), (10, "C")):
        stand(database, point, ago)
    book, config = AlarmStore(database), AlarmsConfig(chatter_count=4)
    apart = AlarmLoad(book, config, lambda: ["p"])
    load = AlarmLoad(book, config, lambda: ["p"], lambda: {("p", "A"): "C", ("q", "B"): "C"})
    span = NOW - SLOT, NOW + 1
    worst = [
        [(rule_load.point, rule_load.count) for rule_load in each.metrics(each.positions(), *span)["p"].top]
        for each in (apart, load)
    ]
    assert worst == [[("A", 2), ("C", 2), ("B", 1)], [("C", 4), ("B", 1)]]
    assert [each.present(each.positions(), NOW)["p"].chattering for each in (apart, load)] == [0, 1]
