"""How much each point of a group contributes to an alarm of a rule that judges the group as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.domain.model.payload import localized
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class Contribution:
    """A point that explains an alarm in part.

    Attributes:
        point: its id, of the alarm's plant.
        name: as it was called then.
        share: of what all points of the group contribute, percent.
    """

    point: str
    name: Text
    share: float

    def fields(self) -> dict[str, Any]:
        """Return it as JSON-ready data, as it leaves the service and as it is stored."""
        return {"point": self.point, "name": localized(self.name), "share": self.share}


def contributions_of(rows: Iterable[Mapping[str, Any]] | None) -> tuple[Contribution, ...]:
    """Return what was stored by `Contribution.fields`; None: nothing."""
    return tuple(
        Contribution(row["point"], Text(row["name"]["zh"], row["name"]["en"]), row["share"]) for row in rows or ()
    )
