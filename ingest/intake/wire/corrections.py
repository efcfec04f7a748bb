"""Names the faults of a frame by field and value, with the correct way to write them.

It knows the usual mistakes in gateways: seconds for milliseconds, texts for numbers, a single number for a list.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final

_FIELDS: Final = ("boot", "seq", "time", "values", "quality", "historical")
_LONGEST: Final = 64  # of a boot
_FIRST: Final = 10**11
"""A lower time counts as seconds: in milliseconds it lies before March 1973."""

_number: Final = re.compile(r"\s*[+-]?[0-9]{1,20}(?:[.,][0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?\s*")


def number_for(value: object) -> str:
    """How to write a value of a column that means a number, for the end of a sentence, or ''.

    >>> number_for("4,8"), number_for(True), number_for("n/a")
    (': 4.8 without quotes', ': 1 for true, 0 for false', '')
    """
    if isinstance(value, bool):
        return ": 1 for true, 0 for false"
    if isinstance(value, str) and _number.fullmatch(value):
        number = float(value.replace(",", "."))
        return f": {number:.12g} without quotes" if isfinite(number) else ""
    return ""


def column_for(value: object) -> str:
    """How to write a column that is a single number, for the end of a sentence, or ''."""
    alone = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return f": [{value}] for one time" if alone and len(str(value)) <= _LONGEST else ""


def faults_of_head(fields: Mapping[str, Any], shown: Callable[[object], str]) -> Iterator[str]:
    """Faults of a frame's fields other than its columns, each with name, value and what was expected.

    Args:
        fields: as they were sent; the columns are not checked.
        shown: quotes a value.
    """
    for name in _FIELDS[:4]:
        if name not in fields:
            yield f"{name} is missing; expected {_EXPECTED[name]}"
    for name in (name for name in fields if name not in _FIELDS):
        near = difflib.get_close_matches(name[:_LONGEST], _FIELDS, n=1)
        yield f"no field is called {shown(name)}; expected " + (near[0] if near else ", ".join(_FIELDS))
    for name in ("boot", "seq", "historical"):
        if name in fields and not _FITS[name](fields[name]):
            yield f"{name} = {shown(fields[name])}; expected {_EXPECTED[name]}{_whole(name, fields[name])}"
    times = fields.get("time", [0])
    if not isinstance(times, list):
        yield f"time = {shown(times)}; expected {_EXPECTED['time']}{column_for(times)}"
        return
    for at, time in enumerate(times):
        if type(time) is not int:
            yield f"time[{at}] = {shown(time)}; expected whole milliseconds since 1970, UTC{_milliseconds(time)}"
            return


def _whole(name: str, value: object) -> str:
    if name == "seq" and isinstance(value, float) and value.is_integer():
        return f": {value:.0f}"
    return number_for(value) if name == "seq" and isinstance(value, str) and value.strip().isdigit() else ""


def _milliseconds(time: object) -> str:
    """The correct time in milliseconds, if what was meant is clear."""
    if isinstance(time, str):
        if _number.fullmatch(time):
            return _milliseconds(float(time.replace(",", ".")))
        try:
            moment = datetime.fromisoformat(time)
        except ValueError:
            return ""
        return f": {round(moment.timestamp() * 1000)}" if moment.tzinfo else ""
    if not isinstance(time, float) or not isfinite(time) or abs(time) >= 1e15:
        return ""
    return f": {round(time * 1000)}, it is in seconds" if abs(time) < _FIRST else f": {round(time)}"


_EXPECTED: Final = {
    "boot": f"a text of 1 to {_LONGEST} characters, new at each start",
    "seq": "a whole number, 1 for the first frame of a boot",
    "time": "an array of whole milliseconds since 1970, UTC",
    "values": "an object, point -> an array with an entry for each time",
    "historical": "true or false",
}
_FITS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "boot": lambda value: isinstance(value, str) and 1 <= len(value) <= _LONGEST,
    "seq": lambda value: type(value) is int and 1 <= value < 1 << 62,
    "historical": lambda value: isinstance(value, bool),
}
