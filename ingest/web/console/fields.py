"""Types of the fields of the console's forms, parsed strictly: texts, days, times of the plant, sums of money."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from fastapi import Form
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from ingest.web.console.trend_svg import LOCAL
from ingest.web.inputs import Number, storable

COMMENT_LENGTH: Final = 500
TEXT_LENGTH: Final = 2000
_MOST_YUAN: Final = Decimal(10) ** 12


def parse_moment(text: object) -> int | None:
    """Parse a plant time, as `datetime-local` sends it, to ns since the epoch; None for an empty field.

    Raises:
        ValueError: no such time.

    >>> parse_moment("2026-11-23T14:12"), parse_moment("")
    (1795414320000000000, None)
    """
    if text is None or text == "":
        return None
    if not isinstance(text, str) or not 16 <= len(text) <= 19 or not text[5:7].isdecimal():  # no week dates
        raise ValueError("a time such as 2026-11-23T14:12")
    time = dt.datetime.fromisoformat(text)
    if time.tzinfo is not None or not 1970 < time.year < 2200:
        raise ValueError("a time of the plant, without a zone, between 1971 and 2199")
    return int(time.replace(tzinfo=LOCAL).timestamp()) * 10**9


def parse_day(text: object) -> dt.date | None:
    """Parse a day, as `date` sends it; None for an empty field. Raises ValueError."""
    if text is None or text == "":
        return None
    if not isinstance(text, str) or len(text) != 10 or not text[5:7].isdecimal():  # no week dates
        raise ValueError("a day such as 2026-11-23")
    return dt.date.fromisoformat(text)


def parse_fen(text: object) -> int:
    """Parse a sum in yuan to fen, exactly.

    Raises:
        ValueError: not a sum, or one with parts of a fen.

    >>> parse_fen("12.5"), parse_fen("0")
    (1250, 0)
    """
    try:
        yuan = Decimal(str(text).strip())
        fen = yuan * 100
    except InvalidOperation as error:
        raise ValueError("a sum in yuan such as 5000 or 12.50") from error
    if not yuan.is_finite() or not 0 <= yuan < _MOST_YUAN or fen != int(fen):
        raise ValueError("a sum in yuan, 0 or more, with at most two decimals")
    return int(fen)


def blank_is_none(text: object) -> object:
    """Return None for a field that was left empty."""
    return None if isinstance(text, str) and not text.strip() else text


_Short = StringConstraints(strip_whitespace=True, min_length=1, max_length=COMMENT_LENGTH)
_Long = StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_LENGTH)

_STORABLE = AfterValidator(storable)

Words = Annotated[str, _Short, _STORABLE, Form()]
"""A text that must be there."""

Prose = Annotated[str, _Long, _STORABLE, Form()]
"""A longer text that must be there."""

Maybe = Annotated[Annotated[str, _Short, _STORABLE] | None, BeforeValidator(blank_is_none), Form()]
"""A text that may be left out."""

MaybeProse = Annotated[Annotated[str, _Long, _STORABLE] | None, BeforeValidator(blank_is_none), Form()]
"""A longer text that may be left out."""

Moment = Annotated[int | None, BeforeValidator(parse_moment), Form()]
"""A time of the plant, in ns since the epoch; None: left out."""

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(storable), Form()
]
"""Name of a person, an authority or a document."""

MaybeName = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), _STORABLE] | None,
    BeforeValidator(blank_is_none),
    Form(),
]
"""A name that may be left out."""

Version = Annotated[Number, Form()]
"""The version of the record that the page showed; somebody else's change since then is refused."""

Hours = Annotated[int, Field(ge=1, le=8760), Form()]
"""A number of hours that must be there."""

MaybeHours = Annotated[Annotated[int, Field(ge=1, le=8760)] | None, BeforeValidator(blank_is_none), Form()]
"""A number of hours that may be left out."""

Day = Annotated[dt.date, BeforeValidator(parse_day), Form()]
"""A day that must be there."""

MaybeDay = Annotated[dt.date | None, BeforeValidator(parse_day), Form()]
"""A day that may be left out."""

Yuan = Annotated[int, BeforeValidator(parse_fen), Form()]
"""A sum in yuan, in fen."""

MaybeYuan = Annotated[Annotated[int, BeforeValidator(parse_fen)] | None, BeforeValidator(blank_is_none), Form()]
"""A sum in yuan that may be left out, in fen."""

Onward = Annotated[str, Form()]
"""Where to go afterwards."""
