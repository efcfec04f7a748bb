"""Changzhou, Jiangsu, 2024-01-20: a flash fire was put out and work went on; embers blew up the wet collector."""

from __future__ import annotations

from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.grinding import RESTART_S, STOP_S, GrindingHall
from ingest.domain.model.text import Text

_FLASH_S: Final = 1800.0
_EXPLODES_S: Final = _FLASH_S + 98 * 60 + 7  # 01:54 to 03:32:07
_LATEST_S: Final = 1.3 * RESTART_S
"""After the flash they had begun again by then, whatever the seed."""

CHANGZHOU: Final = Accident(
    id="changzhou-dust-2024",
    name=Text(
        "常州 2024-01-20 闪燃扑灭后复产，湿式除尘器余烬爆炸",
        "Changzhou 2024-01-20: restarted after a flash fire, embers explode in a wet collector",
    ),
    source=(
        "found: reprints of the investigation report of Changzhou (163.com JJHCOOV00514R9P4, news.china.com 47753196):"
        " 01:54 aluminium dust flashed in the vacuum pipe of grinding machine 2, people put the fire out and resumed"
        " work; 03:32:07, 98 min later, embers in the 1# wet collector exploded; 8 dead, 8 hurt. Assumed: a spark"
        " detector in the duct and thermometers, work stopped 1 min after the flash and begun again 10 to 20 min"
        " after it, the collector warmed by 40 K in the end; ordinary sparks as gateway_sim/physics/sparks.py says"
    ),
    plant="grinding-wet",
    physics=GrindingHall,
    begins_s=_FLASH_S,
    no_return_s=_EXPLODES_S,
    ends_s=_EXPLODES_S,
    says={"PROC-01": ("RESTART",), "FAN-01": ("RESTART",), "WET_T-01": ("H", "HH")},
    needed_s=_LATEST_S + 10.0,
    ordinary={"SPARK-01": ("ON",)},
    healthy_s=86_400.0,
    course=(
        Moment(_FLASH_S, Text("打磨机真空管内铝粉闪燃", "aluminium dust flashes in a grinding machine's vacuum pipe")),
        Moment(_FLASH_S + STOP_S, Text("停机，扑灭明火", "machines stopped, the fire is put out")),
        Moment(_FLASH_S + RESTART_S, Text("未经检查恢复作业", "work begins again without an inspection")),
        Moment(_EXPLODES_S, Text("1#湿式除尘器内余烬引爆", "embers explode in wet collector 1")),
    ),
)
