"""The table of verbs of instruments' ledgers: checks, corrections, out of service, scrapped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from ingest.domain.cases import verbs
from ingest.domain.cases.days import day_of
from ingest.domain.cases.errors import Impossible, Incomplete
from ingest.domain.cases.ledger import (
    CHECK_STEPS,
    CORRECT,
    Corrected,
    LastCheck,
    Ledger,
    LedgerEntry,
    LedgerState,
    Line,
    Outcome,
    Planning,
    entry_id,
    last_checks,
)
from ingest.domain.cases.verbs import FILES, Form, Input, Kind, Verb, VerbTable
from ingest.domain.model.audit import ActKind, ActRole
from ingest.domain.model.instrument import Check
from ingest.domain.model.rights import ENTERPRISE
from ingest.domain.model.text import Text

_PASSED = (("passed", Text("合格", "passed")), ("failed", Text("不合格", "failed")))
_VOID = ("void", Text("作废（无此次检查）", "void (no such check)"))
_PERSON = Input(Kind.NAME, "检定机构或人员", "By whom")
_NUMBER = Input(Kind.NAME, "证书编号", "Certificate number")
_VALID_UNTIL = Input(Kind.DAY, "证书有效期至", "Certificate valid until")
_REMARK = Input(Kind.WORDS, "说明", "Remark", rows=2)
_DAY = Input(Kind.DAY, "日期", "Day", prefill="today", paired=True)
_PLANNING = (("planned", Text("正常计划", "planned")), ("unplanned", Text("非计划临时", "unplanned")))
_PROOF = Text("必填：证明材料（照片或 PDF）", "a file that shows it: picture or PDF")
_CERTIFICATE_NUMBER = Text("必填：合格的检定、校准须填证书编号", "the certificate's number, as it was passed")
_CERTIFICATE_FILE = Text("必填：合格的检定、校准须上传证书", "the certificate's file, as it was passed")
REFUSALS: Final = {refusal.en: refusal for refusal in (_PROOF, _CERTIFICATE_NUMBER, _CERTIFICATE_FILE)}
"""What is refused beyond blank fields, in English -> in both languages."""


@dataclass(frozen=True, slots=True)
class Checked(Form[Ledger]):
    """A check that was done, and what it found."""

    day: Annotated[dt.date, _DAY]
    outcome: Annotated[Outcome, Input(Kind.CHOICE, "结果", "Outcome", options=_PASSED)]
    person: Annotated[str, _PERSON]
    number: Annotated[str | None, _NUMBER] = None
    valid_until: Annotated[dt.date | None, _VALID_UNTIL] = None
    remark: Annotated[str | None, _REMARK] = None
    evidence: Annotated[tuple[UUID, ...], FILES] = ()

    def check(self, record: Ledger) -> None:  # noqa: ARG002
        """Check that its certificate does not end before it was issued."""
        _require_order(self.day, self.valid_until)

    def effects(self, record: Ledger, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Return which checks count now; one that is entered late changes nothing for a later one."""
        return {"last": _counting(record, self, self.day, time)}


@dataclass(frozen=True, slots=True)
class Calibrate(Checked):
    """检定或校准. One that was passed has a certificate."""

    def check(self, record: Ledger) -> None:
        """Check that one that was passed has number and file of its certificate."""
        super(Calibrate, self).check(record)
        if self.outcome is Outcome.PASSED and not (self.number or "").strip():
            raise Incomplete("number", self.number, _CERTIFICATE_NUMBER.en)
        if self.outcome is Outcome.PASSED and not self.evidence:
            raise Incomplete("evidence", None, _CERTIFICATE_FILE.en)


@dataclass(frozen=True, slots=True)
class FunctionTest(Checked):
    """功能测试: with gas, or a simulated signal."""


@dataclass(frozen=True, slots=True)
class ProofTest(Checked):
    """联锁检验: from sensor to final element."""


@dataclass(frozen=True, slots=True)
class Inspect(Checked):
    """点检: looked at on its place."""


@dataclass(frozen=True, slots=True)
class Correct(Form[Ledger]):
    """What an earlier entry should have said. Both stay in the ledger; the correction counts."""

    entry: Annotated[UUID, Input(Kind.RECORD, "更正的记录", "Entry to correct")]
    day: Annotated[dt.date, _DAY]
    outcome: Annotated[Corrected, Input(Kind.CHOICE, "结果", "Outcome", options=(*_PASSED, _VOID))]
    person: Annotated[str, _PERSON]
    reason: Annotated[str, Input(Kind.WORDS, "更正原因", "Why", rows=2)]
    number: Annotated[str | None, _NUMBER] = None
    valid_until: Annotated[dt.date | None, _VALID_UNTIL] = None
    evidence: Annotated[tuple[UUID, ...], FILES] = ()

    @classmethod
    def require(cls, record: Ledger) -> None:
        """Refuse where there is nothing to correct."""
        if not any(entry.step in CHECK_STEPS for entry in record.entries):
            raise Impossible(f"correct: the instrument is {record.state} and has no check on record")

    def check(self, record: Ledger) -> None:
        """Check that it is an entry of this ledger."""
        if not any(entry.id == self.entry and entry.step in CHECK_STEPS for entry in record.entries):
            raise Incomplete("entry", str(self.entry), "the id of a check in this ledger")
        _require_order(self.day, self.valid_until)

    def effects(self, record: Ledger, by: str, time: int) -> dict[str, Any]:  # noqa: ARG002
        """Return which checks count after it."""
        return {"last": _counting(record, self, self.day, time)}


@dataclass(frozen=True, slots=True)
class TakeOut(Form[Ledger]):
    """停用: an application for every point of it, which somebody else approves."""

    planning: Annotated[Planning, Input(Kind.CHOICE, "停用类型", "Planned or not", options=_PLANNING)]
    reason: Annotated[str, Input(Kind.WORDS, "停用原因", "Why", rows=2)]
    until: Annotated[dt.date | None, Input(Kind.DEADLINE, "停用至", "Until")] = None
    evidence: Annotated[tuple[UUID, ...], FILES] = ()


@dataclass(frozen=True, slots=True)
class PutBack(Form[Ledger]):
    """恢复使用: every point of it."""

    remark: Annotated[str, Input(Kind.WORDS, "恢复说明", "What was done", rows=2)]
    evidence: Annotated[tuple[UUID, ...], FILES] = ()


@dataclass(frozen=True, slots=True)
class Scrap(Form[Ledger]):
    """报废, with proof. Another device has another serial number, and its own ledger."""

    reason: Annotated[str, Input(Kind.WORDS, "报废原因", "Why", rows=2)]
    evidence: Annotated[tuple[UUID, ...], FILES]

    def check(self, record: Ledger) -> None:  # noqa: ARG002
        """Check that something shows it."""
        if not self.evidence:
            raise Incomplete("evidence", None, _PROOF.en)


class LedgerTable(VerbTable):
    """A table of verbs of ledgers."""

    @classmethod
    def kind(cls) -> ActKind:
        """Instruments."""
        return "instrument"

    @classmethod
    def detail(cls, form: Form[Any], after: Ledger) -> dict[str, Any]:
        """Return what was given, evidence too, and whose ledger it is."""
        return verbs.given(form) | {"instrument": after.instrument, "serial": after.serial}

    @classmethod
    def history(cls, after: Ledger, form: Form[Any], by: str, role: ActRole, time: int) -> list[LedgerEntry]:
        """Return the entry."""
        key, place, step, detail = _line(after, form, after.version)
        return [LedgerEntry(key, after.id, place, step, after.state, time, by, role, detail)]


_USED, _SCRAPPED = LedgerState.IN_USE, LedgerState.SCRAPPED
_STAYS: Final[Mapping[Hashable, LedgerState]] = {_USED: _USED}
_LATE: Final[Mapping[Hashable, LedgerState]] = {_USED: _USED, _SCRAPPED: _SCRAPPED}


class LedgerStep(LedgerTable):
    """What can be entered in the ledger of an instrument."""

    # fmt: off
    CALIBRATE = Verb(
        "calibrate", Text("登记检定校准", "Enter a calibration"), ENTERPRISE, _LATE,
        Calibrate, "检定、校准: enter one that was done; passed with number and file of its certificate.",
        past=Text("检定校准", "calibrated"), body="Calibration",
    )
    FUNCTION_TEST = Verb(
        "function-test", Text("登记功能测试", "Enter a function test"), ENTERPRISE, _LATE,
        FunctionTest, "功能测试: enter one that was done.", past=Text("功能测试", "function tested"),
    )
    PROOF_TEST = Verb(
        "proof-test", Text("登记联锁检验", "Enter a proof test"), ENTERPRISE, _LATE,
        ProofTest, "联锁检验: enter one that was done.", past=Text("联锁检验", "proof tested"),
    )
    INSPECT = Verb(
        "inspect", Text("登记点检", "Enter an inspection"), ENTERPRISE, _LATE,
        Inspect, "点检: enter one that was done.", past=Text("点检", "inspected"), body="InstrumentInspection",
    )
    CORRECT = Verb(
        CORRECT, Text("更正记录", "Correct an entry"), ENTERPRISE, _LATE,
        Correct, "更正: say what an earlier entry should have said; both stay.", past=Text("更正记录", "corrected"),
        body="Correction", secondary=True,
    )
    TAKE_OUT = Verb(
        "out-of-service", Text("申请停用", "Apply for out of service"), ENTERPRISE, _STAYS,
        TakeOut, "停用: apply for all its points to be taken out of service.",
        past=Text("申请停用", "applied for out of service"), secondary=True, own_operation=True,
    )
    PUT_BACK = Verb(
        "return", Text("恢复使用", "Put back into service"), ENTERPRISE, _STAYS,
        PutBack, "恢复使用: put all its points back into service.", past=Text("恢复使用", "back in service"),
        secondary=True, own_operation=True,
    )
    SCRAP = Verb(
        "scrap", Text("报废", "Scrap"), ENTERPRISE, {_USED: _SCRAPPED},
        Scrap, "报废: it is used no more; with proof.", past=Text("报废", "scrapped"), stamp="scrapped", secondary=True,
    )
    # fmt: on


def _line(record: Ledger, form: Form[Any], place: int) -> Line:
    return entry_id(record.id, place), place, LedgerStep.of(form), verbs.given(form)


def _counting(record: Ledger, form: Form[Any], day: dt.date, time: int) -> dict[Check, LastCheck]:
    """Which checks count once this one is entered. Raises Incomplete for a day to come."""
    if day > day_of(time):
        raise Incomplete("day", day.isoformat(), f"a day not after {day_of(time).isoformat()}")
    return last_checks([*(entry.line for entry in record.entries), _line(record, form, record.version + 1)])


def _require_order(day: dt.date, valid_until: dt.date | None) -> None:
    if valid_until is not None and valid_until < day:
        raise Incomplete("valid_until", valid_until.isoformat(), f"a day not before {day.isoformat()}")
