"""A plant park of any size under the full default rule set: a plant of each kind with every signal, many times over."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import NO_GATE, NO_POINT, Bank, Derived, GateTable, Readings, RuleTable
from ingest.plants.catalogue import PLANT_KINDS, load_catalogue
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering

SECOND: Final = 10**9
UNHEALTHY: Final = 0.01
"""Share of points that stand in alarm all the time: far more than in a plant that is looked after."""

_DESIGN_RANGE: Final = (0.0, 10.0)  # of signals whose range every plant gives itself
_DESIGN_RANGES: Final = {"STL_CW_FLOW": (0.0, 800.0)}  # where another signal is judged in percent of it
_SETPOINTS: Final = {"DUST_DP": 850.0}  # in the middle of its limits; elsewhere at 60 % of the range
_USCC: Final = {"dust": "91350583MA000L0390", "steel": "91350583MA000L0390", "aluminium": "91350583MA000L0390"}


def plant_file(kind: str) -> str:
    """A plant of that kind with one point of every signal of the catalogue, each with a set-point."""
    lines = [
        f'[enterprise]\nid = "all-{kind}"\nname = "全部信号"\nname_en = "Every signal"\nuscc = "{_USCC[kind]}"',
        f'region = "350583"\nkind = "{kind}"\nworkers = 100\ndust_workers = 50',
        'dust = "aluminium"' if kind == "dust" else "",
        '[[equipment]]\nid = "EQ"\nname = "设备"\nname_en = "Equipment"',
        '[[gateways]]\nid = "GW"\nname = "网关"\nname_en = "Gateway"',
    ]
    for code, signal in load_catalogue().signals[kind].items():  # type: ignore[index]
        numbers = signal.table.range
        low, high = (numbers.low, numbers.high) if numbers else _DESIGN_RANGES.get(code, _DESIGN_RANGE)
        lines.append(f'[[points]]\nid = "{code}"\nsignal = "{code}"\nequipment = "EQ"\ngateway = "GW"')
        lines.append(
            f"setpoint = {_SETPOINTS.get(code, low + 0.6 * (high - low))}"
            + ("" if numbers else f"\nrange = [{low}, {high}]")
        )
    return "\n".join(lines) + "\n"


@cache
def every_signal() -> PlantConfiguration:
    """The configuration of one plant of each kind with every signal."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in PLANT_KINDS:
            (Path(folder) / f"all-{kind}.toml").write_text(plant_file(kind), encoding="utf-8")
        return load_configuration(Path(folder), MemoryNumbering(), 1)


@dataclass(frozen=True, slots=True, eq=False)
class Park:
    """Rules of many plants, and what their points show.

    Attributes:
        tables, derived: for a `Bank`.
        carrier: int32[p], the gateway that carries each point.
        level: float64[p], what each point shows; `UNHEALTHY` of them beyond a limit.
        noise: float64[p], the noise on it.
    """

    tables: Mapping[str, RuleTable]
    derived: tuple[Derived, ...]
    carrier: NDArray[np.int32]
    level: NDArray[np.float64]
    noise: NDArray[np.float64]

    @property
    def points(self) -> int:
        """How many points there are."""
        return len(self.level)

    def rules(self) -> int:
        """How many rules judge them."""
        return sum(len(table) for table in self.tables.values())

    def stream(self, seconds: int, start: int, random: np.random.Generator) -> Readings:
        """Every point once a second for so many seconds from `start` (ns), in order of time."""
        many = self.points
        point = np.tile(np.arange(many, dtype=np.int32), seconds)
        time = np.repeat(start + np.arange(seconds) * SECOND, many)
        value = np.tile(self.level, seconds) + np.tile(self.noise, seconds) * random.standard_normal(len(point))
        return Readings(point, time, value, time, np.tile(self.carrier, seconds))


def park(points: int) -> Park:
    """At least so many points."""
    configuration = every_signal()
    own = len(configuration.points)
    copies = -(-points // own)
    total = own * copies
    channels = len(configuration.derived)

    def moved(index: NDArray[np.int32], copy: int, none: int) -> NDArray[np.int32]:
        real, channel = index + copy * own, index - own + total + copy * channels
        return np.where(index == none, none, np.where(index < own, real, channel)).astype(np.int32)

    tables = {kind: _copied(table, copies, moved) for kind, table in configuration.tables.items() if len(table)}
    derived = tuple(
        replace(
            derived,
            key=f"{copy}/{derived.key}",
            inputs=tuple(int(moved(np.array([at], np.int32), copy, NO_POINT)[0]) for at in derived.inputs),
            drivers=tuple(int(moved(np.array([at], np.int32), copy, NO_POINT)[0]) for at in derived.drivers),
            channel=int(moved(np.array([derived.channel], np.int32), copy, NO_POINT)[0]),
        )
        for copy in range(copies)
        for derived in configuration.derived
    )
    level, noise = (np.tile(column, copies) for column in _healthy(configuration))
    sick = np.random.default_rng(3).permutation(total)[: int(total * UNHEALTHY)]
    level[sick] = np.tile(configuration.high - 0.03 * (configuration.high - configuration.low), copies)[
        sick
    ]  # high, and within its range
    carrier = np.concatenate([moved(configuration.carrier, copy, NO_POINT) for copy in range(copies)])
    return Park(tables, derived, carrier, level, noise)


def bank(of: Park) -> Bank:
    """Detectors for the park."""
    return Bank(of.tables, of.derived)


Moved = Callable[[NDArray[np.int32], int, int], NDArray[np.int32]]
"""Indices of points, a copy's number, and what stands for no point -> the copy's indices."""


def _copied(table: RuleTable, copies: int, moved: Moved) -> RuleTable:
    def index(column: NDArray[np.int32], none: int) -> NDArray[np.int32]:
        return np.concatenate([moved(column, copy, none) for copy in range(copies)])

    gate = table.gate
    return RuleTable(
        key=tuple(f"{copy}/{key}" for copy in range(copies) for key in table.key),
        rule=np.arange(len(table) * copies, dtype=np.int32),
        point=index(table.point, NO_POINT),
        on=np.tile(table.on, copies),
        off=np.tile(table.off, copies),
        on_delay=np.tile(table.on_delay, copies),
        off_delay=np.tile(table.off_delay, copies),
        gate=GateTable(index(gate.point, NO_GATE), np.tile(gate.op, copies), np.tile(gate.threshold, copies)),
        param={name: np.tile(column, copies) for name, column in table.param.items()},
        inputs=None if table.inputs is None else index(table.inputs, NO_POINT),
        need=None if table.need is None else np.tile(table.need, copies),
        of=None if table.of is None else np.tile(table.of, copies),
    )


def _healthy(configuration: PlantConfiguration) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the points show and its noise (float64[p] both).

    In the middle of where none of its limits begins, with a noise of a fiftieth of that room, at most a third of a
    percent of the span; states and numbers of people have none. What gateways and the service tell of themselves is
    nothing amiss: 0, or what no limit forbids.
    """
    low, high = configuration.low.copy(), configuration.high.copy()
    limits = configuration.tables["limit"]
    own = limits.point < len(low)
    point, side, on = limits.point[own], limits.param["side"][own], limits.on[own]
    np.maximum.at(low, point[side < 0], -on[side < 0])
    np.minimum.at(high, point[side > 0], on[side > 0])
    digital, themselves = _digital(configuration)
    level = np.where(digital, np.where(low > 0, 1.0, np.where(high < 1, 0.0, 1.0)), (low + high) / 2)
    level = np.where(themselves, np.where(low > 0, np.where(high < 2, 1.0, (low + high) / 2), 0.0), level)
    shown = [_SHOWN.get(point.signal, np.nan) if point is not None else np.nan for point in configuration.points]
    people = np.array([point is not None and point.unit == "人" for point in configuration.points])
    noise = np.minimum(0.02 * (high - low), 0.003 * (configuration.high - configuration.low))
    return np.where(np.isnan(shown), level, shown), np.where(digital | themselves | people, 0.0, noise)


def _digital(configuration: PlantConfiguration) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """bool[p] both: states rather than measured values; what gateways and the service tell of themselves."""
    signals = {code: signal for by_code in load_catalogue().signals.values() for code, signal in by_code.items()}
    known = [signals.get(point.signal) if point is not None else None for point in configuration.points]
    digital = np.array([signal is not None and signal.table.kind == "digital" for signal in known])
    return digital, np.array([signal is None for signal in known])


_SHOWN: Final[Mapping[str, float]] = {"ALC_CW_IN_T": 26.0, "ALC_CW_OUT_T": 34.0}
"""What some signals show, where the middle of their limits would contradict another signal."""
