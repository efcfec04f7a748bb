"""The table of verbs of hazards: what leads from found to closed, who may do it, and what it needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from ingest.domain.cases import verbs
from ingest.domain.cases.criteria import Clause
from ingest.domain.cases.errors import Impossible, Incomplete
from ingest.domain.cases.hazard import Hazard, HazardLevel, HazardMoment, HazardState
from ingest.domain.cases.verbs import FILES, Form, Input, Kind, Verb, VerbTable
from ingest.domain.model.audit import ActKind, ActRole
from ingest.domain.model.rights import AUTHORITY, ENTERPRISE
from ingest.domain.model.text import Text

_REASON: Final = ("理由", "Reason")
_NEW_DEADLINE: Final = ("新的时限", "New deadline")


class Action(Form[Hazard]):
    """A step of a hazard, with what it needs."""

    __slots__ = ()

    @property
    def step(self) -> HazardStep:
        """Which one."""
        return HazardStep.of(self)


@dataclass(frozen=True, slots=True)
class Register(Action):
    """登记."""


@dataclass(frozen=True, slots=True)
class Grade(Action):
    """分级. A major one has a clause."""

    level: Annotated[
        HazardLevel,
        Input(
            Kind.CHOICE,
            "等级",
            "Level",
            prefill="record",
            options=(("general", Text("一般隐患", "general")), ("major", Text("重大隐患", "major"))),
        ),
    ]
    clause: Annotated[
        Clause | None,
        Input(Kind.CLAUSE, "判定条款", "Clause", prefill="record", note=Text("（仅重大隐患）", "(major ones only)")),
    ] = None
    reason: Annotated[str | None, Input(Kind.WORDS, *_REASON, rows=2)] = None

    def check(self, record: Hazard) -> None:  # noqa: ARG002
        """Check that a major hazard has a clause and a general one has none."""
        if self.level is HazardLevel.MAJOR and self.clause is None:
            raise Incomplete("clause", None, "the clause of the criteria that a major hazard falls under")
        if self.level is HazardLevel.GENERAL and self.clause is not None:
            raise Incomplete("clause", self.clause.id, "none for a general hazard")

    def effects(self, record: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Return the clause with its edition; grading as general takes both away."""
        clause = self.clause
        return {"clause": clause.id if clause else None, "criteria": clause.edition if clause else None}


@dataclass(frozen=True, slots=True)
class Report(Action):
    """上报."""

    to: Annotated[str, Input(Kind.NAME, "上报单位", "Reported to", to="reported_to")]


@dataclass(frozen=True, slots=True)
class Supervise(Action):
    """挂牌督办."""

    number: Annotated[str, Input(Kind.NAME, "督办编号", "Number", to="supervision", paired=True)]
    authority: Annotated[
        str, Input(Kind.NAME, "督办单位", "Authority", to="supervised_by", prefill="caller", paired=True)
    ]
    since: Annotated[dt.date, Input(Kind.DAY, "挂牌日期", "Since", to="supervised_since", prefill="today", paired=True)]

    @classmethod
    def require(cls, record: Hazard) -> None:
        """Refuse a second listing."""
        if record.supervision is not None:
            raise Impossible(f"supervise: the hazard is {record.state} and already listed under {record.supervision}")


@dataclass(frozen=True, slots=True)
class Rectify(Action):
    """整改方案: all five (五落实)."""

    responsible: Annotated[str, Input(Kind.NAME, "整改责任人", "Responsible", prefill="record")]
    measure: Annotated[str, Input(Kind.PROSE, "整改措施", "Measure", prefill="record")]
    budget_fen: Annotated[int, Input(Kind.MONEY, "整改资金（元）", "Budget (yuan)", prefill="record", paired=True)]
    deadline: Annotated[dt.date, Input(Kind.DEADLINE, "整改时限", "Deadline", prefill="record", paired=True)]
    contingency: Annotated[str, Input(Kind.PROSE, "应急预案", "Contingency plan", prefill="record")]


@dataclass(frozen=True, slots=True)
class Extend(Action):
    """延期."""

    deadline: Annotated[dt.date, Input(Kind.DEADLINE, *_NEW_DEADLINE)]
    reason: Annotated[str, Input(Kind.WORDS, *_REASON)]

    def check(self, record: Hazard) -> None:
        """Check that the deadline is later than before."""
        if record.deadline is not None and self.deadline <= record.deadline:
            raise Incomplete("deadline", self.deadline.isoformat(), f"a day after {record.deadline.isoformat()}")


@dataclass(frozen=True, slots=True)
class Submit(Action):
    """申请复查."""

    done: Annotated[str, Input(Kind.PROSE, "整改情况", "What was done")]
    evidence: Annotated[tuple[UUID, ...], FILES] = ()


@dataclass(frozen=True, slots=True)
class SendBack(Action):
    """退回整改."""

    reason: Annotated[str, Input(Kind.WORDS, *_REASON)]
    deadline: Annotated[dt.date | None, Input(Kind.DEADLINE, *_NEW_DEADLINE)] = None  # None: the old one stays

    def effects(self, record: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Count it."""
        return {"sent_back": record.sent_back + 1}


@dataclass(frozen=True, slots=True)
class Close(Action):
    """销号."""

    remark: Annotated[str, Input(Kind.WORDS, "复查意见", "What review found")]
    evidence: Annotated[tuple[UUID, ...], FILES] = ()

    @classmethod
    def require(cls, record: Hazard) -> None:
        """Refuse a major hazard that was never listed."""
        if record.level is HazardLevel.MAJOR and record.supervision is None:
            raise Impossible(f"close: the major hazard is {record.state} and was not listed for supervision (挂牌督办)")

    def effects(self, record: Hazard, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Lift the listing for supervision."""
        return {"lifted": time if record.supervision is not None else None}


@dataclass(frozen=True, slots=True)
class Dismiss(Action):
    """不构成隐患."""

    reason: Annotated[str, Input(Kind.WORDS, *_REASON, to="remark")]


_LETTERS: Final = dict(zip("FRGPMSCD", HazardState, strict=True))
_LEVELS: Final[Mapping[str, tuple[HazardLevel | None, ...]]] = {
    "": (None, *HazardLevel),
    "*": (HazardLevel.MAJOR,),
    "-": (HazardLevel.GENERAL,),
}


def moves(cells: str) -> dict[Hashable, HazardState]:
    """Read the states a verb leads to, a cell for each state it may lead from.

    Letters: found, registered, graded, rePorted, rectifying (M: measures), submitted, closed, dismissed. `*` for major
    hazards only, `-` for general ones only, `.` impossible.
    """
    return {
        (before, level): _LETTERS[cell[0]]
        for before, cell in zip(HazardState, cells.split(), strict=True)
        if cell != "."
        for level in _LEVELS[cell[1:]]
    }


class HazardTable(VerbTable):
    """A table of verbs of hazards."""

    @classmethod
    def kind(cls) -> ActKind:
        """Hazards."""
        return "hazard"

    @classmethod
    def situation(cls, record: Hazard) -> Hashable:
        """Return state and level."""
        return record.state, record.level

    @classmethod
    def described(cls, record: Hazard) -> tuple[str, str]:
        """Return it with its level, and what is possible."""
        level = f"{record.level} " if record.level else ""
        return f"{level}hazard", f"; possible now: {', '.join(cls.possible(record)) or 'nothing'}"

    @classmethod
    def detail(cls, form: Form[Any], after: Hazard) -> dict[str, Any]:
        """Return what was given, evidence too, and the state it led to."""
        return verbs.given(form) | {"state": str(after.state)}

    @classmethod
    def history(cls, after: Hazard, form: Form[Any], by: str, role: ActRole, time: int) -> list[HazardMoment]:
        """Return the line of its history."""
        return [moment(after, cls.of(form), by=by, role=role, time=time, detail=verbs.given(form))]


_ALL: Final = ENTERPRISE | AUTHORITY


class HazardStep(HazardTable):
    """What can be done with a hazard."""

    REGISTER = Verb(
        "register", Text("登记", "register"), _ALL,
        #      F   R   G   P   M   S   C   D
        moves("R   .   .   .   .   .   .   ."),
        Register, "登记: enter it in the books.",
    )  # fmt: skip
    GRADE = Verb(
        "grade", Text("分级", "grade"), AUTHORITY,
        moves(".   G   G   .   .   .   .   ."),
        Grade, "分级: general, or major by a clause of the criteria.", body="Grading", stamp="graded",
        hint=Text("重大隐患须选择判定条款；系统只作建议，由人判定。依据：",
                  "A major one needs its clause; the service proposes, a person grades. By:"),
    )  # fmt: skip
    REPORT = Verb(
        "report", Text("上报", "report"), _ALL,
        moves(".   .   P*  .   .   .   .   ."),
        Report, "上报: tell the authority of a major one.", body="Reporting", stamp="reported",
    )  # fmt: skip
    SUPERVISE = Verb(
        "supervise", Text("挂牌督办", "list for supervision"), AUTHORITY,
        moves(".   .   .   P*  M*  S*  .   ."),
        Supervise, "挂牌督办: list a major one for supervision.", body="Supervision",
    )  # fmt: skip
    RECTIFY = Verb(
        "rectify", Text("制定整改方案", "plan rectification"), ENTERPRISE,
        moves(".   .   M-  M*  .   .   .   ."),
        Rectify, "整改: the plan, with all five duties.", body="RectificationPlan", stamp="planned",
        hint=Text("五落实：责任、措施、资金、时限、预案，缺一不可。",
                  "Who, what, with what money, by when, and what if it goes wrong: all five are needed."),
    )  # fmt: skip
    EXTEND = Verb(
        "extend", Text("延期", "extend"), AUTHORITY,
        moves(".   .   .   .   M   .   .   ."),
        Extend, "延期: give more time.", body="Extension", secondary=True,
    )  # fmt: skip
    SUBMIT = Verb(
        "submit", Text("申请复查", "submit for review"), ENTERPRISE,
        moves(".   .   .   .   S   .   .   ."),
        Submit, "申请复查: say that it is done, and show it.", body="Submission", stamp="submitted",
    )  # fmt: skip
    SEND_BACK = Verb(
        "send-back", Text("退回整改", "send back"), AUTHORITY,
        moves(".   .   .   .   .   M   .   ."),
        SendBack, "退回整改: not done, or not well.", body="Return", secondary=True, reviews=True,
    )  # fmt: skip
    CLOSE = Verb(
        "close", Text("销号", "close"), AUTHORITY,
        moves(".   .   .   .   .   C   .   ."),
        Close, "销号: review found it rectified.", body="Closing", stamp="closed", reviews=True,
    )  # fmt: skip
    DISMISS = Verb(
        "dismiss", Text("不构成隐患", "no hazard"), AUTHORITY,
        moves("D   D   D   .   .   .   .   ."),
        Dismiss, "不构成隐患: looked at, and none.", body="Dismissal", stamp="closed", secondary=True,
    )  # fmt: skip


def advance(hazard: Hazard, action: Action, *, by: str, role: ActRole, time: int) -> tuple[Hazard, HazardMoment]:
    """Take a step; return the hazard after it, and the line of its history. Raises what `verbs.advance` raises."""
    after = verbs.advance(HazardStep, hazard, action, by=by, role=role, time=time)
    (line,) = HazardStep.history(after, action, by, role, time)
    return after, line


def moment(
    hazard: Hazard, step: str, *, by: str, role: ActRole, time: int, detail: Mapping[str, Any] | None = None
) -> HazardMoment:
    """Return the line of history for a hazard as it is after a step."""
    return HazardMoment(hazard.id, hazard.version, step, hazard.state, time, by, role, detail or {})
