"""What warnings are explained by is stored once, and referred to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from ingest.storage.state.migrations.append_only import append_only, rewritten

revision = "0013"
down_revision = "0012"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_INPUT = sa.table(
    "warning_input", sa.column("number", _NUMBER), sa.column("hash", sa.Uuid), sa.column("content", sa.JSON)
)
_EVENT = sa.table("warning_event", sa.column("seq", _NUMBER), sa.column("snapshot", sa.JSON))
_WARNING = sa.table("warning", sa.column("id", sa.Uuid), sa.column("inputs", sa.JSON))
_ONE_WAY = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_AT_A_TIME = 200
_HASHES = 500


def upgrade() -> None:
    """Add the table, move into it what events and warnings hold, and leave what cannot be read as it is."""
    op.create_table(
        "warning_input",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("hash", sa.Uuid, nullable=False, unique=True),
        sa.Column("content", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    with rewritten("warning_event"):
        _shorten(_EVENT, _EVENT.c.seq, _EVENT.c.snapshot)
    _shorten(_WARNING, _WARNING.c.id, _WARNING.c.inputs)
    append_only("warning_input")


def _shorten(table: sa.TableClause, key: sa.ColumnClause[Any], value: sa.ColumnClause[Any]) -> None:
    for rows in _read(key, value):
        _refer([_grounds(said) for said in rows.values()])
        if rows:
            change = sa.update(table).where(key == sa.bindparam("at"))
            change = change.values({value.name: sa.bindparam("to", type_=sa.JSON)})
            op.get_bind().execute(change, [{"at": at, "to": said} for at, said in rows.items()])


def _read(key: sa.ColumnClause[Any], value: sa.ColumnClause[Any]) -> Iterator[dict[Any, Any]]:
    """What lies in that column, some rows at a time, by key."""
    last = None
    while True:
        query = sa.select(key, sa.cast(value, sa.Text)).order_by(key).limit(_AT_A_TIME)
        rows = op.get_bind().execute(query if last is None else query.where(key > last)).all()
        if not rows:
            return
        last = rows[-1][0]
        yield {at: said for at, text in rows if (said := _said(text)) is not None}


def _said(text: str) -> Any:
    """What it says, if that is what we write."""
    try:
        said = json.loads(text)
        for ground in _grounds(said):
            {**ground}["more"], [{**fact} for fact in ground["facts"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return said


def _grounds(said: Any) -> list[Any]:
    """An event holds them in its snapshot of the warning, a warning by itself."""
    grounds: list[Any] = said["inputs"] if isinstance(said, dict) else said
    return grounds


def _refer(held: list[list[Any]]) -> None:
    """Let these lists refer to the table, and write into it what is new."""
    split = [[(_parts(ground), ground["more"]) for ground in grounds] for grounds in held]
    parts = {text: part for grounds in split for named, _ in grounds for text, part in named}
    hashes = {text: UUID(bytes=sha256(text.encode()).digest()[:16]) for text in parts}
    number = _numbers([*hashes.values()])
    fresh: list[dict[str, Any]] = [{"hash": k, "content": parts[text]} for text, k in hashes.items() if k not in number]
    if fresh:
        op.get_bind().execute(sa.insert(_INPUT), fresh)
        number |= _numbers([one["hash"] for one in fresh])
    for grounds, instead in zip(held, split, strict=True):
        numbered = [([number[hashes[text]] for text, _ in named], more) for named, more in instead]
        grounds[:] = [[rule, facts, more] for (rule, *facts), more in numbered]


def _parts(ground: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    rule = {name: value for name, value in ground.items() if name not in {"facts", "more"}}
    return [(_ONE_WAY.encode(part), part) for part in (rule, *ground["facts"])]


def _numbers(hashes: list[UUID]) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    for start in range(0, len(hashes), _HASHES):
        some = _INPUT.c.hash.in_(hashes[start : start + _HASHES])
        found |= {row.hash: row.number for row in op.get_bind().execute(sa.select(_INPUT).where(some))}
    return found
