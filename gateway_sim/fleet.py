"""All gateways of the sample plants in one process, with faults by timetable and a report of what was sent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from gateway_sim.accidents import ACCIDENTS
from gateway_sim.accidents.performance import Performance, performance
from gateway_sim.faults import Fault, Slot, Where, timetable
from gateway_sim.gateway import Link, ReferenceGateway, Tally
from gateway_sim.report import write_report
from gateway_sim.simulated_plant import SimulatedPlant
from gateway_sim.sites import sample_sites

ENCODINGS: Final[Mapping[str, Literal["json", "msgpack"]]] = {
    "demo-aluminium/GW-01": "msgpack",
    "demo-dust/GW-01": "json",
    "demo-steel/GW-01": "msgpack",
    "demo-steel/GW-02": "json",
}
"""Both encodings are in use, as in the field."""
FOREVER_S: Final = 30 * 86_400.0  # the timetable of a run without an end


@dataclass(frozen=True, slots=True)
class Run:
    """What the fleet is to do. Without `for_s` it runs until it is stopped.

    `accident` is the id of one to be played, by its own plant instead of the sample plants.
    """

    for_s: float | None = None
    seed: int = 1
    rate_hz: float = 1.0
    faults: bool = True
    labels: Path | None = None
    report: Path | None = None
    drain_s: float = 20.0
    accident: str | None = None


class ConnectedPlant:
    """A simulated plant and its gateways, with the rows that wait for the next frame."""

    def __init__(self, plant: SimulatedPlant, link: Link) -> None:
        site = plant.site
        self.gateways = {
            name: ReferenceGateway(site.plant, name, link, encoding=ENCODINGS.get(f"{site.plant}/{name}", "msgpack"))
            for name in site.gateways
        }
        self._plant = plant
        self._times: list[int] = []
        self._rows: list[Mapping[str, float]] = []

    def sample(self, time_ms: int, dt_s: float, faults: Iterable[Fault]) -> None:
        """Measure once."""
        self._times.append(time_ms)
        self._rows.append(self._plant.sample(dt_s, faults))

    def flush(self) -> None:
        """Hand every gateway a frame of the rows waiting; a point missing in a part of them is null there."""
        if not self._rows:
            return
        present = set().union(*self._rows)
        for name, gateway in self.gateways.items():
            columns = [point for point in self._plant.site.gateways[name] if point in present]
            gateway.publish(self._times, {point: [row.get(point) for row in self._rows] for point in columns})
        self._times, self._rows = [], []


class Fleet:
    """The sample plants, or the plant of one accident, against one broker."""

    def __init__(self, link: Link, run: Run) -> None:
        self._run = run
        self._accident = performance(ACCIDENTS[run.accident], run.seed) if run.accident is not None else None
        self.plants = {plant.site.plant: ConnectedPlant(plant, link) for plant in _plants(run, self._accident)}
        self._slots = _slots(run, self._accident)
        self._active: list[Slot] = []

    async def run(self, stop: asyncio.Event) -> int:
        """Sample until the time is over or `stop` is set, then wait for commits.

        Returns the frames that the service did not take: left uncommitted, or refused.
        """
        networks = [asyncio.create_task(gateway.run(), name=name) for name, gateway in self._gateways().items()]
        reporter = asyncio.create_task(self._report_every_second(), name="report")
        try:
            await self._sample(stop)
            for gateway in self._gateways().values():
                gateway.restore()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._run.drain_s):
                    await self._drain()
        finally:
            for task in (reporter, *networks):
                task.cancel()
            await asyncio.gather(reporter, *networks, return_exceptions=True)
            self._write_report()
        tallies = [gateway.tally for gateway in self._gateways().values()]
        return sum(tally.uncommitted + tally.refused for tally in tallies)

    async def _sample(self, stop: asyncio.Event) -> None:
        """Every period one sample of every plant, every second a frame; times are the planned ones, never drifting."""
        period = 1.0 / self._run.rate_hz
        rows = max(1, round(self._run.rate_hz))
        began, began_ns = time.monotonic(), time.time_ns()
        tick = 0
        while not stop.is_set() and (self._run.for_s is None or tick * period < self._run.for_s):
            with suppress(TimeoutError):
                async with asyncio.timeout(max(began + tick * period - time.monotonic(), 0.0)):
                    await stop.wait()
            self._inject_faults(tick * period, began_ns)
            active = [slot.fault for slot in self._active]
            for plant in self.plants.values():
                plant.sample(began_ns // 1_000_000 + round(tick * period * 1000), period, active)
                if (tick + 1) % rows == 0:
                    plant.flush()
            tick += 1
        for plant in self.plants.values():
            plant.flush()

    def _inject_faults(self, elapsed_s: float, began_ns: int) -> None:
        for slot in [slot for slot in self._active if slot.end_s <= elapsed_s]:
            self._active.remove(slot)
            if slot.fault.where is Where.NETWORK:
                self.plants[slot.fault.plant].gateways[slot.fault.points[0]].restore()
        while self._slots and self._slots[0].start_s <= elapsed_s:
            slot = self._slots.pop(0)
            self._active.append(slot)
            self._label(slot, began_ns)
            if slot.fault.where is Where.NETWORK:
                self.plants[slot.fault.plant].gateways[slot.fault.points[0]].cut()

    def _label(self, slot: Slot, began_ns: int) -> None:
        """Append the fault, as it begins, with the time at which it is planned to be repaired."""
        if self._run.labels is None:
            return
        fault = slot.fault
        label = {
            "plant": fault.plant,
            "fault": fault.id,
            "name": fault.name.zh,
            "name_en": fault.name.en,
            "points": fault.points,
            "rules": fault.rules,
            "affects": fault.affects,
            "start": began_ns + round(slot.start_s * 1e9),
            "end": began_ns + round(slot.end_s * 1e9),
        }
        if self._accident is not None:
            label["no_return"] = began_ns + round(self._accident.no_return_s * 1e9)
        with self._run.labels.open("a", encoding="utf-8") as file:
            file.write(json.dumps(label, ensure_ascii=False) + "\n")

    async def _drain(self) -> None:
        await asyncio.gather(*(gateway.at_most_waiting(0) for gateway in self._gateways().values()))

    async def _report_every_second(self) -> None:
        while True:
            self._write_report()
            await asyncio.sleep(1.0)

    def _write_report(self) -> None:
        if self._run.report is not None:
            write_report(self._run.report, summary({name: g.tally for name, g in self._gateways().items()}))

    def _gateways(self) -> dict[str, ReferenceGateway]:
        return {
            f"{plant}/{name}": gateway
            for plant, simulated in self.plants.items()
            for name, gateway in simulated.gateways.items()
        }


def _plants(run: Run, accident: Performance | None) -> list[SimulatedPlant]:
    if accident is not None:
        return [accident.plant]
    return [SimulatedPlant(site, run.seed + place) for place, site in enumerate(sample_sites().values())]


def _slots(run: Run, accident: Performance | None) -> list[Slot]:
    if not run.faults:
        return []
    return list(timetable(run.for_s or FOREVER_S, run.seed)) if accident is None else [accident.slot]


def summary(tallies: Mapping[str, Tally]) -> dict[str, object]:
    """The report: totals over all gateways, then each by `plant/gateway`."""
    every = list(tallies.values())
    return {
        "readings_sent": sum(t.readings for t in every),
        "frames_sent": sum(t.frames for t in every),
        "frames_resent": sum(t.resent for t in every),
        "uncommitted_frames": sum(t.uncommitted for t in every),
        "refused_frames": sum(t.refused for t in every),
        "dropped_frames": sum(t.dropped for t in every),
        "gateways": {name: asdict(tally) for name, tally in tallies.items()},
    }
