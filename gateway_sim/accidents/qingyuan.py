"""Qingyuan, Guangdong, 2022-04-03, 11:10: metal ran into the pit for 92 s unnoticed; the next pit exploded too."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.casting import BEGIN_S, CAST_S, HydraulicPit, Trouble
from gateway_sim.accidents.hall import Hall
from ingest.domain.model.text import Text

UNNOTICED_S: Final = 92.0
"""From the first metal in the pit to the explosion, as the notice says."""
_START_S: Final = BEGIN_S + 80.0
_STEADY_S: Final = BEGIN_S + 1500.0
_NEXT_LATE_S: Final = 400.0  # the second pit is so much behind the first


class LeakingMould(HydraulicPit):
    """Metal runs past a mould's guide hole into the pit, more and more of it, and nobody is at the panel."""

    def __init__(self, seed: int) -> None:
        super().__init__(2 * seed)
        self._most_mm_s = self.rng.uniform(12.0, 30.0)

    def harm(self, since_s: float) -> Trouble:
        """What the accident does `since_s` seconds after it began."""
        drain = self._most_mm_s * (1.0 - math.exp(-since_s / 10.0))  # the hole washes out
        return Trouble(drain_mm_s=drain, heat_k=0.4 * drain, unwatched=True)


def _hall(seed: int) -> Hall:
    return Hall([LeakingMould(seed), HydraulicPit(2 * seed + 1, "02", _NEXT_LATE_S)])


def _course(begins_s: float) -> tuple[Moment, ...]:
    return (
        Moment(begins_s, Text("看盘工离岗，结晶器导孔漏铝入井", "nobody at the panel; metal leaks past a guide hole")),
        Moment(
            begins_s + UNNOTICED_S,
            Text("铝液遇水爆炸，邻井随后爆炸", "metal and water explode; then the next pit does"),
        ),
    )


QINGYUAN: Final = Accident(
    id="qingyuan-2022",
    name=Text(
        "清远 2022-04-03 结晶器漏铝无人看盘（开铸阶段）",
        "Qingyuan 2022-04-03: a mould leaks and nobody watches (start of the cast)",
    ),
    source=(
        "found: 应急厅函〔2022〕106号 (reprint, m.ssbofei.com) and 中国应急管理报 (reprint, senchao.net): leak at a"
        " mould's guide hole, the watcher away, metal in the pit 1 min 32 s unnoticed, the next pit exploded too; 5"
        " dead. Assumed: the watcher is away from the leak's first second on, none earlier; 80 mm of cast; a leak of"
        " 12 to 30 mm/s of the launder's level, washed out within half a minute; the second pit 400 s behind"
    ),
    plant="casting-hall",
    physics=_hall,
    begins_s=_START_S,
    no_return_s=_START_S + UNNOTICED_S,
    ends_s=_START_S + UNNOTICED_S + 30.0,
    says={
        "LVL_MOLD-01": ("L", "LL", "RATE"),
        "WATCHER-01": ("OFF",),
        "LEAK-01": ("ON",),
        "LEAK-02": ("NEXT",),
        "CW_OUT_T-01": ("DT", "RATE", "HH"),
        "LVL_FURN-01": ("L", "LL", "RATE"),
    },
    needed_s=15.0,
    healthy_s=CAST_S,
    course=_course(_START_S),
)

QINGYUAN_STEADY: Final = replace(
    QINGYUAN,
    id="qingyuan-2022-steady",
    name=Text(
        "清远 2022-04-03 结晶器漏铝无人看盘（稳定阶段）",
        "Qingyuan 2022-04-03: a mould leaks and nobody watches (steady casting)",
    ),
    source=QINGYUAN.source.replace("80 mm of cast", "1.5 m of cast"),
    begins_s=_STEADY_S,
    no_return_s=_STEADY_S + UNNOTICED_S,
    ends_s=_STEADY_S + UNNOTICED_S + 30.0,
    course=_course(_STEADY_S),
)
