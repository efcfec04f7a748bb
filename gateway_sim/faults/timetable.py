"""The timetable by which faults come and go."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway_sim.faults.fault import Fault
from gateway_sim.faults.quick import QUICK
from gateway_sim.faults.slow import SLOW
from gateway_sim.physics.aluminium import Phase, phase_at
from gateway_sim.physics.dust import working_at

QUICK_S: Final = 60.0
"""The quick faults fall into this much time at the beginning of the cycle."""
CYCLE_S: Final = 180.0
JITTER_S: Final = 1.5
FORECAST_EVERY: Final = 5
"""Cycles until what creeps comes again.

A forecast keeps for sixteen windows of 40 s how near to its limit a value came, and what comes back from there every
few minutes is no news.
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """A fault at work from `start_s` until before `end_s`, counted from the start of the simulation."""

    fault: Fault
    start_s: float
    end_s: float


def timetable(duration_s: float, seed: int) -> tuple[Slot, ...]:
    """When each fault begins and is repaired, in order of start.

    The quick faults fall into the first minute, the slow ones into the two minutes after it; longer runs repeat these
    three minutes, what is to be foretold every fifth time. A fault that could not be detected before the end is left
    out, and so are faults of a plant that stands still: of the casting machine unless it casts steadily, of the dust
    collectors between shifts.
    """
    rng = np.random.default_rng(seed)
    faults = (*QUICK, *SLOW)
    slots = []
    for cycle in range(math.ceil(duration_s / CYCLE_S)):
        for fault, jitter in zip(faults, rng.uniform(0.0, JITTER_S, len(faults)), strict=True):
            start = round(cycle * CYCLE_S + fault.begin_s + float(jitter), 1)
            end = min(start + fault.lasts_s, duration_s)
            due = cycle % FORECAST_EVERY == 0 or "FORECAST" not in fault.rules
            if due and start + fault.needed_s <= duration_s and _can_show(fault, start) and _can_show(fault, end):
                slots.append(Slot(fault, start, end))
    return tuple(sorted(slots, key=lambda slot: slot.start_s))


def _can_show(fault: Fault, time_s: float) -> bool:
    match fault.plant:
        case "demo-aluminium":
            return phase_at(time_s) is Phase.STEADY
        case "demo-dust":
            return working_at(time_s)
        case _:
            return True
