"""The fields of a province's message: what each is filled with, and how the value is written."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from ingest.base.config import Config
from ingest.delivery.errors import Unmappable
from ingest.delivery.platform.events import NO_CODE, NO_VALUE
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text

Scalar = str | int | float | bool
Mark = Literal["found", "recalled", "default"]
"""How far a fact can be trusted: read in a source, recalled from memory, or our own choice. None is a regulation."""

BEIJING: Final = dt.timezone(dt.timedelta(hours=8))
"""China keeps one time zone, without summer time."""

_ISSUED: Final = "issued."


class LeftOut(Exception):
    """An item that the province has no form for is not reported; carries why, in a few fixed words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Source(Config):
    """The source of a field's value: a path (as it is, as a local time, number or code), or a constant.

    Attributes:
        path: where the value stands in our message.
        const: always this value.
        time: the form of a time (strftime, Beijing time); without it RFC 3339, UTC.
        values: a code for each value.
        otherwise: the source where `values` has no code; without it such a message is not sent.
        decimals: how many a number is written with; without them as many as it has.
        as_text: write a number or a truth value as a JSON string.
        empty: what becomes of a value that is not there: `null`, the field or the whole item is left out.
        confidence: how far this field can be trusted, where that is not as its part.
        source: where this field was found, where that is not as its part.
    """

    path: str | None = None
    const: Scalar | None = None
    time: str | None = None
    values: Mapping[str, Scalar] | None = None
    otherwise: Source | None = None
    decimals: Annotated[int, Field(ge=0, le=10)] | None = None
    as_text: bool = False
    empty: Literal["null", "leave-out-field", "leave-out-item"] = "null"
    confidence: Mark | None = None
    source: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"path": given}
        return {"const": given} if isinstance(given, int | float) else given

    @model_validator(mode="after")
    def _exactly_one_source(self) -> Self:
        if (self.path is None) == (self.const is None):
            raise InvalidValue(Text("path 或 const，二者取一", "either a path or a const"))
        forms = [form for form in (self.time, self.values, self.decimals) if form is not None]
        if (self.path is None and forms) or len(forms) > 1:
            raise InvalidValue(
                Text(
                    "path，time、values 与 decimals 至多写一项",
                    "a path with at most one of time, values and decimals",
                )
            )
        if self.otherwise is not None and self.values is None:
            raise InvalidValue(Text("otherwise 只与 values 同写", "otherwise only beside values"))
        return self

    @property
    def sources(self) -> Iterator[Source]:
        """It and what it falls back to."""
        yield self
        if self.otherwise is not None:
            yield from self.otherwise.sources

    def value_in(self, scope: Mapping[str, Any]) -> Any:
        """The field's value.

        Raises:
            Unmappable: a value without a code, or a code the authority has to issue is not on file.
            LeftOut: the item is not for the province.
        """
        value = self._coded(scope)
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        if value is None:
            if self.empty == "leave-out-item":
                raise LeftOut(NO_VALUE)
            return None
        return _written(value, self.decimals, as_text=self.as_text)

    def _coded(self, scope: Mapping[str, Any]) -> Any:
        if self.path is None:
            return self.const
        value: Any = scope
        for name in self.path.split("."):
            value = None if value is None else value.get(name)  # a message may be older than a key
        if self.path.startswith(_ISSUED):
            return _issued(value, self.path.removeprefix(_ISSUED), scope)
        if value is None:
            return None
        if self.time is not None:
            return dt.datetime.fromisoformat(value).astimezone(BEIJING).strftime(self.time)
        return value if self.values is None else self._code_of(value, self.values, scope)

    def _code_of(self, value: object, codes: Mapping[str, Scalar], scope: Mapping[str, Any]) -> Any:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if text in codes:
            return codes[text]
        if self.otherwise is None:
            raise Unmappable(f"the mapping has no code for {self.path} = {text[:50]}")
        return self.otherwise.value_in(scope)


def _issued(code: object, name: str, scope: Mapping[str, Any]) -> object:
    """A code of the authority's. Raises LeftOut if it issued none, Unmappable if it is not on file."""
    if code is False:
        raise LeftOut(NO_CODE)
    if code is None:
        raise Unmappable(f"the file of codes has no {name} for {scope['place']}")
    return code


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


def _written(value: Any, decimals: int | None, *, as_text: bool) -> Any:
    """The value as the province wants it.

    >>> _written(27.2, 2, as_text=True), _written(-0.001, 2, as_text=True), _written(0.351, 1, as_text=False)
    ('27.20', '0.00', 0.4)
    >>> _written(True, None, as_text=True), _written(5, None, as_text=True), _written(2, 0, as_text=False)
    ('true', '5', 2)
    """
    if decimals is not None and isinstance(value, int | float) and not isinstance(value, bool):
        text = f"{value:.{decimals}f}"
        text = text.removeprefix("-") if float(text) == 0 else text
        return text if as_text else float(text) if decimals else int(text)
    if as_text and isinstance(value, bool):
        return str(value).lower()
    return str(value) if as_text else value
