"""Which of the equipment that warnings know of has to be taken to run: looked at only where that may have changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.domain.warnings.episodes import NEVER

if TYPE_CHECKING:  # the memory holds the watches, and they these
    from ingest.engine.engine_state import EngineState

MachineKey = tuple[str, str]
"""(plant, equipment)"""


class Machines:
    """Equipment that is told to run or not by a point. `PlantView.in_production` is what decides.

    Attributes:
        due: when time alone changes something next (ns), as a point falls silent.
    """

    def __init__(self) -> None:
        self.due = NEVER
        self._runs: dict[MachineKey, bool] = {}
        # Of each, in that order, as it was when last looked at; `_anew`: nothing of it holds.
        self._anew = True
        self._point = np.empty(0, np.int32)  # what tells
        self._time = np.empty(0, np.int64)  # of its newest reading
        self._until = np.empty(0, np.int64)  # so long nothing changes without another one

    def __contains__(self, key: MachineKey) -> bool:
        return key in self._runs

    def __len__(self) -> int:
        return len(self._runs)

    def mind(self, plant: str, equipment: str, engine_state: EngineState, now: int) -> None:
        """Look at it from now (ns) on, if anything tells whether it runs."""
        view = engine_state.view(now)
        if (plant, equipment) not in self._runs and view.gate(plant, equipment) is not None:
            self._runs[plant, equipment] = view.in_production(plant, equipment)
            self._anew, self.due = True, 0

    def forget(self, key: MachineKey) -> None:
        """Nobody asks for it any more."""
        del self._runs[key]
        self._anew = True

    def clear(self) -> None:
        """Forget all of them."""
        self._runs.clear()
        self._anew = True

    def shift(self) -> None:
        """The service's clock was set."""
        self._anew, self.due = True, 0

    def changed(self, engine_state: EngineState, now: int) -> Iterator[tuple[MachineKey, bool]]:
        """Equipment that began or ceased to run up to `now` (ns), and whether it runs; each may be forgotten then."""
        if not self._runs:
            self.due = NEVER
            return
        keys, at = [*self._runs], self._to_look_at(engine_state, now).tolist()
        if not at:
            return
        view = engine_state.view(now)
        for place in at:
            key = keys[place]
            self._note(place, engine_state, now)
            runs = view.in_production(*key)
            if runs is not self._runs[key]:
                self._runs[key] = runs
                yield key, runs
        self.due = int(self._until.min()) if not self._anew else 0

    def _to_look_at(self, engine_state: EngineState, now: int) -> NDArray[np.intp]:
        """Places of those of which anything that decides may have changed."""
        if self._anew:
            self._lay_out(engine_state, now)
            return np.arange(len(self._runs))
        stirred = (engine_state.time.take(self._point) != self._time) | (self._until <= now)
        return np.flatnonzero(stirred)

    def _lay_out(self, engine_state: EngineState, now: int) -> None:
        view, many = engine_state.view(now), len(self._runs)
        self._anew = False
        gates = [(plant, view.gate(plant, equipment)) for plant, equipment in self._runs]
        points = [
            engine_state.configuration.find(plant, gate.point) if gate is not None else None for plant, gate in gates
        ]
        self._point = np.array([point.index if point is not None else 0 for point in points], np.int32)
        self._time, self._until = np.zeros(many, np.int64), np.full(many, NEVER)

    def _note(self, place: int, engine_state: EngineState, now: int) -> None:
        """What decides at `now`, so that it shows when that changes."""
        index = int(self._point[place])
        self._time[place] = engine_state.time[index]
        self._until[place] = engine_state.settled_until(index, now)
