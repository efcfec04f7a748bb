"""Xingtai, Hebei, 2021-10-28, 19:30: gas was let into a rebuilt main of blast furnace 3, and leaked among the crew."""

from __future__ import annotations

from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.gas_area import LEAK_OPENS_S, GasArea
from ingest.domain.model.text import Text

_LEAKS_S: Final = 1800.0
_HELPLESS_S: Final = _LEAKS_S + 300.0
_SAYS: Final = ("H", "HH", "PEOPLE", "SPREAD", "FORECAST")

XINGTAI: Final = Accident(
    id="xingtai-2021",
    name=Text(
        "邢台 2021-10-28 高炉煤气管道引煤气作业泄漏中毒",
        "Xingtai 2021-10-28: CO among the crew that lets gas into a blast furnace main",
    ),
    source=(
        "found: CCTV news 2021-10-29 (reprint dutenews.com p/6243632): 2021-10-28 about 19:30, Delong steel, blast"
        " furnace 3: while gas was let into a rebuilt main, equipment of the pipe failed and gas leaked; people on the"
        " spot were poisoned, 3 died. Assumed: all times, three CO heads, a count of people, the leak open within a"
        " minute, and that nobody there can help himself any more after five"
    ),
    plant="gas-area",
    physics=GasArea,
    begins_s=_LEAKS_S,
    no_return_s=_HELPLESS_S,
    ends_s=_HELPLESS_S + 30.0,
    says={"CO-01": _SAYS, "CO-02": _SAYS, "CO-03": _SAYS},
    healthy_s=86_400.0,
    course=(
        Moment(_LEAKS_S, Text("引煤气时管道设备故障，煤气泄漏", "equipment of the pipe fails while gas is let in")),
        Moment(_LEAKS_S + LEAK_OPENS_S, Text("泄漏全开", "the leak is fully open")),
        Moment(_HELPLESS_S, Text("现场人员中毒，无法自救", "the crew is poisoned and cannot help itself")),
    ),
)
