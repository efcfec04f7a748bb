"""What the workbench raises.

InvalidData      the data cannot be used: names the file, line, column and value, and what was expected
InvalidRule      a rule cannot be used: names what is wrong, what is allowed, and what is nearest
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final


class InvalidData(ValueError):
    """The data cannot be used.

    Attributes:
        where: the file, the line and the column with its value, as far as they are known.
        zh, en: what was expected, in Chinese and English.
    """

    def __init__(self, where: str, zh: str, en: str) -> None:
        super().__init__(f"{where}: expected {en}")
        self.where, self.zh, self.en = where, zh, en


class InvalidRule(ValueError):
    """A rule, a column or a parameter that does not exist, or lacks a number; `zh`: the same in Chinese."""

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en)
        self.zh = zh or en


_CHINESE: Final = {"column": "列", "time column": "时间列", "kind": "规则种类", "parameter": "参数"}


def unknown(what: str, given: str, allowed: Iterable[str]) -> InvalidRule:
    """Return the error for a name that is not among those allowed, with the nearest of them.

    >>> unknown("kind", "suprise", ["surprise", "limit"])
    InvalidRule("kind 'suprise': did you mean 'surprise'? expected one of limit, surprise")
    """
    names = sorted(allowed)
    near = difflib.get_close_matches(str(given), names, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    near_zh = f"是否指 {near[0]}？" if near else ""
    zh = f"{_CHINESE.get(what, what)} {given}：{near_zh}应为 {'、'.join(names)} 之一"
    return InvalidRule(f"{what} {given!r}: {hint}expected one of {', '.join(names)}", zh)
