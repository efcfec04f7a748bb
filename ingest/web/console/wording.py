"""Formats numbers, limits, times and ages for the console."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from typing import Final, Literal

from ingest.domain.model import display_value
from ingest.domain.model.plant import Gate, NotEvaluated, Point
from ingest.web.console.trend_svg import LOCAL
from ingest.web.texts import TEXTS
from ingest.web.texts.needs import with_signal_names

Language = Literal["zh", "en"]
NOTHING: Final = "—"
"""An unknown value; never shown as zero."""

_SECOND: Final = 1_000_000_000
_UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60))


def decimals(point: Point) -> int:
    """Return the number of decimals that suit an instrument: about 1/500 of its span.

    A switch (no unit, and no range or 0 to 1) has none.
    """
    span = point.high - point.low
    if not point.unit and not span > 1:
        return 0
    if not (math.isfinite(span) and span > 0):
        return 2
    return min(6, max(0, math.ceil(-math.log10(span / 500) - 1e-9)))


def number(value: float | None, digits: int | None, limits: Iterable[float] = ()) -> str:
    """Format a value with a fixed number of decimals, or as short as possible for None; unknown is a dash.

    It gets more digits where fewer would put it on the other side of one of its limits.

    >>> number(0.3514, 3), number(15.0, None), number(None, 3), number(60.07, 1, [60.1])
    ('0.351', '15', '—', '60.07')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if digits is None and abs(value) < 10_000:
        return display_value.digits(value, 4, limits)
    return display_value.decimals(value, digits or 0, limits)


def limit(value: float, digits: int | None) -> str:
    """Format a limit with its instrument's decimals, or with more where those would misstate it.

    >>> limit(0.28, 3), limit(0.5, 0)
    ('0.280', '0.5')
    """
    text = number(value, digits)
    return text if text == NOTHING or float(text) == value else f"{value:.10g}"


def condition(gate: Gate, point: Point | None, lang: Language) -> str:
    """Return the condition of a gate (`point` None: it was removed), with a switch's words in place of 0 and 1."""
    word = point.word(gate.value) if point is not None else None
    value = limit(gate.value, None) if word is None else word.zh if lang == "zh" else word.en
    return f"{gate.point} {gate.op} {value}"


def by_sentence(text: str) -> str:
    """Put each sentence on a line of its own.

    >>> by_sentence("停止浇铸。撤人。").splitlines(), by_sentence("Stop at 0.5 m. Leave.").splitlines()
    (['停止浇铸。', '撤人。'], ['Stop at 0.5 m.', 'Leave.'])
    """
    return re.sub(r"(?<=。)(?=.)|(?<=\.) (?=\S)", "\n", text)


def clock(time: int | None) -> str:
    """Format month, day and time of day in plant time; None is a dash."""
    return f"{_local(time):%m-%d %H:%M:%S}" if time else NOTHING


def minute(time: int) -> str:
    """Format month, day, hour and minute in plant time, of what is planned to the minute."""
    return f"{_local(time):%m-%d %H:%M}"


def age(since: int, now: int, lang: Language) -> str:
    """Return how long ago, in the largest unit of which at least two have passed."""
    seconds = max(0, now - since) // _SECOND
    for unit, size in _UNITS:
        if seconds >= 2 * size:
            return localized(f"age.{unit}", lang).format(n=seconds // size)
    return localized("age.s", lang).format(n=seconds)


def left(until: int, now: int, lang: Language) -> str:
    """Format how much time is left until a deadline, or by how much it is overdue."""
    seconds = abs(until - now) // _SECOND
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= 2 * size), ("s", 1))
    span = localized(f"age.n_{unit}", lang).format(n=seconds // size)
    return localized("age.left" if until > now else "age.over", lang).format(n=span)


def not_evaluated(rule: NotEvaluated, lang: Language) -> str:
    """Return in the reader's language what a rule that is not evaluated needs."""
    what = with_signal_names(rule.needs)
    return f"{rule.code} {localized('unjudged.needs', lang).format(what=what.zh if lang == 'zh' else what.en)}"


def localized(key: str, lang: Language) -> str:
    """Return a text of the catalogue in one language."""
    text = TEXTS[key]
    return text.zh if lang == "zh" else text.en


def _local(time: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(time // _SECOND, LOCAL)  # a second begins when it begins: no rounding up
