"""Suppression of alarms (ISA-18.2): shelved, suppressed by design, out of service (停用), which only hide them.

A function check (功能检查, NAMUR NE 107) is begun, ended and recorded in the same way, and hides nothing: meanwhile no
reading of its point is a measurement of the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class SuppressionKind(StrEnum):
    """Why an alarm is hidden from the operator, the weakest first."""

    FUNCTION_CHECK = "function-check"  # 功能检查: the instrument is tested, for a limited time; hides nothing
    SHELVED = "shelved"  # by an operator, for a limited time
    SUPPRESSED = "suppressed"  # by the plant's design: alarms that mean nothing in this state of the plant
    OUT_OF_SERVICE = "out-of-service"  # 停用: applied for and approved, while an instrument is repaired or replaced

    @property
    def strength(self) -> int:
        """Its rank: of two that cover the same alarm, the stronger one is shown and counts."""
        return tuple(SuppressionKind).index(self)

    @property
    def hides(self) -> bool:
        """Whether it hides alarms."""
        return self is not SuppressionKind.FUNCTION_CHECK


class SuppressionState(StrEnum):
    """The state of a suppression."""

    APPLIED = "applied"  # waits for approval: only what is taken out of service does
    IN_FORCE = "in-force"
    REJECTED = "rejected"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Suppression:
    """One suppression of a point's alarms. Times are ns since the epoch, UTC.

    Attributes:
        rule: the rule's code, or None: every rule of the point.
        applicant, applied: who applied for it and when.
        approver, decided: who approved or rejected it and when; shelving needs no approval.
        begins, until: when it is in force; `until` None: until it is ended by hand.
        ended, ended_by: when it ended, and by whom; `YUJING` when it expired.
    """

    id: UUID
    kind: SuppressionKind
    state: SuppressionState
    plant: str
    point: str
    rule: str | None
    reason: str
    applicant: str
    applied: int
    begins: int
    until: int | None
    approver: str | None = None
    decided: int | None = None
    ended: int | None = None
    ended_by: str | None = None

    def holds(self, now: int) -> bool:
        """Whether it is in force at `now`, ns: approved, begun and not expired."""
        return (
            self.state is SuppressionState.IN_FORCE and self.begins <= now and (self.until is None or self.until > now)
        )

    def overdue(self, now: int) -> bool:
        """Whether it is a function check that has lasted for too long at `now`, ns, and that nobody has ended."""
        return self.state is SuppressionState.IN_FORCE and not self.kind.hides and (self.until or 0) <= now

    def covers(self, plant: str, point: str, rule: str) -> bool:
        """Whether it applies to alarms of that rule."""
        return (plant, point) == (self.plant, self.point) and self.rule in {None, rule}
