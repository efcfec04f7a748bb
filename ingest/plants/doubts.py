"""Finds what a plant file may say but hardly means: values an instrument cannot show, limits out of order.

These are doubts, not faults: the file stays in force.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import Gate, Plant, Point, Rule
from ingest.plants.gates import gates_in

PROVINCES: Final = frozenset(
    {f"{part}{number}" for part, most in (("1", 5), ("2", 3), ("3", 7), ("4", 6), ("5", 4), ("6", 5)) for number in
     range(1, most + 1)} | {"50", "71", "81", "82"}
)  # fmt: skip
"""The first two digits of an administrative code, GB/T 2260."""

_BEYOND: Final = 0.03125
"""How far beyond its range an instrument still shows values, as a share of span: 20.5 mA of 4-20 mA (NAMUR NE 43)."""

_ORDER: Final = ("LL", "L", "H", "HH")


def doubts_of(plant: Plant, folder: Path) -> Iterator[Fault]:
    """Yield every doubt about a plant's file in that folder."""
    file = str(folder / f"{plant.id}.toml")
    if plant.region[:2] not in PROVINCES:
        yield Fault(file, "enterprise.region", plant.region, "a code of GB/T 2260; no province begins so")
    points = {point.id: point for point in plant.points}
    for point in plant.points:
        if not point.is_device:
            for key, value, expected in (*_of_limits(point), *_of_gates(point, points)):
                shown = f"{value:g}" if isinstance(value, float) else value
                yield Fault(file, f"points ({point.id}) {key}", shown, expected)
    for machine in plant.equipment:
        gate = machine.running
        doubt = _of_gate(gate, points) if gate else None
        if gate and doubt:
            yield Fault(file, f"equipment ({machine.id}) running", f"{gate.point} {gate.op} {gate.value:g}", doubt)


_Doubt = tuple[str, float | str, str]


def _of_limits(point: Point) -> Iterator[_Doubt]:
    if point.setpoint is not None and not _within(point.setpoint, point):
        yield "setpoint", point.setpoint, _range(point)
    limits = {rule.code: rule for rule in point.rules if _is_limit(rule, point)}
    for rule in limits.values():
        if not _within(rule.limit, point):
            yield f"rules.{rule.code}.on", rule.limit, _range(point)
    for lower, upper in pairwise(limits[code] for code in _ORDER if code in limits):
        together = lower.when == upper.when or "" in {lower.when, upper.when}
        if lower.limit >= upper.limit and together:
            yield f"rules.{lower.code}.on", lower.limit, f"less than {upper.code}'s, which is {upper.limit:g}"


def _of_gates(point: Point, points: Mapping[str, Point]) -> Iterator[_Doubt]:
    checked = set[str]()  # rules that follow another one have its condition, too
    for rule in point.rules:
        if rule.when in checked:
            continue
        checked.add(rule.when)
        for gate in [rule.gate] if rule.gate else gates_in(rule.when):
            doubt = _of_gate(gate, points)
            if doubt:
                yield f"rules.{rule.code}.when", rule.when, doubt


def _of_gate(gate: Gate, points: Mapping[str, Point]) -> str | None:
    """Return what is expected instead of a condition that always or never holds over its point's range, else None."""
    asked = points.get(gate.point)
    if asked is None:
        return None
    if not _within(gate.value, asked):
        return f"{asked.id} {_range(asked)}"
    if gate.op in {"==", "!="}:
        if asked.states is not None:
            return None if gate.value in {0, 1} else f"{asked.id} compared with 0 or 1: it has no other values"
        exact = gate.value in {asked.low, asked.high} or (not asked.unit and gate.value.is_integer())
        return None if exact else f"{asked.id} compared by < <= > or >=: it is hardly ever exactly {gate.value:g}"
    if math.isnan(asked.low + asked.high) or gate.holds(asked.low) != gate.holds(asked.high):
        return None
    so = "always holds" if gate.holds(asked.low) else "never holds"
    return f"a condition that holds at times: over {asked.id}'s range, {asked.low:g} to {asked.high:g}, it {so}"


def _is_limit(rule: Rule, point: Point) -> bool:
    return rule.kind == "limit" and not rule.of and rule.unit == point.unit and math.isfinite(rule.limit)


def _within(value: float, point: Point) -> bool:
    """Whether a value is within the point's range, with `_BEYOND` to spare; NaN is an unknown bound."""
    beyond = _BEYOND * (point.high - point.low)
    return not (value < point.low - beyond or value > point.high + beyond)


def _range(point: Point) -> str:
    return f"within the instrument's range, {point.low:g} to {point.high:g} {point.unit}".rstrip()
