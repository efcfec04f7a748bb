"""From judged points to the configuration: every point numbered, every rule a row of its detector's table."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors import GATE_OPS, NO_POINT, GateTable, RuleTable
from ingest.base.telemetry import Event, emit
from ingest.domain.model.display_value import SINGLE
from ingest.domain.model.plant import SERVICE, Equipment, Gateway, GatewayPoint, Plant, Point
from ingest.domain.model.text import Text
from ingest.plants.channels import TRUE, Channels
from ingest.plants.configuration import GatewayConfiguration, PlantConfiguration
from ingest.plants.enrolment import due
from ingest.plants.kinds import KINDS, RuleSpec
from ingest.plants.numbering import Numbering
from ingest.plants.plant_tables import EnterpriseTable, EquipmentTable, GatewayTable, named
from ingest.plants.point_rules import EvaluatedPoint, Judged
from ingest.plants.rules import AllRules, PointRules, RuleForm, RuleKeys


@dataclass(frozen=True, slots=True)
class PointNotCarriedOver(Event, level="warning"):
    """`was` names no point that this one can be: both have been points before, or the plant never had the former.

    What is known of the former one stays apart, and its alarms are removed.
    """

    plant: str
    was: str
    point: str


@dataclass(frozen=True, slots=True)
class JudgedPlant:
    """A plant without faults; its points include the gateways' own. The service itself is no enterprise."""

    enterprise: EnterpriseTable | None
    equipment: tuple[EquipmentTable, ...]
    gateways: tuple[GatewayTable, ...]
    points: tuple[EvaluatedPoint, ...]

    @property
    def id(self) -> str:
        """Its id."""
        return self.enterprise.id if self.enterprise is not None else SERVICE


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rules of one kind with the places they need in the arrays: columns, since there may be a million."""

    judged: list[Judged] = field(default_factory=list)
    rule: array[int] = field(default_factory=lambda: array("i"))
    point: array[int] = field(default_factory=lambda: array("i"))
    gate: array[int] = field(default_factory=lambda: array("i"))
    inputs: list[tuple[int, ...]] = field(default_factory=list)


class _Forms:
    """Words and numbers that many points share, kept once."""

    def __init__(self) -> None:
        self._of: dict[int, RuleForm] = {}  # by what was judged: the judging keeps that once too
        self._known: dict[RuleForm, RuleForm] = {}
        self._sets: dict[tuple[int, ...], tuple[RuleForm, ...]] = {}

    def of(self, rules: Sequence[Judged]) -> tuple[RuleForm, ...]:
        """The forms of a point's rules."""
        forms = tuple(self._form(each) for each in rules)
        return self._sets.setdefault(tuple(map(id, forms)), forms)

    def _form(self, judged: Judged) -> RuleForm:
        form = self._of.get(id(judged))
        if form is None:
            form = _form(judged)
            form = self._of[id(judged)] = self._known.setdefault(form, form)
        return form


def compile_configuration(plants: Sequence[JudgedPlant], numbering: Numbering, version: int) -> PlantConfiguration:
    """The configuration of these plants."""
    named = [(plant.id, point) for plant in plants for point in plant.points]
    was = {(plant, judged.id): judged.was for plant, judged in named if judged.was is not None}
    numbered = numbering([(plant, judged.id) for plant, judged in named], was)
    numbers = numbered.index
    for plant, judged_id in was.keys() - numbered.renamed.keys():
        emit(PointNotCarriedOver(plant, was[plant, judged_id], judged_id))
    index = {(plant, judged.id): number for (plant, judged), number in zip(named, numbers, strict=True)}
    size = max(numbers, default=-1) + 1
    low, high = np.full(size, np.nan), np.full(size, np.nan)
    carrier = np.arange(size, dtype=np.int32)
    points: list[Point | None] = [None] * size
    first = np.zeros(size, np.int32)
    owner = array("i")
    forms = _Forms()
    rows = {kind: _Rows() for kind in KINDS}
    channels = Channels(index)
    for plant, judged in named:
        number = index[plant, judged.id]
        point = points[number] = _point(number, plant, judged, forms, numbered.renamed.get((plant, judged.id)))
        low[number], high[number] = _ends(point)
        carrier[number] = index.get((plant, judged.gateway), number)
        first[number] = len(owner)
        for each in judged.rules:
            row = rows[each.spec.kind]
            row.judged.append(each)
            row.rule.append(len(owner))
            row.point.append(channels.judged(plant, judged.id, each))
            row.gate.append(channels.gate(plant, each))
            others = (judged.gateway,) if each.spec.carried and carrier[number] != number else each.inputs
            row.inputs.append(tuple(index[plant, other] for other in others))
            owner.append(number)
    rules = AllRules(tuple(points), np.array(owner, np.int32), first)
    compiled = {plant.id: _plant(plant, points, index) for plant in plants}
    return PlantConfiguration(
        version=version,
        plants=compiled,
        points=rules.points,
        rules=rules,
        gateways={key: found for plant in compiled.values() for key, found in _gateways(plant, index).items()},
        low=low,
        high=high,
        carrier=carrier,
        tables={kind: _table(found, KINDS[kind], rules) for kind, found in rows.items() if found.judged},
        derived=channels.derived,
        renamed={(plant, former): point for (plant, point), former in numbered.renamed.items()},
    )


def _point(number: int, plant: str, judged: EvaluatedPoint, forms: _Forms, was: str | None) -> Point:
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
        rules=PointRules(plant, judged.id, judged.name, forms.of(judged.rules)),
        unjudged=judged.unjudged,
        red=any(each.spec.red for each in judged.rules),
        mandatory=judged.mandatory,
        basis=judged.basis,
        states=judged.states,
        was=was,
    )


def _form(judged: Judged) -> RuleForm:
    return RuleForm(
        code=judged.code,
        kind=judged.spec.kind,
        level=judged.spec.level,
        limit=judged.score.limit,
        unit=judged.score.unit,
        label=judged.spec.labelled(judged.code),
        gate=judged.gate,
        source=judged.spec.source,
        confidence=judged.spec.confidence,
        reason=judged.reason,
        when=judged.when.shown if judged.when else "",
        of=judged.of.shown if judged.of else "",
        inputs=judged.inputs,
        latch=judged.spec.latch,
        red=judged.spec.red,
    )


def _ends(point: Point) -> tuple[float, float]:
    """The range outside of which a reading is flagged: the instrument's, as far as single precision tells."""
    most = SINGLE * max(abs(point.low), abs(point.high))
    return (point.low - most, point.high + most) if math.isfinite(most) else (point.low, point.high)


def _plant(plant: JudgedPlant, points: Sequence[Point | None], index: Mapping[tuple[str, str], int]) -> Plant:
    own = (points[index[plant.id, judged.id]] for judged in plant.points)
    compiled = tuple(point for point in own if point is not None)
    told = plant.enterprise
    if told is None:
        return _service(compiled)
    enrolment = due(
        told.kind,
        dust=told.dust,
        dust_workers=told.dust_workers,
        deep_well=bool(told.deep_well),
        pilot=told.pilot,
    )
    return Plant(
        id=told.id,
        name=named(told.name, told.name_en),
        uscc=told.uscc,
        region=told.region,
        kind=told.kind,
        workers=told.workers,
        dust_workers=told.dust_workers,
        dust=told.dust,
        equipment=tuple(Equipment(e.id, named(e.name, e.name_en), e.gate) for e in plant.equipment),
        gateways=tuple(Gateway(told.id, g.id, named(g.name, g.name_en)) for g in plant.gateways),
        points=compiled,
        connect_by=enrolment.connect_by,
        tier=enrolment.tier,
    )


def _service(points: tuple[Point, ...]) -> Plant:
    """The service itself, as a plant."""
    return Plant(
        id=SERVICE,
        name=Text("监测服务", "Monitoring service"),
        uscc="",
        region="",
        kind=SERVICE,
        workers=0,
        dust_workers=0,
        dust=None,
        equipment=(),
        gateways=(),
        points=points,
        connect_by=None,
        tier=Text("监测服务自身，不是企业", "the service itself, no enterprise"),
    )


def _gateways(plant: Plant, index: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], GatewayConfiguration]:
    columns: dict[str, dict[str, int]] = {gateway.id: {} for gateway in plant.gateways}
    for point in plant.points:
        if not point.is_device:
            columns[point.gateway][point.id] = point.index
    return {
        (plant.id, gateway): GatewayConfiguration(
            own, index[plant.id, gateway], {point: index[plant.id, point.of(gateway)] for point in GatewayPoint}
        )
        for gateway, own in columns.items()
    }


def _table(rows: _Rows, kind: type[RuleSpec], rules: AllRules) -> RuleTable:
    specs = [judged.spec for judged in rows.judged]
    scores = [judged.score for judged in rows.judged]
    number = np.array(rows.rule, np.int32)
    counts = any(spec.of_last for spec in specs)
    return RuleTable(
        key=RuleKeys(rules, number),
        rule=number,
        point=np.array(rows.point, np.int32),
        on=np.array([score.on for score in scores], np.float64),
        off=np.array([score.off for score in scores], np.float64),
        on_delay=np.array([_ns(spec.on_delay_s) for spec in specs], np.int64),
        off_delay=np.array([_ns(spec.off_delay_s) for spec in specs], np.int64),
        gate=_gates(rows),
        param={name: np.array([score.param[name] for score in scores], np.float64) for name in kind.params},
        inputs=_inputs(rows.inputs) if kind.looks or kind.carried else None,
        need=np.array([spec.need or 1 for spec in specs], np.int64) if counts else None,
        of=np.array([spec.of_last or 1 for spec in specs], np.int64) if counts else None,
    )


def _gates(rows: _Rows) -> GateTable:
    """Conditions; one that is an expression is open while its channel says so."""
    gates = [judged.gate for judged in rows.judged]
    return GateTable(
        point=np.array(rows.gate, np.int32),
        op=np.array([GATE_OPS.index(gate.op if gate else ">=") for gate in gates], np.int8),
        threshold=np.array([gate.value if gate else TRUE for gate in gates], np.float64),
    )


def _inputs(rows: Sequence[tuple[int, ...]]) -> NDArray[np.int32]:
    inputs = np.full((len(rows), max(1, *map(len, rows))), NO_POINT, np.int32)
    for at, row in enumerate(rows):
        inputs[at, : len(row)] = row
    return inputs


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
