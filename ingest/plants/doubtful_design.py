"""Finds what a plant file shows of a design that cannot protect: drainers, gas areas without a CO head, votes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import Plant, Point, Rule
from ingest.domain.model.text import Text

_MM_OF_KPA: Final = 101.97
"""Mm of water at 4 ℃ that stand for 1 kPa."""

_SEAL_MORE: Final = 500.0
"""Mm a drainer's seal is higher than the gas pressure: a published checklist after GB 6222, whose text was not read."""

_GAS: Final = frozenset(
    {"STL_GH_LEVEL", "STL_GH_RATE", "STL_GH_P", "STL_GH_TILT", "STL_GAS_O2", "STL_BF_TOP_P", "STL_DRAIN_SEAL"}
)
"""Signals of equipment that holds gas with carbon monoxide."""

_CO: Final = "STL_CO"
_Doubt = tuple[str, str, Text]


def doubts_of_design(plant: Plant, file: str) -> Iterator[Fault]:
    """Yield every doubt about what the plant's instruments can protect as they are placed and set."""
    for key, value, expected in (*_of_relief(plant), *_of_gas_areas(plant), *_of_votes(plant)):
        yield Fault(file, key, value, expected)


def _of_relief(plant: Plant) -> Iterator[_Doubt]:
    """Design pressures of relief valves and seals of drainers against the gas pressure of their equipment."""
    for point in plant.points:
        if point.setpoint is None or point.signal not in {"STL_BF_RELIEF_SET", "STL_DRAIN_SEAL"}:
            continue
        like = "STL_BF_TOP_P" if point.signal == "STL_BF_RELIEF_SET" else "STL_GH_P"
        for other in plant.points:
            if other.signal != like or other.equipment != point.equipment or other.setpoint is None:
                continue
            if point.signal == "STL_BF_RELIEF_SET" and other.unit == point.unit and other.setpoint > point.setpoint:
                yield (
                    f"points ({point.id}) setpoint",
                    f"{point.setpoint:g}",
                    Text(
                        f"设计压力不低于 {other.id} 的工作压力 {other.setpoint:g} {other.unit}",
                        f"at least {other.id}'s working pressure, {other.setpoint:g} {other.unit}",
                    ),
                )
            least = other.setpoint * _MM_OF_KPA + _SEAL_MORE
            if point.signal == "STL_DRAIN_SEAL" and other.unit == "kPa" and point.setpoint < least:
                yield (
                    f"points ({point.id}) setpoint",
                    f"{point.setpoint:g}",
                    Text(
                        f"至少 {least:.0f} mm：{other.id} 的 {other.setpoint:g} kPa 折合水柱加 500 mm（默认，非法规）",
                        f"at least {least:.0f} mm: {other.id}'s {other.setpoint:g} kPa in mm of water and 500 mm more"
                        " (a default, no regulation)",
                    ),
                )


def _of_gas_areas(plant: Plant) -> Iterator[_Doubt]:
    gas: dict[str, Point] = {}
    for point in plant.points:
        if point.signal in _GAS and point.equipment is not None:
            gas.setdefault(point.equipment, point)
    for point in plant.points:
        if point.signal == _CO and point.equipment is not None:
            gas.pop(point.equipment, None)
    for equipment, point in gas.items():
        yield (
            f"equipment ({equipment})",
            point.signal,
            Text(
                f"有煤气的设备至少一个固定式一氧化碳探头（{_CO}）；布点以设计为准（默认核对，非法规条文）",
                f"a CO head ({_CO}) where there is gas; where heads go is for the design to say"
                " (a default, no regulation)",
            ),
        )


def _of_votes(plant: Plant) -> Iterator[_Doubt]:
    points = {point.id: point for point in plant.points}
    for point in plant.points:
        for rule in point.rules:
            if rule.kind == "votes":
                yield from _of_vote(point, rule, points)


def _of_vote(point: Point, rule: Rule, points: dict[str, Point]) -> Iterator[_Doubt]:
    many, place = len(rule.inputs) + 1, f"points ({point.id}) rules.{rule.code}"
    if rule.limit > many:
        yield (
            f"{place}.on",
            f"{rule.limit:g}",
            Text(
                f"至多 {many}：只有 {many} 台仪表参与表决，永不动作",
                f"at most {many}: only {many} vote, it never trips",
            ),
        )
    elsewhere = [id_ for id_ in rule.inputs if id_ in points and points[id_].equipment != point.equipment]
    if elsewhere and rule.limit > 1:  # one is enough: no voting, any place may alarm
        yield (
            f"{place}.peers",
            ", ".join(elsewhere),
            Text(
                f"与 {point.id} 在同一设备的测点：不同地点的仪表不能互为表决",
                f"points of {point.id}'s equipment: instruments of different places do not vote on one thing",
            ),
        )
