"""The kind that judges whether work begins again after something tripped."""

from __future__ import annotations

import math
from typing import Final

from pydantic import Field

from ingest.domain.model.text import Text
from ingest.plants.gates import Missing, Nearby
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.localized import listed, seconds
from ingest.plants.kinds.rule import Measure, RuleSpec, Score, Unfit

_MOST: Final = 32
"""Points that may trip or sign for one rule."""


class RestartSpec(RuleSpec):
    """A process that starts again within `hold_s` of a trip without a signed inspection since.

    `after` are the signals or points that trip, with their limits; `inspected` is the one whose turning to 1 signs an
    inspection: where a plant has none, only time and a stop let go. They are those of its equipment, else of the plant.

    Those of `after` that are also in `single` happen in ordinary work, and one of them is no trip by itself: `times` of
    them within `within_s` are, and one that came at most `stop_s` before the process stopped, or after it.
    """

    params = ("level", "hold_s", "single", "times", "within_s", "stop_s", *(f"at_{at}" for at in range(_MOST)))
    has_peers = True
    meaning = Text("火险后未检查即复产，余烬可能引爆", "embers may explode what was not inspected after a fire")

    after: dict[str, float] = Field(min_length=1)
    inspected: str | None = None
    hold_s: float = bounded("restart", "hold_s")
    single: list[str] = Field(default=[])
    times: int = bounded("restart", "times")
    within_s: float = bounded("restart", "within_s")
    stop_s: float = bounded("restart", "stop_s")

    def peer_points(self) -> Nearby:
        """Return what trips, and what signs."""
        return Nearby("after", (*self.after, *([self.inspected] if self.inspected else ())), frozenset(self.after))

    def score(self, of: Measure) -> Score:
        """Score = 1 while it runs in spite of a trip."""
        if len(of.others) > _MOST:
            many = len(of.others)
            raise Missing(
                "after",
                Text(
                    f"动作与签认的测点不超过 {_MOST} 个（现有 {many} 个，请在规则中写明测点编号）",
                    f"at most {_MOST} points that trip or sign, of {many}",
                ),
            )
        for name in self.single:
            if name not in {*self.after, *of.others, *of.signals}:
                known = ", ".join(self.after)
                raise Unfit("single", name, Text(f"after 中的一个：{known}", f"one of what trips: {known}"))
        limits = [
            self.after.get(point, self.after.get(signal, math.nan))
            for point, signal in zip(of.others, of.signals, strict=True)
        ]
        limits += [0.0] * (_MOST - len(limits))
        param = {f"at_{at}": limit for at, limit in enumerate(limits)}
        bits = sum(1 << at for at, named in enumerate(self._singles(of)) if named)
        param |= {"single": float(bits), "times": float(self.times), "within_s": self.within_s, "stop_s": self.stop_s}
        return Score(1.0, 0.0, 1.0, "", {"level": 0.5, "hold_s": self.hold_s, **param})

    def _singles(self, of: Measure) -> list[bool]:
        """Return which of the other points happen singly in ordinary work."""
        return [not {at, signal}.isdisjoint(self.single) for at, signal in zip(of.others, of.signals, strict=True)]

    def finds(self, of: Measure, score: Score) -> Text:
        """Return the finding in both languages."""
        trips = [point for at, point in enumerate(of.others) if not math.isnan(score.param[f"at_{at}"])]
        signs = [point for point in of.others if point not in trips]
        names, hold = listed(trips), seconds(self.hold_s)
        by = Text(f"（{listed(signs).zh}）", f" ({listed(signs).en})") if signs else Text("", "")
        single = listed([point for point, named in zip(of.others, self._singles(of), strict=True) if named])
        within, stop = seconds(self.within_s), seconds(self.stop_s)
        but = (
            Text(
                f"；{single.zh} 在 {within.zh}内不足 {self.times} 次、且此后 {stop.zh}内未停机的，不算动作",
                f"; fewer than {self.times} of {single.en} within {within.en} are none,"
                f" unless it stopped within {stop.en} of one",
            )
            if single.zh
            else Text("", "")
        )
        return Text(
            f"{names.zh} 动作后 {hold.zh}内未经检查签认{by.zh}即重新启动{but.zh}",
            f"started again within {hold.en} of a trip of {names.en} without a signed inspection{by.en}{but.en}",
        )
