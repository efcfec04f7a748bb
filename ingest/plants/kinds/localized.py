"""Formats numbers, durations and lists of names for people, in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ingest.domain.model.text import Text

_UNITS: Final = ((86_400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min"))


def number(value: float, unit: str = "") -> str:
    """Format a number with its unit.

    >>> number(-0.28, "MPa"), number(80, "%")
    ('-0.28 MPa', '80 %')
    """
    return f"{value:.6g} {unit}".rstrip()


def seconds(value: float) -> Text:
    """Format a duration in the largest unit that divides it.

    >>> seconds(600), seconds(90)
    (Text(zh='10 分钟', en='10 min'), Text(zh='90 秒', en='90 s'))
    """
    for size, zh, en in _UNITS:
        if value >= size and value % size == 0:
            return Text(f"{value / size:g} {zh}", f"{value / size:g} {en}")
    return Text(f"{value:g} 秒", f"{value:g} s")


def listed(names: Iterable[str]) -> Text:
    """List names; of more than three, the first and the number of the others.

    >>> listed(["A", "B"]).zh, listed("ABCDE").en
    ('A、B', 'A and 4 more')
    """
    known = list(names)
    if len(known) > 3:
        return Text(f"{known[0]} 等 {len(known)} 点", f"{known[0]} and {len(known) - 1} more")
    return Text("、".join(known), ", ".join(known))
