"""Describes in words what a Pydantic model expects at a place, for faults in files that people write."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from ingest.base.config import Secret
from ingest.domain.model.pydantic_texts import choices
from ingest.domain.model.text import Text

_WORDS: Final[dict[Any, Text]] = {
    bool: Text("true 或 false", "true or false"), int: Text("整数", "a whole number"), float: Text("数", "a number"),
    str: Text("加引号的文本", "a text, in quotes"), Path: Text("加引号的路径", "a path, in quotes"),
    dt.date: Text("不加引号的日期，如 2026-01-31", "a date without quotes, such as 2026-01-31"),
    Secret: Text('{ file = "PATH" } 或 { env = "NAME" }', '{ file = "PATH" } or { env = "NAME" }'),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """The location of a fault.

    Attributes:
        keys: as they stand in the file.
        annotation: the type that is expected there; None where no such key is known.
        known: the keys of the table it is in.
        has_secret: whether one of these is a secret.
    """

    keys: tuple[str | int, ...]
    annotation: Any
    known: tuple[str, ...]
    has_secret: bool


def place_of(model: type[BaseModel], loc: Sequence[str | int]) -> Place:
    """Return the place of a Pydantic location, without the parts that name a union's member: they are no keys."""
    keys: list[str | int] = []
    annotation: Any = model
    tables: list[type[BaseModel]] = [model]
    for part in loc:
        inside = [*_tables_in(annotation)] if annotation is not None else tables
        fields = [table.model_fields[part] for table in inside if part in table.model_fields]
        entries = [*_entries_of(annotation)]
        if isinstance(part, int) or (entries and not fields):
            keys.append(part)
            annotation = entries[0] if entries else annotation
        elif fields:
            keys.append(part)
            tables, annotation = inside, Union[tuple(field.annotation for field in fields)]  # noqa: UP007  as many as there are
        elif chosen := [table for table in inside if part in _kinds(table)]:
            annotation = chosen[0]
        elif inside:
            keys.append(part)
            tables, annotation = inside, None
    known = dict.fromkeys(name for table in tables for name in table.model_fields)
    secret = any(Secret in _parts(field.annotation) for table in tables for field in table.model_fields.values())
    return Place(tuple(keys), annotation, tuple(known), secret)


def words_for(annotation: Any) -> Text:
    """Describe what is expected of a value of that type.

    >>> from typing import Literal
    >>> words_for(Literal["a", "b", "c"] | None)
    Text(zh="'a'、'b' 或 'c'", en="'a', 'b' or 'c'")
    >>> words_for(tuple[int, ...])
    Text(zh='列表，每项为：整数', en='a list, of each: a whole number')
    """
    literals = [value for part in _parts(annotation) if get_origin(part) is Literal for value in get_args(part)]
    if literals:
        return _one_of(literals)
    for part in _parts(annotation):
        if part in _WORDS:
            return _WORDS[part]
        if isinstance(part, type) and issubclass(part, Enum):
            return _one_of([str(value) for value in part])
        if entries := [*_entries_of(part)]:
            each = words_for(entries[0])
            zh, en = ("表", "a table") if get_origin(part) in {dict, Mapping} else ("列表", "a list")
            return Text(f"{zh}，每项为：{each.zh}", f"{en}, of each: {each.en}")
        if isinstance(part, type) and issubclass(part, BaseModel):
            return _table([name for name, field in part.model_fields.items() if field.is_required()])
    return Text("一个值", "a value")


def _table(needed: Sequence[str]) -> Text:
    if not needed:
        return Text("表", "a table")
    return Text(f"表，其中有 {'、'.join(needed)}", f"a table with {', '.join(needed)}")


def _one_of(values: Sequence[object]) -> Text:
    *others, last = map(repr, values)
    return choices(" or ".join(filter(None, [", ".join(others), last])))


def _parts(annotation: Any) -> Iterator[Any]:
    """The types a union or an annotated type is made of, without None."""
    if get_origin(annotation) is Annotated:
        yield from _parts(get_args(annotation)[0])
    elif get_origin(annotation) in {Union, types.UnionType}:
        for arg in get_args(annotation):
            yield from _parts(arg)
    elif annotation is not types.NoneType:
        yield annotation


def _entries_of(annotation: Any) -> Iterator[Any]:
    """What a list of that type holds, or a table whose keys are free."""
    for part in _parts(annotation):
        if get_origin(part) in {tuple, list, frozenset}:
            yield get_args(part)[0]
        elif get_origin(part) in {dict, Mapping}:
            yield get_args(part)[1]


def _tables_in(annotation: Any) -> Iterator[type[BaseModel]]:
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield part


def _kinds(table: type[BaseModel]) -> tuple[Any, ...]:
    kind = table.model_fields.get("kind")
    return get_args(kind.annotation) if kind is not None else ()
