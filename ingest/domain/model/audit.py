"""Audit trail: who did what, when, to what. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

YUJING: Final = "yujing"
"""The actor of what the service does by itself."""

ActRole = Literal["service", "operator", "inspector", "admin", "display", "shell", "nobody"]
"""A token's role; `shell`: the system's user at a command line; `nobody`: who was not let in."""

ActKind = Literal[
    "alarm",
    "suppression",
    "warning",
    "disposition",
    "evidence",
    "hazard",
    "lead",
    "inspection",
    "self-inspection",
    "enterprise",
    "point",
    "access",
    "export",
    "plant-file",
    "quarantine",
    "events",
    "data",
]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done, by a person or by the service itself.

    Attributes:
        time: ns since the epoch, UTC.
        actor: the name of the token it was done with, or `YUJING`.
        action: what was done, a word: "acknowledged", "escalated", "closed".
        kind, subject: what it was done to; `subject` is that record's id.
        plant: the plant it concerns; empty: none, and only who sees every plant sees it.
        detail: JSON-ready; what was said, and what changed.
    """

    time: int
    actor: str
    role: ActRole
    action: str
    kind: ActKind
    subject: str
    plant: str
    detail: Mapping[str, Any] = field(default_factory=dict)
