"""A cooled vessel under control, whose valve may stick: what a group of its points shows. Every loop is another one.

The temperature is held by a PI controller (tuned by its time constants) that moves a valve in the cooling water, while
the load wanders. A sticking valve stays where it is until the controller asks for a move of more than its band, and
then jumps there (Stenman, Gustafsson & Forsman, "A segmentation-based method for detection of stiction in control
valves", Int. J. Adaptive Control and Signal Processing 17, 2003). The controller's integral keeps all means.
"""

from __future__ import annotations

import math
import random
from typing import Final

import numpy as np
from numpy.typing import NDArray

STEP_S: Final = 5.0
SENSORS: Final = ("temperature", "demand", "flow", "outlet", "feed")
FLOW: Final = SENSORS.index("flow")
_BEFORE: Final = 200


def vessel(loop: int, seed: int, steps: int, sticks: int | None = None) -> NDArray[np.float64]:
    """float64[steps, 5], a vector every 5 s of the loop of that number; from step `sticks` on the valve sticks."""
    made, drawn = random.Random(1000 + loop), random.Random(seed)  # noqa: S311  a simulation
    tau_s, gain, delay = made.uniform(60, 240), made.uniform(0.8, 1.5), int(made.uniform(1, 4))
    tuning, band = made.uniform(0.3, 0.7), made.uniform(2.0, 6.0)  # band: % of the travel
    load_tau_s, load_spread, noise = made.uniform(200, 1200), made.uniform(0.5, 3.0), made.uniform(0.05, 0.3)
    lag_s = delay * STEP_S + 0.3 * tau_s
    strength, reset_s = tuning * tau_s / (gain * lag_s), min(tau_s, 4 * lag_s)
    temperature, valve, integral, load, outlet, pressure = 60.0, 50.0, 50.0, 0.0, 30.0, 0.0
    pipe, rows = [50.0] * delay, []
    for step in range(-_BEFORE, steps):
        load = _wander(load, load_spread, load_tau_s, drawn)
        pressure = _wander(pressure, 0.8, 100.0, drawn)
        shown = temperature + drawn.gauss(0, noise)
        integral = min(max(integral + strength * (shown - 60) * STEP_S / reset_s, 0.0), 100.0)
        demand = min(max(integral + strength * (shown - 60), 0.0), 100.0)
        if sticks is None or step < sticks or abs(demand - valve) > band:
            valve = demand
        pipe.append(valve * (1 + pressure / 100))
        cooling = pipe.pop(0) - 50
        temperature += STEP_S / tau_s * (60 - temperature + 2 * load - 0.5 * gain * cooling)
        outlet += STEP_S / 30 * (30 - outlet + 0.3 * (temperature - 60) + 0.3 * load - 0.1 * cooling)
        flow = valve * (1 + pressure / 100)
        rows.append([shown, demand, flow, outlet, 100 + 5 * load])
    noises = np.random.default_rng(seed).normal(0, [0.0, 0.05, 0.3, 0.1, 0.5], (len(rows), len(SENSORS)))
    return np.asarray((np.array(rows) + noises)[_BEFORE:])


def _wander(value: float, spread: float, tau_s: float, drawn: random.Random) -> float:
    keep = math.exp(-STEP_S / tau_s)
    return keep * value + spread * math.sqrt(1 - keep * keep) * drawn.gauss(0, 1)
