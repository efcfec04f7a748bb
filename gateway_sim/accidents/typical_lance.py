"""A composite: a converter's lance burns through, water lies in the vessel, and the vessel is tilted."""

from __future__ import annotations

from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.lance import Lance
from ingest.domain.model.text import Text

_BURNS_S: Final = 2500.0
_TILTED_S: Final = _BURNS_S + 480.0

TYPICAL_LANCE: Final = Accident(
    id="typical-lance-leak",
    name=Text("典型：氧枪漏水进转炉，摇炉爆炸", "Typical: lance water in a converter, which is tilted and explodes"),
    source=(
        "a composite. Found: Xinyu steel 2013-04-01 (Xinhua, reprint finance.sixwl.com 65393; the course in an"
        " examination text, haoda.laixue.com 390): some 0.3 t of a lance's water lay on the slag of converter 2,"
        " the vessel was tilted at 11:22, 4 dead, 28 hurt; Wuhai 2005-04-13 (Xinhua, sina 17395683937): an electrode"
        " sleeve burst, cooling water ran into a ferrosilicon furnace, 13 burnt. At Xinyu the water came from a lance"
        " that was cut, which no meter shows; here the tip burns through while blowing. Assumed: all numbers; the"
        " vessel is tilted eight minutes later"
    ),
    plant="converter-lance",
    physics=Lance,
    begins_s=_BURNS_S,
    no_return_s=_TILTED_S,
    ends_s=_TILTED_S + 30.0,
    says={
        "DFLOW-01": ("H", "HH", "FORECAST"),
        "FLOW_OUT-01": ("L", "LL", "FORECAST"),
    },
    healthy_s=86_400.0,
    course=(
        Moment(_BURNS_S, Text("枪头烧穿，水进炉内", "the tip burns through, water runs into the vessel")),
        Moment(_TILTED_S, Text("摇炉，水与热渣混合爆炸", "the vessel is tilted, water meets hot slag")),
    ),
)
