"""Jiangyin, Jiangsu, 2018-08-28, 01:59: a winch rope broke, the casting base tilted, the billets fell off it."""

from __future__ import annotations

import math
from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.casting import BEGIN_S, CAST_S, RopePit, Trouble
from ingest.domain.model.text import Text

_BREAKS_S: Final = BEGIN_S + 1200.0
_FALL_AFTER_S: Final = 30.0
_POUR_AFTER_S: Final = 45.0


class BrokenRope(RopePit):
    """A rope breaks: the base hangs askew and goes on down, until the billets fall and the moulds pour into the pit."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._drops_deg = self.rng.uniform(1.5, 4.0)
        self._pours_mm_s = self.rng.uniform(10.0, 25.0)

    def harm(self, since_s: float) -> Trouble:
        """What the accident does `since_s` seconds after it began."""
        fallen = since_s >= _FALL_AFTER_S
        return Trouble(
            tilt_deg=self._drops_deg * (1.0 - math.exp(-since_s / 2.0)) + 0.05 * since_s,
            ropes_percent=100.0 * (1.0 - math.exp(-since_s)),
            drain_mm_s=self._pours_mm_s if fallen else 0.0,
            heat_k=10.0 if fallen else 0.0,
            unwatched=True,
        )


JIANGYIN: Final = Accident(
    id="jiangyin-2018",
    name=Text(
        "江阴 2018-08-28 卷扬钢丝绳断裂，铸造底座倾斜",
        "Jiangyin 2018-08-28: a winch rope breaks, the casting base tilts",
    ),
    source=(
        "found: reprint of the report (chemicalsafety.org.cn): 01:59, one of the winch ropes broke, the casting base"
        " tilted, billets fell off, metal poured into the water, nobody watched; 5 dead. Assumed: 1.2 m of cast; the"
        " base drops by 1.5 to 4 degrees at once and tilts on; 30 s until the billets fall, 45 s until the explosion."
        " Nothing is assumed to show before the rope breaks, though strands mostly go one after the other"
    ),
    plant="casting-rope",
    physics=BrokenRope,
    begins_s=_BREAKS_S,
    no_return_s=_BREAKS_S + _POUR_AFTER_S,
    ends_s=_BREAKS_S + _POUR_AFTER_S + 30.0,
    says={"TILT-01": ("HH",), "ROPE_DIFF-01": ("HH",), "WATCHER-01": ("OFF",)},
    needed_s=10.0,
    physical_lead=False,
    healthy_s=CAST_S,
    course=(
        Moment(_BREAKS_S, Text("一根钢丝绳断裂，底座倾斜，无人看盘", "a rope breaks, the base tilts, nobody watches")),
        Moment(_BREAKS_S + _FALL_AFTER_S, Text("铸锭脱落", "the billets fall off")),
        Moment(_BREAKS_S + _POUR_AFTER_S, Text("铝液大量入水爆炸", "metal pours into the water and explodes")),
    ),
)
