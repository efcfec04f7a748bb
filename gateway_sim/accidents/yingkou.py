"""Yingkou, Liaoning, 2023-06-22, 07:55: a hearth nobody could see any more for 16 h burnt through into its water."""

from __future__ import annotations

from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.hearth import Hearth
from ingest.domain.model.text import Text

_CABLE_S: Final = 1800.0
_BURST_S: Final = _CABLE_S + 16.0 * 3600.0  # 15:55 to 07:55
_LOST: Final = ("BLIND", "RANGE", "CURRENT")

YINGKOU: Final = Accident(
    id="yingkou-2023",
    name=Text(
        "营口 2023-06-22 热电偶电缆烧毁后单侧出铁，炉缸烧穿",
        "Yingkou 2023-06-22: blind taps at one side, and a hearth burns through",
    ),
    source=(
        "found: notice of the State Council's Safety Commission Office, 2023-07-10 (reprint caixin.com 102074308):"
        " blast furnace 1, at the end of its campaign; 2023-06-21 15:55 the main runner of the west taphole leaked,"
        " all taps went on at the east side, and the iron burnt the signal cable of the hearth's thermocouples; 16"
        " h without them; 2023-06-22 about 07:55 the hearth burnt through, slag and iron met cooling water and"
        " erupted; 5 dead, 4 hurt. Assumed: four thermocouples on that cable, transmitters that show its loss as 21"
        " mA, heat of the staves that rises by 4 to 8 of 6 kW/m² by the end; the cable burns at 15:55, too"
    ),
    plant="blast-furnace",
    physics=Hearth,
    begins_s=_CABLE_S,
    no_return_s=_BURST_S,
    ends_s=_BURST_S + 30.0,
    says={
        **{f"HEARTH_T-{side:02}": _LOST for side in (1, 2, 3, 4)},
        "HEAT-01": ("H", "HH", "FORECAST"),
    },
    needed_s=60.0,
    healthy_s=86_400.0,
    course=(
        Moment(_CABLE_S, Text("西主沟漏铁，烧毁热电偶电缆；改为单侧出铁", "a runner leaks and burns the cable")),
        Moment(_BURST_S, Text("炉缸烧穿，渣铁遇水喷爆", "the hearth burns through, iron and water erupt")),
    ),
)
