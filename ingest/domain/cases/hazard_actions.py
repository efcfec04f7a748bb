"""Each step of a hazard as data: what it needs, and what it changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from ingest.domain.cases.criteria import Clause
from ingest.domain.cases.errors import Impossible, Incomplete, NotTheirs
from ingest.domain.cases.hazard import Hazard, HazardLevel
from ingest.domain.cases.hazard_steps import HazardStep, not_past, required


@dataclass(frozen=True, slots=True)
class Register:
    """登记: it is entered in the books."""

    step: ClassVar = HazardStep.REGISTER

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Nothing but the state."""
        return {}


@dataclass(frozen=True, slots=True)
class Grade:
    """分级: general, or major by a clause of the criteria."""

    step: ClassVar = HazardStep.GRADE
    level: HazardLevel
    clause: Clause | None = None
    reason: str | None = None

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Level and clause. A major hazard has one, a general one has none."""
        if self.level is HazardLevel.MAJOR and self.clause is None:
            raise Incomplete("clause", None, "the clause of the criteria that a major hazard falls under")
        if self.level is HazardLevel.GENERAL and self.clause is not None:
            raise Incomplete("clause", self.clause.id, "none for a general hazard")
        return {
            "level": self.level,
            "clause": self.clause.id if self.clause else None,
            "criteria": self.clause.edition if self.clause else None,
            "graded": time,
            "graded_by": by,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """上报: a major hazard is told to the authority."""

    step: ClassVar = HazardStep.REPORT
    to: str

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """To whom, and when."""
        return {"reported": time, "reported_to": required("to", self.to)}


@dataclass(frozen=True, slots=True)
class Supervise:
    """挂牌督办: an authority lists it under a number until it is closed."""

    step: ClassVar = HazardStep.SUPERVISE
    number: str
    authority: str
    since: dt.date

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Number, authority, since when. Once."""
        if hazard.supervision is not None:
            raise Impossible(f"supervise: the hazard is {hazard.state} and already listed under {hazard.supervision}")
        return {
            "supervision": required("number", self.number),
            "supervised_by": required("authority", self.authority),
            "supervised_since": self.since,
        }


@dataclass(frozen=True, slots=True)
class Rectify:
    """整改: the plan, with all five duties (五落实): who, what, with what money, by when, and what if it goes wrong."""

    step: ClassVar = HazardStep.RECTIFY
    responsible: str
    measure: str
    budget_fen: int
    deadline: dt.date
    contingency: str

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """The five. No money is a sum, too: 0."""
        if self.budget_fen < 0:
            raise Incomplete("budget", self.budget_fen, "a sum of 0 or more")
        return {
            "responsible": required("responsible", self.responsible),
            "measure": required("measure", self.measure),
            "budget_fen": self.budget_fen,
            "deadline": not_past("deadline", self.deadline, time),
            "contingency": required("contingency", self.contingency),
            "planned": time,
        }


@dataclass(frozen=True, slots=True)
class Extend:
    """延期: the authority gives more time."""

    step: ClassVar = HazardStep.EXTEND
    deadline: dt.date
    reason: str

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """The deadline, later than before."""
        if hazard.deadline is not None and self.deadline <= hazard.deadline:
            raise Incomplete("deadline", self.deadline.isoformat(), f"a day after {hazard.deadline.isoformat()}")
        required("reason", self.reason)
        return {"deadline": not_past("deadline", self.deadline, time)}


@dataclass(frozen=True, slots=True)
class Submit:
    """报验: the enterprise says that it is done, and shows it."""

    step: ClassVar = HazardStep.SUBMIT
    done: str
    evidence: tuple[UUID, ...] = ()

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """What was done, when it was submitted and by whom."""
        return {"done": required("done", self.done), "submitted": time, "submitted_by": by}


@dataclass(frozen=True, slots=True)
class SendBack:
    """退回: not done, or not well. The old deadline stays unless a new one is given."""

    step: ClassVar = HazardStep.SEND_BACK
    reason: str
    deadline: dt.date | None = None

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:
        """Count it; the deadline."""
        _another(hazard, by)
        required("reason", self.reason)
        kept = hazard.deadline if self.deadline is None else not_past("deadline", self.deadline, time)
        return {"sent_back": hazard.sent_back + 1, "deadline": kept}


@dataclass(frozen=True, slots=True)
class Close:
    """销号: review found it rectified."""

    step: ClassVar = HazardStep.CLOSE
    remark: str
    evidence: tuple[UUID, ...] = ()

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:
        """When and by whom; a listing for supervision is lifted with it."""
        _another(hazard, by)
        if hazard.level is HazardLevel.MAJOR and hazard.supervision is None:
            raise Impossible(f"close: the major hazard is {hazard.state} and was not listed for supervision (挂牌督办)")
        lifted = time if hazard.supervision is not None else None
        return {"closed": time, "closed_by": by, "remark": required("remark", self.remark), "lifted": lifted}


@dataclass(frozen=True, slots=True)
class Dismiss:
    """不构成隐患: looked at, and none."""

    step: ClassVar = HazardStep.DISMISS
    reason: str

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Why."""
        return {"remark": required("reason", self.reason), "closed": time, "closed_by": by}


def _another(hazard: Hazard, by: str) -> None:
    if by == hazard.submitted_by:
        raise NotTheirs(f"review: {by} submitted the rectification; somebody else reviews it")
