"""Rows of the lists: a plant with its duties, a hazard beside its plant, who is responsible for what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.domain.cases.days import day_of
from ingest.domain.cases.duties import Duty
from ingest.domain.cases.enterprise import Connection, EnterpriseRecord
from ingest.domain.cases.hazard import Hazard
from ingest.domain.cases.labels import label
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A plant with what is noted of it, how it stands with its connection, and what it owes of self-inspection."""

    plant: Plant
    record: EnterpriseRecord
    connection: Connection
    duties: tuple[Duty, ...] = ()


@dataclass(frozen=True, slots=True)
class HazardLine:
    """A hazard beside what a list needs to tell of it."""

    hazard: Hazard
    plant: Text
    clause: str
    now: int


@dataclass(frozen=True, slots=True)
class Responsibility:
    """A responsibility: who, for what, by when."""

    plant: Text
    duty: Text
    subject: Text | str
    person: str | None
    phone: str | None
    deadline: dt.date | None
    status: Text


def responsibilities(
    enterprises: Iterable[Enterprise], lines: Iterable[HazardLine], now: int
) -> Iterator[Responsibility]:
    """Yield who is responsible: for each plant and its next self-inspection, and for each open hazard."""
    for enterprise in enterprises:
        name, record = enterprise.plant.name, enterprise.record
        whole, safety = Text("安全生产全面责任", "overall safety"), Text("安全管理", "safety management")
        known = Text("", "")
        yield Responsibility(
            name, whole, Text("主要负责人", "principal"), record.principal, record.principal_phone, None, known
        )
        yield Responsibility(
            name, safety, Text("安全负责人", "safety head"), record.safety_head, record.safety_phone, None, known
        )
        for duty in enterprise.duties:
            if duty.done is None:
                what = Text("企业自查", "self-inspection")
                due = duty.period.due
                status = _deadline_status(duty.overdue(day_of(now)))
                person, phone = record.principal, record.principal_phone
                yield Responsibility(name, what, duty.period.name, person, phone, due, status)
    for line in lines:
        yield from _of_hazard(line)


def _of_hazard(line: HazardLine) -> Iterator[Responsibility]:
    hazard, name, state = line.hazard, line.plant, label(line.hazard.state)
    if not hazard.open:
        return
    status = _deadline_status(overdue=True) if hazard.overdue(line.now) else state
    what = Text("隐患整改", "rectification")
    yield Responsibility(name, what, hazard.title, hazard.responsible, None, hazard.deadline, status)
    if hazard.supervision is not None:
        supervision = Text("挂牌督办", "supervision")
        subject = f"{hazard.supervision} {hazard.title}"
        yield Responsibility(name, supervision, subject, hazard.supervised_by, None, hazard.deadline, state)


def _deadline_status(overdue: bool) -> Text:  # noqa: FBT001
    return Text("逾期", "overdue") if overdue else Text("未到期", "not due yet")
