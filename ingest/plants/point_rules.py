"""From a point as read to the rules it is judged by: numbers in the detector's units, names as points of the plant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Final

from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import GATEWAY_SIGNAL, Gate, GatewayPoint, ServicePoint
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Signal
from ingest.plants.enrolment import Dust
from ingest.plants.formula import Tied
from ingest.plants.gates import ALWAYS, Missing
from ingest.plants.kinds import LABELS, LimitSpec, Measure, RuleSpec, Score, Taken, Unfit
from ingest.plants.kinds.rule import SIGNS
from ingest.plants.neighbours import Neighbour, Neighbours, Surroundings
from ingest.plants.plant_tables import GatewayTable, named
from ingest.plants.plantfile import PlantFile, PointText
from ingest.plants.written import Place

_LEVELS: Final = frozenset({"LL", "L", "H", "HH"})

_MEASURED: Final[Mapping[GatewayPoint, Text]] = {
    GatewayPoint.CLOCK: Text("时钟", "clock"),
    GatewayPoint.REFUSED: Text("拒收比例", "refused share"),
    GatewayPoint.REUSED: Text("编号重复的帧", "frames under a used number"),
    GatewayPoint.THROTTLED: Text("超限未读消息", "messages beyond its share"),
}
"""What follows a gateway's name in the names of its points."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule of one point, ready to become a row of its detector's table.

    Attributes:
        spec: what was written, with what it took over from the rule its `of_limit` names.
        of: the expression judged instead of the point's own value.
        when: the condition; a plain comparison is `gate` as well, anything else an expression only.
        inputs: further points it looks at, by id.
        without: why its `unless` was left out; "" if it was not.
    """

    code: str
    spec: RuleSpec
    score: Score
    reason: Text
    gate: Gate | None = None
    when: Tied | None = None
    of: Tied | None = None
    inputs: tuple[str, ...] = ()
    fresh_s: float = float("inf")
    without: str = ""


@dataclass(frozen=True, slots=True)
class EvaluatedPoint:
    """A point with the rules in force, and the default ones that wait for a number of its plant."""

    id: str
    signal: str
    name: Text
    equipment: str | None
    gateway: str
    measure: Measure
    rules: tuple[Judged, ...]
    unjudged: tuple[str, ...]
    mandatory: bool
    basis: str | None
    states: tuple[Text, Text] | None
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """What the points of all plants share, kept once: most rules are a default of their signal, word for word.

    Attributes:
        judged: rules that look at nothing but their own point, by code, place of the spec in memory, and measure.
        scored: numbers and words of all others, and the spec they are of, by the same and the expression judged.
        taken: specs with what they take over from another one, and both, by their places in memory.
    """

    judged: dict[tuple[str, int, Measure], Judged] = field(default_factory=dict)
    scored: dict[tuple[str, int, Measure, str], tuple[RuleSpec, Score, Text]] = field(default_factory=dict)
    taken: dict[tuple[int, int], tuple[RuleSpec, RuleSpec, RuleSpec]] = field(default_factory=dict)
    measures: dict[Measure, Measure] = field(default_factory=dict)
    texts: dict[Text, Text] = field(default_factory=dict)
    unjudged: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)


def evaluate_points(plant: PlantFile, shared: Shared | None = None) -> tuple[tuple[EvaluatedPoint, ...], list[Fault]]:
    """Every sound point of a plant, and every rule whose numbers or names cannot stand.

    A default rule that lacks something is not judged and says so; one the plant file itself asked for is a fault.
    """
    faults: list[Fault] = []
    shared = shared or Shared()
    measures = {point.table.id: _measure_of(point, shared) for point in plant.points}
    points = [
        Neighbour(p.table.id, p.signal, p.table.equipment, p.table.setpoint, measures[p.table.id].silence_s)
        for p in plant.points
    ]
    around = Neighbours(points)
    dust = plant.enterprise.dust if plant.enterprise is not None else None
    judged = [
        _Judging(point, measures[point.table.id], Surroundings(here, around), dust, faults, shared).point()
        for point, here in zip(plant.points, points, strict=True)
    ]
    return tuple(judged), faults


def gateway_points(gateway: GatewayTable, signals: Mapping[str, Signal]) -> tuple[EvaluatedPoint, ...]:
    """A gateway's own points: online or not, and what the service measures of it."""
    name = named(gateway.name, gateway.name_en)
    online = _own_point(gateway.id, name, gateway.id, signals[GATEWAY_SIGNAL], gateway.silence_s)
    measured = (
        _own_point(
            point.of(gateway.id), Text(f"{name.zh} {of.zh}", f"{name.en} {of.en}"), gateway.id, signals[point.signal]
        )
        for point, of in _MEASURED.items()
    )
    return online, *measured


def service_points(signals: Mapping[str, Signal]) -> tuple[EvaluatedPoint, ...]:
    """What the service watches of itself; no gateway carries it."""
    found = ((point, signals[point.signal]) for point in ServicePoint)
    return tuple(_own_point(str(point), signal.name, "", signal) for point, signal in found)


def _own_point(id_: str, name: Text, gateway: str, signal: Signal, silence_s: float | None = None) -> EvaluatedPoint:
    of = _measure(signal, None, silence_s, None)
    rules = []
    for code, spec in signal.rules.items():
        score = spec.score(of)
        rules.append(Judged(code, spec, score, spec.reason(code, of, score)))
    table = signal.table
    return EvaluatedPoint(
        id_, signal.code, name, None, gateway, of, tuple(rules), (), table.mandatory, table.basis, signal.states
    )


class _Judging:
    """One pass over a point's rules."""

    def __init__(
        self,
        point: PointText,
        of: Measure,
        around: Surroundings,
        dust: Dust | None,
        faults: list[Fault],
        shared: Shared,
    ) -> None:
        self._shared = shared
        self._point, self._of, self._around, self._dust, self._faults = point, of, around, dust, faults
        self._rules: Mapping[str, RuleSpec] = point.rules

    def point(self) -> EvaluatedPoint:
        """The point with every rule that stands."""
        table, signal = self._point.table, self._point.signal
        judged, unjudged = [], []
        for code, spec in self._rules.items():
            own = self._point.own.get(code, {})
            place = self._point.place.at("rules", code)
            if code in table.disabled_rules or not self._concerned(spec, own, place):
                continue
            try:
                judged.append(self._judge(code, spec))
            except Missing as missing:
                if missing.key in own or code not in signal.rules:
                    self._fault(
                        place, missing.key, own.get(missing.key, "(missing)"), f"{missing.what}, which it needs"
                    )
                else:
                    unjudged.append(f"{code}: {missing}")
            except Unfit as unfit:
                self._fault(place, unfit.key, unfit.value, unfit.expected)
        name = named(table.name, table.name_en) if table.name else signal.name
        name = self._shared.texts.setdefault(name, name)
        return EvaluatedPoint(
            table.id,
            signal.code,
            name,
            intern(table.equipment) if table.equipment is not None else None,
            intern(table.gateway),
            self._of,
            tuple(judged),
            self._shared.unjudged.setdefault(tuple(unjudged), tuple(unjudged)),
            signal.table.mandatory,
            signal.table.basis,
            signal.states,
            table.was,
        )

    def _concerned(self, spec: RuleSpec, own: Mapping[str, object], place: Place) -> bool:
        """Whether the plant has a dust the rule is for; a rule changed in vain is a fault."""
        dust = self._dust
        if spec.dust is None or dust in spec.dust:
            return True
        if own:
            self._fault(place, "dust", dust, f"one of {', '.join(spec.dust)}: the rule holds only there")
        return False

    def _judge(self, code: str, spec: RuleSpec) -> Judged:
        if spec.when != ALWAYS or spec.unless or spec.of or spec.limit_of() or spec.looked_at():
            return self._judge_anew(code, spec)
        key = code, id(spec), self._of
        judged = self._shared.judged.get(key)
        if judged is None:
            judged = self._shared.judged[key] = self._judge_anew(code, spec)
        return judged

    def _judge_anew(self, code: str, spec: RuleSpec) -> Judged:
        of, around = self._of, self._around
        taken = spec.limit_of()
        if taken is not None:
            spec, limit = self._take(spec, taken)
            of = replace(of, taken=limit)
        tied = around.formula(spec.of)
        others = around.others(spec.looked_at())
        of = replace(
            of,
            unit=spec.unit if spec.unit is not None else of.unit,
            others=tuple(p.id for p in others),
            fresh_s=max((p.silence_s for p in others), default=of.fresh_s),
        )
        gate, when, without = around.condition(spec.when, spec.unless, asked="unless" in self._point.own.get(code, {}))
        key = code, id(spec), of, tied.shown if tied is not None else ""
        if key not in self._shared.scored:
            score = spec.score(of)
            told = spec.model_copy(update={"of": tied.shown}) if tied is not None else spec
            self._shared.scored[key] = spec, score, told.reason(code, of, score)
        _, score, reason = self._shared.scored[key]
        fresh_s = around.longest_silence(tied)
        return Judged(code, spec, score, reason, gate, when, tied, of.others, fresh_s, without)

    def _take(self, spec: RuleSpec, code: str) -> tuple[RuleSpec, Taken]:
        """The limit of another rule of the point, and the rule with what it takes over from that one.

        Raises:
            Missing: that rule is not judged here.
            Unfit: there is no such rule, or it has no limit.
        """
        model = self._rules.get(code)
        if not isinstance(model, LimitSpec):
            limits = ", ".join(code for code, rule in self._rules.items() if isinstance(rule, LimitSpec))
            raise Unfit("of_limit", code, f"a limit rule of the point: {limits or 'it has none'}")
        if code in self._point.table.disabled_rules:
            raise Missing("of_limit", f"rule {code}, which is disabled")
        if model.dust is not None and self._dust not in model.dust:
            raise Missing("of_limit", f"rule {code}, which is for other dusts")
        try:
            score = model.score(self._of)
        except Missing as missing:
            raise Missing("of_limit", f"{missing.what} for its rule {code}") from None
        label = LABELS[code] if code in _LEVELS else Text(f" {code} ", code)
        given = {
            key: getattr(model, key) for key in ("when", "unless", "of", "unit") if key not in spec.model_fields_set
        }
        key = id(spec), id(model)
        if key not in self._shared.taken:
            self._shared.taken[key] = spec.model_copy(update=given), spec, model
        return self._shared.taken[key][0], Taken(score.limit, SIGNS[model.side], label)

    def _fault(self, place: Place, key: str, value: object, expected: str) -> None:
        self._faults.append(place.at(key).fault(value, expected))


def _measure_of(point: PointText, shared: Shared) -> Measure:
    table = point.table
    measure = _measure(point.signal, table.range, table.silence_s, table.setpoint)
    return shared.measures.setdefault(measure, measure)


def _measure(
    signal: Signal, span: tuple[float, float] | None, silence_s: float | None, setpoint: float | None
) -> Measure:
    """What a point's numbers depend on: its own, else its signal's."""
    numbers = signal.table.range
    low, high = span or ((numbers.low, numbers.high) if numbers is not None else (float("nan"), float("nan")))
    return Measure(signal.table.unit, low, high, silence_s or signal.table.silence_s.value, setpoint)
