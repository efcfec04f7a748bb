"""What a point's instrument says of itself, and its ledger of its checks, for `yujing explain point`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.days import day_of
from ingest.domain.cases.labels import label
from ingest.domain.cases.ledger_due import Due, InstrumentStatus, statuses_of
from ingest.domain.model.instrument import Instrument
from ingest.services.cases.out_of_service import stopped_points
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.read_only import ReadOnly
from ingest.storage.state.suppressions import SuppressionStore
from ingest.web.texts.plants import DEVICE_STATUSES


def status_of(instrument: Instrument, state: StateConfig, cases: CasesConfig) -> InstrumentStatus | None:
    """Return how an instrument stands now, as committed; None: its ledger cannot be read. Only reads."""
    now, plants = time.time_ns(), frozenset({instrument.plant})
    try:
        with ReadOnly(state) as database:
            ledgers = CaseStore(database).ledgers(plants)
            stopped = stopped_points(SuppressionStore(database), plants, now)
    except StateUnavailable:
        return None
    (found,) = statuses_of([instrument], ledgers, stopped, day_of(now), cases)
    return found


def status_lines(instrument: Instrument, found: InstrumentStatus | None) -> Iterator[str]:
    """Yield it in both languages, a line for each contact and each check."""
    serial = instrument.serial or "—"
    yield f"{instrument.id} · 出厂编号 serial number {serial} · {instrument.place or '—'}"
    for status, contact in instrument.contacts.items():
        text = DEVICE_STATUSES[status]
        yield f"状态触点 status contact: {text.zh} {text.en} · {contact.point} == {contact.active}"
    if found is None:
        yield "台账读不到 its ledger cannot be read"
    for due in found.dues if found is not None else ():
        yield _line(due)


def status_json(instrument: Instrument, found: InstrumentStatus | None) -> dict[str, Any]:
    """Return it JSON-ready; `checks` null: the ledger cannot be read."""
    return {
        "id": instrument.id,
        "serial": instrument.serial,
        "place": instrument.place,
        "contacts": [
            {"status": str(status), "point": contact.point, "active": contact.active}
            for status, contact in instrument.contacts.items()
        ],
        "checks": [_json(due) for due in found.dues] if found is not None else None,
    }


def _line(due: Due) -> str:
    check, state = label(due.check), label(due.state)
    last = f"上次 last {due.last.day.isoformat()}" if due.last else "无记录 nothing on record"
    number = f" {due.last.number}" if due.last and due.last.number else ""
    return f"{check.zh} {check.en}: {state.zh} {state.en} · {last}{number} · 至 due {due.deadline.isoformat()}"


def _json(due: Due) -> dict[str, Any]:
    return {
        "check": str(due.check),
        "state": str(due.state),
        "last": due.last.day.isoformat() if due.last else None,
        "number": due.last.number if due.last else None,
        "deadline": due.deadline.isoformat(),
        "overdue_days": due.overdue_days,
        "source": due.period.source,
        "confidence": str(due.period.confidence),
    }
