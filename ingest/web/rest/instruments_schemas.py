"""The shapes of instruments' ledgers (仪表台账)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from ingest.domain.cases.ledger import LastCheck, LedgerState, Planning
from ingest.domain.cases.ledger_due import Due, DueState, InstrumentStatus
from ingest.domain.cases.ledger_steps import LedgerStep
from ingest.domain.model.instrument import Check
from ingest.domain.model.plant import Confidence
from ingest.services.access import Principal
from ingest.services.cases.instruments import InstrumentView
from ingest.web.rest.case_schemas import Day, Proofs, Seen, When, localized
from ingest.web.rest.schemas import PlantId, PointId, Said, Shape, Words

Unit = Literal["months", "days"]


class LastCheckOut(Shape):
    """The check that counts now."""

    day: dt.date
    passed: bool
    valid_until: dt.date | None = Field(description="as its certificate says")
    number: str | None = Field(description="of its certificate")
    person: str | None


class DueOut(Shape):
    """One check of an instrument, and when it is due."""

    check: Check
    check_said: Said | None
    every: Annotated[int, Field(examples=[12])]
    unit: Unit
    source: Annotated[str, Field(description="of the period", examples=["engineering default"])]
    confidence: Confidence
    state: DueState
    state_said: Said | None
    last: LastCheckOut | None = Field(description="null: nothing is on record")
    deadline: dt.date = Field(description="the last day of the last check, or of the time to enter one")
    overdue_days: int


class InstrumentOut(Shape):
    """An instrument and how it stands with its checks."""

    id: Annotated[UUID, Field(description="of its ledger")]
    version: int
    plant: PlantId
    instrument: Annotated[str, Field(examples=["CO-01"])]
    name: Said
    points: list[PointId]
    serial: Annotated[str, Field(description="empty: not given", examples=["A2231"])]
    maker: str
    model: str
    place: str
    state: DueState | None = Field(description="the most urgent of its checks; null: it needs none")
    state_said: Said | None
    out_of_service: bool = Field(description="all its points are")
    due: list[DueOut]


class InstrumentPage(Shape):
    """Instruments, what is due first, first. Pass `next` as `cursor` to go on; null: no more."""

    instruments: list[InstrumentOut]
    next: str | None


class EntryOut(Shape):
    """One entry of a ledger."""

    id: UUID
    version: int
    step: str
    state: LedgerState
    time: When
    by: str
    role: str
    detail: dict[str, Any] = Field(description="what was given with it")


class LedgerOut(Shape):
    """The ledger of one device: whose it is, how it stands, every entry, oldest first."""

    id: UUID
    version: int
    plant: PlantId
    instrument: str
    serial: str
    since: dt.date = Field(description="the day on which the service first knew of it")
    state: LedgerState
    state_said: Said | None
    standing: InstrumentOut | None = Field(description="null: the plant file does not name this device now")
    possible: list[str] = Field(description="steps the caller may take now")
    others: list[UUID] = Field(description="ledgers of other devices that stood in its place")
    entries: list[EntryOut]


class OutOfService(Seen):
    """停用: an application for every point of the instrument, which somebody else approves."""

    planning: Planning
    reason: Words
    until: Day | None = None
    evidence: Proofs = ()


class BackInService(Seen):
    """恢复使用: every point of the instrument."""

    remark: Words
    evidence: Proofs = ()


def instrument_out(of: InstrumentStatus) -> InstrumentOut:
    """As it is shown."""
    instrument = of.instrument
    return InstrumentOut(
        id=of.ledger.id,
        version=of.ledger.version,
        plant=instrument.plant,
        instrument=instrument.id,
        name=Said.model_validate(instrument.name),
        points=list(instrument.points),
        serial=instrument.serial,
        maker=instrument.maker,
        model=instrument.model,
        place=instrument.place,
        state=of.state,
        state_said=localized(of.state),
        out_of_service=of.out_of_service,
        due=[_due_out(due) for due in of.dues],
    )


def ledger_out(view: InstrumentView, caller: Principal) -> LedgerOut:
    """As it is shown."""
    ledger = view.ledger
    return LedgerOut(
        id=ledger.id,
        version=ledger.version,
        plant=ledger.plant,
        instrument=ledger.instrument,
        serial=ledger.serial,
        since=ledger.since,
        state=ledger.state,
        state_said=localized(ledger.state),
        standing=instrument_out(view.status) if view.status is not None else None,
        possible=[str(step) for step in LedgerStep.offered(ledger, caller.name, caller.role)],
        others=[other.id for other in view.others],
        entries=[EntryOut.model_validate(entry) for entry in ledger.entries],
    )


def _due_out(due: Due) -> DueOut:
    return DueOut(
        check=due.check,
        check_said=localized(due.check),
        every=due.period.months or due.period.days,
        unit="months" if due.period.months else "days",
        source=due.period.source,
        confidence=due.period.confidence,
        state=due.state,
        state_said=localized(due.state),
        last=_last_out(due.last),
        deadline=due.deadline,
        overdue_days=due.overdue_days,
    )


def _last_out(last: LastCheck | None) -> LastCheckOut | None:
    return None if last is None else LastCheckOut.model_validate(last)
