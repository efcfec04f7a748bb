"""Tracks which equipment is in production, checked only where that may have changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.domain.warnings.episodes import NEVER

if TYPE_CHECKING:  # the engine state holds these
    from ingest.engine.engine_state import EngineState

EquipmentKey = tuple[str, str]
"""(plant, equipment)"""


class RunningEquipment:
    """Equipment with a point that shows whether it runs. `PlantView.in_production` decides.

    Attributes:
        due: when time alone next changes something (ns), as a point falls silent.
    """

    def __init__(self) -> None:
        self.due = NEVER
        self._runs: dict[EquipmentKey, bool] = {}
        # A row for each, in that order, as of its last check; `_rebuild_due`: all of it is outdated.
        self._rebuild_due = True
        self._point = np.empty(0, np.int32)  # the point that decides
        self._time = np.empty(0, np.int64)  # time of its newest reading
        self._until = np.empty(0, np.int64)  # without another reading nothing changes before this

    def __contains__(self, key: EquipmentKey) -> bool:
        return key in self._runs

    def __len__(self) -> int:
        return len(self._runs)

    def track(self, plant: str, equipment: str, engine_state: EngineState, now: int) -> None:
        """Track this equipment from now (ns) on, if a point shows whether it runs."""
        view = engine_state.view(now)
        if (plant, equipment) not in self._runs and view.gate(plant, equipment) is not None:
            self._runs[plant, equipment] = view.in_production(plant, equipment)
            self._rebuild_due, self.due = True, 0

    def forget(self, key: EquipmentKey) -> None:
        """Stop tracking this equipment."""
        del self._runs[key]
        self._rebuild_due = True

    def clear(self) -> None:
        """Stop tracking all equipment."""
        self._runs.clear()
        self._rebuild_due = True

    def shift(self) -> None:
        """Follow a clock jump: check everything again."""
        self._rebuild_due, self.due = True, 0

    def changed(self, engine_state: EngineState, now: int) -> Iterator[tuple[EquipmentKey, bool]]:
        """Equipment that began or ceased to run up to `now` (ns), and whether it runs; each may be forgotten then."""
        if not self._runs:
            self.due = NEVER
            return
        keys, at = [*self._runs], self._rows_to_check(engine_state, now).tolist()
        if not at:
            return
        view = engine_state.view(now)
        for row in at:
            key = keys[row]
            self._store_basis(row, engine_state, now)
            runs = view.in_production(*key)
            if runs is not self._runs[key]:
                self._runs[key] = runs
                yield key, runs
        self.due = int(self._until.min()) if not self._rebuild_due else 0

    def _rows_to_check(self, engine_state: EngineState, now: int) -> NDArray[np.intp]:
        """Rows for which anything that decides may have changed."""
        if self._rebuild_due:
            self._rebuild(engine_state, now)
            return np.arange(len(self._runs))
        changed_rows = (engine_state.time.take(self._point) != self._time) | (self._until <= now)
        return np.flatnonzero(changed_rows)

    def _rebuild(self, engine_state: EngineState, now: int) -> None:
        view, many = engine_state.view(now), len(self._runs)
        self._rebuild_due = False
        gates = [(plant, view.gate(plant, equipment)) for plant, equipment in self._runs]
        points = [
            engine_state.configuration.find(plant, gate.point) if gate is not None else None for plant, gate in gates
        ]
        self._point = np.array([point.index if point is not None else 0 for point in points], np.int32)
        self._time, self._until = np.zeros(many, np.int64), np.full(many, NEVER)

    def _store_basis(self, row: int, engine_state: EngineState, now: int) -> None:
        """Store the inputs of the decision at `now`, so that a change of them is detected."""
        index = int(self._point[row])
        self._time[row] = engine_state.time[index]
        self._until[row] = engine_state.settled_until(index, now)
