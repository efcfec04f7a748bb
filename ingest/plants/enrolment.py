"""Finds by when an enterprise must be connected to the national system, and under which clause."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

from ingest.domain.model.plant import PlantKind
from ingest.domain.model.text import Text

Dust = Literal["metal", "wood", "aluminium", "magnesium", "grain", "other"]

FIRST: Final = dt.date(2024, 12, 31)
SECOND: Final = dt.date(2025, 12, 31)

_LIGHT_METAL: Final = frozenset({"aluminium", "magnesium"})
_METAL_OR_WOOD: Final = frozenset({"metal", "wood"}) | _LIGHT_METAL  # aluminium and magnesium are metals


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A deadline (None = not mandatory) and the clause it comes from."""

    connect_by: dt.date | None
    tier: Text


def due(kind: PlantKind, *, dust: str | None, dust_workers: int, deep_well: bool, pilot: bool) -> Enrolment:
    """Return the earliest deadline that applies to an enterprise.

    Source: 应急厅函〔2023〕82号 and 应急厅函〔2024〕8号, with the stages of the national work plan.

    >>> due("dust", dust="magnesium", dust_workers=30, deep_well=False, pilot=False).connect_by
    datetime.date(2024, 12, 31)
    """
    casting = kind == "aluminium" and deep_well
    clauses = (
        (
            dust in _METAL_OR_WOOD and dust_workers >= 30,
            FIRST,
            Text("金属、木粉尘，涉粉作业30人及以上", "metal or wood dust, 30 or more dust workers"),
        ),
        (pilot and kind == "steel", FIRST, Text("试点钢铁企业", "pilot steel enterprise")),
        (pilot and casting, FIRST, Text("试点铝加工（深井铸造）企业", "pilot deep-well aluminium casting enterprise")),
        (kind == "steel", SECOND, Text("钢铁企业", "steel enterprise")),
        (casting, SECOND, Text("铝加工（深井铸造）企业", "deep-well aluminium casting enterprise")),
        (dust_workers >= 10, SECOND, Text("粉尘涉爆，涉粉作业10人及以上", "explosive dust, 10 or more dust workers")),
        (
            dust in _LIGHT_METAL and dust_workers >= 5,
            SECOND,
            Text("铝、镁粉尘，涉粉作业5人及以上", "aluminium or magnesium dust, 5 or more dust workers"),
        ),
    )
    for holds, deadline, tier in clauses:  # earliest deadline first
        if holds:
            return Enrolment(deadline, tier)
    return Enrolment(None, Text("未列入强制接入范围", "not mandatory"))
