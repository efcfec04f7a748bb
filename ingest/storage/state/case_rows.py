"""Maps records of the closed loop to rows: a table for each kind, a column of the same name for each field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy as sa

from ingest.domain.calls.roster import Presence, Swap
from ingest.domain.cases.bypass import Bypass
from ingest.domain.cases.cleaning import Cleaning
from ingest.domain.cases.dead_points import DeadPoint
from ingest.domain.cases.disposition import Disposition
from ingest.domain.cases.duties import SelfInspection
from ingest.domain.cases.enterprise import EnterpriseRecord
from ingest.domain.cases.evidence import Evidence
from ingest.domain.cases.hazard import Hazard, HazardMoment
from ingest.domain.cases.inspection import Finding, Inspection
from ingest.domain.cases.lead import Lead
from ingest.domain.cases.ledger import Ledger, LedgerEntry
from ingest.domain.cases.pledge import Pledge
from ingest.domain.cases.work import Work
from ingest.domain.model.notice import Notice
from ingest.storage.state import call_tables as c
from ingest.storage.state import case_tables as t
from ingest.storage.state import daily_tables as d
from ingest.storage.state.bypass_table import bypass
from ingest.storage.state.notice_table import notice

Versioned = Hazard | Lead | Inspection | EnterpriseRecord | Work | Cleaning | Pledge | Ledger
"""Records that change, one version at a time."""

Record = Versioned | Disposition | Evidence | HazardMoment | SelfInspection | LedgerEntry
"""What the closed loop keeps."""

TABLES: Final[Mapping[type, sa.Table]] = {
    Disposition: t.disposition,
    Evidence: t.evidence,
    Hazard: t.hazard,
    HazardMoment: t.hazard_step,
    Bypass: bypass,
    Lead: t.lead,
    Inspection: t.inspection,
    SelfInspection: t.self_inspection,
    EnterpriseRecord: t.enterprise,
    DeadPoint: t.dead_point,
    Work: d.work,
    Cleaning: d.cleaning,
    Pledge: d.pledge,
    Ledger: t.ledger,
    LedgerEntry: t.ledger_entry,
    Notice: notice,
    Presence: c.duty_presence,
    Swap: c.duty_swap,
}
"""Where each kind of record is kept."""

R = TypeVar("R")


def row_of(record: Any) -> dict[str, Any]:
    """The record as a row of its table."""
    columns = TABLES[type(record)].c
    return {field.name: _plain(getattr(record, field.name)) for field in fields(record) if field.name in columns}


def record_of(kind: type[R], row: Mapping[str, Any]) -> R:
    """The record a row holds."""
    return msgspec.convert({str(name): value for name, value in row.items()}, kind)


def key_of(record: Any) -> sa.ColumnElement[bool]:
    """Which row is the record's."""
    table = TABLES[type(record)]
    return sa.and_(*(column == getattr(record, column.name) for column in table.primary_key))


def taken_by(record: Any) -> sa.ColumnElement[bool]:
    """Select the rows that conflict with a new record: that of its key, and equal ones where the table allows one."""
    table = TABLES[type(record)]
    alone = [constraint for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)]
    alike = [
        sa.and_(*(column == getattr(record, column.name) for column in unique_constraint.columns))
        for unique_constraint in alone
    ]
    return sa.or_(key_of(record), *alike)


def link_rows(disposition: Disposition) -> list[dict[str, Any]]:
    """By which a disposition is found from its alarms."""
    return [{"alarm": alarm, "disposition": disposition.id} for alarm in disposition.alarms]


def finding_row(inspection: UUID, finding: Finding) -> dict[str, Any]:
    """The finding as a row."""
    return {"inspection": inspection} | {field.name: getattr(finding, field.name) for field in fields(finding)}


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, tuple):
        return [str(item) for item in value]
    if isinstance(value, Mapping):
        return msgspec.to_builtins(dict(value), str_keys=True)
    assert value is None or isinstance(value, (str, int, UUID, dt.date)), value  # noqa: S101  a field no column takes
    return value
