"""The phase of an alarm's equipment when it is raised, as known when the reading that decides it had come.

What came later in the same batch does not count, so that it is the same however the stream is cut into batches.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ingest.domain.model.plant import UNKNOWN_PHASE, PhaseName
from ingest.engine.cycle import Cycle
from ingest.engine.engine_state import EngineState
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.view import Latest, PlantView

Moment = tuple[int, int]
"""Time and arrival of the reading that decides a finding, ns."""


class PhaseAtRaise:
    """Looks up phases while the alarms of one cycle are advanced, before its readings are remembered."""

    def __init__(self, cycle: Cycle, engine_state: EngineState) -> None:
        self._cycle = cycle
        self._engine_state = engine_state
        self._views: dict[Moment, PlantView] = {}

    def of(self, plant: str, point: str, moment: Moment) -> PhaseName | None:
        """Return the phase that the equipment of a point is in at a moment; None: it has none."""
        equipment = _with_phases(self._cycle.configuration, plant, point)
        if equipment is None:
            return None
        if moment not in self._views:
            self._views[moment] = PlantView(self._cycle.configuration, _AsOf(self._cycle, self._engine_state, moment))
        phase = self._views[moment].phase(plant, equipment)
        return phase.called if phase is not None else None


def phase_long_ago(configuration: PlantConfiguration, plant: str, point: str) -> PhaseName | None:
    """Return the same for a time that only late readings tell of: the phase of then is not known any more."""
    return UNKNOWN_PHASE.called if _with_phases(configuration, plant, point) is not None else None


def _with_phases(configuration: PlantConfiguration, plant: str, point: str) -> str | None:
    """Return the equipment of a point if it has phases."""
    found = configuration.find(plant, point)
    if found is None or found.equipment is None:
        return None
    known = configuration.plants[plant].equipment
    return next((machine.id for machine in known if machine.id == found.equipment and machine.phases), None)


class _AsOf:
    """The newest readings at a moment of a batch: those from before it, and those in it that had come by then.

    One that is stale only because the service was down counts as stale: what was meanwhile is not known.
    """

    def __init__(self, cycle: Cycle, engine_state: EngineState, moment: Moment) -> None:
        live, (time, received) = cycle.live, moment
        (same,) = ((live.received == received) & (live.time == time)).nonzero()
        self._live = live.take(np.arange(same[-1] + 1)) if len(same) else live  # all, where silence decides
        self._points, self._before, self._now = cycle.configuration.points, engine_state, received

    def __call__(self, index: int) -> Latest:
        (rows,) = (self._live.point == index).nonzero()
        if not len(rows):
            return replace(self._before.latest(index, self._now), resuming=False)
        row, live, point = rows[-1], self._live, self._points[index]
        value, age = float(live.value[row]), self._now - int(live.received[row])
        stale = point is None or age > int(point.silence_s * 1e9)
        return Latest(int(live.time[row]), None if np.isnan(value) else value, int(live.flags[row]), stale)
