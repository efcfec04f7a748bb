"""Inputs of warnings are stored once, on both systems, and read back as of any moment."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from ingest.domain.model.warning import Trait, WarningEvent, WarningFilter
from ingest.domain.warnings.explain import as_json, explain
from ingest.storage.state import warning_tables as t
from ingest.storage.state.database import Database, migrate
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.integrity import check_state
from ingest.storage.state.warning_rows import warning_event_row, warning_row
from ingest.storage.state.warning_store import WarningStore
from tests.ingest.domain.warnings.small import SECOND, episodes_of_plant, fact
from tests.ingest.storage.state.earlier import make_changeable, make_earlier


def life(seed: int, moments: int = 30) -> list[WarningEvent]:
    """A plant whose alarms come, change and go, for several episodes."""
    rng = random.Random(seed)  # noqa: S311  not a secret
    made, events = episodes_of_plant(), list[WarningEvent]()
    for at in range(0, moments * 7, 7):
        events += made.pass_time(at * SECOND)
        name = rng.choice("ABCDEF")
        if rng.random() < 0.6:
            traits = Trait.MANDATORY if rng.random() < 0.5 else Trait(0)
            known = replace(fact(name, at, rng.choice([1, 2]), traits), value=rng.choice([1.5, 1.25, None]))
            events += made.learn(at * SECOND, known=[known])
        else:
            events += made.learn(at * SECOND, over=list(made.facts))
    return [replace(event, seq=number) for number, event in enumerate(events, 1)]


def commit(database: Database, events: Sequence[WarningEvent], at_a_time: int = 5) -> None:
    for start in range(0, len(events), at_a_time):
        EngineStore(database).commit(1, [], [], warnings=events[start : start + at_a_time])


def explained(events: Sequence[WarningEvent]) -> list[str]:
    """Every episode's explanation at every moment something happened to it, as people get it."""
    explanations = []
    for key in dict.fromkeys(event.warning.id for event in events):
        history = [event for event in events if event.warning.id == key]
        explanations += [json.dumps(as_json(explain(history, event.time)), ensure_ascii=False) for event in history]
    return explanations


def stored(database: Database) -> list[str]:
    """The content of each input, as text one can compare."""
    return [json.dumps(row["content"], sort_keys=True) for row in database.rows(sa.select(t.warning_input))]


@pytest.mark.parametrize("seed", range(3))
def test_every_moment_is_explained_as_it_was(database: Database, seed: int) -> None:
    """However the events were cut into commits, and also if they are committed twice."""
    events = life(seed)
    commit(database, events, at_a_time=seed + 1)
    once = stored(database)
    commit(database, events, at_a_time=7)
    book = WarningStore(database)
    assert book.warnings_after(0, limit=10_000) == events
    assert explained(book.warnings_after(0, limit=10_000)) == explained(events)
    last = {event.warning.id: event.warning for event in events}
    assert {warning.id: warning for warning in book.warnings(WarningFilter(), limit=1000)} == last
    assert stored(database) == once
    with database.write() as connection:
        assert list(check_state(connection, lambda _rows: None)) == []


def test_each_input_is_stored_once(database: Database) -> None:
    """A rule as it was written and a fact as it was have one row, however many events tell of them."""
    events = life(1)
    commit(database, events)
    grounds = [ground for event in events for ground in warning_row(event.warning)["inputs"]]
    rules = {ground["rule"] for ground in grounds}
    facts = {json.dumps(known, sort_keys=True) for ground in grounds for known in ground["facts"]}
    assert len(stored(database)) == len(set(stored(database))) == len(rules) + len(facts)
    rows = database.rows(sa.select(t.warning_event.c.snapshot))
    referring = sum(len(json.dumps(row["snapshot"]["inputs"])) for row in rows)
    assert referring * 10 < sum(len(json.dumps(warning_row(event.warning)["inputs"])) for event in events)


def test_an_event_that_says_the_same_again_adds_no_input(database: Database) -> None:
    made = episodes_of_plant()
    commit(database, made.learn(0, known=[fact("A", 0, 2)]))
    before = stored(database)
    reminded = made.pass_time(30 * SECOND)
    assert reminded
    commit(database, reminded)
    assert stored(database) == before


def test_an_input_is_never_changed(database: Database) -> None:
    """The database itself refuses: what a colour is explained by stays as it was."""
    commit(database, life(2))
    for statement in ("UPDATE warning_input SET number = 0", "DELETE FROM warning_input"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.write() as connection:
            connection.execute(sa.text(statement))


def test_a_row_with_a_missing_input_is_named_and_blocks_nothing(database: Database) -> None:
    events = life(3, 20)
    commit(database, events)
    newest = max(row["number"] for row in database.rows(sa.select(t.warning_input)))
    with database.write() as connection:
        make_changeable(connection, "warning_input")
        connection.execute(sa.delete(t.warning_input).where(t.warning_input.c.number == newest))
    found = WarningStore(database).warnings_after(0, limit=100)
    assert 0 < len(found) < len(events)
    assert "warning_event" in str(database.trouble)
    with database.write() as connection:
        faults = list(check_state(connection, lambda _rows: None))
    assert any(line.startswith("warning_event") and "inputs that are not there" in line for line in faults)


def test_an_upgrade_stores_what_there_is_once(database: Database) -> None:
    """All reads as before and goes on; a damaged row is left as it is."""
    events = life(5)
    with database.write() as connection:
        make_earlier(connection, "0012")
        standing = {event.warning.id: warning_row(event.warning) for event in events}
        connection.execute(sa.insert(t.warning), [*standing.values()])
        connection.execute(sa.insert(t.warning_event), [warning_event_row(event) for event in events])
        odd = {**warning_event_row(events[0]), "id": events[0].warning.id, "snapshot": {"inputs": [7]}}
        connection.execute(sa.insert(t.warning_event), odd)
        migrate(connection, database.backend)
    book = WarningStore(database)
    assert book.warnings_after(0, limit=10_000) == events
    assert {warning.id: warning for warning in book.warnings(WarningFilter(), limit=1000)} == {
        event.warning.id: event.warning for event in events
    }
    assert len(stored(database)) == len(set(stored(database))) > 0
    before = stored(database)
    commit(database, events)
    assert stored(database) == before, "what is told after the upgrade refers to the same inputs"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.write() as connection:
        connection.execute(sa.text("UPDATE warning_event SET time = 0"))
