"""Builds the four lists (四个清单), the registers and the yearly summary from the records, and encodes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from operator import attrgetter
from typing import BinaryIO

import msgspec

from ingest.domain.cases import daily_sheets, duties, ledger_sheet
from ingest.domain.cases.bypass import Bypass, BypassFilter
from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.days import day_of, year_of
from ingest.domain.cases.hazard import Hazard, HazardFilter
from ingest.domain.cases.inspection import Inspection, InspectionFilter
from ingest.domain.cases.lead import Lead, LeadFilter
from ingest.domain.cases.ledger_due import InstrumentStatus, statuses_of
from ingest.domain.cases.lists import bypass_sheet, make
from ingest.domain.cases.phones import without_phones
from ingest.domain.cases.sheet import Keep, Sheet, shown
from ingest.domain.cases.summary import Records, summarise
from ingest.domain.cases.written import WRITERS
from ingest.services.all_pages import read_all
from ingest.services.exports.daily_registers import DailyRegisters
from ingest.services.exports.enterprise_status import enterprises_of
from ingest.services.exports.request import ExportRequest, Heading, Page
from ingest.services.exports.spool import Spool
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.daily_store import DailyStore

_plant_of = attrgetter("plant")


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
            return self._instruments(request, keep)
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
        begin = dt.date(request.year, 1, 1)
        since = {row.plant.id: row.record.connected_on or duties.period_of(row.plant.kind, last).first for row in rows}
        records = Records(
            plants=[(row.plant.id, row.plant.name, row.plant.kind) for row in rows],
            hazards=self._hazards(request.scope),
            leads=self._leads(request.scope),
            inspections=self._inspections(request.scope),
            duties=(
                duty
                for row in rows
                if since[row.plant.id] <= last
                for duty in duties.owed(row.plant.id, row.plant.kind, max(begin, since[row.plant.id]), last, done)
            ),
            alarm_figures=self.figures.alarm_figures(request.scope, first, min(end, request.now + 1)),
        )
        return summarise(records, request.year, request.now, request.lang)

    def _instruments(self, request: ExportRequest, keep: Keep) -> Sheet:
        names = {plant.id: plant.name for plant in request.plants}
        return ledger_sheet.instrument_sheet(self._statuses(request), names, request.now, request.lang, keep)

    def _statuses(self, request: ExportRequest) -> Iterator[InstrumentStatus]:
        """Yield how each instrument stands, a plant at a time: of its ledgers those in use alone are kept."""
        today = day_of(request.now)
        for plant, instruments in groupby(sorted(request.instruments, key=_plant_of), key=_plant_of):
            ledgers = self.store.ledgers(frozenset({plant}))
            yield from statuses_of(instruments, ledgers, request.stopped, today, request.cases)

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
