"""Lets records of dust cleaning drive the points of their areas, and opens a hazard where cleaning is long overdue.

The readings pass through the journal like others, so the engine remains the only writer of alarms.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

from ingest.domain.cases.cleaning import RULE, AreaStatus, CleaningStanding, cleaning_hazard, status_of
from ingest.domain.model.daily import LONGEST_AGE_H
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.case_opening import open_hazard, open_hazards_by
from ingest.runtime.open_cases import CaseBooks

FEED_S: Final = 300.0
"""Interval of readings of an area's age; a new record is passed on at the next look."""

_HOUR: Final = 3600 * 10**9


class CleaningAutomation:
    """Runs in each round of `casework`. Times are ns since the epoch, from the clock it is given."""

    def __init__(
        self,
        books: CaseBooks,
        configuration: Callable[[], PlantConfiguration],
        observe: Callable[[Sequence[tuple[int, float]]], None],
        now: Callable[[], int],
    ) -> None:
        """`observe` has readings journalled, each (point index, value): `Intake.observe`."""
        self._books = books
        self._configuration = configuration
        self._observe = observe
        self._now = now
        self._fed: dict[int, tuple[UUID | None, int]] = {}  # by point: the record, and when it was passed on
        self._opened: set[UUID] = set()  # hazards known to exist

    async def run_once(self) -> None:
        """Look once. Raises StateUnavailable."""
        await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Look once, blocking. Raises StateUnavailable."""
        now, configuration = self._now(), self._configuration()
        fresh = []
        for status in self._statuses(configuration, now):
            point = configuration.find(status.plant, status.area.point)
            if point is not None and not status.area.measured:
                fresh += self._reading(point.index, status, now)
            if status.standing is CleaningStanding.LONG_OVERDUE:
                self._open_hazard(status, now)
        if fresh:
            self._observe(fresh)

    def _statuses(self, configuration: PlantConfiguration, now: int) -> Iterator[AreaStatus]:
        for plant in configuration.enterprises():
            for area in plant.cleaning:
                yield status_of(plant.id, area, self._books.cleaned.last(plant.id, area.id), now)

    def _reading(self, index: int, status: AreaStatus, now: int) -> list[tuple[int, float]]:
        """Return what is to be passed on of an area: nothing while nothing was ever recorded, since that is unknown.

        Where the only record was voided it is "no value": what was shown before is not true any more.
        """
        last, fed = status.last, self._fed.get(index)
        record = last.id if last is not None else None
        if last is None and (fed is None or fed[0] is None):
            return []
        if fed is not None and fed[0] == record and 0 <= now - fed[1] < int(FEED_S * 1e9):
            return []
        self._fed[index] = record, now
        age_h = math.nan if last is None else min(max(now - last.done, 0) / _HOUR, LONGEST_AGE_H)
        return [(index, age_h)]

    def _open_hazard(self, status: AreaStatus, now: int) -> None:
        hazard = cleaning_hazard(status, now)
        if hazard is None or hazard.id in self._opened:
            return
        store = self._books.store
        open_ = open_hazards_by(store, RULE, frozenset({status.plant}))
        if store.hazard(hazard.id) is None and not any(each.point == hazard.point for each in open_):
            open_hazard(store, hazard, now)
        self._opened.add(hazard.id)
