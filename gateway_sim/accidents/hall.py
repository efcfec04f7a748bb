"""Several pits in one hall, as one plant: what happens in the first is the others' affair too."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway_sim.accidents.casting import CastingPit


class Hall:
    """Pits side by side; the accident happens in the first of them."""

    def __init__(self, pits: Sequence[CastingPit]) -> None:
        self._pits = pits
        self.points: tuple[str, ...] = tuple(point for pit in pits for point in pit.points)

    def advance(self, dt_s: float, faults: Collection[str] = ()) -> dict[str, float]:
        """Let `dt_s` seconds pass under the named faults and return one sample of every point."""
        first, *others = self._pits
        sample = first.advance(dt_s, faults)
        for pit in others:
            sample |= pit.advance(dt_s)
        return sample

    def run(self, steps: int, dt_s: float, faults: Collection[str] = ()) -> NDArray[np.float64]:
        """As `advance`, `steps` times: float64[steps, points], in the order of `points`."""
        first, *others = self._pits
        shown = [first.run(steps, dt_s, faults), *(pit.run(steps, dt_s) for pit in others)]
        return np.concatenate(shown, axis=1)
