"""Compiles evaluated points into the configuration: numbered points, and rules as rows of their detector's table."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors import GATE_OPS, NO_POINT, GateTable, RuleTable
from ingest.base.telemetry import Event, emit
from ingest.domain.model.daily import CleaningArea
from ingest.domain.model.display_value import SINGLE
from ingest.domain.model.instrument import Instrument
from ingest.domain.model.plant import DEVICE_SIGNALS, SERVICE, Equipment, Gateway, GatewayPoint, Phase, Plant, Point
from ingest.domain.model.text import Text
from ingest.domain.quality.contact_table import contact_table
from ingest.domain.quality.sentinels import sentinel_table
from ingest.plants.channels import TRUE, Channels
from ingest.plants.configuration import GatewayConfiguration, PlantConfiguration
from ingest.plants.enrolment import due
from ingest.plants.kinds import KINDS, RuleSpec
from ingest.plants.numbering import Numbering
from ingest.plants.plant_budget import plant_budgets
from ingest.plants.plant_tables import EnterpriseTable, EquipmentTable, GatewayTable, SentinelsTable, named
from ingest.plants.point_rules import EvaluatedPoint, EvaluatedRule
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
class EvaluatedPlant:
    """A plant without faults, its points including the gateways' own; `enterprise` is None for the service itself."""

    enterprise: EnterpriseTable | None
    equipment: tuple[EquipmentTable, ...]
    gateways: tuple[GatewayTable, ...]
    points: tuple[EvaluatedPoint, ...]
    phases: Mapping[str, tuple[Phase, ...]] = field(default_factory=dict)  # by equipment
    instruments: tuple[Instrument, ...] = ()
    cleaning: tuple[CleaningArea, ...] = ()

    @property
    def id(self) -> str:
        """Its id."""
        return self.enterprise.id if self.enterprise is not None else SERVICE

    @property
    def budget(self) -> float | None:
        """Findings a day that it allows its rules that learn; None: the usual ones."""
        return self.enterprise.budget if self.enterprise is not None else None


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rules of one kind with their array indices, as columns, since there may be a million."""

    evaluated: list[EvaluatedRule] = field(default_factory=list)
    rule: array[int] = field(default_factory=lambda: array("i"))
    point: array[int] = field(default_factory=lambda: array("i"))
    gate: array[int] = field(default_factory=lambda: array("i"))
    inputs: list[tuple[int, ...]] = field(default_factory=list)


class _Forms:
    """Rule forms, each stored once for the many points that share it."""

    def __init__(self) -> None:
        self._of: dict[int, RuleForm] = {}  # by the id of the rule, which is shared as well
        self._known: dict[RuleForm, RuleForm] = {}
        self._sets: dict[tuple[int, ...], tuple[RuleForm, ...]] = {}

    def of(self, rules: Sequence[EvaluatedRule]) -> tuple[RuleForm, ...]:
        """Return the forms of a point's rules."""
        forms = tuple(self._form(rule) for rule in rules)
        return self._sets.setdefault(tuple(map(id, forms)), forms)

    def _form(self, evaluated: EvaluatedRule) -> RuleForm:
        form = self._of.get(id(evaluated))
        if form is None:
            form = _form(evaluated)
            form = self._of[id(evaluated)] = self._known.setdefault(form, form)
        return form


def compile_configuration(plants: Sequence[EvaluatedPlant], numbering: Numbering, version: int) -> PlantConfiguration:
    """Compile the configuration of these plants."""
    named = [(plant.id, point) for plant in plants for point in plant.points]
    was = {(plant, evaluated.id): evaluated.was for plant, evaluated in named if evaluated.was is not None}
    numbered = numbering([(plant, evaluated.id) for plant, evaluated in named], was)
    numbers = numbered.index
    for plant, evaluated_id in was.keys() - numbered.renamed.keys():
        emit(PointNotCarriedOver(plant, was[plant, evaluated_id], evaluated_id))
    index = {(plant, evaluated.id): number for (plant, evaluated), number in zip(named, numbers, strict=True)}
    size = max(numbers, default=-1) + 1
    low, high = np.full(size, np.nan), np.full(size, np.nan)
    carrier = np.arange(size, dtype=np.int32)
    points: list[Point | None] = [None] * size
    first = np.zeros(size, np.int32)
    owner, shared = array("i"), bytearray()
    forms, sentinels = _Forms(), _sentinels(plants)
    rows = {kind: _Rows() for kind in KINDS}
    channels = Channels(index)
    for plant, evaluated in named:
        number = index[plant, evaluated.id]
        was_now = numbered.renamed.get((plant, evaluated.id))
        point = points[number] = _point(number, plant, evaluated, forms, was_now, sentinels)
        low[number], high[number] = _ends(point)
        carrier[number] = index.get((plant, evaluated.gateway), number)
        first[number] = len(owner)
        for rule in evaluated.rules:
            row = rows[rule.spec.kind]
            row.evaluated.append(rule)
            row.rule.append(len(owner))
            row.point.append(channels.evaluated_index(plant, evaluated.id, rule))
            row.gate.append(channels.gate_index(plant, rule))
            others = (evaluated.gateway,) if rule.spec.carried and carrier[number] != number else rule.inputs
            row.inputs.append(tuple(index[plant, other] for other in others))
            owner.append(number)
            shared.append(rule.spec.shares_budget)
    rules = AllRules(tuple(points), np.array(owner, np.int32), first)
    tables = {kind: _table(found, KINDS[kind], rules) for kind, found in rows.items() if found.evaluated}
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
        sentinels=sentinel_table(points),
        tables=tables,
        derived=channels.derived,
        renamed={(plant, former): point for (plant, point), former in numbered.renamed.items()},
        instruments={plant.id: plant.instruments for plant in plants if plant.instruments},
        contacts=contact_table(
            (point for plant in plants if plant.instruments for point in compiled[plant.id].points),
            (instrument for plant in plants for instrument in plant.instruments),
            size,
        ),
        budgets=plant_budgets({plant.id: plant.budget for plant in plants}, tables, rules, shared),
    )


def _sentinels(plants: Sequence[EvaluatedPlant]) -> dict[tuple[str, str], SentinelsTable | None]:
    """Return the sentinels of each gateway, by (plant, id): its own, else those of its plant."""
    return {
        (plant.id, gateway.id): gateway.sentinels or (plant.enterprise.sentinels if plant.enterprise else None)
        for plant in plants
        for gateway in plant.gateways
    }


def _point(
    number: int,
    plant: str,
    evaluated: EvaluatedPoint,
    forms: _Forms,
    was: str | None,
    sentinels: Mapping[tuple[str, str], SentinelsTable | None],
) -> Point:
    of = evaluated.measure
    listed = evaluated.sentinels or sentinels.get((plant, evaluated.gateway))
    return Point(
        index=number,
        plant=plant,
        id=evaluated.id,
        signal=evaluated.signal,
        name=evaluated.name,
        unit=of.unit,
        equipment=evaluated.equipment,
        gateway=evaluated.gateway,
        low=of.low,
        high=of.high,
        silence_s=of.silence_s,
        setpoint=of.setpoint,
        rules=PointRules(plant, evaluated.id, evaluated.name, forms.of(evaluated.rules)),
        not_evaluated=evaluated.not_evaluated,
        red=any(rule.spec.red for rule in evaluated.rules),
        mandatory=evaluated.mandatory,
        basis=evaluated.basis,
        states=evaluated.states,
        interlock=evaluated.interlock,
        was=was,
        sentinels=listed.sentinels if listed is not None and evaluated.signal not in DEVICE_SIGNALS else None,
    )


def _form(evaluated: EvaluatedRule) -> RuleForm:
    return RuleForm(
        code=evaluated.code,
        kind=evaluated.spec.kind,
        level=evaluated.spec.level,
        limit=evaluated.score.limit,
        unit=evaluated.score.unit,
        label=evaluated.spec.labelled(evaluated.code),
        gate=evaluated.gate,
        source=evaluated.spec.source,
        confidence=evaluated.spec.confidence,
        reason=evaluated.reason,
        when=evaluated.when.shown if evaluated.when else "",
        of=evaluated.of.shown if evaluated.of else "",
        inputs=evaluated.inputs,
        latch=evaluated.spec.latch,
        signed=evaluated.spec.signed,
        red=evaluated.spec.red,
        rationalization=evaluated.rationalization,
        phases=evaluated.phases,
    )


def _ends(point: Point) -> tuple[float, float]:
    """Return the range outside which readings are flagged: the instrument's, widened by single precision."""
    most = SINGLE * max(abs(point.low), abs(point.high))
    return (point.low - most, point.high + most) if math.isfinite(most) else (point.low, point.high)


def _plant(plant: EvaluatedPlant, points: Sequence[Point | None], index: Mapping[tuple[str, str], int]) -> Plant:
    own = (points[index[plant.id, evaluated.id]] for evaluated in plant.points)
    compiled = tuple(point for point in own if point is not None)
    enterprise = plant.enterprise
    if enterprise is None:
        return _service(compiled)
    enrolment = due(
        enterprise.kind,
        dust=enterprise.dust,
        dust_workers=enterprise.dust_workers,
        deep_well=bool(enterprise.deep_well),
        pilot=enterprise.pilot,
    )
    return Plant(
        id=enterprise.id,
        name=named(enterprise.name, enterprise.name_en),
        uscc=enterprise.uscc,
        region=enterprise.region,
        kind=enterprise.kind,
        workers=enterprise.workers,
        dust_workers=enterprise.dust_workers,
        dust=enterprise.dust,
        equipment=tuple(
            Equipment(e.id, named(e.name, e.name_en), e.gate, plant.phases.get(e.id, ())) for e in plant.equipment
        ),
        gateways=tuple(Gateway(enterprise.id, g.id, named(g.name, g.name_en)) for g in plant.gateways),
        points=compiled,
        connect_by=enrolment.connect_by,
        tier=enrolment.tier,
        pledge=enterprise.pledge,
        cleaning=plant.cleaning,
    )


def _service(points: tuple[Point, ...]) -> Plant:
    """Return the service itself as a plant."""
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
        if not point.is_device and point.gateway:  # what records drive no gateway carries
            columns[point.gateway][point.id] = point.index
    return {
        (plant.id, gateway): GatewayConfiguration(
            own, index[plant.id, gateway], {point: index[plant.id, point.of(gateway)] for point in GatewayPoint}
        )
        for gateway, own in columns.items()
    }


def _table(rows: _Rows, kind: type[RuleSpec], rules: AllRules) -> RuleTable:
    specs = [evaluated.spec for evaluated in rows.evaluated]
    scores = [evaluated.score for evaluated in rows.evaluated]
    number = np.array(rows.rule, np.int32)
    counts = any(spec.of_last for spec in specs)
    budget = np.array([evaluated.budget for evaluated in rows.evaluated], np.float64)
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
        inputs=_inputs(rows.inputs) if kind.has_peers or kind.carried else None,
        need=np.array([spec.need or 1 for spec in specs], np.int64) if counts else None,
        of=np.array([spec.of_last or 1 for spec in specs], np.int64) if counts else None,
        budget=budget if np.isfinite(budget).any() else None,
    )


def _gates(rows: _Rows) -> GateTable:
    """Return the gates of the rows; that of an expression compares its channel with `TRUE`."""
    gates = [evaluated.gate for evaluated in rows.evaluated]
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
