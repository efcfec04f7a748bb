"""Steps of an inspection, as the table of verbs has them, taken by somebody who may."""

from __future__ import annotations

from uuid import UUID

from ingest.domain.cases.inspection import Inspection, Result
from ingest.domain.cases.inspection_steps import Begin, Cancel, Conclude, Find, InspectionStep
from ingest.domain.cases.verbs import Form, advance


def taken(inspection: Inspection, form: Form[Inspection], by: str, time: int) -> Inspection:
    """The inspection after a step of an inspector."""
    return advance(InspectionStep, inspection, form, by=by, role="inspector", time=time)


def begin(inspection: Inspection, *, time: int) -> Inspection:
    """The inspectors are there."""
    return taken(inspection, Begin(), "王检查", time)


def find(inspection: Inspection, text: str, hazard: UUID, *, by: str, time: int) -> Inspection:
    """Note a finding."""
    return taken(inspection, Find(text, hazard), by, time)


def conclude(inspection: Inspection, result: Result, document: str, *, by: str, time: int) -> Inspection:
    """End it."""
    return taken(inspection, Conclude(result, document), by, time)


def cancel(inspection: Inspection, *, by: str, time: int, remark: str) -> Inspection:
    """Call it off."""
    return taken(inspection, Cancel(remark), by, time)
