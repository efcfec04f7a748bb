"""From a point as read to the rules it is judged by: numbers in the detector's units, gates as points of the plant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.model.fault import Fault
from ingest.model.plant import Gate, Text
from ingest.plants.catalogue import Signal
from ingest.plants.enrolment import Dust
from ingest.plants.gates import Candidate, Missing, find_gate, parse_when
from ingest.plants.kinds import Measure, RuleSpec, Score, Unfit
from ingest.plants.plant_tables import GatewayTable
from ingest.plants.plantfile import PlantFile, PointText


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule of one point, ready to become a row of its detector's table."""

    code: str
    spec: RuleSpec
    score: Score
    gate: Gate | None


@dataclass(frozen=True, slots=True)
class JudgedPoint:
    """A point with the rules in force, and the default ones that wait for a number of its plant."""

    id: str
    signal: str
    name: Text
    equipment: str | None
    gateway: str
    measure: Measure
    rules: tuple[Judged, ...]
    unjudged: tuple[str, ...]


def judge_points(plant: PlantFile) -> tuple[tuple[JudgedPoint, ...], list[Fault]]:
    """Every sound point of a plant, and every rule whose numbers or gate cannot stand.

    A default rule that lacks something is not judged and says so; one the plant file itself asked for is a fault.
    """
    faults: list[Fault] = []
    tables = [point.table for point in plant.points]
    dust = plant.enterprise.dust if plant.enterprise is not None else None
    return tuple(_judge(point, tables, dust, faults) for point in plant.points), faults


def device_point(gateway: GatewayTable, signal: Signal) -> JudgedPoint:
    """A gateway's own point: online or not."""
    of = _measure(signal, None, gateway.silence_s, None)
    rules = tuple(Judged(code, spec, spec.score(of), None) for code, spec in signal.rules.items())
    return JudgedPoint(
        gateway.id, signal.code, Text(gateway.name, gateway.name_en), None, gateway.id, of, rules, unjudged=()
    )


def _measure(
    signal: Signal, span: tuple[float, float] | None, silence_s: float | None, setpoint: float | None
) -> Measure:
    """What a point's numbers depend on: its own, else its signal's."""
    numbers = signal.table.range
    low, high = span or ((numbers.low, numbers.high) if numbers is not None else (float("nan"), float("nan")))
    return Measure(signal.table.unit, low, high, silence_s or signal.table.silence_s.value, setpoint)


def _judge(point: PointText, others: Sequence[Candidate], dust: Dust | None, faults: list[Fault]) -> JudgedPoint:
    table = point.table
    of = _measure(point.signal, table.range, table.silence_s, table.setpoint)
    judged, unjudged = [], []
    for code, spec in point.rules.items():
        own = point.own.get(code, {})
        place = point.place.at("rules", code)
        if code in table.disabled_rules:
            continue
        if spec.dust is not None and dust not in spec.dust:
            if own:
                faults.append(place.at("dust").fault(dust, f"one of {', '.join(spec.dust)}: the rule holds only there"))
            continue
        try:
            when = parse_when(spec.when)
            gate = find_gate(when, table.equipment, others) if when is not None else None
            judged.append(Judged(code, spec, spec.score(of), gate))
        except Missing as missing:
            if missing.key in own or code not in point.signal.rules:
                faults.append(
                    place.at(missing.key).fault(own.get(missing.key, "(missing)"), f"{missing.what}, which it needs")
                )
            else:
                unjudged.append(f"{code}: {missing}")
        except Unfit as unfit:
            faults.append(place.at(unfit.key).fault(unfit.value, unfit.expected))
    name = Text(table.name, table.name_en) if table.name and table.name_en else point.signal.name
    return JudgedPoint(table.id, table.signal, name, table.equipment, table.gateway, of, tuple(judged), tuple(unjudged))
