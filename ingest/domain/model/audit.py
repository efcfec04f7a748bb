"""The audit trail's record: who did what, when, to what. Records are only ever appended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

YUJING: Final = "yujing"
"""The actor of what the service itself does."""

ActRole = Literal["service", "operator", "inspector", "admin", "display", "channel", "shell", "nobody"]
"""A token's role; `shell`: the system's user at a command line; `nobody`: a caller who was refused."""

ActKind = Literal[
    "alarm",
    "suppression",
    "warning",
    "call",
    "roster",
    "disposition",
    "evidence",
    "hazard",
    "lead",
    "bypass",
    "inspection",
    "self-inspection",
    "enterprise",
    "work",
    "cleaning",
    "pledge",
    "instrument",
    "point",
    "access",
    "export",
    "plant-file",
    "quarantine",
    "message",
    "events",
    "data",
]


@dataclass(frozen=True, slots=True)
class Act:
    """One action of a person or of the service itself.

    Attributes:
        time: ns since the epoch, UTC.
        actor: the name of the token used, or `YUJING`.
        action: what was done, a word: "acknowledged", "escalated", "closed".
        kind, subject: the kind and the id of the record it was done to.
        plant: the plant it concerns; empty: none, visible only to callers who see every plant.
        detail: comments and changed values, JSON-ready.
    """

    time: int
    actor: str
    role: ActRole
    action: str
    kind: ActKind
    subject: str
    plant: str
    detail: Mapping[str, Any] = field(default_factory=dict)
