"""Tracks which equipment is in production and in which phase, checked only where that may have changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.equipment_state import EquipmentState
from ingest.domain.warnings.episodes import NEVER

if TYPE_CHECKING:  # the engine state holds these
    from ingest.engine.engine_state import EngineState

EquipmentKey = tuple[str, str]
"""(plant, equipment)"""


class EquipmentStates:
    """Equipment with points that show whether it runs, or its phase. `PlantView.state` decides.

    Attributes:
        due: when time alone next changes something (ns), as a point falls silent.
    """

    def __init__(self) -> None:
        self.due = NEVER
        self._state: dict[EquipmentKey, EquipmentState] = {}
        # A row for each point of each equipment, in order, as of its last check; `_rebuild_due`: all of it is outdated.
        self._rebuild_due = True
        self._rows: list[slice] = []  # by equipment
        self._owner = np.empty(0, np.intp)  # the place of its equipment
        self._point = np.empty(0, np.int32)
        self._time = np.empty(0, np.int64)  # time of its newest reading
        self._until = np.empty(0, np.int64)  # without another reading nothing changes before this

    def __contains__(self, key: EquipmentKey) -> bool:
        return key in self._state

    def __len__(self) -> int:
        return len(self._state)

    def track(self, plant: str, equipment: str, engine_state: EngineState, now: int) -> None:
        """Track this equipment from now (ns) on, if some point shows its state."""
        view = engine_state.view(now)
        if (plant, equipment) not in self._state and view.witnesses(plant, equipment):
            self._state[plant, equipment] = view.state(plant, equipment)
            self._rebuild_due, self.due = True, 0

    def forget(self, key: EquipmentKey) -> None:
        """Stop tracking this equipment."""
        del self._state[key]
        self._rebuild_due = True

    def clear(self) -> None:
        """Stop tracking all equipment."""
        self._state.clear()
        self._rebuild_due = True

    def shift(self) -> None:
        """Follow a clock jump: check everything again."""
        self._rebuild_due, self.due = True, 0

    def changed(self, engine_state: EngineState, now: int) -> Iterator[tuple[EquipmentKey, EquipmentState]]:
        """Equipment whose state changed up to `now` (ns), and the new one; each may be forgotten then."""
        if not self._state:
            self.due = NEVER
            return
        keys, concerned = [*self._state], self._to_check(engine_state, now).tolist()
        if not concerned:
            return
        view = engine_state.view(now)
        for place in concerned:
            key = keys[place]
            self._store_basis(self._rows[place], engine_state, now)
            state = view.state(*key)
            if state != self._state[key]:
                self._state[key] = state
                yield key, state
        self.due = int(self._until.min()) if not self._rebuild_due else 0

    def _to_check(self, engine_state: EngineState, now: int) -> NDArray[np.intp]:
        """Places of the equipment for which anything that decides may have changed."""
        if self._rebuild_due:
            self._rebuild(engine_state, now)
            return np.arange(len(self._state))
        changed = (engine_state.time.take(self._point) != self._time) | (self._until <= now)
        return np.unique(self._owner[changed]) if changed.any() else self._owner[:0]

    def _rebuild(self, engine_state: EngineState, now: int) -> None:
        view, find = engine_state.view(now), engine_state.configuration.find
        self._rebuild_due = False
        points = [
            [point.index for name in view.witnesses(plant, equipment) if (point := find(plant, name)) is not None]
            for plant, equipment in self._state
        ]
        ends = np.cumsum([0, *map(len, points)]).tolist()
        self._rows = [slice(begin, end) for begin, end in itertools.pairwise(ends)]
        self._owner = np.repeat(np.arange(len(points)), [len(each) for each in points])
        self._point = np.array([index for each in points for index in each], np.int32)
        self._time, self._until = np.zeros(len(self._point), np.int64), np.full(len(self._point), NEVER)

    def _store_basis(self, rows: slice, engine_state: EngineState, now: int) -> None:
        """Store the inputs of the decision at `now`, so that a change of them is detected."""
        self._time[rows] = engine_state.time[self._point[rows]]
        self._until[rows] = [engine_state.settled_until(index, now) for index in self._point[rows].tolist()]
