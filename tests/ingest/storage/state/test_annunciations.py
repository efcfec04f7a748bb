"""Annunciations read back equal the committed raises, each with its outcome before the next one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa

from ingest.domain.alarms.lifecycle import Cause, Refused, acknowledged, consequences, raised, removed, reset, returned
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmFilter, AlarmState, alarm_id
from ingest.domain.model.annunciations import OPEN, Annunciations
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.domain.model.text import Text
from ingest.storage.state import tables as t
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.database import Database, migrate
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.integrity import check_state
from tests.ingest.storage.state.earlier import make_earlier


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

    def reset(self, at: int) -> None:
        self._commit(reset(self.alarm, self._cause(at)))

    def removed(self, at: int) -> None:
        event = removed(self.alarm, self._cause(at))
        assert event is not None
        self._commit(event)

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
    """Also where the same alarm was raised again, whose row holds only the last raise."""
    life, other = Life(database, fresh("A", 100)), Life(database, fresh("B", 150, plant="q"))
    life.raised(100)
    life.acknowledged(120)
    life.returned(140)
    other.raised(150)
    life.raised(200)
    life.returned(220)
    life.raised(300)
    life.acknowledged(310)
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


def test_they_are_queried_by_plant_and_by_when_they_called(database: Database) -> None:
    for at, plant in ((100, "p"), (200, "q"), (300, "p")):
        Life(database, fresh("A", at, plant)).raised(at)
    store = AlarmStore(database)
    assert store.annunciations(105, 305).called.tolist() == [105, 205]
    assert store.annunciations(0, 1000, {"p"}).called.tolist() == [105, 305]
    assert len(store.annunciations(0, 1000, set())) == 0
    assert len(store.annunciations(106, 205)) == 0


def test_what_was_raised_while_hidden_says_so(database: Database) -> None:
    """Under a suppression from the start, while it lasts, and not once it has ended."""
    life = Life(database, fresh("A", 100))
    life.raised(100)
    life.shelved(110, None)
    life.returned(120)
    life.raised(130)  # shelved in the same moment
    life.returned(140, latch=True)
    life.raised(150)  # shelved still: it was latched under it
    life.returned(160)
    life.shelved(165, 165)
    life.raised(170)
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


Call = tuple[str, str, str, int, int, int, int, int, bool]
"""Plant, point, rule, level, raised, called, acknowledged, returned, hidden."""

_OVER = {AlarmEventKind.RETURNED, AlarmEventKind.LATCHED, AlarmEventKind.REMOVED}


def live(database: Database, seed: int, steps: int, between: Callable[[], object] = lambda: None) -> None:
    """Some alarms of two plants do what alarms do, many at one moment; now and then `between` is called."""
    rng = random.Random(seed)  # noqa: S311  not a secret
    lives = [Life(database, fresh(f"P{n}", n + 1, rng.choice("pq"))) for n in range(6)]
    newest = dict.fromkeys(range(len(lives)), 0)
    time = 10
    for _ in range(steps):
        number = rng.randrange(len(lives))
        time = max(time + rng.choice([0, 0, 1, 20]), newest[number] + 1)
        newest[number] = time
        _step(lives[number], time, rng)
        if rng.random() < 0.1:
            between()


def _step(life: Life, at: int, rng: random.Random) -> None:
    if life.alarm.state is AlarmState.REMOVED:
        return
    if not life.alarm.raises:
        life.raised(at)
    elif life.alarm.active and rng.random() < 0.4:
        life.removed(at) if rng.random() < 0.1 else life.returned(at, latch=rng.random() < 0.3)
    elif not life.alarm.active and rng.random() < 0.6:
        life.raised(at)
    elif rng.random() < 0.4:
        life.shelved(at, at if life.over is not None else None)
    else:
        with suppress(Refused):
            life.acknowledged(at) if rng.random() < 0.7 else life.reset(at)


def calls_of(found: Annunciations) -> list[Call]:
    """Each annunciation by itself."""
    columns = (found.level, found.raised, found.called, found.acked, found.returned, found.hidden)
    rules = [found.rules[at] for at in found.rule.tolist()]
    return [(*rule, *call) for rule, *call in zip(rules, *(column.tolist() for column in columns), strict=True)]


def plain(database: Database) -> list[Call]:
    """The same from the events of one alarm after another."""
    store = AlarmStore(database)
    calls = [
        call for alarm in store.alarms(AlarmFilter(), limit=1000) for call in _calls(store.alarm_history(alarm.id))
    ]
    return [call for _, _, call in sorted(calls)]


def _calls(events: list[AlarmEvent]) -> Iterator[tuple[int, int, Call]]:
    over = False  # a suppression covers it
    for at, event in enumerate(events):
        if event.kind is AlarmEventKind.RAISED:
            rest = events[at + 1 :]
            again = next((n for n, event in enumerate(rest) if event.kind is AlarmEventKind.RAISED), len(rest))
            mine = rest[:again]
            acked = next((event.time for event in mine if event.kind is AlarmEventKind.ACKNOWLEDGED), OPEN)
            ended = next((event.time for event in mine if event.kind in _OVER), OPEN)
            at_once = any(other.kind is AlarmEventKind.SHELVED and other.time == event.time for other in mine)
            alarm = event.alarm
            rule = (alarm.plant, alarm.point, alarm.rule)
            call = (*rule, int(alarm.level), event.time, event.received, acked, ended, over or at_once)
            yield event.received, event.seq, call
        if event.kind is AlarmEventKind.SHELVED:
            over = True
        elif event.kind in {AlarmEventKind.UNSHELVED, AlarmEventKind.RETURNED, AlarmEventKind.REMOVED}:
            over = False


@pytest.mark.parametrize("seed", range(6))
def test_whatever_lies_in_packs_the_same_is_read(database: Database, seed: int) -> None:
    """Over random lives, packed at any moment and in any size, they equal the event log, for every span."""
    rng, store = random.Random(seed), EngineStore(database)  # noqa: S311  not a secret
    book = AlarmStore(database)
    live(database, seed, 120, lambda: (store.pack(rng.randint(1, 9)), book.annunciations(0, OPEN)))
    expected = plain(database)
    found = book.annunciations(0, OPEN)
    assert calls_of(found) == expected
    assert found.rules == tuple(dict.fromkeys(call[:3] for call in expected))
    for start, end in ((expected[3][5], expected[-3][5]), (expected[5][5], expected[5][5] + 1)):
        spanned = [call for call in expected if start <= call[5] < end and call[0] == "p"]
        assert calls_of(book.annunciations(start, end, {"p"})) == spanned
    with database.write() as connection:
        assert list(check_state(connection, lambda _rows: None)) == []


def test_a_raise_is_packed_once_nothing_can_change_it(database: Database) -> None:
    """Before that it is left where it lies, so an answer that comes late is counted."""
    life, other = Life(database, fresh("A", 100)), Life(database, fresh("B", 200))
    life.raised(100)
    life.returned(110)  # nobody has seen it
    other.raised(200)
    store = EngineStore(database)
    assert store.pack(1) == 0
    life.raised(300)  # nobody will see the first of its raises any more
    assert store.pack(2) == 0
    assert store.pack(1) == 1
    other.acknowledged(9_000)
    other.returned(9_100)
    assert store.pack(1) == 1
    life.acknowledged(9_200)
    found = AlarmStore(database).annunciations(0, 1000)
    assert (found.raised.tolist(), found.acked.tolist()) == ([100, 200, 300], [OPEN, 9_000, 9_200])


def test_what_is_packed_while_somebody_reads_is_met_once(database: Database) -> None:
    """The rows are read before the packs, so in between one can move from the first to the second."""
    life = Life(database, fresh("A", 100))
    life.raised(100)
    life.acknowledged(110)
    life.returned(120)
    rows = database.rows(sa.select(t.annunciation))
    assert EngineStore(database).pack(1) == 1
    with database.write() as connection:
        connection.execute(sa.insert(t.annunciation), [dict(row) for row in rows])
    assert AlarmStore(database).annunciations(0, 1000).raised.tolist() == [100]


def test_a_damaged_pack_is_reported_and_left_out(database: Database) -> None:
    for at in (100, 200):
        life = Life(database, fresh("A", at))
        life.raised(at)
        life.acknowledged(at + 1)
        life.returned(at + 2)
        assert EngineStore(database).pack(1) == 1
    with database.write() as connection:
        cut = sa.update(t.annunciation_pack).where(t.annunciation_pack.c.first == 105)
        connection.execute(cut.values(columns=b"x" * 45))
    assert AlarmStore(database).annunciations(0, 1000).raised.tolist() == [200]
    assert "annunciation_pack" in str(database.trouble)


def test_a_pack_of_a_missing_rule_is_reported_and_left_out(database: Database) -> None:
    for point, at in (("A", 100), ("B", 200)):
        life = Life(database, fresh(point, at))
        life.raised(at)
        life.acknowledged(at + 1)
        life.returned(at + 2)
        assert EngineStore(database).pack(1) == 1
    with database.write() as connection:
        connection.execute(sa.delete(t.annunciation_rule).where(t.annunciation_rule.c.point == "B"))
        faults = list(check_state(connection, lambda _rows: None))
    assert AlarmStore(database).annunciations(0, 1000).raised.tolist() == [100]
    assert "annunciation_pack" in str(database.trouble)
    assert len(faults) == 1
    assert faults[0].startswith("annunciation_pack")


def test_a_damaged_row_is_reported_and_blocks_no_other(database: Database) -> None:
    """Neither those who read nor the packing of the rest."""
    for at in (100, 200, 300):
        life = Life(database, fresh("A", at))
        life.raised(at)
        life.returned(at + 1)
        life.acknowledged(at + 2)
    with database.write() as connection:
        connection.execute(sa.update(t.annunciation).where(t.annunciation.c.raised == 100).values(level=7))
    store = AlarmStore(database)
    assert store.annunciations(0, 1000).raised.tolist() == [200, 300]
    assert EngineStore(database).pack(2) == 2
    assert store.annunciations(0, 1000).raised.tolist() == [200, 300]
    assert "annunciation" in str(database.trouble)


@pytest.mark.parametrize("seed", range(4))
def test_an_upgrade_finds_all_that_was_raised_before_and_goes_on_with_it(database: Database, seed: int) -> None:
    """Also alarms that stand while the service is upgraded, whose answers come later."""
    lives = [Life(database, fresh(f"S{n}", n + 1)) for n in range(3)]
    for at, life in enumerate(lives, 5):
        life.raised(at)
    live(database, seed, 120)
    with database.write() as connection:
        make_earlier(connection, "0011")
        migrate(connection, database.backend)
    assert calls_of(AlarmStore(database).annunciations(0, OPEN)) == plain(database)
    lives[0].acknowledged(100_000)
    lives[1].returned(100_000)
    lives[1].raised(100_001)
    assert calls_of(AlarmStore(database).annunciations(0, OPEN)) == plain(database)
