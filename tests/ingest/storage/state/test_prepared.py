"""A prepared statement writes what SQLAlchemy's own execution writes, on both databases, and fails like it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from ingest.storage.state import tables as t
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateAway
from ingest.storage.state.prepared import change, first
from ingest.storage.state.rows import alarm_row, message_row
from tests.ingest.storage.state.test_store import event, message

FIRST, SECOND = event(), event("CO-02", 200)
BODY = {"值": [1.5, math.nan, None], "nested": {"at": math.inf, "on": True}, "text": "引号 \" ' % %s ? :name"}
ROWS: Mapping[str, tuple[sa.Table, Sequence[Mapping[str, Any]]]] = {
    "alarm": (
        t.alarm,
        [
            alarm_row(FIRST.alarm) | {"bypass": None, "historical": True, "value": None},
            alarm_row(SECOND.alarm) | {"bypass": BODY},
        ],
    ),
    "outbox": (t.outbox, [message_row(message(UUID(int=7))) | {"body": BODY}, message_row(message(UUID(int=8)))]),
    "engine_state": (t.engine_state, [{"one": 1, "cursor": 2**62, "snapshot_cursor": 0, "snapshot": b"\0\xff"}]),
}


def _stored(connection: sa.Connection, table: sa.Table) -> list[tuple[Any, ...]]:
    kept = [column for column in table.c if column.name != "seq"]  # which no database gives twice
    return [tuple(row) for row in connection.execute(sa.select(*kept).order_by(*table.primary_key))]


@pytest.mark.parametrize("name", [*ROWS])
def test_what_is_written_is_what_the_usual_execution_writes(database: Database, name: str) -> None:
    """One row at a time and several at once, of every type of value; the second time like the first."""
    table, rows = ROWS[name]
    insert = sa.insert(table)
    with database.write() as connection:
        connection.execute(insert, rows)
        usual = _stored(connection, table)
        assert len(usual) == len(rows)
        for _ in range(2):
            connection.execute(sa.delete(table))
            assert sum(change(connection, insert, row) for row in rows) == len(rows)
            assert _stored(connection, table) == usual
            connection.execute(sa.delete(table))
            change(connection, insert, *rows)
            assert _stored(connection, table) == usual


def test_a_row_is_found_and_changed_by_parameters_and_by_what_the_statement_brings_along(database: Database) -> None:
    column = t.reader_cursor.c
    newest = sa.select(column.reader, column.position).order_by(column.position.desc()).limit(1)
    move = sa.update(t.reader_cursor).where(column.reader == sa.bindparam("of")).values(position=column.position + 5)
    with database.write() as connection:
        assert first(connection, newest) is None
        change(connection, sa.insert(t.reader_cursor), {"reader": "a", "position": 1}, {"reader": "b", "position": 2})
        assert first(connection, newest) == ("b", 2)
        assert change(connection, move, {"of": "a"}) == 1
        assert change(connection, move, {"of": "nobody"}) == 0
        assert first(connection, newest) == ("a", 6)


def test_a_value_that_breaks_a_rule_is_the_same_error_and_undoes_its_transaction(database: Database) -> None:
    def add(*names: str) -> None:
        with database.write() as connection:
            for name in names:
                change(connection, sa.insert(t.reader_cursor), {"reader": name, "position": 1})

    with pytest.raises(sa.exc.IntegrityError):
        add("a", "b", "a")
    with database.read() as connection:
        assert _stored(connection, t.reader_cursor) == []
    add("a")


def test_a_session_that_ends_is_waited_for_and_the_next_transaction_has_a_new_one(
    migrated_at_server: StateConfig,
) -> None:
    database = Database(migrated_at_server)
    insert = sa.insert(t.reader_cursor)

    def cut_off() -> None:
        with database.write() as connection:
            change(connection, insert, {"reader": "a", "position": 1})
            own = first(connection, sa.select(sa.func.pg_backend_pid()))
            assert own is not None
            with database.read() as other:
                other.exec_driver_sql("SELECT pg_terminate_backend(%s, 10000)", own)
            change(connection, insert, {"reader": "b", "position": 2})

    with pytest.raises(StateAway):
        cut_off()
    with database.write() as connection:
        change(connection, insert, {"reader": "c", "position": 3})
        assert _stored(connection, t.reader_cursor) == [("c", 3)]
    database.close()


def test_a_statement_whose_text_depends_on_its_values_is_refused(database: Database) -> None:
    some = sa.select(t.reader_cursor).where(t.reader_cursor.c.reader.in_(sa.bindparam("some", expanding=True)))
    with database.write() as connection, pytest.raises(TypeError, match="depends on its values"):
        first(connection, some, {"some": ["a"]})
