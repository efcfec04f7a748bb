"""From judged points to the roster: every point numbered, every rule a row of its detector's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors import GATE_OPS, NO_POINT, GateTable, RuleTable
from ingest.model.plant import Equipment, Gateway, Plant, Point, Rule, Text
from ingest.plants.channels import TRUE, Channels
from ingest.plants.enrolment import due
from ingest.plants.judging import Judged, JudgedPoint
from ingest.plants.kinds import KINDS, RuleSpec
from ingest.plants.numbering import Numbering
from ingest.plants.plant_tables import EnterpriseTable, EquipmentTable, GatewayTable
from ingest.plants.roster import GatewayRoster, Roster


@dataclass(frozen=True, slots=True)
class JudgedPlant:
    """A plant without faults; its points include the gateways' own."""

    enterprise: EnterpriseTable
    equipment: tuple[EquipmentTable, ...]
    gateways: tuple[GatewayTable, ...]
    points: tuple[JudgedPoint, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A rule with the places it needs in the arrays."""

    judged: Judged
    key: str
    rule: int
    point: int
    gate: int
    inputs: tuple[int, ...]


def compile_roster(plants: Sequence[JudgedPlant], numbering: Numbering, version: int) -> Roster:
    """The roster of these plants."""
    named = [(plant.enterprise.id, point) for plant in plants for point in plant.points]
    numbers = numbering([(plant, judged.id) for plant, judged in named])
    index = {(plant, judged.id): number for (plant, judged), number in zip(named, numbers, strict=True)}
    size = max(numbers, default=-1) + 1
    low, high = np.full(size, np.nan), np.full(size, np.nan)
    carrier = np.arange(size, dtype=np.int32)
    points: list[Point | None] = [None] * size
    rules: list[Rule] = []
    rows: dict[str, list[_Row]] = {kind: [] for kind in KINDS}
    channels = Channels(index)
    for plant, judged in named:
        number = index[plant, judged.id]
        point = points[number] = _point(number, plant, judged)
        low[number], high[number] = point.low, point.high
        carrier[number] = index[plant, judged.gateway]
        for each, rule in zip(judged.rules, point.rules, strict=True):
            key = f"{plant}/{judged.id}/{each.code}"
            inputs = tuple(index[plant, other] for other in each.inputs)
            judges, gate = channels.judged(plant, judged.id, each), channels.gate(plant, each)
            rows[rule.kind].append(_Row(each, key, len(rules), judges, gate, inputs))
            rules.append(rule)
    compiled = {plant.enterprise.id: _plant(plant, points, index) for plant in plants}
    return Roster(
        version=version,
        plants=compiled,
        points=tuple(points),
        rules=tuple(rules),
        gateways={(p.id, g.id): _gateway(g.id, p, index) for p in compiled.values() for g in p.gateways},
        low=low,
        high=high,
        carrier=carrier,
        tables={kind: _table(found, KINDS[kind]) for kind, found in rows.items() if found},
        derived=channels.derived,
    )


def _point(number: int, plant: str, judged: JudgedPoint) -> Point:
    of = judged.measure
    return Point(
        index=number,
        plant=plant,
        id=judged.id,
        signal=judged.signal,
        name=judged.name,
        unit=of.unit,
        equipment=judged.equipment,
        gateway=judged.gateway,
        low=of.low,
        high=of.high,
        silence_s=of.silence_s,
        setpoint=of.setpoint,
        rules=tuple(_rule(plant, judged, each) for each in judged.rules),
        unjudged=judged.unjudged,
    )


def _rule(plant: str, point: JudgedPoint, judged: Judged) -> Rule:
    label = judged.spec.labelled(judged.code)
    return Rule(
        plant=plant,
        point=point.id,
        code=judged.code,
        kind=judged.spec.kind,
        level=judged.spec.level,
        limit=judged.score.limit,
        unit=judged.score.unit,
        title=Text(f"{point.name.zh} {label.zh}", f"{point.name.en} {label.en}"),
        gate=judged.gate,
        source=judged.spec.source,
        confidence=judged.spec.confidence,
        reason=judged.reason,
        when=judged.when.shown if judged.when else "",
        of=judged.of.shown if judged.of else "",
        inputs=judged.inputs,
        latch=judged.spec.latch,
    )


def _plant(plant: JudgedPlant, points: Sequence[Point | None], index: Mapping[tuple[str, str], int]) -> Plant:
    told = plant.enterprise
    enrolment = due(
        told.kind,
        dust=told.dust,
        dust_workers=told.dust_workers,
        deep_well=bool(told.deep_well),
        pilot=told.pilot,
    )
    own = (points[index[told.id, judged.id]] for judged in plant.points)
    return Plant(
        id=told.id,
        name=Text(told.name, told.name_en),
        uscc=told.uscc,
        region=told.region,
        kind=told.kind,
        workers=told.workers,
        dust_workers=told.dust_workers,
        dust=told.dust,
        equipment=tuple(Equipment(e.id, Text(e.name, e.name_en)) for e in plant.equipment),
        gateways=tuple(Gateway(told.id, g.id, Text(g.name, g.name_en)) for g in plant.gateways),
        points=tuple(point for point in own if point is not None),
        connect_by=enrolment.connect_by,
        tier=enrolment.tier,
    )


def _gateway(gateway: str, plant: Plant, index: Mapping[tuple[str, str], int]) -> GatewayRoster:
    columns = {p.id: p.index for p in plant.points if p.gateway == gateway and not p.is_device}
    return GatewayRoster(columns, index[plant.id, gateway])


def _table(rows: Sequence[_Row], kind: type[RuleSpec]) -> RuleTable:
    specs = [row.judged.spec for row in rows]
    scores = [row.judged.score for row in rows]
    latch = np.array([spec.latch for spec in specs], np.bool_)
    counts = any(spec.of_last for spec in specs)
    return RuleTable(
        key=tuple(row.key for row in rows),
        rule=np.array([row.rule for row in rows], np.int32),
        point=np.array([row.point for row in rows], np.int32),
        on=np.array([score.on for score in scores], np.float64),
        off=np.array([score.off for score in scores], np.float64),
        on_delay=np.array([_ns(spec.on_delay_s) for spec in specs], np.int64),
        off_delay=np.array([_ns(spec.off_delay_s) for spec in specs], np.int64),
        gate=_gates(rows),
        param={name: np.array([score.param[name] for score in scores], np.float64) for name in kind.params},
        inputs=_inputs(rows) if kind.looks else None,
        latch=latch if latch.any() else None,
        need=np.array([spec.need or 1 for spec in specs], np.int64) if counts else None,
        of=np.array([spec.of_last or 1 for spec in specs], np.int64) if counts else None,
    )


def _gates(rows: Sequence[_Row]) -> GateTable:
    """Conditions; one that is an expression is open while its channel says so."""
    gates = [row.judged.gate for row in rows]
    return GateTable(
        point=np.array([row.gate for row in rows], np.int32),
        op=np.array([GATE_OPS.index(gate.op if gate else ">=") for gate in gates], np.int8),
        threshold=np.array([gate.value if gate else TRUE for gate in gates], np.float64),
    )


def _inputs(rows: Sequence[_Row]) -> NDArray[np.int32]:
    inputs = np.full((len(rows), max(1, *(len(row.inputs) for row in rows))), NO_POINT, np.int32)
    for at, row in enumerate(rows):
        inputs[at, : len(row.inputs)] = row.inputs
    return inputs


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
