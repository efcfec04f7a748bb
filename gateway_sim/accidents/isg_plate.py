"""ISG Plate, USA, 2007-05-26: an arc burnt through a panel, water gathered inside, the furnace erupted at the tap."""

from __future__ import annotations

from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.arc_furnace import CHARGE_S, HEAT_S, MELT_S, ArcFurnace
from ingest.domain.model.text import Text

_BURNS_S: Final = HEAT_S + CHARGE_S + MELT_S + CHARGE_S + 600.0  # in the second bucket of the second heat
_HOT_S: Final = HEAT_S + 2.0 * (CHARGE_S + MELT_S) + 600.0
_ERUPTS_S: Final = _HOT_S + 900.0

ISG_PLATE: Final = Accident(
    id="isg-plate-2007",
    name=Text(
        "ISG Plate 2007-05-26 电弧炉炉壁水冷块漏水，出钢口堵塞，炉内爆炸",
        "ISG Plate 2007-05-26: a panel of an arc furnace leaks, and it erupts",
    ),
    source=(
        "found: OSHA accident report 202004982 (osha.gov, inspection 310716600): 2007-05-26 about 21:30, a furnace of"
        " 165 tons; a stray arc is believed to have made a significant leak in a water-cooled panel of the shell, water"
        " gathered inside; at pouring temperature the taphole was blocked and several tries failed; at the last, with"
        " an oxygen lance, the furnace erupted: scrap is believed to have fallen into the bath and to have covered the"
        " water; 1 dead, 2 hurt. Assumed: all times, 1140 s from the hole to pouring temperature and 15 min of tries,"
        " all flows, a leak of 6 to 15 of 600 m³/h, a meter of the flow difference and an analyser of the off-gas"
    ),
    plant="arc-furnace",
    physics=ArcFurnace,
    begins_s=_BURNS_S,
    no_return_s=_ERUPTS_S,
    ends_s=_ERUPTS_S + 30.0,
    says={"DFLOW-01": ("H", "HH", "FORECAST"), "H2-01": ("H", "REFINING")},
    healthy_s=86_400.0,
    needed_s=300.0,
    course=(
        Moment(_BURNS_S, Text("电弧烧穿炉壁水冷块，水进炉内", "the arc burns through a panel, water runs inside")),
        Moment(_HOT_S, Text("钢水到温，出钢口堵塞", "hot enough to tap, but the taphole is blocked")),
        Moment(_ERUPTS_S, Text("氧枪烧出钢口时炉内爆炸", "the furnace erupts while the taphole is lanced")),
    ),
)
