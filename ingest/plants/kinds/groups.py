"""Kinds that learn how the points of a whole group go together, and find when they no longer do."""

from __future__ import annotations

from typing import ClassVar

from detectors.kinds.mahalanobis import USUAL
from ingest.domain.model.text import Text
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.budgets import BudgetedSpec
from ingest.plants.kinds.localized import listed, number
from ingest.plants.kinds.rule import Measure, Positive, Score, return_threshold
from ingest.plants.kinds.several import PeersSpec


class GroupSpec(PeersSpec, BudgetedSpec):
    """What they share: learnt from the first `train` vectors in which every member is known.

    A statistic is averaged with `smoothing` as the weight of the newest. Its limit is what `quantile` percent of the
    normal vectors left out of training keep below.
    """

    alike = False
    what: ClassVar[Text]
    usual_smoothing: ClassVar[float] = 1.0
    returns_at: ClassVar[float] = 1.0  # of `on`, where no `off` is given

    train: int = bounded("t2", "train")
    quantile: float = bounded("t2", "quantile", scale=100)
    smoothing: float | None = bounded("t2", "smoothing", default=None)
    on: float = bounded("t2", "on")
    off: float | None = bounded("t2", "off", default=None)

    def scored(self, of: Measure, param: dict[str, float]) -> Score:
        """The score, with the parameters of the kind besides the common ones."""
        off = return_threshold(self.on, self.returns_at * self.on if self.off is None else self.off, number(self.on))
        common = {
            "train": float(self.train),
            "quantile": self.quantile / 100,
            "smoothing": self.smoothing or self.usual_smoothing,
            "fresh_s": self.age(of),
        }
        return Score(self.on, off, self.on, "", common | param)

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        names, what = listed(of.others), self.what
        return Text(
            f"与 {names.zh} 一起看，{what.zh}达到正常限值的 {self.on:g} 倍及以上（由 {self.train} 次读数学得）",
            f"together with {names.en}, {what.en} is {self.on:g} times its normal limit or more"
            f" (learnt from {self.train} readings)",
        )


class PcaSpec(GroupSpec):
    """A principal component model that keeps `share` percent of the group's variance."""

    params = ("train", "share", "quantile", "smoothing", "fresh_s")

    share: float = bounded("t2", "share", scale=100)

    def score(self, of: Measure) -> Score:
        """Score = the statistic over its limit."""
        return self.scored(of, {"share": self.share / 100})


class T2Spec(PcaSpec):
    """Hotelling's T²: far from the centre of what is normal."""

    what = Text("偏离正常工况的程度（T²）", "the distance from normal running (T²)")
    meaning = Text(
        "各点虽都在限内，合起来却不正常", "each value may be within its limits, but not all of them together"
    )


class SpeSpec(PcaSpec):
    """Squared prediction error: the points no longer go together as they used to."""

    what = Text("各点关系的偏差（SPE）", "the error against how the points go together (SPE)")
    meaning = Text(
        "某点已不随其他点变化，仪表或设备可能有问题", "one no longer goes with the others: instrument or equipment"
    )


class MahalanobisSpec(GroupSpec):
    """Mahalanobis distance of averaged forecast errors from what is normal, and their spread about the average.

    The distance finds slow and small faults, the spread a loop that hunts, as with a sticking valve. `quantile` is of
    both together; with a `distance` the spread is not judged.

    `ridge` percent of a member's variance damp the forecast (0 = none). The baseline follows by `adaptation`, the
    weight of the newest error (0 = a process that stays where it is), for 2 standard deviations at most. A value counts
    for at most `clip` standard deviations. `distance` is the limit instead of the learnt one. A member with `culprit`
    percent of the squared distance is a cause. The covariance is shrunk towards its diagonal by `shrink` percent. After
    a pause of more than `gap_s` the memory begins anew.
    """

    params = (
        *("train", "smoothing", "ridge", "adaptation", "clip", "limit", "quantile"),
        *("release", "culprit", "shrink", "fresh_s", "gap_s"),
    )
    what = Text("马氏距离或波动程度", "the Mahalanobis distance or the spread")
    meaning = T2Spec.meaning
    usual_smoothing = USUAL["smoothing"]
    returns_at = USUAL["release"]

    ridge: float = bounded("mahalanobis", "ridge", scale=100)
    adaptation: float = bounded("mahalanobis", "adaptation")
    clip: float = bounded("mahalanobis", "clip")
    distance: Positive | None = None
    culprit: float = bounded("mahalanobis", "culprit", scale=100)
    shrink: float = bounded("mahalanobis", "shrink", scale=100)
    gap_s: float | None = bounded("mahalanobis", "gap_s", default=None)

    def score(self, of: Measure) -> Score:
        """Score = the distance over its limit."""
        off = self.returns_at * self.on if self.off is None else self.off
        param = {
            "ridge": self.ridge / 100,
            "adaptation": self.adaptation,
            "clip": self.clip,
            "limit": self.distance or 0.0,
            "release": off,
            "culprit": self.culprit / 100,
            "shrink": self.shrink / 100,
            "gap_s": self.gap_s or max(60.0, self.age(of)),
        }
        return self.scored(of, param)
