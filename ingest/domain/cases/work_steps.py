"""The table of verbs of declared work: approved by somebody else, begun, finished; or refused, or called off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from ingest.domain.cases.verbs import FILES, Form, Input, Kind, Verb, VerbTable
from ingest.domain.cases.work import Work, WorkState
from ingest.domain.model.audit import ActKind
from ingest.domain.model.rights import AUTHORITY, ENTERPRISE
from ingest.domain.model.text import Text

_ALL: Final = AUTHORITY | ENTERPRISE


@dataclass(frozen=True, slots=True)
class Approve(Form[Work]):
    """The measures were looked at, and it may be done."""


@dataclass(frozen=True, slots=True)
class Refuse(Form[Work]):
    """Why it may not be done."""

    remark: Annotated[str, Input(Kind.WORDS, "理由", "Reason")]


@dataclass(frozen=True, slots=True)
class Begin(Form[Work]):
    """It is begun, and its guardian is there."""


@dataclass(frozen=True, slots=True)
class Finish(Form[Work]):
    """It is done, and the place was looked over."""

    remark: Annotated[
        str,
        Input(
            Kind.WORDS, "完工检查情况", "What the place was found like",
            expected=Text("必填：完工检查情况", "a text: what the place was found like"),
        ),
    ]  # fmt: skip
    evidence: Annotated[tuple[UUID, ...], FILES] = ()


@dataclass(frozen=True, slots=True)
class Cancel(Form[Work]):
    """Why it is called off."""

    remark: Annotated[str, Input(Kind.WORDS, "理由", "Reason")]


class WorkTable(VerbTable):
    """A table of verbs of declared work."""

    @classmethod
    def kind(cls) -> ActKind:
        """Declared work."""
        return "work"


class WorkStep(WorkTable):
    """What can be done with declared work."""

    APPROVE = Verb(
        "approve", Text("批准", "Approve"), _ALL, {WorkState.DECLARED: WorkState.APPROVED},
        Approve, "批准: it may be done. Nobody approves what they declared.", past=Text("批准", "approved"),
        stamp="approved", reviews=True,
        hint=Text("核实安全措施、监护人和时段后批准；报备人不能批准自己的作业。",
                  "Once measures, guardian and time were checked. Nobody approves what they declared."),
    )  # fmt: skip
    REFUSE = Verb(
        "refuse", Text("驳回", "Refuse"), _ALL, {WorkState.DECLARED: WorkState.REFUSED},
        Refuse, "驳回: it may not be done.", past=Text("驳回", "refused"), body="WorkRefused",
        secondary=True, reviews=True,
    )  # fmt: skip
    BEGIN = Verb(
        "begin", Text("报开工", "Begin"), ENTERPRISE, {WorkState.APPROVED: WorkState.UNDER_WAY},
        Begin, "报开工: it is begun, and its guardian is there.", past=Text("开工", "begun"), stamp="begun",
        hint=Text("监护人到场、措施落实后报开工。", "Once the guardian is there and the measures are taken."),
    )  # fmt: skip
    FINISH = Verb(
        "finish", Text("报完工", "Finish"), ENTERPRISE, {WorkState.UNDER_WAY: WorkState.FINISHED},
        Finish, "报完工: it is done, and the place was looked over.", past=Text("完工", "finished"),
        body="WorkFinished", stamp="finished",
        hint=Text("清理现场、确认无余火和遗留物后报完工。", "Once it is cleared: no embers, nothing left behind."),
    )  # fmt: skip
    CANCEL = Verb(
        "cancel", Text("取消作业", "Call off"), ENTERPRISE,
        {WorkState.DECLARED: WorkState.CANCELLED, WorkState.APPROVED: WorkState.CANCELLED},
        Cancel, "取消作业: it is not done.", past=Text("取消", "called off"), body="WorkCancelled", secondary=True,
    )  # fmt: skip
