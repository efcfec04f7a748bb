"""Watches the checks of instruments: an overdue one becomes an alarm by a reading of its own point, and a hazard.

Each run is safe to repeat: the ids of what it opens follow from the findings, the values it reports from the ledgers.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.days import day_of
from ingest.domain.cases.ledger_due import RULE, InstrumentStatus, Stopped, hazard_of, opened
from ingest.domain.cases.occasions import check_occasions
from ingest.domain.model.instrument import Instrument
from ingest.domain.model.notice import Occasion
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.automatic_cases import RuleHazards
from ingest.services.cases.instrument_board import InstrumentBoard, Statuses
from ingest.services.cases.out_of_service import stopped_points
from ingest.services.ports import SuppressionBook
from ingest.storage.state.case_store import CaseStore

_AT_ONCE: Final = 500
"""Ledgers opened in one transaction."""

NO_CHECK: Final = "no-check"
"""How an instrument stands that needs no check."""

Situation = tuple[int, dt.date, int, Stopped]
"""Version of the configuration, day, changes of the ledgers, points out of service: all that decides what is due."""


@dataclass(frozen=True, slots=True)
class LedgersOpened(Event):
    """Instruments that the service had not known before, each with a ledger now."""

    count: int


class InstrumentAutomation:
    """Runs with the other automations. Looks at the ledgers only where something that decides has changed.

    Attributes:
        figures: instruments by the most urgent state of their checks (`NO_CHECK`: they need none); None: not known yet.
    """

    def __init__(
        self,
        store: CaseStore,
        board: InstrumentBoard,
        suppressions: SuppressionBook,
        configuration: Callable[[], PlantConfiguration],
        observe: Callable[[Sequence[tuple[int, float]]], None],
        config: CasesConfig,
        now: Callable[[], int],
    ) -> None:
        """`observe` passes on values of points, by configuration index; `now`: ns since the epoch."""
        self._store = store
        self._board = board
        self._suppressions = suppressions
        self._configuration = configuration
        self._observe = observe
        self._config = config
        self._now = now
        self._seen: Situation | None = None
        self._checked: dict[str, Statuses] = {}  # by plant, as of the last round
        self._reported: dict[int, float] = {}  # by configuration index; of this day and configuration
        self._hazards = RuleHazards(store, RULE)
        self._called: dict[str, list[Occasion]] = {}  # by plant
        self._counted: dict[str, Counter[str]] = {}  # by plant
        self._occasions: list[Occasion] | None = None
        self.figures: Counter[str] | None = None

    async def run_once(self) -> None:
        """Run once. Raises StateUnavailable."""
        await asyncio.to_thread(self._check)

    def occasions(self, _now: int) -> list[Occasion] | None:
        """What the checks call for, as of the last round; None: there was no round yet."""
        return self._occasions

    def _check(self) -> None:
        configuration, now = self._configuration(), self._now()
        plants = frozenset(configuration.instruments)
        stopped = stopped_points(self._suppressions, plants, now) if plants else {}
        today = day_of(now)
        if self._seen is None or self._seen[0] != configuration.version:
            self._open_new(self._board.missing(chain.from_iterable(configuration.instruments.values())), today)
        situation = configuration.version, today, self._board.changes, stopped
        if situation == self._seen:
            return
        if self._seen is None or situation[:2] != self._seen[:2]:
            self._checked, self._called, self._counted = {}, {}, {}
            self._reported.clear()  # each value once a day at least: later it would count as stale
        found = self._board.by_plant(configuration, stopped, today)
        fresh = {plant: of_plant for plant, of_plant in found.items() if self._checked.get(plant) is not of_plant}
        self._report(configuration, chain.from_iterable(fresh.values()))
        for plant, of_plant in fresh.items():
            self._called[plant] = check_occasions(of_plant, today, self._config.ledger_notice_d)
            self._counted[plant] = Counter(str(of.state) if of.state else NO_CHECK for of in of_plant)
        self._occasions = [*chain.from_iterable(self._called.values())]
        self.figures = sum(self._counted.values(), Counter())
        overdue = [(of, due) for of in chain.from_iterable(fresh.values()) for due in of.dues if due.overdue_days]
        self._hazards.open([hazard_of(of, due, now) for of, due in overdue if due.check.watched], now)
        self._seen, self._checked = situation, found

    def _open_new(self, without: Sequence[Instrument], today: dt.date) -> None:
        """Open the ledgers of instruments that have none."""
        for first in range(0, len(without), _AT_ONCE):
            self._store.commit(added=[opened(instrument, today) for instrument in without[first : first + _AT_ONCE]])
        if without:
            emit(LedgersOpened(len(without)))

    def _report(self, configuration: PlantConfiguration, found: Iterable[InstrumentStatus]) -> None:
        """Pass on for how many days each check is overdue, where that has changed."""
        fresh = []
        for of in found:
            for due in of.dues:
                watched = due.check.watched
                point = configuration.find(of.instrument.plant, watched.of(of.instrument.id)) if watched else None
                value = float(due.overdue_days)
                if point is not None and self._reported.get(point.index) != value:
                    fresh.append((point.index, value))
        if fresh:
            self._observe(fresh)
            self._reported.update(fresh)
