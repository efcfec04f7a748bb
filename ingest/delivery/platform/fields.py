"""The fields of a province's report: a head, and a list of items, nested by the dots in their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from ingest.base.config import Config
from ingest.delivery.platform.source import Source
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text


class Fields(Config):
    """One kind of report: head fields written once, and a list of items. Dots in names make nested objects.

    Attributes:
        items: the name of the list; empty: the report is the list itself.
        head: its other fields.
        item: the fields of each item.
    """

    items: str
    head: Mapping[str, Source]
    item: Mapping[str, Source] = Field(min_length=1)

    @model_validator(mode="after")
    def _list_has_its_own_name(self) -> Self:
        if self.items in self.head:
            raise InvalidValue(
                Text(
                    f"head 中没有 {self.items!r}：它是各项列表的名称",
                    f"a head without {self.items!r}, which names the list of items",
                )
            )
        if not self.items and self.head:
            raise InvalidValue(Text("items 有名称，或 head 为空", "a name in items, or an empty head"))
        clashes = clashing([*self.head, *([self.items] if self.items else [])]) or clashing(self.item)
        if clashes:
            raise InvalidValue(Text(f"{clashes} 不同时是字段和对象", f"{clashes} not both as a field and as an object"))
        return self


def clashing(names: Iterable[str]) -> str | None:
    """The first name that is both a field and the object of other fields; None if all can stand together.

    >>> clashing(["data", "data.rts"]), clashing(["data.a", "data.b"])
    ('data', None)
    """
    given = set(names)
    for name in sorted(given):
        parts = name.split(".")
        for length in range(1, len(parts)):
            if (outer := ".".join(parts[:length])) in given:
                return outer
    return None


def filled(fields: Mapping[str, Source], scope: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with their values, nested by the dots in their names. Raises as `Source.value_in`."""
    made: dict[str, Any] = {}
    for name, source in fields.items():
        value = source.value_in(scope)
        if value is not None or source.empty != "leave-out-field":
            put(made, name, value)
    return made


def put(tree: dict[str, Any], name: str, value: object) -> None:
    """Set a value under a name whose dots are steps into objects."""
    *outer, last = name.split(".")
    for step in outer:
        tree = tree.setdefault(step, {})
    tree[last] = value
