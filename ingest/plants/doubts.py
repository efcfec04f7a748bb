"""Finds what plant files may say but hardly mean: what is physically absurd, or can never alarm.

These are doubts, not faults: the file stays in force. A refused file takes the watch from all its points where no
earlier version is kept, also after an update of the service that began to refuse it; one limit beyond its
instrument's range takes one rule. Faults are what cannot be evaluated at all (docs/adr/0049).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import Gate, Plant, Point, Rule
from ingest.domain.model.text import Text
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.doubtful_design import doubts_of_design
from ingest.plants.doubtful_numbers import BEYOND, doubts_of_numbers
from ingest.plants.doubtful_structure import doubts_of_structure, loose_contacts, shared_codes
from ingest.plants.gates import gates_in
from ingest.plants.regions import region_doubt
from ingest.plants.rules import PointRules, RuleForm

_ORDER: Final = ("LL", "L", "H", "HH")

_Doubt = tuple[str, float | str, Text]
_Rules = Iterable[Rule | RuleForm]


def doubts_of(configuration: PlantConfiguration, folder: Path) -> list[Fault]:
    """Return every doubt about the plant files in that folder, of which this is the configuration."""
    plants = configuration.enterprises()
    found = [doubt for plant in plants for doubt in _of_plant(plant, folder)]
    found += doubts_of_numbers(configuration, folder)
    return [*found, *loose_contacts(configuration, folder), *shared_codes(plants, folder)]


def _of_plant(plant: Plant, folder: Path) -> Iterator[Fault]:
    file = str(folder / f"{plant.id}.toml")
    nowhere = region_doubt(plant.region)
    if nowhere:
        yield Fault(file, "enterprise.region", plant.region, nowhere)
    points = {point.id: point for point in plant.points}
    shared = dict[tuple[object, ...], list[_Doubt]]()  # most points of a signal have the same rules and numbers
    for point in plant.points:
        if point.is_device:
            continue
        rules: _Rules = point.rules.forms if isinstance(point.rules, PointRules) else point.rules
        key = id(rules), point.low, point.high, point.setpoint, point.unit
        if key not in shared:
            shared[key] = list(_of_limits(point, rules))
        for name, value, expected in (*shared[key], *_of_gates(rules, points)):
            shown = f"{value:g}" if isinstance(value, float) else value
            yield Fault(file, f"points ({point.id}) {name}", shown, expected)
    for machine in plant.equipment:
        gate = machine.running
        doubt = _of_gate(gate, points) if gate else None
        if gate and doubt:
            shown = f"{gate.point} {gate.op} {gate.value:g}"
            yield Fault(file, f"equipment ({machine.id}) running", shown, doubt)
    yield from doubts_of_structure(plant, file)
    yield from doubts_of_design(plant, file)


def _of_limits(point: Point, rules: _Rules) -> Iterator[_Doubt]:
    if point.setpoint is not None and not _within(point.setpoint, point):
        yield "setpoint", point.setpoint, _range(point)
    limits = {rule.code: rule for rule in rules if _is_limit(rule)}
    for rule in limits.values():
        if rule.unit != point.unit:
            unit = point.unit or "—"
            yield (
                f"rules.{rule.code}.unit",
                rule.unit or '""',
                Text(f"信号的单位 {unit}：数值不换算", f"the signal's unit, {unit}: values are not converted"),
            )
        elif not _within(rule.limit, point):
            yield f"rules.{rule.code}.on", rule.limit, _range(point)
    for lower, upper in pairwise(limits[code] for code in _ORDER if code in limits):
        together = lower.when == upper.when or "" in {lower.when, upper.when}
        if lower.limit >= upper.limit and together:
            expected = Text(
                f"小于 {upper.code} 的限值 {upper.limit:g}", f"less than {upper.code}'s, which is {upper.limit:g}"
            )
            yield f"rules.{lower.code}.on", lower.limit, expected


def _of_gates(rules: _Rules, points: Mapping[str, Point]) -> Iterator[_Doubt]:
    checked = set[str]()  # rules that follow another one have its condition, too
    for rule in rules:
        if not rule.when or rule.when in checked:
            continue
        checked.add(rule.when)
        gates = [rule.gate] if rule.gate else gates_in(rule.when)
        doubts = [doubt for gate in gates if (doubt := _of_gate(gate, points))]
        if not doubts and len(gates) > 1 and (doubt := _of_all(rule.when, gates)):
            doubts = [doubt]
        for doubt in doubts:
            yield f"rules.{rule.code}.when", rule.when, doubt


def _of_gate(gate: Gate, points: Mapping[str, Point]) -> Text | None:
    """Return what is expected instead of a condition that always or never holds over its point's range, else None."""
    asked = points.get(gate.point)
    if asked is None:
        return None
    if not _within(gate.value, asked):
        span = _range(asked)
        return Text(f"{asked.id} {span.zh}", f"{asked.id} {span.en}")
    if gate.op in {"==", "!="}:
        return _of_equality(gate, asked)
    if math.isnan(asked.low + asked.high) or gate.holds(asked.low) != gate.holds(asked.high):
        return None
    zh, en = ("总是成立", "always holds") if gate.holds(asked.low) else ("从不成立", "never holds")
    return Text(
        f"有时成立的条件：在 {asked.id} 的量程 {asked.low:g} 到 {asked.high:g} 内{zh}",
        f"a condition that holds at times: over {asked.id}'s range, {asked.low:g} to {asked.high:g}, it {en}",
    )


def _of_equality(gate: Gate, asked: Point) -> Text | None:
    if asked.states is not None:
        return (
            None
            if gate.value in {0, 1}
            else Text(
                f"{asked.id} 与 0 或 1 比较：没有其他值", f"{asked.id} compared with 0 or 1: it has no other values"
            )
        )
    if gate.value in {asked.low, asked.high} or (not asked.unit and gate.value.is_integer()):
        return None
    return Text(
        f"{asked.id} 用 < <= > >= 比较：几乎不会恰好等于 {gate.value:g}",
        f"{asked.id} compared by < <= > or >=: it is hardly ever exactly {gate.value:g}",
    )


def _of_all(when: str, gates: list[Gate]) -> Text | None:
    """Return what is expected instead of comparisons of one point that never hold together; only of plain `and`s."""
    if any(word in {"or", "not"} for word in when.replace("(", " ").replace(")", " ").split()):
        return None
    least, most = dict[str, float](), dict[str, float]()
    for gate in gates:
        if gate.op in {">", ">=", "=="}:
            least[gate.point] = max(gate.value, least.get(gate.point, -math.inf))
        if gate.op in {"<", "<=", "=="}:
            most[gate.point] = min(gate.value, most.get(gate.point, math.inf))
    for point in least.keys() & most.keys():
        if least[point] > most[point]:
            return Text(
                f"能同时成立的比较：{point} 不会既在 {least[point]:g} 以上又在 {most[point]:g} 以下",
                f"comparisons that can hold together: {point} is never above {least[point]:g}"
                f" and below {most[point]:g}",
            )
    return None


def _is_limit(rule: Rule | RuleForm) -> bool:
    return rule.kind == "limit" and not rule.of and math.isfinite(rule.limit)


def _within(value: float, point: Point) -> bool:
    """Whether a value is within the point's range, with `BEYOND` to spare; NaN is an unknown bound."""
    beyond = BEYOND * (point.high - point.low) if point.states is None else 0.0
    return not (value < point.low - beyond or value > point.high + beyond)


def _range(point: Point) -> Text:
    span = f"{point.low:g} 到 {point.high:g} {point.unit}".rstrip()
    return Text(
        f"在仪表量程 {span} 之内",
        f"within the instrument's range, {point.low:g} to {point.high:g} {point.unit}".rstrip(),
    )
