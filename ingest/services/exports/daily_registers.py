"""Builds the sheets of the registers of daily duty from the records of a span of days, the oldest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from ingest.domain.cases import daily_sheets as sheets
from ingest.domain.cases.cleaning import CleaningFilter
from ingest.domain.cases.daily_sheets import PledgeLine
from ingest.domain.cases.days import DaySpan, day_of
from ingest.domain.cases.pledge import PledgeFilter, PledgeState, standing_of
from ingest.domain.cases.pledge_days import against_declared
from ingest.domain.cases.sheet import Keep, Sheet
from ingest.domain.cases.work import WorkFilter
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text
from ingest.services.all_pages import read_all
from ingest.services.exports.request import ExportRequest
from ingest.storage.state.daily_store import DailyStore

_LINES: Final = 2_000  # of pledges in memory, about


@dataclass(frozen=True, slots=True)
class DailyRegisters:
    """Reads the registers of a state database."""

    store: DailyStore

    def sheet(self, request: ExportRequest, keep: Keep) -> Sheet:
        """Return the register that is asked for, with its rows kept so. Raises KeyError, StateUnavailable."""
        plants = {plant.id: plant for plant in request.plants}
        span, now, lang = request.span, request.now, request.lang
        if request.name == sheets.WORKS:
            works = WorkFilter(request.scope, since=span.first, until=span.end)
            found = read_all(partial(self.store.works, works, oldest_first=True), lambda work: (work.begins, work.id))
            return sheets.work_sheet(found, plants, span, now, lang, keep)
        if request.name == sheets.CLEANINGS:
            which = CleaningFilter(request.scope, since=span.first, until=span.end)
            records = read_all(
                partial(self.store.cleanings, which, oldest_first=True), lambda record: (record.done, record.id)
            )
            return sheets.cleaning_sheet(records, plants, span, now, lang, keep)
        if request.name == sheets.PLEDGES:
            lines = (line for part in self._parts(request) for line in self._pledges(request, part, plants))
            return sheets.pledge_sheet(lines, span, now, lang, keep)
        raise KeyError(request.name)

    def _parts(self, request: ExportRequest) -> Iterator[DaySpan]:
        """Yield the days that have a pledge or owe one, some at a time, the oldest first."""
        span, today = request.span, day_of(request.now)
        known = self.store.pledge_days(PledgeFilter(request.scope, None, span.since, span.until))
        bounds = [*(known or ()), *(day for plant in request.plants for day in _owing(plant, span, today))]
        if not bounds:
            return
        begin, last = min(bounds), max(bounds)
        step = dt.timedelta(days=max(1, _LINES // max(1, len(request.plants))))
        while begin <= last:
            yield DaySpan(begin, min(begin + step - dt.timedelta(days=1), last))
            begin += step

    def _pledges(self, request: ExportRequest, span: DaySpan, plants: Mapping[str, Plant]) -> list[PledgeLine]:
        """Return every pledge of a span, withdrawn ones among them, and the days that lack one, by day and plant."""
        now = request.now
        which = PledgeFilter(request.scope, None, span.since, span.until)
        pledges = [*read_all(partial(self.store.pledges, which), lambda pledge: (pledge.given, pledge.id))]
        held = [pledge for pledge in pledges if pledge.state is PledgeState.GIVEN]
        differing = against_declared(held, self.store.works_beside(held))
        lines: dict[tuple[dt.date, str, int], PledgeLine] = {}
        for pledge in pledges:
            plant = plants.get(pledge.plant)
            name, duty = (plant.name, plant.pledge) if plant else (Text(pledge.plant, pledge.plant), None)
            standing = standing_of(duty, pledge.day, pledge, now) if pledge.id in differing else None
            line = PledgeLine(name, pledge.day, pledge, standing, differing.get(pledge.id))
            lines[pledge.day, pledge.plant, pledge.number] = line
        given = {(pledge.plant, pledge.day) for pledge in held}
        for plant in plants.values():
            for day in _days(_owing(plant, span, day_of(now))):
                if (plant.id, day) not in given:
                    standing = standing_of(plant.pledge, day, None, now)
                    lines[day, plant.id, 0] = PledgeLine(plant.name, day, None, standing, None)
        return [lines[key] for key in sorted(lines)]


def _owing(plant: Plant, span: DaySpan, today: dt.date) -> tuple[dt.date, dt.date] | tuple[()]:
    """Return the first and the last day of the span for which a plant owes a pledge, up to today; () if for none."""
    if plant.pledge is None:
        return ()
    first = plant.pledge.since if span.since is None else max(span.since, plant.pledge.since)
    last = today if span.through is None else min(span.through, today)
    return (first, last) if first <= last else ()


def _days(bounds: tuple[dt.date, dt.date] | tuple[()]) -> Iterator[dt.date]:
    if bounds:
        first, last = bounds
        yield from (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
