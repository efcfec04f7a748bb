"""A state database is copied between a file and a server completely or not at all, and numbers continue."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from ingest.domain.model.audit import Act
from ingest.storage.state import audit, copying
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.copying import NotCopied, copy, total
from ingest.storage.state.database import Database
from ingest.storage.state.tables import METADATA, alarm_event, holder
from ingest.storage.state.tables import audit as trail
from tests import migrated
from tests.servers import PostgreSQL

ROWS = 60  # of each table


@pytest.fixture(params=["to the server", "from the server"])
def ends(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_at_server: StateConfig, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Database]]:
    """A source and a target, one in a file and one on a server; fewer rows are read at a time than `fill` makes."""
    monkeypatch.setattr(copying, "_ROWS", ROWS * 5 // 6)
    places = [StateConfig(path=migrated.laid(tmp_path / "state.db")), migrated_at_server]
    databases = [Database(place) for place in places[:: 1 if request.param == "to the server" else -1]]
    yield databases
    for database in databases:
        database.close()


_VALUES: dict[type[Any], Callable[[int], Any]] = {
    sa.Uuid: lambda at: UUID(int=at),
    sa.JSON: lambda at: {"值": [at, None, 0.1], "text": '"\\'},
    sa.LargeBinary: lambda at: bytes(range(256)) * (1 + at % 9),
    sa.Boolean: lambda at: at % 2 == 0,
    sa.Float: lambda at: at / 3,
    sa.Date: lambda at: date.fromordinal(738_000 + at),
    sa.Text: lambda at: f"值 {at}",
}


def fill(database: Database, rows: int = ROWS) -> None:
    """Rows in every table that make no sense, and an audit trail that does."""
    ids: dict[str, list[Any]] = {}
    with database.write() as connection:
        for table in METADATA.sorted_tables:
            if table is holder or table is trail:
                continue
            made = [{c.name: value(c, at, ids) for c in table.columns} for at in range(rows)]
            connection.execute(sa.insert(table), made)
            ids |= {f"{table.name}.{column.name}": [row[column.name] for row in made] for column in table.columns}
        acts = (Act(at, "张三", "operator", "commented", "alarm", str(at), "p", {"第": at}) for at in range(rows))
        audit.append(connection, acts)


def value(column: sa.Column[Any], at: int, ids: dict[str, list[Any]]) -> Any:
    """A value of the column's kind, or of the row it points to; None in the last rows where that is allowed."""
    if column.nullable and at > ROWS - 9:
        return None
    for key in column.foreign_keys:
        return ids[key.target_fullname][at]
    made = next((make for kind, make in _VALUES.items() if isinstance(column.type, kind)), None)
    if made is not None:
        return made(at)
    return at + 1 if column.primary_key or not isinstance(column.type, sa.BigInteger) else 1_764 * 10**15 + at


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All that is in it, but whose it is."""
    tables = [table for table in METADATA.sorted_tables if table is not holder]
    return {table.name: database.rows(sa.select(table).order_by(*table.primary_key.columns)) for table in tables}


def test_everything_arrives_as_it_was(ends: list[Database]) -> None:
    source, target = ends
    fill(source)
    seen: list[int] = []
    counts = copy(source, target, seen.append)
    assert everything(target) == everything(source)
    assert sum(seen) == sum(counts.values()) == total(source)
    assert set(counts.values()) == {ROWS}, "every table was filled"
    assert AuditStore(target.rows).verify().rows == ROWS


def test_numbers_given_before_are_not_given_again(ends: list[Database]) -> None:
    """Also those whose rows are gone."""
    source, target = ends
    with source.write() as connection:
        connection.execute(sa.insert(METADATA.tables["outbox"]), [message(seq) for seq in (1, 2)])
        source.backend.continue_after(connection, METADATA.tables["outbox"].c.seq, 77)
    copy(source, target)
    with target.write() as connection:
        new: sa.CursorResult[Any] = connection.execute(
            sa.insert(METADATA.tables["outbox"]).returning(sa.column("seq")), [message()]
        )
        assert new.scalar_one() == 78
        first = connection.execute(sa.text("SELECT max(seq) FROM alarm_event")).scalar()
        assert first is None
        assert target.backend.last_number(connection, alarm_event.c.seq) == 0


def message(seq: int | None = None) -> dict[str, Any]:
    """A row of the outbox."""
    numbered = {} if seq is None else {"seq": seq}
    times = {"received": 1, "created": 1}
    return {**numbered, "connector": "c", "id": uuid4(), "kind": "alarm", "plant": "p", "body": {}, **times}


def test_a_dump_brings_everything_back(postgresql_server: PostgreSQL, migrated_at_server: StateConfig) -> None:
    """As the operations page says: pg_dump, and pg_restore into an empty database."""
    source = Database(migrated_at_server)
    fill(source, 50)
    before = everything(source)
    source.close()
    new = migrated_at_server.model_copy(update={"url": postgresql_server.database()})
    password = os.environ | {"PGPASSWORD": PostgreSQL.PASSWORD}
    dump = ["pg_dump", "--format=custom", str(migrated_at_server.url)]
    restore = ["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={new.url}"]
    dumped = subprocess.run(dump, capture_output=True, check=True, env=password).stdout
    subprocess.run(restore, input=dumped, check=True, env=password)
    target = Database(new)
    assert everything(target) == before
    target.close()


def test_what_is_not_empty_is_left_as_it_is(ends: list[Database]) -> None:
    source, target = ends
    fill(source, 3)
    fill(target, 2)
    before = everything(target)
    with pytest.raises(NotCopied, match=r"is not empty: .*outbox"):
        copy(source, target)
    assert everything(target) == before


def test_a_copy_that_breaks_off_leaves_nothing_and_can_be_repeated(ends: list[Database]) -> None:
    source, target = ends
    fill(source)
    done = 0

    def break_off(rows: int) -> None:
        nonlocal done
        done += rows
        if done > 5 * ROWS:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(source, target, break_off)
    assert not any(everything(target).values())
    copy(source, target)
    assert everything(target) == everything(source)
