"""One made-up series for each kind of rule, on which its picture is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.kinds.surprise import USUAL
from detectors.page_example import Example, pulse
from detectors.page_logic_examples import LOGIC

FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "Limits": ("limit", "deviation"),
    "Change": ("rate", "step", "spike", "count"),
    "Honesty of the instrument": ("bad", "range", "current", "stuck", "pinned", "noise", "neighbour", "silence"),
    "Drift and shift": ("ewma", "cusum", "page_hinkley", "zscore", "robust_z"),
    "Several instruments at once": ("t2", "spe", "mahalanobis", "votes", "first_out", "restart", "sequence"),
    "Season and phase": ("profile", "phase", "surprise"),
    "Before the limit": ("forecast",),
}
"""Every kind, in the order of the page."""


_RANDOM: Final = np.random.default_rng(7)


def _noise(many: int, spread: float) -> NDArray[np.float64]:
    return _RANDOM.normal(0.0, spread, many)


def _ramp(many: int, begin: int, end: int, rise: float) -> NDArray[np.float64]:
    """0, then rising from `begin` to `end`, then `rise`."""
    return np.interp(np.arange(many), [begin, end], [0.0, rise])


def _group(many: int) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """A flow, with a pressure and a temperature that follow the same load; from 1,200 on the flow parts from them.

    Between 800 and 950 the load itself is unusual.
    """
    load = np.cumsum(_noise(many, 0.25))
    load -= np.linspace(load[0], load[-1], many)
    load += _ramp(many, 800, 830, 22.0) - _ramp(many, 920, 950, 22.0)
    flow = 100 + load + _noise(many, 0.4) - _ramp(many, 1200, 1400, 4.0)
    return flow, [4 + 0.05 * load + _noise(many, 0.02), 30 - 0.3 * load + _noise(many, 0.12)]


def _day(days: int, step_s: float, height: float = 6.0) -> NDArray[np.float64]:
    """A daily swing, with a hump at three in the night of the last day."""
    hour = np.arange(int(days * 86400 / step_s)) * step_s / 3600
    swing = 8 * np.clip(np.sin((hour % 24 - 7) / 12 * np.pi), 0, None)
    hump = height * np.exp(-(((hour - (days - 1) * 24 - 3) / 0.8) ** 2))
    return np.asarray(20 + swing + hump + _noise(len(hour), 0.3), np.float64)


def _casts() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ten casts: length, and a metal temperature that falls along each; in the last one it falls too early."""
    length = np.tile(np.arange(0, 6400, 20.0), 10)
    temperature = 712 - 14 * (length / 6400) ** 2 + _noise(len(length), 0.5)
    temperature[-240:-120] -= 6 * np.sin(np.linspace(0, np.pi, 120))
    return temperature, length


_FLOW, _PEERS = _group(1600)
_METAL, _LENGTH = _casts()
_SCALE: Final = 45 + _ramp(1500, 300, 1500, 22.0)

EXAMPLES: Final[Mapping[str, Example]] = {
    "limit": Example(
        0.35 + _noise(300, 0.006) - pulse(300, 120, 210, 0.05) * np.sin(np.linspace(0, 10, 300)) ** 2,
        on=-0.315,
        off=-0.325,
        param={"side": -1.0},
        label="water pressure, MPa",
        score="−pressure",
        drawn=(0.315, 0.325),
        caption="A low limit with a deadband: it trips at 0.315 MPa and returns at 0.325.",
    ),
    "deviation": Example(
        np.repeat([60.0, 80.0], 150) + _noise(300, 0.4) + pulse(300, 100, 125, 9.0),
        on=10.0,
        off=7.0,
        param={"side": 0.0, "relative": 1.0, "setpoint": np.nan, "fresh_s": 60.0},
        others=[np.repeat([60.0, 80.0], 150)],
        label="casting speed and its set-point, mm/min",
        score="% of set-point",
        caption="The new set-point is no deviation; nine millimetres a minute too fast is one.",
    ),
    "rate": Example(
        37 + _noise(900, 0.12) + _ramp(900, 300, 480, 20.0) + pulse(900, 700, 701, 8.0),
        on=5.0,
        off=4.0,
        param={"side": 1.0, "window_s": 120.0},
        label="hopper temperature, °C",
        score="°C/min",
        caption="A steady rise is found; what the slope owes to one wild value is a moment.",
    ),
    "step": Example(
        82 + _noise(900, 1.0) + pulse(900, 450, 900, 6.0) + pulse(900, 200, 202, 25.0),
        on=4.0,
        off=3.0,
        param={"side": 0.0, "window_s": 120.0},
        label="flow, m³/h",
        score="m³/h",
        step=True,
        caption="A lasting shift is found, a spike is not.",
    ),
    "spike": Example(
        4.5 + _noise(300, 0.15) + pulse(300, 90, 91, 3.0) + pulse(300, 180, 300, 2.0),
        on=8.0,
        param={"floor": 0.05},
        label="CO, ppm",
        score="robust deviations",
        clip=(0.0, 25.0),
        caption="A single wild value is found; of a lasting step only the first readings are wild.",
    ),
    "count": Example(
        np.isin(np.arange(300), [20, 90, 150, 165, 180, 260]).astype(float),
        on=3.0,
        off=2.0,
        param={"above": 0.5, "window_s": 60.0, "edges": 1.0},
        label="spark detector",
        score="in 60 s",
        caption="Three sparks within a minute.",
    ),
    "bad": Example(
        np.where((np.arange(200) >= 80) & (np.arange(200) < 120), np.nan, 50 + _noise(200, 1.0)),
        on=1.0,
        off=0.0,
        label="temperature, °C",
        score="bad",
        caption="From 80 s to 120 s the gateway sends no value.",
    ),
    "range": Example(
        20 + _ramp(200, 50, 120, 95.0) - pulse(200, 150, 200, 70.0),
        on=1.0000001,
        off=1.0,
        param={"low": 0.0, "high": 100.0},
        label="level, %",
        score="half spans",
        drawn=(100.0,),
        caption="More than the instrument can show.",
    ),
    "current": Example(
        np.where(np.arange(200) < 100, 300 + _noise(200, 3.0), -150.0),
        on=11.0,
        off=9.0,
        param={"low": 0.0, "high": 600.0},
        label="temperature from a 4–20 mA loop, °C",
        score="|mA − 12|",
        caption="The wire breaks: 0 mA reads as −150 °C.",
    ),
    "stuck": Example(
        np.where(np.arange(600) < 200, 182 + _noise(600, 1.6), 183.2) + pulse(600, 500, 600, 2.5),
        on=180.0,
        param={"band": 0.35, "nonzero": 0.0},
        label="top pressure, kPa",
        score="s without moving",
        caption="Three minutes without moving.",
    ),
    "pinned": Example(
        np.where((np.arange(1200) > 300) & (np.arange(1200) < 900), 23.9 + _noise(1200, 0.1), 8 + _noise(1200, 1.2)),
        on=90.0,
        off=50.0,
        param={"at": 24.0, "band": 0.5, "window_s": 300.0},
        label="CO, ppm",
        score="% at the limit",
        drawn=(24.0,),
        step=True,
        caption="It moves, but always just at the alarm limit: a value somebody has made.",
    ),
    "noise": Example(
        20.8 + 0.2 * np.sin(np.arange(1500) / 200) + _noise(1500, 0.04) * (np.arange(1500) < 900),
        on=4.0,
        off=2.0,
        param={"window_s": 80.0},
        label="oxygen, %",
        score="times quieter",
        clip=(0.0, 20.0),
        step=True,
        caption="The value still moves, but the noise a real instrument has is gone.",
    ),
    "neighbour": Example(
        4 + _noise(600, 0.3) - _ramp(600, 250, 300, 3.4),
        on=5.0,
        off=3.0,
        param={"floor": 0.5, "fresh_s": 30.0},
        label="CO in one hall, ppm",
        score="times apart",
        others=[4 + _noise(600, 0.3) + _ramp(600, 250, 350, 11.0), 5 + _noise(600, 0.3) + _ramp(600, 250, 350, 9.0)],
        caption="Its neighbours rise and it does not: a poisoned cell.",
    ),
    "ewma": Example(
        10 + _noise(500, 1.0) + pulse(500, 250, 500, 0.9),
        on=4.0,
        off=2.0,
        param={"train": 150.0, "weight": 0.1, "floor": 0.1},
        label="level, mm",
        score="standard deviations",
        caption="A shift of less than one standard deviation, which no limit would see.",
    ),
    "cusum": Example(
        10 + _noise(500, 1.0) + _ramp(500, 200, 500, 2.5),
        on=8.0,
        off=2.0,
        param={"train": 150.0, "slack": 0.5, "floor": 0.1},
        label="level, mm",
        score="sum, deviations",
        caption="A slow drift adds up.",
    ),
    "page_hinkley": Example(
        10 + _noise(500, 1.0) + pulse(500, 250, 500, 1.5),
        on=40.0,
        param={"delta": 0.05, "alpha": 0.9999, "least": 30.0},
        label="level, mm",
        score="statistic",
        caption="A change of the mean; after each finding the test begins anew.",
    ),
    "zscore": Example(
        10 + _noise(400, 1.0) + pulse(400, 250, 255, 8.0),
        on=5.0,
        param={"least": 30.0, "floor": 0.1},
        label="level, mm",
        score="standard deviations",
        caption="Far from everything seen so far.",
    ),
    "robust_z": Example(
        10 + _noise(600, 1.0) + pulse(600, 100, 102, 40.0) + pulse(600, 400, 406, 8.0),
        on=6.0,
        param={"window_s": 160.0, "floor": 0.1},
        label="level, mm",
        score="robust deviations",
        clip=(0.0, 20.0),
        caption="Two wild values early on do not blunt the scale for what comes later.",
    ),
    "t2": Example(
        _FLOW,
        on=1.0,
        param={"train": 600.0, "share": 0.6, "quantile": 0.99, "smoothing": 0.3, "fresh_s": 30.0},
        others=_PEERS,
        label="a flow, with a pressure and a temperature of the same load",
        score="T² / limit",
        clip=(0.0, 4.0),
        caption="T² asks whether the common load is unusual, as it is from 800 s to 950 s.",
    ),
    "spe": Example(
        _FLOW,
        on=1.0,
        param={"train": 600.0, "share": 0.6, "quantile": 0.99, "smoothing": 0.3, "fresh_s": 30.0},
        others=_PEERS,
        label="a flow, with a pressure and a temperature of the same load",
        score="SPE / limit",
        clip=(0.0, 8.0),
        caption="SPE asks whether they still move together: from 1,200 s on the flow alone falls off.",
    ),
    "mahalanobis": Example(
        _FLOW,
        on=1.0,
        off=0.85,
        param={
            "train": 600.0,
            "smoothing": 0.1,
            "ridge": 0.0,
            "adaptation": 0.0,
            "clip": np.inf,
            "limit": 0.0,
            "quantile": 0.99,
            "release": 0.85,
            "culprit": 0.2,
            "shrink": 0.005,
            "fresh_s": 30.0,
            "gap_s": 600.0,
        },
        others=_PEERS,
        label="a flow, with a pressure and a temperature of the same load",
        score="distance or spread / limit",
        clip=(0.0, 5.0),
        caption="From 1,200 s on the smoothed distance of all three from what they learnt to be together. The jumps of"
        " the load at 800 s and 950 s, of which the lesson had none, are spread until the average has followed.",
    ),
    "profile": Example(
        _day(12, 600.0),
        on=5.0,
        off=3.0,
        param={"period_s": 86400.0, "offset_s": 0.0, "least": 4.0, "floor": 0.3},
        step_s=600.0,
        label="hall temperature, °C",
        score="deviations for the hour",
        clip=(0.0, 15.0),
        caption="26 °C is nothing at noon, and strange at three in the night.",
    ),
    "phase": Example(
        _METAL,
        on=5.0,
        off=3.0,
        param={"low": 0.0, "high": 6400.0, "least": 4.0, "floor": 0.5, "fresh_s": 60.0},
        others=[_LENGTH],
        beside="cast length, mm",
        label="metal temperature along ten casts, °C",
        score="deviations for the length",
        clip=(0.0, 15.0),
        step_s=10.0,
        caption="Every cast cools along its length; the last one cools too early.",
    ),
    "forecast": Example(
        _SCALE + _noise(1500, 0.3),
        on=-600.0,
        off=-1200.0,
        param={"limit": 60.0, "side": 1.0, "window_s": 320.0, "lead_s": 600.0},
        minus=True,
        label="outlet temperature, °C",
        score="s left, at least",
        drawn=(60.0,),
        clip=(0.0, 2000.0),
        step=True,
        caption="Ten minutes before the limit is reached, the trend says so.",
    ),
    "surprise": Example(
        _day(12, 600.0, 0.0) + pulse(1728, 836, 838, 6.0) + pulse(1728, 1602, 1608, 6.0),
        on=0.55,
        param=USUAL,
        step_s=600.0,
        label="hall temperature, °C",
        score="surprise",
        caption="A wild value one evening, and 26 °C at three in the night: each is told once, and nobody set a limit.",
    ),
    **LOGIC,
}
