"""The table of verbs of inspections: from planned to concluded or cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from ingest.domain.cases.errors import Impossible, Incomplete
from ingest.domain.cases.inspection import Finding, Inspection, InspectionState, Result
from ingest.domain.cases.verbs import FILES, Form, FormField, Input, Kind, Verb, VerbTable
from ingest.domain.model.audit import ActKind
from ingest.domain.model.rights import AUTHORITY
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class Begin(Form[Inspection]):
    """The inspectors are there."""


@dataclass(frozen=True, slots=True)
class Find(Form[Inspection]):
    """Something found, and the hazard it is."""

    text: Annotated[
        str,
        Input(Kind.PROSE, "发现的问题", "What was found", expected=Text("必填：发现了什么", "a text: what was found")),
    ]
    hazard: Annotated[UUID, Input(Kind.RECORD, "关联已有隐患", "A known hazard")]

    def check(self, record: Inspection) -> None:
        """Check that the hazard is not a finding already."""
        if any(finding.hazard == self.hazard for finding in record.findings):
            raise Impossible(
                f"find: hazard {self.hazard} is a finding of this inspection already; it is {record.state}"
            )

    def effects(self, record: Inspection, by: str, time: int) -> dict[str, Any]:
        """Return the findings with this one, numbered."""
        finding = Finding(len(record.findings) + 1, self.text.strip(), self.hazard, time, by)
        return {"findings": (*record.findings, finding)}


@dataclass(frozen=True, slots=True)
class Conclude(Form[Inspection]):
    """What it led to."""

    result: Annotated[Result, Input(Kind.CHOICE, "检查结果", "Result")]
    document: Annotated[
        str,
        Input(Kind.NAME, "文书号", "Document number", expected=Text("文书号", "the document's number (文书号)")),
    ]
    remark: Annotated[str | None, Input(Kind.PROSE, "说明", "Remark")] = None
    evidence: Annotated[tuple[UUID, ...], FILES] = ()

    @classmethod
    def choices(cls, field: FormField, record: Inspection) -> list[StrEnum]:
        """Return the results that fit: an inspection that found something did not pass."""
        unfit = Result.PASSED if record.findings else Result.RECTIFY
        return [result for result in super(Conclude, cls).choices(field, record) if result is not unfit]

    def check(self, record: Inspection) -> None:
        """Check that the result fits what was found."""
        if self.result is Result.PASSED and record.findings:
            raise Incomplete("result", str(self.result), f"a result that fits {len(record.findings)} findings")
        if self.result is Result.RECTIFY and not record.findings:
            raise Incomplete("result", str(self.result), "a finding that has to be rectified")


@dataclass(frozen=True, slots=True)
class Cancel(Form[Inspection]):
    """What came of it, or why it is called off."""

    remark: Annotated[str, Input(Kind.WORDS, "理由", "Reason", expected=Text("必填：原因", "a text: why"), rows=2)]


class InspectionTable(VerbTable):
    """A table of verbs of inspections."""

    @classmethod
    def kind(cls) -> ActKind:
        """Inspections."""
        return "inspection"


_PLANNED, _UNDER_WAY = InspectionState.PLANNED, InspectionState.UNDER_WAY


class InspectionStep(InspectionTable):
    """What can be done with an inspection. What was found stays, also if it is cancelled."""

    BEGIN = Verb(
        "begin", Text("开始检查", "Begin"), AUTHORITY, {_PLANNED: _UNDER_WAY},
        Begin, "The inspectors are there.", past=Text("开始检查", "begun"), stamp="begun",
    )  # fmt: skip
    FIND = Verb(
        "find", Text("记录问题", "Note a finding"), AUTHORITY, {_UNDER_WAY: _UNDER_WAY},
        Find, "Note something found, with the hazard it is.", past=Text("记录问题", "something found"),
        own_operation=True,
    )  # fmt: skip
    CONCLUDE = Verb(
        "conclude", Text("结束检查", "Conclude"), AUTHORITY, {_UNDER_WAY: InspectionState.CONCLUDED},
        Conclude, "End it with a result and the number of its document.", past=Text("结束检查", "concluded"),
        body="Conclusion", stamp="concluded",
    )  # fmt: skip
    CANCEL = Verb(
        "cancel", Text("取消检查", "Cancel"), AUTHORITY,
        {_PLANNED: InspectionState.CANCELLED, _UNDER_WAY: InspectionState.CANCELLED},
        Cancel, "Call it off.", past=Text("取消检查", "cancelled"), body="Settled", stamp="concluded", secondary=True,
    )  # fmt: skip
