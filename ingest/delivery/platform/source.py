"""What a field of a province's report is filled with, and how the value is written."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from ingest.base.config import Config
from ingest.delivery.errors import Uncoded, Unmappable
from ingest.delivery.platform.events import NO_CODE, NO_VALUE
from ingest.domain.model.delivery_failure import Failure
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


class Only(Config):
    """A condition on another value of the item: a field applies only while it is among these.

    Attributes:
        path: where that value stands.
        among: its values.
    """

    path: str
    among: frozenset[str] = Field(min_length=1)


class Source(Config):
    """The source of a field's value: a path (as it is, as a local time, number or code), or a constant.

    Attributes:
        path: where the value stands in our message.
        const: always this value.
        time: the form of a time (strftime, Beijing time); without it RFC 3339, UTC.
        values: a code for each value.
        otherwise: the source where `values` has no code.
        unlisted: without `otherwise`, whether a value without a code refuses the message or counts as no value.
        only: the condition under which there is a value at all.
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
    unlisted: Literal["refuse", "empty"] = "refuse"
    only: Only | None = None
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
        if self.values is None and (self.otherwise is not None or self.unlisted != "refuse"):
            raise InvalidValue(
                Text("otherwise 与 unlisted 只与 values 同写", "otherwise and unlisted only beside values")
            )
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
        if self.only is not None and value_at(self.only.path, scope) not in self.only.among:
            return None
        if self.path is None:
            return self.const
        value = value_at(self.path, scope)
        if self.path.startswith(_ISSUED):
            return _issued(value, self.path.removeprefix(_ISSUED), scope)
        if value is None:
            return None
        if self.time is not None:
            return dt.datetime.fromisoformat(value).astimezone(BEIJING).strftime(self.time)
        return value if self.values is None else self._code_of(value, self.values, scope)

    def _code_of(self, value: object, codes: Mapping[str, Scalar], scope: Mapping[str, Any]) -> Any:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        text = text.removesuffix(".0") if isinstance(value, float) else text
        if text in codes:
            return codes[text]
        if self.otherwise is None and self.unlisted == "empty":
            return None
        if self.otherwise is None:
            raise Unmappable(Failure("unmapped", path=self.path or "", value=text[:50]))
        return self.otherwise.value_in(scope)


def value_at(path: str, scope: Mapping[str, Any]) -> Any:
    """The value at a path; None where a message has no such key, as one that is older than it."""
    value: Any = scope
    for name in path.split("."):
        value = None if value is None else value.get(name)
    return value


def _issued(code: object, name: str, scope: Mapping[str, Any]) -> object:
    """A code of the authority's. Raises LeftOut if it issued none, Unmappable if it is not on file."""
    if code is False:
        raise LeftOut(NO_CODE)
    if code is None:
        error = Uncoded if name == "point" else Unmappable
        raise error(Failure("uncoded", name=name, place=scope["place"]))
    return code


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
