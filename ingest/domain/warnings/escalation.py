"""Escalation 企业→乡镇→县→市→省: who is asked, until when, and who is asked next (pure).

A step that does not answer in time passes the question on, once, and the next one gets its own full time. A step nobody
is assigned to is passed at once. The last one is asked again and again. Where nobody at all is assigned, everyone is.

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
    """Whether that role may acknowledge a warning at this step; `assigned`: whether anybody is to answer there.

    The plant's own people may until it has gone up to somebody.
    """
    return role != "operator" or step is Step.ENTERPRISE or not assigned


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each colour may wait, ns, and at which parts of that time it is reminded of."""

    acknowledge: Mapping[Colour, int]
    feedback: Mapping[Colour, int]
    remind_at: tuple[float, ...] = ()

    def allowed(self, asked: Asked, peak: Colour) -> int:
        """The time there is for an answer."""
        return (self.acknowledge if asked is Asked.ACKNOWLEDGEMENT else self.feedback)[peak]


@dataclass(frozen=True, slots=True)
class Duty:
    """Who answers for one plant, by step; steps nobody is assigned to are left out."""

    holders: Mapping[Step, tuple[str, ...]] = field(default_factory=dict)

    def first(self) -> Step:
        """Who is asked first; the province where nobody is assigned: there everyone is asked."""
        return next((step for step in STEPS if step in self.holders), Step.PROVINCE)

    def above(self, step: Step) -> Step | None:
        """Who is asked after that step; None: nobody is left."""
        return next((above for above in STEPS if above > step and above in self.holders), None)

    def at(self, step: Step) -> tuple[str, ...]:
        """Who is asked at that step; nobody in particular, which is everyone, where none is assigned."""
        return self.holders.get(step, ())


def deadline(warning: EarlyWarning, pace: Deadlines) -> int | None:
    """When the present step has missed its time; None: nothing is missing."""
    if warning.asking is None:
        return None
    return warning.asked + pace.allowed(warning.asking, warning.peak)


def due(warning: EarlyWarning, pace: Deadlines) -> int | None:
    """When the next reminder or escalation is due; None: never."""
    if warning.asking is None:
        return None
    allowed = pace.allowed(warning.asking, warning.peak)
    part = pace.remind_at[warning.reminded] if warning.reminded < len(pace.remind_at) else 1
    return warning.asked + int(allowed * part)


def escalate(
    warning: EarlyWarning, pace: Deadlines, duty: Duty
) -> tuple[WarningEventKind, EarlyWarning, dict[str, Any]]:
    """What is due: a reminder, or the question goes up. The warning as it is then, and what is said with it.

    It counts as done when it was due, so that a late look changes nothing.
    """
    time = due(warning, pace)
    if time is None:
        raise ValueError("nothing is asked of anybody")
    missing = str(warning.asking)
    if warning.reminded < len(pace.remind_at):
        return WarningEventKind.REMINDED, replace(warning, reminded=warning.reminded + 1), {"awaited": missing}
    above = duty.above(warning.step)
    if above is None:
        return WarningEventKind.REMINDED, replace(warning, asked=time, reminded=0), {"missed": missing}
    went = replace(warning, step=above, asked=time, reminded=0)
    return WarningEventKind.ESCALATED, went, {"missed": missing, "from": str(warning.step)}
