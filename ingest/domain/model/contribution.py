"""How much points of a group, or aspects of one point, contribute to an alarm of a rule that judges them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ingest.domain.model.payload import localized
from ingest.domain.model.text import Text


class PointAspect(StrEnum):
    """What of a point's readings contributes to an alarm."""

    SEASON = "season"
    SHIFT = "shift"
    JUMP = "jump"
    DRIFT = "drift"


ASPECTS: Final = {
    PointAspect.SEASON: Text("偏离该时段的常值", "unlike this hour's usual value"),
    PointAspect.SHIFT: Text("近期水平偏移", "recent level has shifted"),
    PointAspect.JUMP: Text("突变", "sudden change"),
    PointAspect.DRIFT: Text("缓慢漂移", "slow drift"),
}
"""How they are called."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """A point, or an aspect of one, that explains an alarm in part.

    Attributes:
        point: its id, of the alarm's plant.
        name: of the point, as it was called then, or of the aspect.
        share: of what all contribute, percent.
        aspect: of the point, where its rule judges several; None: the point is one of a group.
    """

    point: str
    name: Text
    share: float
    aspect: PointAspect | None = None

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready data, as it leaves the service and as it is stored."""
        aspect = None if self.aspect is None else self.aspect.value
        return {"point": self.point, "name": localized(self.name), "share": self.share, "aspect": aspect}


def contributions_of(rows: Iterable[Mapping[str, Any]] | None) -> tuple[Contribution, ...]:
    """Return what was stored by `Contribution.fields`; None: nothing."""
    return tuple(
        Contribution(row["point"], Text(row["name"]["zh"], row["name"]["en"]), row["share"], _aspect(row.get("aspect")))
        for row in rows or ()
    )


def _aspect(stored: str | None) -> PointAspect | None:
    return None if stored is None else PointAspect(stored)
