"""The kind for a signal of which nothing is known beforehand: is anything about this reading rare for its point?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator

from detectors.kinds.surprise import USUAL
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text
from ingest.plants.kinds.drift import LearntSpec
from ingest.plants.kinds.localized import number
from ingest.plants.kinds.rule import Measure, Positive, Score


class SurpriseSpec(LearntSpec):
    """Rarity of a reading's season, shift, jump or drift here; at `on` = 0.5 one reading in `one_in` is as rare.

    `short`, `middle`, `slow` and `long` are memories in readings; local time is `offset_s` ahead of UTC. One event
    speaks once: what follows is silent unless it is `rise` times as rare, in logarithms, and that fades within `hold`.
    """

    params = tuple(USUAL)
    meaning: ClassVar[Text | None] = Text("该测点少见的变化，应查明原因", "rare for this point, find out why")

    on: float = Field(default=0.5, gt=0, lt=1)
    short: float = Field(default=USUAL["short"], ge=1)
    middle: float = Field(default=USUAL["middle"], ge=1)
    slow: float = Field(default=USUAL["slow"], ge=1)
    long: float = Field(default=USUAL["long"], ge=1)
    day_gain: float = Field(default=USUAL["day_gain"], gt=0, le=1)
    week_gain: float = Field(default=USUAL["week_gain"], gt=0, le=1)
    hold: Positive = USUAL["hold"]
    rise: float = Field(default=USUAL["rise"], ge=1)
    offset_s: float = 28_800  # China
    least: float = Field(default=USUAL["least"], ge=30)
    one_in: float = Field(default=USUAL["one_in"], ge=20)

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
