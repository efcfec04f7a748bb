"""Numbers, times and ages as a person in the control room reads them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from typing import Final, Literal

from ingest.domain.model import display_value
from ingest.domain.model.plant import Gate, Point
from ingest.web.console.trend_svg import LOCAL
from ingest.web.texts import TEXTS
from ingest.web.texts.needs import needed

Language = Literal["zh", "en"]
NOTHING: Final = "—"
"""Unknown. Never a zero."""

_SECOND: Final = 1_000_000_000
_UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60))


def decimals(point: Point) -> int:
    """Return the digits after the point that this instrument deserves: about 1/500 of its span.

    A switch (no unit, and no range or 0 to 1) has none.
    """
    span = point.high - point.low
    if not point.unit and not span > 1:
        return 0
    if not (math.isfinite(span) and span > 0):
        return 2
    return min(6, max(0, math.ceil(-math.log10(span / 500) - 1e-9)))


def number(value: float | None, digits: int | None, limits: Iterable[float] = ()) -> str:
    """Return a value with a fixed number of digits, or as short as it goes for None; unknown is a dash.

    It gets more digits where fewer would put it on the other side of one of the limits it is judged by.

    >>> number(0.3514, 3), number(15.0, None), number(None, 3), number(60.07, 1, [60.1])
    ('0.351', '15', '—', '60.07')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if digits is None and abs(value) < 10_000:
        return display_value.digits(value, 4, limits)
    return display_value.decimals(value, digits or 0, limits)


def limit(value: float, digits: int | None) -> str:
    """Return a limit with its instrument's digits, or with more where those would misstate it.

    >>> limit(0.28, 3), limit(0.5, 0)
    ('0.280', '0.5')
    """
    text = number(value, digits)
    return text if text == NOTHING or float(text) == value else f"{value:.10g}"


def condition(gate: Gate, point: Point | None, lang: Language) -> str:
    """Return what has to hold at that point (None: it is gone), with the words of a switch instead of 0 and 1."""
    word = point.word(gate.value) if point is not None else None
    value = limit(gate.value, None) if word is None else word.zh if lang == "zh" else word.en
    return f"{gate.point} {gate.op} {value}"


def clock(time: int | None) -> str:
    """Return month, day and time of day in plant time, or a dash."""
    return f"{_local(time):%m-%d %H:%M:%S}" if time else NOTHING


def age(since: int, now: int, lang: Language) -> str:
    """Return how long ago, in the largest unit that tells enough."""
    seconds = max(0, now - since) // _SECOND
    for unit, size in _UNITS:
        if seconds >= 2 * size:
            return said(f"age.{unit}", lang).format(n=seconds // size)
    return said("age.s", lang).format(n=seconds)


def left(until: int, now: int, lang: Language) -> str:
    """Return how much time is left until then, or by how much it is over."""
    seconds = abs(until - now) // _SECOND
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= 2 * size), ("s", 1))
    span = said(f"age.n_{unit}", lang).format(n=seconds // size)
    return said("age.left" if until > now else "age.over", lang).format(n=span)


def unjudged(text: str, lang: Language) -> str:
    """Return why a rule is not judged ("LL: needs setpoint" in the configuration) in the reader's language."""
    code, _, why = text.partition(": ")
    what = needed(why.removeprefix("needs "))
    return f"{code} {said('unjudged.needs', lang).format(what=what.zh if lang == 'zh' else what.en)}"


def said(key: str, lang: Language) -> str:
    """Return a text of the catalogue in one language."""
    text = TEXTS[key]
    return text.zh if lang == "zh" else text.en


def _local(time: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(time // _SECOND, LOCAL)  # a second begins when it begins: no rounding up
