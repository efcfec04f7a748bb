"""A composite: the piston of a dry gas holder sticks and tilts while converter gas goes on coming in."""

from __future__ import annotations

from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.gas_holder import GasHolder
from ingest.domain.model.text import Text

_STICKS_S: Final = 3600.0
_LEAKS_S: Final = _STICKS_S + 600.0

TYPICAL_HOLDER: Final = Accident(
    id="typical-gas-holder",
    name=Text("典型：煤气柜活塞卡阻倾斜，密封失效", "Typical: a gas holder's piston sticks and tilts, its seal fails"),
    source=(
        "no notice of a stuck piston could be read: a composite of what tilt, level and pressure of a holder are"
        " monitored for (recalled, verify: GB 6222). What gas from a holder does is found: Meishan steel 2012-02-23"
        " (China Securities Journal, reprint ah.steelcn.cn): converter gas came back into an 80 000 m³ holder under"
        " repair, 13 poisoned, 3 dead. Assumed: all numbers; the seal fails ten minutes after the piston sticks"
    ),
    plant="gas-holder",
    physics=GasHolder,
    begins_s=_STICKS_S,
    no_return_s=_LEAKS_S,
    ends_s=_LEAKS_S + 30.0,
    says={"GH_TILT-01": ("H",), "GH_P-01": ("H",)},
    healthy_s=86_400.0,
    course=(
        Moment(_STICKS_S, Text("活塞一侧卡阻，继续进气", "one side of the piston sticks, gas goes on coming in")),
        Moment(_LEAKS_S, Text("密封失效，煤气窜到活塞上部", "the seal fails, gas gets above the piston")),
    ),
)
