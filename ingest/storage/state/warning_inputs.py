"""Stores the inputs of warnings once each: rules and facts, addressed by the hash of their content.

Rows of `warning` and `warning_event` refer to them by their numbers in table `warning_input`: `[rule, [fact, …], more]`
of each rule that held.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from hashlib import sha256
from typing import Any, Final, TypeVar
from uuid import UUID

import sqlalchemy as sa

from ingest.storage.state.identity import ByIdentity
from ingest.storage.state.prepared import change
from ingest.storage.state.upsert import insert_missing
from ingest.storage.state.warning_tables import warning_input

R = TypeVar("R", bound=Sequence[MutableMapping[str, Any]])

_CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_AT_A_TIME: Final = 500
_NUMBERS: Final = sa.select(warning_input.c.hash, warning_input.c.number).where(
    warning_input.c.hash.in_(sa.bindparam("some", expanding=True))
)
_MOST: Final = 2**63 - 1


def store_inputs(connection: sa.Connection, rows: Iterable[MutableMapping[str, Any]]) -> None:
    """Store the new inputs of these rows (of `warning`, or snapshots), and replace them by their numbers in place."""
    keyed = []
    known: dict[int, list[tuple[list[tuple[bytes, Mapping[str, Any]]], Any]]] = {}  # rows may share their inputs
    for row in rows:
        inputs = row["inputs"]
        if id(inputs) not in known:
            known[id(inputs)] = [(_parts(ground), ground["more"]) for ground in inputs]
        keyed.append((row, known[id(inputs)]))
    parts = {key: part for _, grounds in keyed for named, _ in grounds for key, part in named}
    number = _numbers(connection, parts)
    if fresh := {key: part for key, part in parts.items() if key not in number}:
        new = [{"hash": UUID(bytes=key), "content": part} for key, part in fresh.items()]
        change(connection, insert_missing(connection, warning_input, "hash"), *new)
        number |= _numbers(connection, fresh)
    for row, grounds in keyed:
        numbered = [([number[key] for key, _ in named], more) for named, more in grounds]
        row["inputs"] = [[rule, facts, more] for (rule, *facts), more in numbered]


def resolve_inputs(rows: R, query_rows: Callable[[sa.Select[Any]], Iterable[Mapping[str, Any]]]) -> R:
    """Replace the numbers in these rows, of `warning` or `warning_event`, by the inputs they refer to.

    A row with a missing input stays unchanged, and no record can be made of it.
    """
    holders = [row.get("snapshot", row) for row in rows]
    wanted = sorted({number for holder in holders for number in _wanted(holder)})
    column = warning_input.c
    known: dict[int, Mapping[str, Any]] = {}
    for some in _cut(wanted):
        query = sa.select(column.number, column.content).where(column.number.in_(some))
        known |= {row["number"]: row["content"] for row in query_rows(query)}
    for holder in holders:
        if known.keys() >= (needed := set(_wanted(holder))) and needed:
            holder["inputs"] = [_resolved(ground, known) for ground in holder["inputs"]]
    return rows


def _parts(ground: Mapping[str, Any]) -> list[tuple[bytes, Mapping[str, Any]]]:
    """The rule and each fact, with the hash of its canonical text."""
    rule = {key: value for key, value in ground.items() if key not in {"facts", "more"}}
    return [(_hash(rule), rule), *((_fact_hash(fact), fact) for fact in ground["facts"])]


def _resolved(ground: Any, known: Mapping[int, Any]) -> Any:
    if not _refers(ground):
        return ground
    rule, facts, more = ground
    return {**known[rule], "facts": [known[fact] for fact in facts], "more": more}


def _wanted(holder: Any) -> Iterator[int]:
    """The numbers a row refers to."""
    inputs = holder.get("inputs") if isinstance(holder, Mapping) else None
    for ground in inputs if isinstance(inputs, list) else ():
        if _refers(ground):
            yield ground[0]
            yield from ground[1]


def _refers(ground: Any) -> bool:
    return (
        isinstance(ground, list)
        and len(ground) == 3
        and isinstance(ground[1], list)
        and all(isinstance(number, int) and 0 < number <= _MOST for number in (ground[0], *ground[1]))
    )


def _numbers(connection: sa.Connection, hashes: Iterable[bytes]) -> dict[bytes, int]:
    """The numbers of the inputs that are stored, by hash."""
    found: dict[bytes, int] = {}
    for some in _cut([UUID(bytes=key) for key in hashes]):
        found |= {key.bytes: number for key, number in connection.execute(_NUMBERS, {"some": some})}
    return found


def _hash(part: Mapping[str, Any]) -> bytes:
    return sha256(_CANONICAL.encode(part).encode()).digest()[:16]


_fact_hash: Final = ByIdentity(_hash)


T = TypeVar("T")


def _cut(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _AT_A_TIME] for start in range(0, len(items), _AT_A_TIME))
