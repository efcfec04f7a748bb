"""Warnings in the state database, on both systems: what is read equals what was written, once."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa

from ingest.domain.model.warning import Colour, Trait, WarningEvent, WarningFilter, WarningState
from ingest.domain.warnings.policy import Actor
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.read_only import reading
from ingest.storage.state.warning_store import WarningStore, read_history
from tests.ingest.domain.warnings.small import SECOND, episodes_of_plant, fact


def life() -> list[WarningEvent]:
    """Two episodes: one closed, with every kind of event a person causes, one open."""
    made = episodes_of_plant()
    cause = fact("A", 0, 2, Trait.RED | Trait.MANDATORY)
    events = made.learn(0, known=[cause])
    key = events[0].warning.id
    hand = Actor("王工", "operator", 2 * SECOND)
    events += made.acknowledge(key, hand, "已到现场")
    events += made.give_feedback(key, replace(hand, time=3 * SECOND), "水泵跳停", "切换备用泵")
    events += made.learn(4 * SECOND, over=[cause.key])
    events += made.pass_time(20 * SECOND)
    return events + made.learn(30 * SECOND, known=[fact("B", 30)])


@pytest.fixture
def events(database: Database) -> list[WarningEvent]:
    """They were committed, all in one."""
    made = life()
    EngineStore(database).commit(1, [], [], warnings=made)
    return [replace(event, seq=number) for number, event in enumerate(made, 1)]


def test_what_is_written_is_what_is_read(database: Database, events: list[WarningEvent]) -> None:
    """Every event with the warning of then, rules, facts and all; and each warning as it stands."""
    book = WarningStore(database)
    assert book.warnings_after(0, limit=100) == events
    assert book.last_warning() == len(events)
    last = {event.warning.id: event.warning for event in events}
    assert {warning.id: warning for warning in book.warnings(WarningFilter(), limit=10)} == last
    first = events[0].warning.id
    assert book.warning(first) == last[first]
    assert book.warning_history(first) == [event for event in events if event.warning.id == first]
    assert book.warning(UUID(int=1)) is None


def test_stored_events_are_not_written_again(database: Database, events: list[WarningEvent]) -> None:
    before = AuditStore(database.rows).acts(limit=100)
    EngineStore(database).commit(2, [], [], warnings=events)
    assert WarningStore(database).last_warning() == len(events)
    assert AuditStore(database.rows).acts(limit=100) == before
    assert [row.act.action for row in reversed(before)] == [str(event.kind) for event in events]
    people = {row.act.actor: row.act.role for row in before}
    assert people == {"yujing": "service", "王工": "operator"}


def test_only_open_warnings_are_loaded(database: Database, events: list[WarningEvent]) -> None:
    (live,) = EngineStore(database).live_warnings()
    assert live == events[-1].warning
    assert live.state is WarningState.OPEN


def test_filters_and_pages(database: Database, events: list[WarningEvent]) -> None:
    book = WarningStore(database)
    old, new = events[0].warning.id, events[-1].warning.id

    def found(**which: object) -> list[UUID]:
        return [warning.id for warning in book.warnings(WarningFilter(**which), limit=10)]  # type: ignore[arg-type]

    assert found() == [new, old]
    assert found(colours=frozenset({Colour.BLUE})) == [new]
    assert found(peaks=frozenset({Colour.RED})) == [old]
    assert found(states=frozenset({WarningState.CLOSED})) == [old]
    assert found(plants=frozenset({"elsewhere"})) == []
    assert found(since=30 * SECOND) == [new]
    assert found(until=30 * SECOND) == [old]
    (first,) = book.warnings(WarningFilter(), limit=1)
    (second,) = book.warnings(WarningFilter(), limit=1, before=(first.raised, first.id))
    assert [first.id, second.id] == [new, old]


def test_events_are_only_ever_added(database: Database, events: list[WarningEvent]) -> None:
    """The database itself refuses to change what a warning's colour is explained by."""
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.write() as connection:
        connection.execute(sa.text("UPDATE warning_event SET time = 0"))
    assert WarningStore(database).last_warning() == len(events)


def test_it_can_be_read_beside_a_service_that_writes(
    state: StateConfig, database: Database, events: list[WarningEvent]
) -> None:
    """Without its lock, and without a way to write."""
    with reading(state) as connection:
        assert read_history(connection, events[0].warning.id) == events[:-1]
        with pytest.raises(sa.exc.DBAPIError):
            connection.execute(sa.text("DELETE FROM warning"))
