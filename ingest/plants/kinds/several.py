"""Kinds that look at several points together."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text
from ingest.plants.gates import Peers
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.budgets import BudgetedSpec
from ingest.plants.kinds.localized import listed, number
from ingest.plants.kinds.rule import Measure, Positive, RuleSpec, Score, return_threshold

_PEERS: Final = Text(
    '"equipment"、"plant"，或至少一个测点的列表', '"equipment", "plant", or a list of at least one point'
)


def _some(ids: object) -> object:
    if isinstance(ids, list) and not ids:
        raise InvalidValue(_PEERS)
    return ids


Where = Annotated[Literal["equipment", "plant"] | list[str], AfterValidator(_some)]


class PeersSpec(RuleSpec):
    """What rules over several points share: `peers` are those on the same equipment, in the plant, or named."""

    has_peers = True
    least: ClassVar[int] = 1  # others there must be
    alike: ClassVar[bool] = True  # "equipment" and "plant" mean points of the same signal

    peers: Where = "equipment"
    fresh_s: float | None = bounded("neighbour", "fresh_s", default=None)

    def peer_points(self) -> Peers:
        """Return the other points."""
        where = tuple(self.peers) if isinstance(self.peers, list) else self.peers
        return Peers("peers", where, self.alike, self.least)

    def age(self, of: Measure) -> float:
        """Return how old a peer's value may be, s: the rule's own number, else the longest silence of any."""
        return self.fresh_s or of.fresh_s


class NeighbourSpec(PeersSpec, BudgetedSpec):
    """A value `on` times the median of its peers or one `on`-th of it; what is below `floor` counts as `floor`."""

    params = ("floor", "fresh_s")
    least = 2  # of one it could not be said which of the two is wrong
    meaning = Text("某个探头可能失灵或被遮挡", "one of the sensors may be dead or blocked")

    on: float = bounded("neighbour", "on")
    off: float | None = bounded("neighbour", "off", default=None)
    floor: float = bounded("neighbour", "floor")

    def score(self, of: Measure) -> Score:
        """Score = ratio, whichever way it is greater than 1."""
        off = return_threshold(self.on, self.off, number(self.on))
        return Score(self.on, off, self.on, "", {"floor": self.floor, "fresh_s": self.age(of)})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        names, floor = listed(of.others), number(self.floor, of.unit)
        return Text(
            f"与邻点 {names.zh} 的中位值相差 {self.on:g} 倍及以上（低于 {floor} 按 {floor} 计）",
            f"the value and the median of {names.en} differ by a factor of {self.on:g} or more"
            f" (less than {floor} counts as {floor})",
        )


class VotesSpec(PeersSpec):
    """`on` or more of the point and its peers beyond `level`; a bad one votes too unless `bad_votes` is false."""

    params = ("level", "bad_votes", "fresh_s")

    on: int = bounded("votes", "on")
    off: int | None = bounded("votes", "off", default=None)
    at: float
    bad_votes: bool = True

    def score(self, of: Measure) -> Score:
        """Score = votes."""
        off = return_threshold(self.on, self.off, number(self.on))
        param = {"level": self.at, "bad_votes": float(self.bad_votes), "fresh_s": self.age(of)}
        return Score(float(self.on), off, float(self.on), "", param)

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        names, many, at = listed(of.others), len(of.others) + 1, number(self.at, of.unit)
        bad = ("（坏值计入）", ", bad ones counted,") if self.bad_votes else ("", "")
        steps = "→".join(self.degrades(many))
        zh = steps.replace("no trip", "不动作").replace("trip", "动作")
        return Text(
            f"本点与 {names.zh} 共 {many} 点中 {self.on} 点及以上达到 {at}{bad[0]}，坏值逐个增加时表决为 {zh}",
            f"{self.on} or more of {many} ({names.en} and this one){bad[1]} are at {at} or above;"
            f" as channels go bad the voting is {steps}",
        )

    def degrades(self, many: int) -> list[str]:
        """Return the voting over `many` channels, then with one bad, two bad ..., up to where it is decided.

        >>> VotesSpec.model_construct(on=2, bad_votes=True).degrades(3)
        ['2oo3', '1oo2', 'trip']
        >>> VotesSpec.model_construct(on=2, bad_votes=False).degrades(3)
        ['2oo3', '2oo2', 'no trip']
        """
        steps: list[str] = []
        for bad in range(many + 1):
            need, left = self.on - (bad if self.bad_votes else 0), many - bad
            if need <= 0 or need > left:
                return [*steps, "trip" if need <= 0 else "no trip"]
            steps.append(f"{need}oo{left}")
        return steps


class FirstOutSpec(PeersSpec):
    """Some point of a group is at `at` or above; the alarm names the first that was. It returns once all are below."""

    params = ("level",)
    meaning = Text("报警指出最先动作的点，多为起因", "the alarm names the first to go, most likely the cause")

    at: float

    def score(self, of: Measure) -> Score:  # noqa: ARG002  the same for every point
        """Score = how many are there."""
        return Score(1.0, 0.0, 1.0, "", {"level": self.at})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        names, at = listed(of.others), number(self.at, of.unit)
        return Text(f"本点或 {names.zh} 达到 {at}", f"this point or {names.en} is at {at} or above")


class PhaseSpec(RuleSpec):
    """A value unlike those it had before at the same value of the point `phase`, which runs from `low` to `high`."""

    params = ("low", "high", "least", "floor", "fresh_s")
    has_peers = True
    meaning = Text("与以往同一阶段不符", "unlike earlier runs at the same stage")

    phase: str
    low: float
    high: float
    on: float = bounded("phase", "on")
    off: float | None = bounded("phase", "off", default=None)
    least: int = bounded("phase", "least")
    floor: float | None = bounded("phase", "floor", default=None)
    floor_span_percent: Positive = 0.1
    fresh_s: float | None = bounded("phase", "fresh_s", default=None)

    def peer_points(self) -> Peers:
        """Return the point that gives the phase."""
        return Peers("phase", (self.phase,), alike=False)

    def score(self, of: Measure) -> Score:
        """Score = distance over scatter."""
        off = return_threshold(self.on, self.off, number(self.on))
        param = {
            "low": self.low,
            "high": self.high,
            "least": float(self.least),
            "floor": self.floor or of.of_span(self.floor_span_percent),
            "fresh_s": self.fresh_s or of.fresh_s,
        }
        return Score(self.on, off, self.on, "", param)

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        name, subject = listed(of.others), self.subject()
        return Text(
            f"在 {name.zh} 的同一位置，{subject.zh}偏离以往平均达其波动的 {self.on:g} 倍及以上",
            f"at this stage of {name.en}, {subject.en} is {self.on:g} times its scatter or more off its earlier mean",
        )
