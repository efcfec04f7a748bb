"""Escalation 企业→乡镇→县→市→省: which tier is asked, until when, and which one next (pure).

A tier that does not answer in time passes the question on, once, and the next one gets its own full time. A tier nobody
is assigned to is skipped. The last one is asked again and again. Where nobody at all is assigned, everyone is asked.

First a warning must be acknowledged, within the time for its highest colour. From then on feedback is asked for, within
another. What counts is the highest colour so far: no deadline grows because the colour falls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ingest.domain.model.audit import ActRole
from ingest.domain.model.warning import Asked, Colour, EarlyWarning, Step, WarningEventKind

STEPS: Final = tuple(Step)


def may_acknowledge(role: ActRole, step: Step, *, assigned: bool) -> bool:
    """Whether that role may acknowledge a warning at this tier; `assigned`: whether anybody is assigned to it.

    The plant's own people may until it was escalated to somebody.
    """
    return role != "operator" or step is Step.ENTERPRISE or not assigned


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each colour may wait, ns, and at which fractions of that time reminders are due."""

    acknowledge: Mapping[Colour, int]
    feedback: Mapping[Colour, int]
    remind_at: tuple[float, ...] = ()

    def allowed(self, asked: Asked, peak: Colour) -> int:
        """Return the time allowed for an answer."""
        return (self.acknowledge if asked is Asked.ACKNOWLEDGEMENT else self.feedback)[peak]


@dataclass(frozen=True, slots=True)
class Duty:
    """Who answers for one plant, by tier; tiers nobody is assigned to are left out."""

    holders: Mapping[Step, tuple[str, ...]] = field(default_factory=dict)

    def first(self) -> Step:
        """Return the tier that is asked first; the province where nobody is assigned: there everyone is asked."""
        return next((step for step in STEPS if step in self.holders), Step.PROVINCE)

    def above(self, step: Step) -> Step | None:
        """Return the tier that is asked after that one; None: it is the last."""
        return next((above for above in STEPS if above > step and above in self.holders), None)

    def at(self, step: Step) -> tuple[str, ...]:
        """Return the names of those asked at that tier; empty, which is everyone, where none is assigned."""
        return self.holders.get(step, ())


def deadline(warning: EarlyWarning, deadlines: Deadlines) -> int | None:
    """Return the present tier's deadline; None: nothing is asked for."""
    if warning.asking is None:
        return None
    return warning.asked + deadlines.allowed(warning.asking, warning.peak)


def due(warning: EarlyWarning, deadlines: Deadlines) -> int | None:
    """Return when the next reminder or escalation is due; None: never."""
    if warning.asking is None:
        return None
    allowed = deadlines.allowed(warning.asking, warning.peak)
    part = deadlines.remind_at[warning.reminded] if warning.reminded < len(deadlines.remind_at) else 1
    return warning.asked + int(allowed * part)


def escalate(
    warning: EarlyWarning, deadlines: Deadlines, duty: Duty
) -> tuple[WarningEventKind, EarlyWarning, dict[str, Any]]:
    """Remind or escalate, whichever is due; returns the event's kind, the new warning and the event's detail.

    It happens at its due time, so that a late call changes nothing.
    """
    time = due(warning, deadlines)
    if time is None:
        raise ValueError("nothing is asked of anybody")
    missing = str(warning.asking)
    if warning.reminded < len(deadlines.remind_at):
        return WarningEventKind.REMINDED, replace(warning, reminded=warning.reminded + 1), {"awaited": missing}
    above = duty.above(warning.step)
    if above is None:
        return WarningEventKind.REMINDED, replace(warning, asked=time, reminded=0), {"missed": missing}
    went = replace(warning, step=above, asked=time, reminded=0)
    return WarningEventKind.ESCALATED, went, {"missed": missing, "from": str(warning.step)}
