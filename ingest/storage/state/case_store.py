"""Stores the records of the closed loop, each commit with its rows of the audit trail, and queries them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.cases.bypass import Bypass, BypassFilter
from ingest.domain.cases.days import day_of
from ingest.domain.cases.dead_points import DeadPoint
from ingest.domain.cases.disposition import Disposition, DispositionFilter
from ingest.domain.cases.duties import SelfInspection
from ingest.domain.cases.enterprise import EnterpriseRecord
from ingest.domain.cases.errors import Already, Stale
from ingest.domain.cases.evidence import Evidence
from ingest.domain.cases.hazard import Hazard, HazardFilter, HazardMoment, HazardState
from ingest.domain.cases.inspection import Finding, Inspection, InspectionFilter
from ingest.domain.cases.lead import Lead, LeadFilter
from ingest.domain.cases.ledger import Ledger, LedgerEntry
from ingest.domain.model.audit import Act
from ingest.storage.state import audit
from ingest.storage.state import case_tables as t
from ingest.storage.state.bypass_table import bypass as bypass_table
from ingest.storage.state.case_queries import Before, equal, narrowed, paged
from ingest.storage.state.case_rows import (
    TABLES,
    Record,
    Versioned,
    finding_row,
    key_of,
    link_rows,
    record_of,
    row_of,
    taken_by,
)
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateInDoubt
from ingest.storage.state.read_only import ReadOnly
from ingest.storage.state.record_reader import RecordReader


class CaseStore(RecordReader):
    """Every record of the closed loop, as committed. Lists come newest first."""

    def __init__(
        self,
        database: Database | ReadOnly,
        written: Callable[[Sequence[Record]], None] = lambda _records: None,
        in_doubt: Callable[[Sequence[Record]], None] = lambda _records: None,
    ) -> None:
        """`written` is called with records once they are committed, on the thread that wrote them.

        `in_doubt` hears of those of which nobody knows whether they were: they are to be read again.
        """
        super().__init__(database)
        self._written = written
        self._in_doubt = in_doubt

    def commit(
        self, *, added: Sequence[Record] = (), saved: Sequence[Versioned] = (), acts: Sequence[Act] = ()
    ) -> None:
        """Write new records and new versions of known ones, in one transaction with what the audit trail tells of them.

        Raises:
            Already: a new record's id is taken.
            Stale: a known record is not at the version before.
            StateUnavailable, StateBroken: the database.
        """
        try:
            with self._db.write() as connection:
                for new in added:
                    _add(connection, new)
                for record in saved:
                    _save(connection, record)
                audit.append(connection, acts)
        except StateInDoubt:
            self._in_doubt([*added, *saved])
            raise
        self._written([*added, *saved])

    def note_reported(self, disposition: UUID, time: int) -> None:
        """The engine has taken note of a disposition."""
        with self._db.write() as connection:
            connection.execute(sa.update(t.disposition).where(t.disposition.c.id == disposition).values(told=time))

    def note_dead(self, kept: Iterable[DeadPoint], over: Iterable[tuple[str, str]]) -> None:
        """Remember which mandatory points are dead, and forget those that are not."""
        with self._db.write() as connection:
            for plant, point in over:
                column = t.dead_point.c
                connection.execute(sa.delete(t.dead_point).where(column.plant == plant, column.point == point))
            for dead in kept:
                known = connection.execute(sa.update(t.dead_point).where(key_of(dead)).values(row_of(dead)))
                if not known.rowcount:
                    connection.execute(sa.insert(t.dead_point), row_of(dead))

    def dead_points(self) -> list[DeadPoint]:
        """The mandatory points that were dead at the last check."""
        return self._records(DeadPoint, sa.select(t.dead_point))

    def disposition(self, key: UUID) -> Disposition | None:
        """One disposition, or None."""
        return self._record(Disposition, key)

    def dispositions(self, which: DispositionFilter, *, limit: int, before: Before = None) -> list[Disposition]:
        """By the time they were given."""
        column = t.disposition.c
        query = narrowed(t.disposition, which.plants, column.given, which.since, which.until)
        if which.alarm is not None:
            link = t.disposition_alarm.c
            query = query.where(column.id.in_(sa.select(link.disposition).where(link.alarm == which.alarm)))
        query = equal(query, {column.warning: which.warning, column.form: which.form})
        if which.false_alarm is not None:
            query = query.where(column.false_alarm.is_not(None) == which.false_alarm)
        return self._page(Disposition, query, column.given, limit, before)

    def unreported(self, *, limit: int) -> list[Disposition]:
        """Dispositions the engine has not taken note of yet, oldest first."""
        column = t.disposition.c
        query = sa.select(t.disposition).where(column.told.is_(None)).order_by(column.given)
        return self._db.page(query, limit, partial(record_of, Disposition))

    def evidence(self, key: UUID) -> Evidence | None:
        """One piece of evidence, or None."""
        return self._record(Evidence, key)

    def evidence_bytes(self) -> int:
        """The size of all evidence there is; what was handed in twice is kept, and counts, once."""
        files = sa.select(t.evidence.c.sha256, t.evidence.c.size).distinct().subquery()
        (row,) = self._db.rows(sa.select(sa.func.coalesce(sa.func.sum(files.c.size), 0).label("bytes")))
        return int(row["bytes"])

    def evidence_of(self, keys: Collection[UUID]) -> list[Evidence]:
        """Return the evidence with these hashes, as far as it is known."""
        query = sa.select(t.evidence).where(t.evidence.c.id.in_(keys))
        return self._records(Evidence, query) if keys else []

    def hazard(self, key: UUID) -> Hazard | None:
        """One hazard, or None."""
        return self._record(Hazard, key)

    def hazards(
        self, which: HazardFilter, *, limit: int, before: Before = None, oldest_first: bool = False
    ) -> list[Hazard]:
        """By the time they were found."""
        column = t.hazard.c
        query = narrowed(t.hazard, which.plants, column.found, which.since, which.until)
        if which.states is not None:
            query = query.where(column.state.in_([str(state) for state in which.states]))
        query = equal(query, {column.level: which.level, column.source: which.source, column.origin: which.origin})
        if which.overdue_at is not None:
            late = column.deadline < day_of(which.overdue_at)
            query = query.where(column.state == str(HazardState.RECTIFYING), late)
        return self._page(Hazard, query, column.found, limit, before, oldest_first=oldest_first)

    def hazard_history(self, key: UUID) -> list[HazardMoment]:
        """Every step of one hazard, oldest first."""
        column = t.hazard_step.c
        query = sa.select(t.hazard_step).where(column.hazard == key).order_by(column.version)
        return self._records(HazardMoment, query)

    def bypass(self, key: UUID) -> Bypass | None:
        """One registration of a bypass, or None."""
        return self._record(Bypass, key)

    def bypasses(self, which: BypassFilter, *, limit: int, before: Before = None) -> list[Bypass]:
        """By the time they were asked for."""
        column = bypass_table.c
        query = narrowed(bypass_table, which.plants, column.requested, which.since, which.until)
        if which.states is not None:
            query = query.where(column.state.in_([str(state) for state in which.states]))
        return self._page(Bypass, equal(query, {column.point: which.point}), column.requested, limit, before)

    def lead(self, key: UUID) -> Lead | None:
        """One lead, or None."""
        return self._record(Lead, key)

    def leads(self, which: LeadFilter, *, limit: int, before: Before = None) -> list[Lead]:
        """By the time they were opened."""
        column = t.lead.c
        query = narrowed(t.lead, which.plants, column.opened, which.since, which.until)
        if which.states is not None:
            query = query.where(column.state.in_([str(state) for state in which.states]))
        query = equal(query, {column.source: which.source, column.subject: which.subject})
        return self._page(Lead, query, column.opened, limit, before)

    def inspection(self, key: UUID) -> Inspection | None:
        """One inspection with its findings, or None."""
        found = self._record(Inspection, key)
        return self._with_findings([found])[0] if found else None

    def inspections(self, which: InspectionFilter, *, limit: int, before: Before = None) -> list[Inspection]:
        """By the time they were entered, each with its findings."""
        column = t.inspection.c
        query = narrowed(t.inspection, which.plants, column.made, None, None)
        if which.states is not None:
            query = query.where(column.state.in_([str(state) for state in which.states]))
        query = equal(query, {column.basis: which.basis, column.lead: which.lead})
        if which.since is not None:
            query = query.where(column.day >= which.since)
        if which.until is not None:
            query = query.where(column.day < which.until)
        page = paged(query, column.made, column.id, before)
        return self._with_findings(self._db.page(page, limit, partial(record_of, Inspection)))

    def self_inspections(self, plants: frozenset[str] | None) -> list[SelfInspection]:
        """Return the self-inspections that were done, newest first."""
        column = t.self_inspection.c
        query = sa.select(t.self_inspection).order_by(column.day.desc(), column.given.desc())
        if plants is not None:
            query = query.where(column.plant.in_(plants))
        return self._records(SelfInspection, query)

    def self_inspection(self, key: UUID) -> SelfInspection | None:
        """One that was done, or None."""
        return self._record(SelfInspection, key)

    def enterprises(self, plants: frozenset[str] | None) -> dict[str, EnterpriseRecord]:
        """What is noted of plants, by plant; those of which nothing is are left out."""
        query = sa.select(t.enterprise)
        if plants is not None:
            query = query.where(t.enterprise.c.plant.in_(plants))
        return {record.plant: record for record in self._records(EnterpriseRecord, query)}

    def ledger(self, key: UUID) -> Ledger | None:
        """One ledger with its entries, or None."""
        found = self._record(Ledger, key)
        if found is None:
            return None
        column = t.ledger_entry.c
        query = sa.select(t.ledger_entry).where(column.ledger == key).order_by(column.version)
        return replace(found, entries=tuple(self._records(LedgerEntry, query)))

    def ledgers(self, plants: frozenset[str] | None, instrument: str | None = None) -> list[Ledger]:
        """Return the ledgers of these plants (None: all), or of one instrument id there, without their entries."""
        column = t.ledger.c
        query = equal(narrowed(t.ledger, plants, column.since, None, None), {column.instrument: instrument})
        return self._records(Ledger, query.order_by(column.plant, column.instrument, column.serial))

    def _with_findings(self, inspections: Sequence[Inspection]) -> list[Inspection]:
        column = t.finding.c
        numbers = sa.select(t.finding).where(column.inspection.in_([inspection.id for inspection in inspections]))

        def finding(row: Mapping[str, Any]) -> tuple[UUID, Finding]:
            return row["inspection"], record_of(Finding, row)

        findings = self._db.records(numbers.order_by(column.number), finding) if inspections else []
        return [
            replace(inspection, findings=tuple(found for of, found in findings if of == inspection.id))
            for inspection in inspections
        ]


def _save(connection: sa.Connection, record: Versioned) -> None:
    table = TABLES[type(record)]
    known = table.c.version == record.version - 1
    if not connection.execute(sa.update(table).where(key_of(record), known).values(row_of(record))).rowcount:
        now = connection.execute(sa.select(table.c.version).where(key_of(record))).scalar()
        raise Stale(f"{table.name}", record.version - 1, now or 0)
    if isinstance(record, Inspection):
        last = sa.select(sa.func.max(t.finding.c.number)).where(t.finding.c.inspection == record.id)
        kept = connection.execute(last).scalar() or 0
        rows = [finding_row(record.id, finding) for finding in record.findings if finding.number > kept]
        if rows:
            connection.execute(sa.insert(t.finding), rows)


def _add(connection: sa.Connection, record: Record) -> None:
    table = TABLES[type(record)]
    if connection.execute(sa.select(sa.literal(1)).select_from(table).where(taken_by(record))).first():
        raise Already(f"this {table.name} is there already")
    connection.execute(sa.insert(table), row_of(record))
    if isinstance(record, Disposition) and record.alarms:
        connection.execute(sa.insert(t.disposition_alarm), link_rows(record))
