"""Sample plants judged by the service's own configuration and detectors: what would alarm, and when.

A plant can be had several times over, each copy with a seed of its own, all judged by one bank: that is how thirty days
are judged in the time of one. The copies are plant files that differ in their id alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import Bank, Readings
from gateway_sim.faults import Fault, Where
from gateway_sim.simulated_plant import SimulatedPlant
from gateway_sim.sites import PLANTS, Site, sites
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering

SECOND: Final = 1_000_000_000
STEP_S: Final = 1.0
BLOCK_S: Final = 60
"""Healthy running is judged by the minute, as frames come in after each other; faults second by second."""

_Row = tuple[int, int, float]  # time, point, value


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule that tripped (or returned), seconds after the start, in one of the copies."""

    at_s: float
    copy: int
    plant: str
    point: str
    code: str
    kind: str
    raised: bool


@cache
def sample_configuration() -> PlantConfiguration:
    """Return the configuration of the sample plants as shipped."""
    return load_configuration(PLANTS, MemoryNumbering(), 1)


@cache
def copied_configuration(plant: str, copies: int, folder: Path = PLANTS) -> PlantConfiguration:
    """Return the configuration of that many copies of a sample plant with ids `plant-0`, `plant-1`, ..."""
    text = folder.joinpath(f"{plant}.toml").read_text(encoding="utf-8")
    own = f'id = "{plant}"'
    with tempfile.TemporaryDirectory() as copied:
        for copy in range(copies):
            file = Path(copied) / f"{plant}-{copy}.toml"
            file.write_text(text.replace(own, f'id = "{file.stem}"', 1), encoding="utf-8")
        return load_configuration(Path(copied), MemoryNumbering(), 1)


def missing_rules(fault: Fault) -> list[str]:
    """Return the rule codes a fault names that none of its points has."""
    points = {point.id: point for point in sample_configuration().plants[fault.plant].points}
    known = {rule.code for point in fault.points for rule in points[point].rules}
    return [code for code in fault.rules if code not in known]


class Evaluator:
    """A fresh bank of detectors over all copies of a plant."""

    def __init__(self, plant: str, copies: int, folder: Path = PLANTS) -> None:
        self.site: Site = sites(folder)[plant]
        self._configuration = copied_configuration(plant, copies, folder)
        self._bank = Bank(self._configuration.tables, self._configuration.derived)
        self._bank.resume(0, 0)
        names = [f"{plant}-{copy}" for copy in range(copies)]
        self.index = [{point.id: point.index for point in self._configuration.plants[name].points} for name in names]
        self._copy = {name: copy for copy, name in enumerate(names)}

    def update(self, readings: Readings, now: int) -> Iterator[Verdict]:
        """Evaluate a batch."""
        rules = self._configuration.rules
        findings = self._bank.update(readings, now)
        for number, at, raised in zip(findings.rule, findings.time, findings.raised, strict=True):
            rule = rules[number]
            copy = self._copy[rule.plant]
            yield Verdict(
                float(at) / SECOND, copy, self.site.plant, rule.point, rule.code, rule.kind, raised=bool(raised)
            )

    def rows(self, rows: Sequence[_Row], now: int) -> Iterator[Verdict]:
        """Evaluate readings in the order of their arrival."""
        point = np.array([row[1] for row in rows], np.int32)
        time = np.array([row[0] for row in rows], np.int64)
        value = np.array([row[2] for row in rows], np.float64)
        received = np.maximum.accumulate(time)  # what a gateway kept arrives with what it sends after it
        return self.update(Readings(point, time, value, received, self._configuration.carrier[point]), now)

    def block(self, points: Sequence[str], shown: Sequence[NDArray[np.float64]], begin: int) -> Iterator[Verdict]:
        """Evaluate so many seconds of every copy at once; each gateway is online all the time.

        Args:
            points: what the columns are.
            shown: float64[seconds, points], one a copy; NaN = not sent.
            begin: time of the first row, ns.
        """
        seconds, gateways = len(shown[0]), self.site.gateways
        row = np.array([index[name] for index in self.index for name in (*gateways, *points)], np.int32)
        point = np.tile(row, seconds)
        time = np.repeat(begin + np.arange(seconds, dtype=np.int64) * SECOND, len(row))
        online = np.ones((seconds, len(gateways)))
        value = np.concatenate([part for copy in shown for part in (online, copy)], axis=1).ravel()
        sent = ~np.isnan(value)
        now, point, time = int(time[-1]), point[sent], time[sent]
        return self.update(Readings(point, time, value[sent], time, self._configuration.carrier[point]), now)


@dataclass(slots=True)
class _Copy:
    """A simulated plant, and the readings its gateways store while they are cut off."""

    plant: SimulatedPlant
    index: Mapping[str, int]
    kept: dict[str, list[_Row]] = field(default_factory=dict)

    def rows(self, time: int, faults: Collection[Fault]) -> Iterator[_Row]:
        """Yield what arrives at `time`: of a cut gateway its will, and later all that it stored."""
        sample = self.plant.sample(STEP_S, faults)
        cut = {fault.points[0] for fault in faults if fault.where is Where.NETWORK}
        for gateway, points in self.plant.site.gateways.items():
            rows = [(time, self.index[point], sample[point]) for point in points if point in sample]
            if gateway in cut:
                if gateway not in self.kept:
                    yield time, self.index[gateway], 0.0
                self.kept.setdefault(gateway, []).extend(rows)
            else:
                yield time, self.index[gateway], 1.0
                yield from self.kept.pop(gateway, [])
                yield from rows


def evaluate_faulty(
    plant: str, seconds: int, seeds: Sequence[int], active: Mapping[int, Sequence[Fault]]
) -> list[Verdict]:
    """Run a copy a seed for so many seconds at 1 Hz, with the faults `active` names for each second, and judge them.

    A gateway that is cut keeps its rows and hands them over when it is back, as the reference gateway does.
    """
    evaluator = Evaluator(plant, len(seeds))
    copies = [
        _Copy(SimulatedPlant(evaluator.site, seed), index) for seed, index in zip(seeds, evaluator.index, strict=True)
    ]
    found: list[Verdict] = []
    for second in range(seconds):
        faults = [fault for fault in active.get(second, ()) if fault.plant == plant]
        time = second * SECOND
        found += evaluator.rows([row for copy in copies for row in copy.rows(time, faults)], time)
    return found


def evaluate_healthy(plant: str, seconds: int, seeds: Sequence[int]) -> Iterator[list[Verdict]]:
    """Run a copy a seed in good health for so many seconds at 1 Hz, and judge them; verdicts minute by minute."""
    evaluator = Evaluator(plant, len(seeds))
    plants = [SimulatedPlant(evaluator.site, seed) for seed in seeds]
    for begin in range(0, seconds, BLOCK_S):
        steps = min(BLOCK_S, seconds - begin)
        shown = [simulated.run(steps, STEP_S) for simulated in plants]
        yield list(evaluator.block(plants[0].points, shown, begin * SECOND))
