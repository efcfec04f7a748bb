"""Kinds that learn what is usual for a point, and find what departs from it slowly or slightly."""

from __future__ import annotations

from typing import ClassVar

from ingest.domain.model.text import Text
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.budgets import BudgetedSpec, OwnLimitSpec
from ingest.plants.kinds.localized import number, seconds
from ingest.plants.kinds.rule import Measure, Positive, Score, return_threshold


class LearntSpec(BudgetedSpec):
    """What they share: `on` in scatters of the point's own normal running, and how small a scatter may count as."""

    meaning: ClassVar[Text | None] = Text(
        "缓慢变化，可能是仪表漂移或设备劣化", "a slow change: the instrument drifts or the equipment wears"
    )

    on: float = bounded("page_hinkley", "on")
    off: float | None = bounded("page_hinkley", "off", default=None)

    def scores(self, param: dict[str, float]) -> Score:
        """The score, with these parameters."""
        return Score(self.on, return_threshold(self.on, self.off, number(self.on)), self.on, "", param)


class FlooredSpec(OwnLimitSpec):
    """With the least scatter: `floor` in the unit, or in percent of span."""

    meaning = LearntSpec.meaning

    floor: float | None = bounded("ewma", "floor", default=None)
    floor_span_percent: Positive = 0.1

    def least_scatter(self, of: Measure) -> float:
        """In the point's unit."""
        return self.floor or of.of_span(self.floor_span_percent)


class EwmaSpec(FlooredSpec):
    """Exponentially weighted mean, `weight` to the newest, against the mean of the first `train` readings."""

    OWN = 3.0  # Roberts 1959
    params = ("train", "weight", "floor")

    train: int = bounded("ewma", "train")
    weight: float = bounded("ewma", "weight")

    def score(self, of: Measure) -> Score:
        """Score = distance of the means over the scatter of the weighted one."""
        return self.scores({"train": float(self.train), "weight": self.weight, "floor": self.least_scatter(of)})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        subject = self.subject()
        return Text(
            f"{subject.zh}的加权平均偏离正常平均达其波动的 {self.lowest():g} 倍及以上（由 {self.train} 次读数学得）",
            f"the weighted mean of {subject.en} is {self.lowest():g} scatters or more off normal"
            f" (learnt from {self.train} readings)",
        )


class CusumSpec(FlooredSpec):
    """Cumulative sums of what exceeds `slack` scatters on either side, against the first `train` readings."""

    OWN = 5.0  # Montgomery, chapter 9
    params = ("train", "slack", "floor")

    train: int = bounded("cusum", "train")
    slack: float = bounded("cusum", "slack")

    def score(self, of: Measure) -> Score:
        """Score = the greater sum, in scatters."""
        return self.scores({"train": float(self.train), "slack": self.slack, "floor": self.least_scatter(of)})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        subject = self.subject()
        return Text(
            f"{subject.zh}持续偏向一侧，超出 {self.slack:g} 倍波动的部分累计达 {self.lowest():g} 倍"
            f"（由 {self.train} 次读数学得）",
            f"{subject.en} keeps to one side: what exceeds {self.slack:g} scatters adds up to {self.lowest():g}"
            f" (learnt from {self.train} readings)",
        )


class PageHinkleySpec(LearntSpec):
    """Page-Hinkley test: departures from the running mean beyond `delta` add up to `on`, in the point's unit."""

    params = ("delta", "alpha", "least")

    delta: float = bounded("page_hinkley", "delta")
    alpha: float = bounded("page_hinkley", "alpha")
    least: int = bounded("page_hinkley", "least")

    def score(self, of: Measure) -> Score:  # noqa: ARG002  the same for every point
        """Score = the sum."""
        return self.scores({"delta": self.delta, "alpha": self.alpha, "least": float(self.least)})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        subject = self.subject()
        return Text(
            f"{subject.zh}偏离自身均值超过 {number(self.delta, of.unit)} 的部分累计达 {self.on:g}",
            f"departures of {subject.en} from its own mean beyond {number(self.delta, of.unit)} add up to {self.on:g}",
        )


class ZScoreSpec(FlooredSpec):
    """Distance from the running mean in running standard deviations, once `least` readings are known."""

    OWN = 4.0
    params = ("least", "floor")
    meaning = Text("与平时明显不同", "clearly unlike usual")

    least: int = bounded("zscore", "least")

    def score(self, of: Measure) -> Score:
        """Score = distance over deviation."""
        return self.scores({"least": float(self.least), "floor": self.least_scatter(of)})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        subject = self.subject()
        return Text(
            f"{subject.zh}偏离平均达标准差的 {self.lowest():g} 倍及以上",
            f"{subject.en} is {self.lowest():g} standard deviations or more off its mean",
        )


class RobustZSpec(FlooredSpec):
    """Distance from the window's median in median absolute deviations (scaled to standard deviations)."""

    OWN = 3.5  # Iglewicz and Hoaglin 1993
    params = ("window_s", "floor")
    meaning = Text("与近期明显不同", "clearly unlike lately")

    window_s: float = bounded("robust_z", "window_s")

    def score(self, of: Measure) -> Score:
        """Score = distance over scaled deviation."""
        return self.scores({"window_s": self.window_s, "floor": self.least_scatter(of)})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        window, subject = seconds(self.window_s), self.subject()
        return Text(
            f"{subject.zh}偏离最近 {window.zh}中位值达其波动的 {self.lowest():g} 倍及以上",
            f"{subject.en} is {self.lowest():g} scatters or more off the median of {window.en}",
        )


class ProfileSpec(FlooredSpec):
    """Distance from what is usual at this time of a period (a day); local time is `offset_s` ahead of UTC."""

    OWN = 4.0
    params = ("period_s", "offset_s", "least", "floor")
    meaning = Text("与以往同一时段不符", "unlike the same time of earlier periods")

    period_s: float = bounded("profile", "period_s", default=...)
    offset_s: float = bounded("profile", "offset_s", default=28_800)  # China
    least: int = bounded("profile", "least")

    def score(self, of: Measure) -> Score:
        """Score = distance over scatter."""
        param = {"period_s": self.period_s, "offset_s": self.offset_s, "least": float(self.least)}
        return self.scores({**param, "floor": self.least_scatter(of)})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        period, subject = seconds(self.period_s), self.subject()
        return Text(
            f"{subject.zh}偏离 {period.zh}周期中同一时段的平常值达其波动的 {self.lowest():g} 倍及以上",
            f"{subject.en} is {self.lowest():g} scatters or more off what is usual at this time of a period of"
            f" {period.en}",
        )
