"""Annunciations read back are the raises that were committed, each with what came of it before the next one."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from ingest.alarms.lifecycle import Cause, acknowledged, consequences, raised, returned
from ingest.model.alarm import Alarm, AlarmEvent, AlarmState, alarm_id
from ingest.model.annunciations import OPEN
from ingest.model.plant import Text
from ingest.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.state.database import Database
from ingest.state.store import AlarmStore, EngineStore


def fresh(point: str, at: int, plant: str = "p") -> Alarm:
    name = alarm_id(plant, point, "H", at)
    title = Text("", "")
    return Alarm(
        name, plant, point, "H", 1, AlarmState.NORMAL, title, None, 24.0, "", onset=at, raised=at, annunciated=at
    )


class Life:
    """Steps of one alarm, as the engine commits them: a frame is known 5 ns after its readings."""

    def __init__(self, database: Database, alarm: Alarm) -> None:
        self._store = EngineStore(database)
        self._at = 0
        self.alarm = alarm
        self.over: Suppression | None = None

    def raised(self, at: int) -> None:
        event = raised(self.alarm, self._cause(at), value=1.0)
        assert event is not None
        self._commit(event)

    def returned(self, at: int, *, latch: bool = False) -> None:
        event = returned(self.alarm, self._cause(at), latch=latch)
        assert event is not None
        self._commit(event)

    def acknowledged(self, at: int) -> None:
        self._commit(acknowledged(self.alarm, self._cause(at)))

    def shelved(self, at: int, until: int | None) -> None:
        """Under a suppression from then on, or (`until` given) out from under it."""
        self._at = at
        suppression = Suppression(
            UUID(int=at),
            SuppressionKind.SHELVED,
            SuppressionState.IN_FORCE,
            "p",
            self.alarm.point,
            None,
            "",
            "x",
            at,
            at,
            None,
        )
        self.over = suppression if until is None else None
        self._follow()

    def _cause(self, at: int) -> Cause:
        self._at = at
        return Cause(at, at + 5)

    def _commit(self, event: AlarmEvent) -> None:
        self._store.commit(1, [event], [])
        self.alarm = event.alarm
        self._follow()

    def _follow(self) -> None:
        events = consequences(self.alarm, Cause(self._at, self._at + 5), self.over)
        if events:
            self._store.commit(1, events, [])
            self.alarm = events[-1].alarm


def test_a_raise_comes_with_its_own_acknowledgement_and_return(database: Database) -> None:
    """Also where the same alarm was raised again, whose row tells only of the last raise."""
    one, other = Life(database, fresh("A", 100)), Life(database, fresh("B", 150, plant="q"))
    one.raised(100)
    one.acknowledged(120)
    one.returned(140)
    other.raised(150)
    one.raised(200)
    one.returned(220)
    one.raised(300)
    one.acknowledged(310)
    found = AlarmStore(database).annunciations(0, 1000)
    assert [found.rules[at] for at in found.rule] == [
        ("p", "A", "H"),
        ("q", "B", "H"),
        ("p", "A", "H"),
        ("p", "A", "H"),
    ]
    assert found.raised.tolist() == [100, 150, 200, 300]
    assert found.called.tolist() == [105, 155, 205, 305]
    assert found.acked.tolist() == [120, OPEN, OPEN, 310]
    assert found.returned.tolist() == [140, OPEN, 220, OPEN]
    assert found.level.tolist() == [1, 1, 1, 1]
    assert not found.hidden.any()


def test_they_are_asked_for_by_plant_and_by_when_they_called(database: Database) -> None:
    for at, plant in ((100, "p"), (200, "q"), (300, "p")):
        Life(database, fresh("A", at, plant)).raised(at)
    store = AlarmStore(database)
    assert store.annunciations(105, 305).called.tolist() == [105, 205]
    assert store.annunciations(0, 1000, {"p"}).called.tolist() == [105, 305]
    assert len(store.annunciations(0, 1000, set())) == 0
    assert len(store.annunciations(106, 205)) == 0


def test_what_was_raised_while_hidden_says_so(database: Database) -> None:
    """Under a suppression from the start, while it lasts, and not once it has ended."""
    one = Life(database, fresh("A", 100))
    one.raised(100)
    one.shelved(110, None)
    one.returned(120)
    one.raised(130)  # shelved in the same moment
    one.returned(140, latch=True)
    one.raised(150)  # shelved still: it was latched under it
    one.returned(160)
    one.shelved(165, 165)
    one.raised(170)
    found = AlarmStore(database).annunciations(0, 1000)
    assert found.raised.tolist() == [100, 130, 150, 170]
    assert found.hidden.tolist() == [False, True, True, False]


def test_an_alarm_raised_once_and_hidden_at_once_is_hidden(database: Database) -> None:
    life = Life(database, fresh("A", 100))
    life.over = Suppression(
        UUID(int=1), SuppressionKind.SHELVED, SuppressionState.IN_FORCE, "p", "A", None, "", "x", 1, 1, None
    )
    life.raised(100)
    other = replace(fresh("A", 50), id=UUID(int=7))
    Life(database, other).raised(50)
    assert AlarmStore(database).annunciations(0, 1000).hidden.tolist() == [False, True]
