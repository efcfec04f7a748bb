"""Pingguo, Guangxi, 2023-10-20, 21:19: metal leaked into the cooling water while billets were drawn."""

from __future__ import annotations

import math
from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.casting import BEGIN_S, CAST_S, HydraulicPit, Trouble
from gateway_sim.accidents.qingyuan import UNNOTICED_S
from ingest.domain.model.text import Text

_LEAKS_S: Final = BEGIN_S + 2000.0


class BleedOut(HydraulicPit):
    """A billet's shell opens below the mould: metal gets into its water, which steams and is held up."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._heat_k = self.rng.uniform(8.0, 20.0)
        self._choked = self.rng.uniform(0.06, 0.2)
        self._drain_mm_s = self.rng.uniform(2.0, 8.0)

    def harm(self, since_s: float) -> Trouble:
        """What the accident does `since_s` seconds after it began."""
        grown = 1.0 - math.exp(-since_s / 15.0)
        return Trouble(drain_mm_s=self._drain_mm_s * grown, heat_k=self._heat_k * grown, choked=self._choked * grown)


PINGGUO: Final = Accident(
    id="pingguo-2023",
    name=Text("平果 2023-10-20 拉铸中铝液漏入冷却水", "Pingguo 2023-10-20: metal leaks into the cooling water"),
    source=(
        "found: reprint of the notice (isa-hsse.com): 21:19, metal leaked into the cooling water while billets were"
        " drawn; 6 dead, 5 hurt. Assumed: 2 m of cast; as long until the explosion as the one interval that is"
        " documented, the 92 s of Qingyuan; 8 to 20 K of heat, 6 to 20 % less flow, 2 to 8 mm/s of the launder's level"
    ),
    plant="casting-hydraulic",
    physics=BleedOut,
    begins_s=_LEAKS_S,
    no_return_s=_LEAKS_S + UNNOTICED_S,
    ends_s=_LEAKS_S + UNNOTICED_S + 30.0,
    says={
        "CW_OUT_T-01": ("RATE", "DT", "HH"),
        "CW_IN_F-01": ("CHOKED", "L", "LL"),
        "LEAK-01": ("ON",),
        "LVL_MOLD-01": ("L", "LL", "RATE"),
    },
    healthy_s=CAST_S,
    course=(
        Moment(_LEAKS_S, Text("铸坯漏铝，铝液进入冷却水", "a billet bleeds, metal gets into the cooling water")),
        Moment(_LEAKS_S + UNNOTICED_S, Text("铝液与水接触爆炸", "metal and water explode")),
    ),
)
