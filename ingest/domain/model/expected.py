"""Describes in words what a Pydantic model expects at a place, for faults in files that people write."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from ingest.base.config import Secret

_WORDS: Final[dict[Any, str]] = {
    bool: "true or false", int: "a whole number", float: "a number",
    str: "a text, in quotes", Path: "a path, in quotes", Secret: '{ file = "PATH" } or { env = "NAME" }',
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


def words_for(annotation: Any) -> str:
    """Describe what is expected of a value of that type.

    >>> from typing import Literal
    >>> words_for(Literal["a", "b", "c"] | None)
    "'a', 'b' or 'c'"
    >>> words_for(tuple[int, ...])
    'a list, of each: a whole number'
    """
    choices = [value for part in _parts(annotation) if get_origin(part) is Literal for value in get_args(part)]
    if choices:
        return _one_of([repr(value) for value in choices])
    for part in _parts(annotation):
        if part in _WORDS:
            return _WORDS[part]
        if isinstance(part, type) and issubclass(part, Enum):
            return _one_of([repr(str(value)) for value in part])
        if entries := [*_entries_of(part)]:
            kind = "a table" if get_origin(part) in {dict, Mapping} else "a list"
            return f"{kind}, of each: {words_for(entries[0])}"
        if isinstance(part, type) and issubclass(part, BaseModel):
            needed = [name for name, field in part.model_fields.items() if field.is_required()]
            return "a table" + (f" with {', '.join(needed)}" if needed else "")
    return "a value"


def _one_of(values: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(values[:-1]), values[-1]]))


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
