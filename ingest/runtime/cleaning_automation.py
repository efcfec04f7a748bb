"""Lets records of dust cleaning drive the points of their areas, and opens a hazard where cleaning is long overdue.

The readings pass through the journal like others, so the engine remains the only writer of alarms.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

from ingest.domain.cases.cleaning import RULE, AreaStatus, cleaning_hazard, status_of
from ingest.domain.model.daily import LONGEST_AGE_H
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.automatic_cases import RuleHazards
from ingest.runtime.case_books import CaseBooks

FEED_S: Final = 300.0
"""Interval of readings of an area's age; a new record is passed on in the next round."""

_HOUR: Final = 3600 * 10**9


class CleaningAutomation:
    """Runs in each round of `Automations`. Times are ns since the epoch, from the clock it is given."""

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
        self._hazards = RuleHazards(books.store, RULE)

    async def run_once(self) -> None:
        """Check all areas once. Raises StateUnavailable."""
        await asyncio.to_thread(self.check)

    def check(self) -> None:
        """Check all areas once, blocking. Raises StateUnavailable."""
        now, configuration = self._now(), self._configuration()
        fed: dict[int, tuple[UUID | None, int]] = {}
        fresh, found = [], []
        for status in self._statuses(configuration, now):
            point = configuration.find(status.plant, status.area.point)
            if point is not None and not status.area.measured and self._is_due(point.index, status, now):
                fresh.append((point.index, _age_h(status, now)))
                fed[point.index] = status.last.id if status.last else None, now
            found.append(cleaning_hazard(status, now))
        if fresh:
            self._observe(fresh)
        self._fed |= fed
        self._hazards.open([hazard for hazard in found if hazard is not None], now)

    def _statuses(self, configuration: PlantConfiguration, now: int) -> Iterator[AreaStatus]:
        for plant in configuration.enterprises():
            for area in plant.cleaning:
                yield status_of(plant.id, area, self._books.cleaned.last(plant.id, area.id), now)

    def _is_due(self, index: int, status: AreaStatus, now: int) -> bool:
        """Whether an area's age is to be passed on: never while nothing was ever recorded, since that is unknown."""
        record = status.last.id if status.last else None
        last, at = self._fed.get(index, (None, now))
        if record is None:
            return last is not None
        return record != last or not 0 <= now - at < int(FEED_S * 1e9)


def _age_h(status: AreaStatus, now: int) -> float:
    """How long ago an area was cleaned, in h. Where its only record was voided: no value, since none is true."""
    if status.last is None:
        return math.nan
    return min(max(now - status.last.done, 0) / _HOUR, LONGEST_AGE_H)
