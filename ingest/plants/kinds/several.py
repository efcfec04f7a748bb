"""Kinds that look at several points together."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from ingest.model.plant import Text
from ingest.plants.gates import Peers
from ingest.plants.kinds.rule import Measure, Percent, Positive, RuleSpec, Score, off_below
from ingest.plants.kinds.said import listed, number


def _some(ids: object) -> object:
    if isinstance(ids, list) and not ids:
        raise ValueError('"equipment", "plant", or a list of at least one point')
    return ids


Where = Annotated[Literal["equipment", "plant"] | list[str], AfterValidator(_some)]


class PeersSpec(RuleSpec):
    """What rules over several points share: `peers` are those on the same equipment, in the plant, or named."""

    looks = True
    least: ClassVar[int] = 1  # others there must be
    alike: ClassVar[bool] = True  # "equipment" and "plant" mean points of the same signal

    peers: Where = "equipment"
    fresh_s: Positive | None = None

    def looked_at(self) -> Peers:
        """The other points."""
        where = tuple(self.peers) if isinstance(self.peers, list) else self.peers
        return Peers("peers", where, self.alike, self.least)

    def age(self, of: Measure) -> float:
        """How old a peer's value may be, s: as long as any of them may be silent, unless the rule says it."""
        return self.fresh_s or of.fresh_s


class NeighbourSpec(PeersSpec):
    """A value `on` times the median of its peers or one `on`-th of it; what is below `floor` counts as `floor`."""

    params = ("floor", "fresh_s")
    least = 2  # of one it could not be said which of the two is wrong
    meaning = Text("某个探头可能失灵或被遮挡", "one of the sensors may be dead or blocked")

    on: float = Field(gt=1)
    off: float | None = Field(default=None, ge=1)
    floor: Positive

    def score(self, of: Measure) -> Score:
        """Score = ratio, whichever way it is greater than 1."""
        off = off_below(self.on, self.off, number(self.on))
        return Score(self.on, off, self.on, "", {"floor": self.floor, "fresh_s": self.age(of)})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """So far from the others."""
        names, floor = listed(of.others), number(self.floor, of.unit)
        return Text(
            f"与邻点 {names.zh} 的中位值相差 {self.on:g} 倍及以上（低于 {floor} 按 {floor} 计）",
            f"the value and the median of {names.en} differ by a factor of {self.on:g} or more"
            f" (less than {floor} counts as {floor})",
        )


class VotesSpec(PeersSpec):
    """`on` or more of the point and its peers beyond `level`; a bad one votes too unless `bad_votes` is false."""

    params = ("level", "bad_votes", "fresh_s")

    on: int = Field(ge=1)
    off: int | None = Field(default=None, ge=0)
    at: float
    bad_votes: bool = True

    def score(self, of: Measure) -> Score:
        """Score = votes."""
        off = off_below(self.on, self.off, number(self.on))
        param = {"level": self.at, "bad_votes": float(self.bad_votes), "fresh_s": self.age(of)}
        return Score(float(self.on), off, float(self.on), "", param)

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """So many agree."""
        names, many, at = listed(of.others), len(of.others) + 1, number(self.at, of.unit)
        bad = ("（坏值计入）", ", bad ones counted,") if self.bad_votes else ("", "")
        return Text(
            f"本点与 {names.zh} 共 {many} 点中 {self.on} 点及以上达到 {at}{bad[0]}",
            f"{self.on} or more of {many} ({names.en} and this one){bad[1]} are at {at} or above",
        )


class FirstOutSpec(PeersSpec):
    """Some point of a group is at `at` or above; the alarm names the first that was. It returns once all are below."""

    params = ("level",)
    meaning = Text("报警指出最先动作的点，多为起因", "the alarm names the first to go, most likely the cause")

    at: float

    def score(self, of: Measure) -> Score:  # noqa: ARG002  the same for every point
        """Score = how many are there."""
        return Score(1.0, 0.0, 1.0, "", {"level": self.at})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """One of them."""
        names, at = listed(of.others), number(self.at, of.unit)
        return Text(f"本点或 {names.zh} 达到 {at}", f"this point or {names.en} is at {at} or above")


class GroupSpec(PeersSpec):
    """What models of a whole group share: learnt from its first `train` readings in which every member is known."""

    alike = False

    train: int = Field(default=3600, ge=30)
    on: Positive = 1.0
    off: float | None = Field(default=None, ge=0)

    def group(self, of: Measure, what: Text) -> Text:
        """The sentence, for a statistic of that name."""
        names = listed(of.others)
        return Text(
            f"与 {names.zh} 一起看，{what.zh}达到正常限值的 {self.on:g} 倍及以上（由 {self.train} 次正常读数学得）",
            f"together with {names.en}, {what.en} is {self.on:g} times its normal limit or more"
            f" (learnt from {self.train} readings)",
        )


class PcaSpec(GroupSpec):
    """A principal component model that keeps `share` percent of the group's variance."""

    params = ("train", "share", "fresh_s")
    what: ClassVar[Text]

    share: Percent = 90

    def score(self, of: Measure) -> Score:
        """Score = the statistic over its limit."""
        off = off_below(self.on, self.off, number(self.on))
        param = {"train": float(self.train), "share": self.share / 100, "fresh_s": self.age(of)}
        return Score(self.on, off, self.on, "", param)

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Beyond what is normal."""
        return self.group(of, self.what)


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
    """Mahalanobis distance from the centre of what is normal, with a covariance shrunk by `shrink` percent."""

    params = ("train", "shrink", "fresh_s")
    meaning = T2Spec.meaning

    shrink: float = Field(default=10, ge=0, le=100)

    def score(self, of: Measure) -> Score:
        """Score = the distance over its limit."""
        off = off_below(self.on, self.off, number(self.on))
        param = {"train": float(self.train), "shrink": self.shrink / 100, "fresh_s": self.age(of)}
        return Score(self.on, off, self.on, "", param)

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Too far away."""
        return self.group(of, Text("马氏距离", "the Mahalanobis distance"))


class PhaseSpec(RuleSpec):
    """A value unlike those it had before at the same value of the point `phase`, which runs from `low` to `high`."""

    params = ("low", "high", "least", "floor", "fresh_s")
    looks = True
    meaning = Text("与以往同一阶段不符", "unlike earlier runs at the same stage")

    phase: str
    low: float
    high: float
    on: Positive
    off: float | None = Field(default=None, ge=0)
    least: int = Field(default=5, ge=3)
    floor: Positive | None = None
    floor_span_percent: Positive = 0.1
    fresh_s: Positive | None = None

    def looked_at(self) -> Peers:
        """The point that tells the phase."""
        return Peers("phase", (self.phase,), alike=False)

    def score(self, of: Measure) -> Score:
        """Score = distance over scatter."""
        off = off_below(self.on, self.off, number(self.on))
        param = {
            "low": self.low,
            "high": self.high,
            "least": float(self.least),
            "floor": self.floor or of.of_span(self.floor_span_percent),
            "fresh_s": self.fresh_s or of.fresh_s,
        }
        return Score(self.on, off, self.on, "", param)

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Not as usual there."""
        name, subject = listed(of.others), self.subject()
        return Text(
            f"在 {name.zh} 的同一位置，{subject.zh}偏离以往平均达其波动的 {self.on:g} 倍及以上",
            f"at this stage of {name.en}, {subject.en} is {self.on:g} times its scatter or more off its earlier mean",
        )
