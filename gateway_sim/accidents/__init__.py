"""Published accidents as physical scenarios: would the service have raised an alarm in time?"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.changzhou import CHANGZHOU
from gateway_sim.accidents.haian import HAIAN
from gateway_sim.accidents.isg_plate import ISG_PLATE
from gateway_sim.accidents.jiangyin import JIANGYIN
from gateway_sim.accidents.pingguo import PINGGUO
from gateway_sim.accidents.qingyuan import QINGYUAN, QINGYUAN_STEADY
from gateway_sim.accidents.typical_holder import TYPICAL_HOLDER
from gateway_sim.accidents.typical_lance import TYPICAL_LANCE
from gateway_sim.accidents.xingtai import XINGTAI
from gateway_sim.accidents.yingkou import YINGKOU

PLANTS: Final = Path(str(files("gateway_sim.accidents"))) / "plants"
"""The folder of the plant files the accidents happen in."""

ACCIDENTS: Final[Mapping[str, Accident]] = {
    accident.id: accident
    for accident in (
        JIANGYIN,
        QINGYUAN,
        QINGYUAN_STEADY,
        PINGGUO,
        HAIAN,
        CHANGZHOU,
        XINGTAI,
        YINGKOU,
        ISG_PLATE,
        TYPICAL_HOLDER,
        TYPICAL_LANCE,
    )
}
"""All of them by id."""

__all__ = ["ACCIDENTS", "PLANTS", "Accident", "Moment"]
