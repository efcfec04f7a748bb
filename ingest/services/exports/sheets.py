"""Builds the four lists (四个清单), the registers and the yearly summary from the records, and encodes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import BinaryIO

import msgspec

from ingest.domain.cases import daily_sheets, duties, ledger_sheet
from ingest.domain.cases.bypass import Bypass, BypassFilter
from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.days import day_of, year_of
from ingest.domain.cases.hazard import Hazard, HazardFilter
from ingest.domain.cases.inspection import Inspection, InspectionFilter
from ingest.domain.cases.lead import Lead, LeadFilter
from ingest.domain.cases.ledger_due import statuses_of
from ingest.domain.cases.lists import bypass_sheet, make
from ingest.domain.cases.phones import without_phones
from ingest.domain.cases.sheet import Keep, Sheet, shown
from ingest.domain.cases.summary import Records, summarise
from ingest.domain.cases.written import WRITERS
from ingest.domain.model.text import Text
from ingest.services.all_pages import read_all
from ingest.services.exports.daily_registers import DailyRegisters
from ingest.services.exports.enterprise_status import enterprises_of
from ingest.services.exports.request import ExportRequest, Heading, Page
from ingest.services.exports.spool import Spool
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.daily_store import DailyStore


@dataclass(frozen=True, slots=True)
class SheetBuilder:
    """Builds sheets from the records of a state database."""

    store: CaseStore
    daily: DailyStore
    figures: CaseFigures

    def build(self, request: ExportRequest, out: BinaryIO) -> None:
        """Write the sheet, encoded as requested, to a file. Blocking, and slow for long lists."""
        with ExitStack() as held:
            sheet = self._sheet(request, lambda rows: held.enter_context(closing(Spool(rows))))
            if request.ending == "page":
                out.write(msgspec.json.encode(page_of(sheet, request.first, request.most)))
            else:
                WRITERS[request.ending][1](sheet, out)

    def _sheet(self, request: ExportRequest, keep: Keep) -> Sheet:
        if request.name == ledger_sheet.NAME:
            return self._instruments(request)
        if request.name in daily_sheets.TITLES:
            return DailyRegisters(self.daily).sheet(request, keep)
        rows = enterprises_of(self.store, request.plants, request.last_received, request.recent_s, request.now)
        if not request.phones:
            rows = [without_phones(row) for row in rows]
        if request.name == "bypasses":
            return bypass_sheet(rows, self._bypasses(request.scope), request.now, request.lang, keep)
        if request.year is None:
            hazards = self._hazards(request.scope, oldest_first=True)
            return make(request.name, rows, hazards, load_criteria(), request.now, request.lang, keep)
        first, end = year_of(request.year)
        last = min(dt.date(request.year, 12, 31), day_of(request.now))
        done = self.store.self_inspections(request.scope)
        owed = []
        for row in rows:
            kind = row.plant.kind
            since = max(dt.date(request.year, 1, 1), row.record.connected_on or duties.period_of(kind, last).first)
            if since <= last:
                owed += duties.owed(row.plant.id, kind, since, last, done)
        records = Records(
            plants=[(row.plant.id, row.plant.name, row.plant.kind) for row in rows],
            hazards=list(self._hazards(request.scope)),
            leads=list(self._leads(request.scope)),
            inspections=list(self._inspections(request.scope)),
            duties=owed,
            alarm_figures=self.figures.alarm_figures(request.scope, first, min(end, request.now + 1)),
        )
        return summarise(_with_removed(records), request.year, request.now, request.lang)

    def _instruments(self, request: ExportRequest) -> Sheet:
        plants = frozenset(instrument.plant for instrument in request.instruments)
        ledgers = self.store.ledgers(plants) if plants else []
        today = day_of(request.now)
        found = statuses_of(request.instruments, ledgers, request.stopped, today, request.cases)
        names = {plant.id: plant.name for plant in request.plants}
        return ledger_sheet.instrument_sheet(found, names, request.now, request.lang)

    def _hazards(self, scope: frozenset[str] | None, *, oldest_first: bool = False) -> Iterator[Hazard]:
        pages = partial(self.store.hazards, HazardFilter(plants=scope), oldest_first=oldest_first)
        return read_all(pages, lambda each: (each.found, each.id))

    def _bypasses(self, scope: frozenset[str] | None) -> Iterator[Bypass]:
        return read_all(
            partial(self.store.bypasses, BypassFilter(plants=scope)), lambda each: (each.requested, each.id)
        )

    def _leads(self, scope: frozenset[str] | None) -> Iterator[Lead]:
        return read_all(partial(self.store.leads, LeadFilter(plants=scope)), lambda each: (each.opened, each.id))

    def _inspections(self, scope: frozenset[str] | None) -> Iterator[Inspection]:
        which = InspectionFilter(plants=scope)
        return read_all(partial(self.store.inspections, which), lambda each: (each.made, each.id))


def page_of(sheet: Sheet, first: int, most: int) -> Page:
    """Return the rows of a sheet that make a page."""
    columns = tuple(Heading(column.key, column.heading, column.kind, column.wide) for column in sheet.columns)
    kinds = [column.kind for column in columns]
    rows = tuple(
        tuple(shown(kind, value) for kind, value in zip(kinds, row, strict=True))
        for row in islice(sheet.rows, first, first + most)
    )
    return Page(sheet.title, sheet.subtitle, columns, rows, sheet.made, first, len(sheet.rows))


def _with_removed(records: Records) -> Records:
    known = {key for key, _, _ in records.plants}
    named = {record.plant for kind in (records.hazards, records.leads, records.inspections) for record in kind}
    removed = sorted(named - known)
    plants = [*records.plants, *((key, Text(f"{key}（已移除）", f"{key} (removed)"), "") for key in removed)]
    return Records(plants, records.hazards, records.leads, records.inspections, records.duties, records.alarm_figures)
