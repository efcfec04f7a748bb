"""An interlock in the hall of the stand-in, which can be bypassed and put back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from ingest.domain.model.alarm import Alarm
from ingest.domain.model.text import Text
from ingest.engine.bypasses import pass_time
from ingest.plants.view import Latest
from tests.ingest.web.made_up_plants import STEEL
from tests.ingest.web.stand_in import StandIn

LANCE: Final = "LANCE-01"
_STATES: Final = (Text("投用", "in service"), Text("旁路", "bypassed"))


def with_interlock(hall: StandIn) -> None:
    """Give the steel plant the state of an interlock."""
    known = hall.known
    plant, like, n = known.plants[STEEL], known.find(STEEL, "CO-02"), len(known.points)
    assert like is not None
    rule = next(rule for rule in like.rules if rule.code == "HH")
    title = Text("氧枪联锁 旁路", "Lance interlock bypassed")
    rule = replace(rule, point=LANCE, code="ON", limit=0.5, unit="", title=title)
    point = replace(
        like, index=n, id=LANCE, signal="STL_LANCE_INTLK", name=Text("氧枪联锁", "Lance interlock"), unit="", low=0.0,
        high=1.0, rules=(rule,), states=_STATES, interlock=True,
    )  # fmt: skip
    hall.known = replace(
        known,
        plants={**known.plants, STEEL: replace(plant, points=(*plant.points, point))},
        points=(*known.points, point),
        low=np.append(known.low, 0.0),
        high=np.append(known.high, 1.0),
        carrier=np.append(known.carrier, known.carrier[-1]),
    )
    show(hall, 0.0)


def show(hall: StandIn, value: float | None, *, stale: bool = False) -> None:
    """Have the interlock show 1 (bypassed), 0 (in service) or nothing usable."""
    hall.put(STEEL, LANCE, Latest(hall.time, value, 0, stale=stale))


def bypass(hall: StandIn) -> Alarm:
    """Bypass it: the alarm."""
    show(hall, 1.0)
    return hall.raise_alarm(STEEL, LANCE, "ON", 1.0)


async def let_pass(hall: StandIn, hours: float) -> None:
    """Let time go by for registrations."""
    hall.pass_time(hours * 3600)
    await hall.order(pass_time)
