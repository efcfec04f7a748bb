"""Computes the alarm load of operator positions from the stored alarms: over a span of time, and at present."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.lifecycle import OUTSTANDING, SUPPRESSED_STATES
from ingest.domain.alarms.metrics import AlarmMetrics, lead, measure
from ingest.domain.alarms.operator_load import OperatorLoad, load_at
from ingest.domain.alarms.slot import SLOT, AlarmSlot, slot_of
from ingest.domain.model.alarm import Alarm, AlarmFilter
from ingest.domain.model.annunciations import Annunciations

MOST: Final = 50_000
"""Most alarms read for the present load; of more, the oldest are not counted."""

_OPEN: Final = OUTSTANDING | frozenset(SUPPRESSED_STATES)


class AlarmRecords(Protocol):
    """The stored alarms, as far as the load needs them. Blocking."""

    def alarms(self, which: AlarmFilter, *, limit: int) -> Sequence[Alarm]:
        """Alarms, newest raised first."""

    def annunciations(self, start: int, end: int, plants: Collection[str] | None = None) -> Annunciations:
        """The annunciations of these plants (None = all) with start <= called < end."""


class AlarmLoad:
    """Computes the load of operator positions from the stored alarms. Blocking.

    `plants` returns the ids of all current plants, `renamed` the points that had another id before, as
    `ingest.plants.configuration.PlantConfiguration.renamed`.
    """

    def __init__(
        self,
        records: AlarmRecords,
        config: AlarmsConfig,
        plants: Callable[[], Iterable[str]],
        renamed: Callable[[], Mapping[tuple[str, str], str]] = dict,
    ) -> None:
        self.config = config
        self._records = records
        self._plants = plants
        self._renamed = renamed

    def positions(self) -> dict[str, tuple[str, ...]]:
        """Every operator position with its plants."""
        return self.config.position_plants(self._plants())

    def metrics(self, positions: Mapping[str, Collection[str]], start: int, end: int) -> dict[str, AlarmMetrics]:
        """The metrics of each of these positions, by one query. Raises ValueError (empty span), StateUnavailable."""
        plants = frozenset(plant for own in positions.values() for plant in own)
        calls = _by_position(positions, self._calls(start - lead(self.config), end, plants))
        return {name: measure(calls[name], start, end, self.config) for name in positions}

    def recent(self, plants: Collection[str] | None, now: int) -> Annunciations:
        """The recent annunciations that matter to what is shown now. Raises StateUnavailable."""
        return self._calls(now - lead(self.config), now + 1, plants)

    def present(self, positions: Mapping[str, Collection[str]], now: int) -> dict[str, OperatorLoad]:
        """The present load of each of these positions. Raises StateUnavailable."""
        plants = frozenset(plant for position in positions.values() for plant in position)
        alarms: dict[str, list[Alarm]] = {}
        for alarm in self._records.alarms(AlarmFilter(plants=plants, states=_OPEN), limit=MOST):
            alarms.setdefault(alarm.plant, []).append(alarm)
        recent = _by_position(positions, self.recent(plants, now))
        return {
            name: load_at([alarm for plant in own for alarm in alarms.get(plant, ())], recent[name], self.config, now)
            for name, own in positions.items()
        }

    def slot_metrics(self, end: int, now: int) -> list[AlarmSlot]:
        """Every position's ten minutes up to `end`; their active alarms only if called within ten minutes after."""
        positions = self.positions()
        calls = _by_position(positions, self._calls(end - SLOT - lead(self.config), end))
        present = self.present(positions, now) if end <= now < end + SLOT else {}
        return [slot_of(name, calls[name], end, self.config, present.get(name)) for name in positions]

    def _calls(self, start: int, end: int, plants: Collection[str] | None = None) -> Annunciations:
        """The annunciations, each under the present id of its point."""
        return self._records.annunciations(start, end, plants).renamed(self._renamed())


def _by_position(positions: Mapping[str, Collection[str]], calls: Annunciations) -> dict[str, Annunciations]:
    """The annunciations of each position, in one pass however many positions there are."""
    at = {plant: number for number, own in enumerate(positions.values()) for plant in own}
    owner = np.array([at.get(plant, len(positions)) for plant, _, _ in calls.rules], np.int64)[calls.rule]
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[order], np.arange(len(positions) + 1)).tolist()
    return {name: calls.where(order[ends[number] : ends[number + 1]]) for number, name in enumerate(positions)}
