"""Builds the sheets of the registers of daily duty from the records of a span of days, the oldest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from ingest.domain.cases import daily_sheets as sheets
from ingest.domain.cases.cleaning import CleaningFilter
from ingest.domain.cases.daily_sheets import PledgeLine
from ingest.domain.cases.days import DaySpan, day_of
from ingest.domain.cases.pledge import PledgeFilter, PledgeState, standing_of
from ingest.domain.cases.pledge_days import against_declared
from ingest.domain.cases.sheet import Sheet
from ingest.domain.cases.work import WorkFilter
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text
from ingest.services.all_pages import read_all
from ingest.services.exports.request import ExportRequest
from ingest.storage.state.daily_store import DailyStore


@dataclass(frozen=True, slots=True)
class DailyRegisters:
    """Reads the registers of a state database."""

    store: DailyStore

    def sheet(self, request: ExportRequest) -> Sheet:
        """Return the register that is asked for. Raises KeyError, StateUnavailable."""
        plants = {plant.id: plant for plant in request.plants}
        span, now, lang = request.span, request.now, request.lang
        if request.name == sheets.WORKS:
            works = WorkFilter(request.scope, since=span.first, until=span.end)
            found = [*read_all(partial(self.store.works, works), lambda work: (work.begins, work.id))]
            return sheets.work_sheet(reversed(found), plants, span, now, lang)
        if request.name == sheets.CLEANINGS:
            which = CleaningFilter(request.scope, since=span.first, until=span.end)
            records = [*read_all(partial(self.store.cleanings, which), lambda record: (record.done, record.id))]
            return sheets.cleaning_sheet(reversed(records), plants, span, now, lang)
        if request.name == sheets.PLEDGES:
            return sheets.pledge_sheet(self._pledges(request, plants), span, now, lang)
        raise KeyError(request.name)

    def _pledges(self, request: ExportRequest, plants: Mapping[str, Plant]) -> list[PledgeLine]:
        """Return every pledge, withdrawn ones among them, and the days that lack one, by day and plant."""
        span, now = request.span, request.now
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
        for plant, day in _owed(plants.values(), span, day_of(now)):
            if (plant.id, day) not in given:
                standing = standing_of(plant.pledge, day, None, now)
                lines[day, plant.id, 0] = PledgeLine(plant.name, day, None, standing, None)
        return [lines[key] for key in sorted(lines)]


def _owed(plants: Iterable[Plant], span: DaySpan, today: dt.date) -> Iterator[tuple[Plant, dt.date]]:
    """Yield plants with each day of the span for which they owe a pledge, up to today."""
    last = today if span.through is None else min(span.through, today)
    for plant in plants:
        if plant.pledge is not None:
            first = plant.pledge.since if span.since is None else max(span.since, plant.pledge.since)
            yield from ((plant, first + dt.timedelta(days=number)) for number in range((last - first).days + 1))
