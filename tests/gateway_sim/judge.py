"""The service's own rules and detectors over simulated samples: what would alarm, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from detectors.bank import Bank
from detectors.readings import Readings
from gateway_sim.faults import Fault, Where
from gateway_sim.simulated_plant import SimulatedPlant
from gateway_sim.sites import PLANTS, sample_sites
from ingest.plants.load import load_roster
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.roster import Roster

SECOND = 1_000_000_000
_Row = tuple[int, int, float]  # time, point, value


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule that tripped (or returned), seconds after the start."""

    at_s: float
    plant: str
    point: str
    code: str
    raised: bool


@cache
def sample_roster() -> Roster:
    return load_roster(Path(str(PLANTS)), MemoryNumbering(), 1)


def judged(plant: str, seconds: int, seed: int, active: Mapping[int, Sequence[Fault]] | None = None) -> list[Verdict]:
    """Run a plant for so many seconds at 1 Hz, with the faults `active` names for each second, and judge it.

    A gateway that is cut keeps its rows and hands them over when it is back, as the reference gateway does.
    """
    roster = sample_roster()
    simulated = SimulatedPlant(sample_sites()[plant], seed)
    index = {point.id: point.index for point in roster.plants[plant].points}
    bank = Bank(roster.tables)
    bank.resume(0)
    found: list[Verdict] = []
    waiting: list[_Row] = []
    kept: dict[str, list[_Row]] = {}  # of gateways that are cut
    for second in range(seconds):
        faults = (active or {}).get(second, ())
        sample = simulated.sample(1.0, faults)
        cut = {fault.points[0] for fault in faults if fault.where is Where.NETWORK}
        time = second * SECOND
        for gateway, points in simulated.site.gateways.items():
            rows = [(time, index[point], sample[point]) for point in points if point in sample]
            if gateway in cut:
                if gateway not in kept:
                    waiting.append((time, index[gateway], 0.0))  # its will
                kept.setdefault(gateway, []).extend(rows)
            else:
                waiting += [(time, index[gateway], 1.0), *kept.pop(gateway, []), *rows]
        if active is not None or second % 60 == 59:  # healthy hours go by the minute
            found += _update(bank, waiting, time)
            waiting = []
    return [verdict for verdict in found if verdict.plant == plant]


def _update(bank: Bank, rows: Sequence[_Row], now: int) -> list[Verdict]:
    rules, carrier = sample_roster().rules, sample_roster().carrier
    point = np.array([row[1] for row in rows], np.int32)
    time = np.array([row[0] for row in rows], np.int64)
    value = np.array([row[2] for row in rows], np.float64)
    received = np.maximum.accumulate(time)  # what a gateway kept arrives with what it sends after it
    findings = bank.update(Readings(point, time, value, received, carrier[point]), now)
    return [
        Verdict(float(at) / SECOND, rules[rule].plant, rules[rule].point, rules[rule].code, bool(raised))
        for rule, at, raised in zip(findings.rule, findings.time, findings.raised, strict=True)
    ]
