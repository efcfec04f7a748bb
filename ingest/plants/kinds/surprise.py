"""The kind for a signal of which nothing is known beforehand: is anything about this reading rare for its point?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import ValidationInfo, field_validator

from detectors.kinds.surprise import USUAL
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.drift import LearntSpec
from ingest.plants.kinds.localized import number
from ingest.plants.kinds.rule import Measure, Score


class SurpriseSpec(LearntSpec):
    """Rarity of a reading's season, shift, jump or drift here; at `on` = 0.5 one reading in `one_in` is as rare.

    `short`, `middle`, `slow` and `long` are memories in readings; local time is `offset_s` ahead of UTC. One event
    speaks once: what follows is silent unless it is `rise` times as rare, in logarithms, and that fades within `hold`.
    """

    params = tuple(USUAL)
    meaning: ClassVar[Text | None] = Text("该测点少见的变化，应查明原因", "rare for this point, find out why")

    on: float = bounded("surprise", "on")
    short: float = bounded("surprise", "short")
    middle: float = bounded("surprise", "middle")
    slow: float = bounded("surprise", "slow")
    long: float = bounded("surprise", "long")
    day_gain: float = bounded("surprise", "day_gain")
    week_gain: float = bounded("surprise", "week_gain")
    hold: float = bounded("surprise", "hold")
    rise: float = bounded("surprise", "rise")
    offset_s: float = bounded("surprise", "offset_s", default=28_800)  # China
    least: float = bounded("surprise", "least")
    one_in: float = bounded("surprise", "one_in")

    @field_validator("on_delay_s", "of_last")
    @classmethod
    def _speaks_once(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value:
            raise InvalidValue(
                Text(
                    f"不写 {info.field_name}：每个事件只判断一次，加上它永不动作",
                    f"no {info.field_name}: it speaks once an event, and would never trip",
                )
            )
        return value

    def score(self, of: Measure) -> Score:  # noqa: ARG002  the same for every point
        """Score = R / (R + log10(one_in)), where R is the rarity."""
        return self.scores({name: float(getattr(self, name)) for name in self.params})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        subject, rare = self.subject(), number(round(self.one_in ** (self.on / (1 - self.on)), 1))
        return Text(
            f"{subject.zh}的时段偏差、水平偏移或跳变罕见，平均 {rare} 次读数至多一次",
            f"{subject.en} departs from its hour, shifts or jumps as at most one reading in {rare} does",
        )
