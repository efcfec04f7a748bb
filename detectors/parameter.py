"""A number of a rule: what it means, its unit and what values it may have."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of a rule.

    Attributes:
        meaning: a phrase.
        unit: "" = none.
        low, high: the ends of its range, included; `open_low`, `open_high`: not included.
        default: None = it must be given, or follows from the point.
        whole: only whole numbers.
        choices: only these.
        unknown: NaN stands for none.
    """

    meaning: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    default: float | None = None
    open_low: bool = False
    open_high: bool = False
    whole: bool = False
    choices: tuple[float, ...] = ()
    unknown: bool = False

    def accepts(self, value: float) -> bool:
        """Return whether it may have this value.

        >>> [Parameter("weight", low=0, high=1, open_low=True).accepts(value) for value in (0, 0.5, 1, 1.1)]
        [False, True, True, False]
        """
        if self.unknown and math.isnan(value):
            return True
        if self.choices:
            return value in self.choices
        return (
            math.isfinite(value)
            and (value > self.low if self.open_low else value >= self.low)
            and (value < self.high if self.open_high else value <= self.high)
            and not (self.whole and value != int(value))
        )

    @property
    def expected(self) -> str:
        """What values it may have, in English.

        >>> Parameter("weight", low=0, high=1, open_low=True).expected
        'a number above 0 and at most 1'
        """
        if self.choices:
            return f"one of {', '.join(f'{choice:g}' for choice in self.choices)}"
        none = " or NaN" if self.unknown else ""
        low = f"{'above' if self.open_low else 'at least'} {self.low:g}" if self.low > -math.inf else ""
        high = f"{'below' if self.open_high else 'at most'} {self.high:g}" if self.high < math.inf else ""
        return (
            " ".join(
                filter(None, ("a whole number" if self.whole else "a number", " and ".join(filter(None, (low, high)))))
            )
            + none
        )

    @property
    def expected_zh(self) -> str:
        """The same in Chinese.

        >>> Parameter("weight", low=0, high=1, open_low=True).expected_zh
        '大于 0 且不大于 1 的数'
        """
        if self.choices:
            return f"{'、'.join(f'{choice:g}' for choice in self.choices)} 之一"
        low = f"{'大于' if self.open_low else '不小于'} {self.low:g}" if self.low > -math.inf else ""
        high = f"{'小于' if self.open_high else '不大于'} {self.high:g}" if self.high < math.inf else ""
        ends = " 且".join(filter(None, (low, high)))
        return f"{ends}{' 的' if ends else ''}{'整数' if self.whole else '数'}"
