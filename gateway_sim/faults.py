"""Labelled faults of the sample plants, and the timetable by which they come and go.

A fault changes the physics, the channel or the network; whether an alarm follows is for the service to say.
Process faults develop at demonstration speed, much faster than in a real plant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from gateway_sim.physics.aluminium import Phase, phase_at
from gateway_sim.sites import sample_sites
from ingest.model.plant import Text

CYCLE_S: Final = 60.0
CALM_S: Final = 120.0
JITTER_S: Final = 1.5


class Where(StrEnum):
    """What a fault acts upon."""

    PROCESS = "process"  # the plant's physics
    STUCK = "stuck"  # the instrument repeats its last value
    DEAD = "dead"  # the column is missing from the frames
    NETWORK = "network"  # the gateway's connection is cut; it keeps sampling


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        points: the points expected to alarm; for a network fault the gateway's own id.
        rules: codes of which any one, on any of the points, counts as detection.
        needed_s: how long after its start the fault is detected at the latest.
        begin_s, lasts_s: its place in the 60 s cycle.
        also: points that may alarm in consequence.
    """

    id: str
    plant: str
    name: Text
    where: Where
    points: tuple[str, ...]
    rules: tuple[str, ...]
    needed_s: float
    begin_s: float
    lasts_s: float
    also: tuple[str, ...] = ()

    @property
    def affects(self) -> tuple[str, ...]:
        """Every point whose alarms this fault explains."""
        if self.where is Where.NETWORK:
            return (*self.points, *sample_sites()[self.plant].gateways[self.points[0]])
        return (*self.points, *self.also)


FAULTS: Final = (
    Fault(
        id="co-leak",
        plant="demo-steel",
        name=Text("炉前平台煤气泄漏", "CO leak at the furnace platform"),
        where=Where.PROCESS,
        points=("CO-01", "CO-02"),
        rules=("H", "HH"),
        needed_s=8,
        begin_s=3,
        lasts_s=14,
    ),
    Fault(
        id="stuck-sensor",
        plant="demo-steel",
        name=Text("炉顶压力数值卡死", "Top pressure transmitter stuck"),
        where=Where.STUCK,
        points=("TOP_P-01",),
        rules=("STUCK",),
        needed_s=15,
        begin_s=4,
        lasts_s=20,
    ),
    Fault(
        id="filter-blocked",
        plant="demo-dust",
        name=Text("除尘滤袋堵塞", "Filter bags blocked"),
        where=Where.PROCESS,
        points=("DP-01",),
        rules=("HH",),
        needed_s=10,
        begin_s=6,
        lasts_s=14,
        also=("DUCT_V-01",),
    ),
    Fault(
        id="cooling-water-lost",
        plant="demo-aluminium",
        name=Text("结晶器冷却水中断", "Mould cooling water lost"),
        where=Where.PROCESS,
        points=("CW_IN_P-01", "CW_IN_F-01"),
        rules=("L", "LL"),
        needed_s=6,
        begin_s=8,
        lasts_s=12,
        also=("CW_OUT_T-01",),
    ),
    Fault(
        id="hopper-smouldering",
        plant="demo-dust",
        name=Text("灰斗积灰阴燃", "Smouldering dust in the hopper"),
        where=Where.PROCESS,
        points=("HOPPER_T-01",),
        rules=("H", "HH", "RATE"),
        needed_s=12,
        begin_s=14,
        lasts_s=16,
    ),
    Fault(
        id="gas-holder-drain",
        plant="demo-steel",
        name=Text("煤气柜快速下降", "Gas holder draining"),
        where=Where.PROCESS,
        points=("GH_RATE-01",),
        rules=("L", "LL"),
        needed_s=8,
        begin_s=19,
        lasts_s=13,
        also=("GH_LEVEL-01",),
    ),
    Fault(
        id="cooling-jacket-leak",
        plant="demo-steel",
        name=Text("水冷壁漏水", "Water-cooled panel leaking"),
        where=Where.PROCESS,
        points=("CW_DFLOW-01",),
        rules=("H", "HH"),
        needed_s=7,
        begin_s=24,
        lasts_s=12,
        also=("CW_DT-01", "CW_OUT_T-01"),
    ),
    Fault(
        id="launder-level-surge",
        plant="demo-aluminium",
        name=Text("模盘入口液位突升", "Metal surge at the mould table"),
        where=Where.PROCESS,
        points=("LVL_MOLD-01",),
        rules=("H", "HH", "RATE"),
        needed_s=6,
        begin_s=28,
        lasts_s=10,
    ),
    Fault(
        id="filter-torn",
        plant="demo-dust",
        name=Text("除尘滤袋破损", "Filter bag torn"),
        where=Where.PROCESS,
        points=("DP-01",),
        rules=("LL",),
        needed_s=10,
        begin_s=33,
        lasts_s=14,
        also=("DUCT_V-01",),
    ),
    Fault(
        id="dead-sensor",
        plant="demo-aluminium",
        name=Text("铝液测温断线", "Metal thermocouple dead"),
        where=Where.DEAD,
        points=("METAL_T-01",),
        rules=("SILENT",),
        needed_s=12,
        begin_s=34,
        lasts_s=16,
    ),
    Fault(
        id="gateway-offline",
        plant="demo-steel",
        name=Text("煤气区网关断网", "Gas area gateway offline"),
        where=Where.NETWORK,
        points=("GW-02",),
        rules=("OFFLINE", "SILENT"),
        needed_s=12,
        begin_s=37,
        lasts_s=13,
    ),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A fault at work from `start_s` until before `end_s`, counted from the start of the simulation."""

    fault: Fault
    start_s: float
    end_s: float


def timetable(duration_s: float, seed: int) -> tuple[Slot, ...]:
    """When each fault begins and is repaired, in order of start.

    All faults fall into the first minute; longer runs repeat that minute after a calm time. A fault that could not be
    detected before the end is left out, and so are faults of the casting machine while it does not cast steadily.
    """
    rng = np.random.default_rng(seed)
    slots = []
    for cycle in range(math.ceil(duration_s / (CYCLE_S + CALM_S))):
        for fault, jitter in zip(FAULTS, rng.uniform(0.0, JITTER_S, len(FAULTS)), strict=True):
            start = round(cycle * (CYCLE_S + CALM_S) + fault.begin_s + float(jitter), 1)
            end = min(start + fault.lasts_s, duration_s)
            if start + fault.needed_s <= duration_s and _can_show(fault, start, end):
                slots.append(Slot(fault, start, end))
    return tuple(sorted(slots, key=lambda slot: slot.start_s))


def _can_show(fault: Fault, start_s: float, end_s: float) -> bool:
    if fault.plant != "demo-aluminium":
        return True
    return phase_at(start_s) is Phase.STEADY and phase_at(end_s) is Phase.STEADY
