"""What an alarm of a bypassed interlock says of the registration that covers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from ingest.domain.model.payload import iso, localized
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class RegisteredBypass:
    """The registration of a bypass (联锁旁路登记), as its interlock's alarm carries it.

    Attributes:
        id: of the registration.
        until: the end of its longest time, ns since the epoch, UTC.
        requested_by, approved_by: who asked for it, and who allowed it last.
        expired: its longest time is over, and nobody has put the interlock back or extended it.
    """

    id: UUID
    requested_by: str
    approved_by: str
    reason: str
    measure: str
    until: int
    expired: bool = False

    @property
    def title(self) -> Text:
        """What it is called beside the alarm."""
        return (
            Text("旁路登记已到期", "registered bypass, expired")
            if self.expired
            else Text("已登记旁路", "registered bypass")
        )

    def row(self) -> dict[str, Any]:
        """Return it as it is stored with its alarm, JSON-ready."""
        return asdict(self) | {"id": str(self.id)}

    def fields(self) -> dict[str, Any]:
        """Return it in the shape shared by webhooks, streams and the API."""
        return self.row() | {"until": iso(self.until), "title": localized(self.title)}


def registered_bypass(row: Mapping[str, Any]) -> RegisteredBypass:
    """Return the registration stored with an alarm."""
    return RegisteredBypass(**{**row, "id": UUID(row["id"])})
