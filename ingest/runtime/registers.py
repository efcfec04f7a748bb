"""Reads the registers of the closed loop each round, for notices that they call for and for the figures of metrics."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from ingest.domain.cases.bypass import OPEN_STATES, BypassFilter, BypassState
from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.days import day_of
from ingest.domain.cases.labels import label
from ingest.domain.cases.occasions import bypass_occasions, maintenance_occasion, work_occasion
from ingest.domain.cases.pledge import PledgeStanding, standing_of
from ingest.domain.cases.work import WorkStanding
from ingest.domain.model.notice import Occasion
from ingest.domain.model.plant import Point
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.view import Latest, PlantView
from ingest.runtime.case_books import CaseBooks
from ingest.services.all_pages import read_all

UNREGISTERED: Final = "unregistered"
"""A bypass that no registration covers or has covered."""

SHOWN: Final = {True: "bypassed", False: "in-service", None: "unknown"}
"""What interlocks show of themselves."""

STANDINGS: Final = (
    WorkStanding.WAITING,
    WorkStanding.NOT_APPROVED,
    WorkStanding.PLANNED,
    WorkStanding.NOT_BEGUN,
    WorkStanding.UNDER_WAY,
    WorkStanding.OVERRAN,
    WorkStanding.LAPSED,
)
"""How declared work stands that is not closed."""

PLEDGES: Final = (PledgeStanding.IN_TIME, PledgeStanding.LATE, PledgeStanding.DUE, PledgeStanding.MISSING)
"""How plants that owe a pledge today stand with it."""


@dataclass(slots=True)
class RegisterFigures:
    """Counts as of the last round; None: there was no round yet.

    Attributes:
        bypasses: registrations that are not closed, by state, and interlocks bypassed without one (`UNREGISTERED`).
        interlocks: by what they show.
        works: declared work that is not closed, by how it stands.
        pledges: plants that owe a pledge today, by how they stand with it.
    """

    bypasses: Counter[str] | None = None
    interlocks: Counter[str] | None = None
    works: Counter[str] | None = None
    pledges: Counter[str] | None = None


class Registers:
    """Registrations of bypasses, declared work, pledges, and what instruments say of themselves. Times are ns, UTC."""

    def __init__(
        self,
        books: CaseBooks,
        configuration: Callable[[], PlantConfiguration],
        view: Callable[[], PlantView],
        latest: Callable[[int], Latest],
        flagged: Callable[[], Iterable[int]],
        config: CasesConfig,
        now: Callable[[], int],
    ) -> None:
        """`flagged`: configuration indexes of points whose instrument asks for maintenance (NE 107)."""
        self._books = books
        self._configuration = configuration
        self._view = view
        self._latest = latest
        self._flagged = flagged
        self._config = config
        self._now = now
        self._interlocks: tuple[int, Sequence[Point]] = (-1, ())  # of a version of the configuration
        self.figures = RegisterFigures()

    async def run_once(self) -> None:
        """Count what calls for no notice: the pledges of today. Raises StateUnavailable."""
        await asyncio.to_thread(self._count_pledges)

    def bypasses(self, now: int) -> list[Occasion]:
        """What registrations of bypasses call for. Raises StateUnavailable."""
        pages = partial(self._books.store.bypasses, BypassFilter(states=OPEN_STATES))
        records = list(read_all(pages, lambda record: (record.requested, record.id)))
        view = self._view()
        shown = {(point.plant, point.id): view.bypassed(point) for point in self._all_interlocks()}
        covered = {
            (record.plant, record.point)
            for record in records
            if record.state in {BypassState.IN_FORCE, BypassState.EXPIRED}
        }
        counts = Counter(str(record.state) for record in records)
        counts[UNREGISTERED] = sum(bypassed is True and key not in covered for key, bypassed in shown.items())
        self.figures.bypasses, self.figures.interlocks = counts, Counter(SHOWN[bypassed] for bypassed in shown.values())
        return [
            occasion
            for record in records
            for occasion in bypass_occasions(
                record,
                bypassed=shown.get((record.plant, record.point)),
                now=now,
                notice_h=self._config.bypass_notice_h,
            )
        ]

    def works(self, now: int) -> list[Occasion]:
        """What declared work calls for. Raises StateUnavailable."""
        works = [(work, work.standing(now)) for work in self._books.daily.open_works()]
        self.figures.works = Counter(str(standing) for _, standing in works)
        found = (
            work_occasion(work, label(work.kind), standing, now, self._config.not_closed_min)
            for work, standing in works
        )
        return [occasion for occasion in found if occasion is not None]

    def maintenance(self, _now: int) -> list[Occasion]:
        """The instruments that ask for maintenance."""
        points = self._configuration().points
        return [
            maintenance_occasion(point, certain=not self._latest(index).stale)
            for index in self._flagged()
            if index < len(points) and (point := points[index]) is not None
        ]

    def _count_pledges(self) -> None:
        now = self._now()
        today = day_of(now)
        plants = [plant for plant in self._configuration().enterprises() if plant.pledge is not None]
        held = self._books.daily.pledges_held(None, today, today + dt.timedelta(days=1)) if plants else []
        given = {pledge.plant: pledge for pledge in held}
        standings = (standing_of(plant.pledge, today, given.get(plant.id), now) for plant in plants)
        self.figures.pledges = Counter(str(standing) for standing in standings if standing in PLEDGES)

    def _all_interlocks(self) -> Sequence[Point]:
        configuration = self._configuration()
        if self._interlocks[0] != configuration.version:
            found = [point for point in configuration.points if point is not None and point.interlock]
            self._interlocks = configuration.version, found
        return self._interlocks[1]
