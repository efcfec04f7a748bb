"""Automates the closed loop: opens hazards by rule and leads for overdue matters, and resubmits dispositions.

Each run is safe to repeat: the ids of what it opens follow from the findings, so nothing is opened twice, even after a
crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from ingest.base.telemetry import Event, emit
from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.dead_points import RULE, DeadPoint, compare, dead_now, hazard_of
from ingest.domain.cases.hazard import HazardFilter
from ingest.domain.cases.lead import Lead, LeadSource, lead_of_deadline, lead_of_warning
from ingest.domain.model.alarm import OVER, AlarmFilter, AlarmState
from ingest.domain.model.audit import YUJING
from ingest.domain.model.plant import Point
from ingest.domain.model.warning import Colour, EarlyWarning, WarningFilter, WarningState
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.view import PlantView
from ingest.runtime.automatic_cases import hazards_still_open, open_hazard, open_lead
from ingest.services.all_pages import read_all
from ingest.services.cases.dispositions import command
from ingest.services.ports import AlarmBook, WarningBook
from ingest.storage.state.case_store import CaseStore

_HOUR: Final = 3600 * 10**9
_PAGE: Final = 1000
_RESUBMIT_AFTER: Final = 60 * 10**9
"""Age after which a disposition is resubmitted: before that its own submission may still be under way."""


@dataclass(frozen=True, slots=True)
class DispositionRefused(Event, level="warning"):
    """The engine did not take a disposition it was given again: what it answers was answered already."""

    id: str
    error: str


class CaseAutomation:
    """Runs in each round of `Automations`. Times are ns since the epoch, from the clock it is given."""

    def __init__(
        self,
        store: CaseStore,
        alarms: AlarmBook,
        warnings: WarningBook,
        configuration: Callable[[], PlantConfiguration],
        view: Callable[[], PlantView],
        order: Callable[[Any], Any],
        config: CasesConfig,
        now: Callable[[], int],
    ) -> None:
        """`order` has the engine carry out a command and awaits it, as `ingest.services.ports.Live.order`."""
        self._store = store
        self._alarms = alarms
        self._warnings = warnings
        self._configuration = configuration
        self._view = view
        self._order = order
        self._config = config
        self._now = now
        self._known_leads: set[UUID] = set()  # leads known to exist

    async def run_once(self) -> None:
        """Run once. Raises StateUnavailable."""
        await asyncio.to_thread(self._open_what_is_due)
        await self._resubmit_dispositions()

    def _open_what_is_due(self) -> None:
        now = self._now()
        self._check_mandatory_points(now)
        overdue = HazardFilter(overdue_at=now)
        for hazard in read_all(partial(self._store.hazards, overdue), lambda hazard: (hazard.found, hazard.id)):
            if hazard.deadline is not None:
                days = f"整改时限 {hazard.deadline.isoformat()} 已过"
                self._open_lead(
                    Lead(
                        lead_of_deadline(hazard.id, hazard.deadline),
                        hazard.plant,
                        LeadSource.OVERDUE_HAZARD,
                        f"隐患逾期未整改：{hazard.title}（{days}）",
                        now,
                        YUJING,
                        subject=str(hazard.id),
                    )
                )
        for warning in self._unhandled(now):
            self._open_lead(
                Lead(
                    lead_of_warning(warning.id),
                    warning.plant,
                    LeadSource.WARNING,
                    f"{warning.peak.text.zh}预警未处置",
                    now,
                    YUJING,
                    subject=str(warning.id),
                )
            )

    def _check_mandatory_points(self, now: int) -> None:
        configuration = self._configuration()
        mandatory = [point for point in configuration.points if point is not None and point.mandatory]
        places = {point.plant for point in mandatory}
        not_over = frozenset(AlarmState) - OVER
        which = AlarmFilter(plants=frozenset(places), states=not_over)
        alarms = read_all(partial(self._alarms.alarms, which), lambda alarm: (alarm.raised, alarm.id))
        known = {(dead.plant, dead.point): dead for dead in self._store.dead_points()}
        places_of = {(point.plant, point.id): point for point in mandatory}
        limit = int(self._config.dead_after_h * _HOUR)
        view = self._view()
        seen = compare(
            known, dead_now(mandatory, alarms), lambda key: view.state_of(places_of[key]).in_production, now, limit
        )
        self._store.note_dead(seen.kept, seen.over)
        for dead in seen.ripe:
            self._open_hazard(dead, places_of[dead.plant, dead.point], now)

    def _open_hazard(self, dead: DeadPoint, point: Point, now: int) -> None:
        hazard = hazard_of(dead, point, now, self._config.dead_after_h)
        open_ = hazards_still_open(self._store, RULE, frozenset({dead.plant}))
        same = [hazard for hazard in open_ if hazard.point == dead.point]
        if not same:
            open_hazard(self._store, hazard, now)
        self._store.note_dead([replace(dead, hazard=same[0].id if same else hazard.id)], [])

    def _unhandled(self, now: int) -> Iterator[EarlyWarning]:
        """Yield warnings that have been red or orange for too long without feedback."""
        open_ = frozenset(set(WarningState) - {WarningState.CLOSED})
        for colour, hours in (
            (Colour.RED, self._config.unhandled_red_h),
            (Colour.ORANGE, self._config.unhandled_orange_h),
        ):
            by = now - int(hours * _HOUR)
            which = WarningFilter(peaks=frozenset({colour}), states=open_, until=by + 1)
            for warning in read_all(
                partial(self._warnings.warnings, which), lambda warning: (warning.raised, warning.id)
            ):
                if (
                    warning.feedback is None
                    and lead_of_warning(warning.id) not in self._known_leads
                    and self._reached(warning) <= by
                ):
                    yield warning

    def _reached(self, warning: EarlyWarning) -> int:
        """Return when a warning first had its highest colour."""
        history = self._warnings.warning_history(warning.id)
        return next((event.time for event in history if event.warning.peak is warning.peak), warning.raised)

    def _open_lead(self, lead: Lead) -> None:
        if lead.id in self._known_leads:
            return
        if self._store.lead(lead.id) is None:
            open_lead(self._store, lead, self._now())
        self._known_leads.add(lead.id)

    async def _resubmit_dispositions(self) -> None:
        """Resubmit dispositions that the engine has not recorded."""
        for disposition in await asyncio.to_thread(self._store.unreported, limit=_PAGE):
            if disposition.given > self._now() - _RESUBMIT_AFTER:
                continue
            try:
                await self._order(command(disposition))
            except TimeoutError:
                return
            except (KeyError, ValueError) as error:
                emit(DispositionRefused(str(disposition.id), str(error)))
            await asyncio.to_thread(self._store.note_reported, disposition.id, self._now())
