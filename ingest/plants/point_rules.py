"""Evaluates a point's rules as read: numbers in the detector's units, names resolved to points of the plant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Final

from ingest.domain.model.expectations import one_of
from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import Gate, NotEvaluated, Rationalization
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Signal
from ingest.plants.enrolment import Dust
from ingest.plants.formula import BoundFormula
from ingest.plants.gates import ALWAYS, Missing
from ingest.plants.kinds import LABELS, BorrowedLimit, LimitSpec, Measure, RuleSpec, Score, Unfit
from ingest.plants.kinds.rule import SIGNS, rule_named
from ingest.plants.phase_scope import PhaseScope
from ingest.plants.plant_tables import SentinelsTable, named
from ingest.plants.plantfile import PlantFile, PointText
from ingest.plants.point_scope import PlantPoint, PlantPoints
from ingest.plants.written import Place

_LEVELS: Final = frozenset({"LL", "L", "H", "HH"})


@dataclass(frozen=True, slots=True)
class EvaluatedRule:
    """A rule of a point, ready to become a row of its detector's table.

    Attributes:
        spec: as written, completed from the rule its `of_limit` names.
        of: the expression evaluated instead of the point's own value.
        when: the condition; a plain comparison is `gate` as well, anything else an expression only.
        inputs: further points it reads, by id.
        without: what the plant lacks, so that its `unless`, or an alternative of its `when`, was left out.
        rationalization: what an alarm of it asks of people; None: nothing is on file.
        phases: the names of those in which it is evaluated; none: `when` alone decides.
        budget: findings on 100 points in 30 days for which its limit is learnt; inf: its limit is its own.
    """

    code: str
    spec: RuleSpec
    score: Score
    reason: Text
    gate: Gate | None = None
    when: BoundFormula | None = None
    of: BoundFormula | None = None
    inputs: tuple[str, ...] = ()
    fresh_s: float = float("inf")
    without: tuple[Text, ...] = ()
    rationalization: Rationalization | None = None
    phases: tuple[Text, ...] = ()
    budget: float = float("inf")


@dataclass(frozen=True, slots=True)
class EvaluatedPoint:
    """A point with its rules in force, and the default ones that lack a number of its plant."""

    id: str
    signal: str
    name: Text
    equipment: str | None
    gateway: str
    measure: Measure
    rules: tuple[EvaluatedRule, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    mandatory: bool
    basis: str | None
    states: tuple[Text, Text] | None
    interlock: bool = False
    was: str | None = None
    sentinels: SentinelsTable | None = None  # its own; None: those of its gateway


@dataclass(frozen=True, slots=True)
class Shared:
    """Objects that points of all plants share, stored once: most rules are an unchanged default of their signal.

    Attributes:
        judged: rules that read only their own point, by code, id() of the spec, and measure.
        scored: scores and reasons of all others, with their spec, by the same and the expression evaluated.
        taken: specs completed from another one, and both originals, by their id().
    """

    evaluated: dict[tuple[str, int, Measure], EvaluatedRule] = field(default_factory=dict)
    scored: dict[tuple[str, int, Measure, str], tuple[RuleSpec, Score, Text]] = field(default_factory=dict)
    taken: dict[tuple[int, int], tuple[RuleSpec, RuleSpec, RuleSpec]] = field(default_factory=dict)
    measures: dict[Measure, Measure] = field(default_factory=dict)
    texts: dict[Text, Text] = field(default_factory=dict)
    not_evaluated: dict[tuple[NotEvaluated, ...], tuple[NotEvaluated, ...]] = field(default_factory=dict)


def evaluate_points(plant: PlantFile, shared: Shared | None = None) -> tuple[tuple[EvaluatedPoint, ...], list[Fault]]:
    """Evaluate every sound point of a plant; returns the points and every fault in their rules.

    A default rule that lacks something is listed as not evaluated; in a rule of the plant file itself it is a fault.
    """
    faults: list[Fault] = []
    shared = shared or Shared()
    measures = {point.table.id: _measure_of(point, shared) for point in plant.points}
    points = plant_points(plant)
    scope = PlantPoints(points)
    dust = plant.enterprise.dust if plant.enterprise is not None else None
    evaluated = [
        _Evaluation(
            point,
            measures[point.table.id],
            PhaseScope(here, scope, plant.phases.model(here.equipment)),
            dust,
            faults,
            shared,
        ).point()
        for point, here in zip(plant.points, points, strict=True)
    ]
    return tuple(evaluated), faults


def plant_points(plant: PlantFile) -> tuple[PlantPoint, ...]:
    """Return what rules need to know of each point of a plant."""
    return tuple(
        PlantPoint(
            p.table.id,
            p.signal,
            p.table.equipment,
            p.table.setpoint,
            p.table.silence_s or p.signal.table.silence_s.value,
        )
        for p in plant.points
    )


class _Evaluation:
    """Evaluates the rules of one point."""

    def __init__(
        self,
        point: PointText,
        of: Measure,
        scope: PhaseScope,
        dust: Dust | None,
        faults: list[Fault],
        shared: Shared,
    ) -> None:
        self._shared = shared
        self._point, self._of, self._scope, self._dust, self._faults = point, of, scope, dust, faults
        self._rules: Mapping[str, RuleSpec] = point.rules

    def point(self) -> EvaluatedPoint:
        """Return the point with its evaluated rules."""
        table, signal = self._point.table, self._point.signal
        evaluated, not_evaluated = [], []
        for code, spec in self._rules.items():
            own = self._point.own.get(code, {})
            place = self._point.place.at("rules", code)
            if code in table.disabled_rules or not self._concerned(spec, own, place):
                continue
            try:
                evaluated.append(self._evaluate(code, spec))
            except Missing as missing:
                if missing.key in own or code not in signal.rules:
                    what = missing.what
                    needed = Text(f"{what.zh}，规则需要它", f"{what.en}, which it needs")
                    self._fault(place, missing.key, own.get(missing.key, "(missing)"), needed)
                else:
                    not_evaluated.append(NotEvaluated(code, missing.what))
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
            tuple(evaluated),
            self._shared.not_evaluated.setdefault(tuple(not_evaluated), tuple(not_evaluated)),
            signal.table.mandatory,
            signal.table.basis,
            signal.states,
            signal.table.interlock,
            table.was,
            table.sentinels,
        )

    def _concerned(self, spec: RuleSpec, own: Mapping[str, object], place: Place) -> bool:
        """Whether the rule applies to the plant's dust; if not, changing it in the plant file is a fault."""
        dust = self._dust
        if spec.dust is None or dust in spec.dust:
            return True
        if own:
            kinds = one_of(spec.dust)
            expected = Text(f"{kinds.zh}：规则只适用于这些粉尘", f"{kinds.en}: the rule holds only there")
            self._fault(place, "dust", dust, expected)
        return False

    def _evaluate(self, code: str, spec: RuleSpec) -> EvaluatedRule:
        own = spec.phases or spec.steps() or spec.of or spec.limit_of() or spec.peer_points()
        if spec.when != ALWAYS or spec.unless or own:
            return self._evaluate_new(code, spec)
        key = code, id(spec), self._of
        evaluated = self._shared.evaluated.get(key)
        if evaluated is None:
            evaluated = self._shared.evaluated[key] = self._evaluate_new(code, spec)
        return evaluated

    def _evaluate_new(self, code: str, spec: RuleSpec) -> EvaluatedRule:
        of, scope = self._of, self._scope
        taken = spec.limit_of()
        if taken is not None:
            spec, limit = self._take(spec, taken)
            of = replace(of, taken=limit)
        steps = spec.steps()
        bound = scope.phase_number(steps) if steps else scope.formula(spec.of)
        others = scope.others(spec.peer_points())
        of = replace(
            of,
            unit=spec.unit if spec.unit is not None else of.unit,
            others=tuple(p.id for p in others),
            signals=tuple(p.signal for p in others),
            fresh_s=max((p.silence_s for p in others), default=of.fresh_s),
            phases=scope.phase_names() if steps else (),
        )
        own_when = "when" in spec.model_fields_set
        phases, begun, ended = scope.phases(spec.phases, apart=not own_when and spec.unless is None)
        gate, when, without = scope.condition(
            spec.when if own_when else begun,
            spec.unless if spec.unless is not None else ended,
            explicit=self._point.own.get(code, {}),
        )
        key = code, id(spec), of, bound.shown if bound is not None else ""
        if key not in self._shared.scored:
            score = spec.score(of)
            spec_shown = spec.model_copy(update={"of": bound.shown}) if bound is not None and spec.of else spec
            self._shared.scored[key] = spec, score, spec_shown.reason(code, of, score)
        _, score, reason = self._shared.scored[key]
        fresh_s = scope.longest_silence(bound)
        on_file = self._point.signal.rationalizations.of(code, spec)
        return EvaluatedRule(code, spec, score, reason, gate, when, bound, of.others, fresh_s, without, on_file, phases)

    def _take(self, spec: RuleSpec, code: str) -> tuple[RuleSpec, BorrowedLimit]:
        """Return the rule completed from another one of the point, and that one's limit.

        Raises:
            Missing: that rule is not evaluated here.
            Unfit: there is no such rule, or it has no limit.
        """
        model = self._rules.get(code)
        if not isinstance(model, LimitSpec):
            limits = [code for code, rule in self._rules.items() if isinstance(rule, LimitSpec)]
            raise Unfit(
                "of_limit",
                code,
                Text(
                    f"该测点的限值规则：{'、'.join(limits) or '它没有'}",
                    f"a limit rule of the point: {', '.join(limits) or 'it has none'}",
                ),
            )
        rule = rule_named(code)
        if code in self._point.table.disabled_rules:
            raise Missing("of_limit", Text(f"{rule.zh}（已停用）", f"{rule.en}, which is disabled"))
        if model.dust is not None and self._dust not in model.dust:
            raise Missing("of_limit", Text(f"{rule.zh}（适用于其他粉尘）", f"{rule.en}, which is for other dusts"))
        try:
            score = model.score(self._of)
        except Missing as missing:
            what = missing.what
            raise Missing("of_limit", Text(f"{rule.zh} 的{what.zh}", f"{what.en} for its {rule.en}")) from None
        label = LABELS[code] if code in _LEVELS else Text(f" {code} ", code)
        given: dict[str, object] = {
            key: getattr(model, key)
            for key in ("when", "unless", "phases", "of", "unit")
            if key in model.model_fields_set and key not in spec.model_fields_set
        }
        key = id(spec), id(model)
        if key not in self._shared.taken:
            self._shared.taken[key] = spec.model_copy(update=given), spec, model
        return self._shared.taken[key][0], BorrowedLimit(score.limit, SIGNS[model.side], label)

    def _fault(self, place: Place, key: str, value: object, expected: Text) -> None:
        self._faults.append(place.at(key).fault(value, expected))


def _measure_of(point: PointText, shared: Shared) -> Measure:
    table = point.table
    measure = signal_measure(point.signal, table.range, table.silence_s, table.setpoint)
    return shared.measures.setdefault(measure, measure)


def signal_measure(
    signal: Signal, span: tuple[float, float] | None, silence_s: float | None, setpoint: float | None
) -> Measure:
    """Return what a rule's numbers depend on: the point's own values, else its signal's."""
    numbers = signal.table.range
    low, high = span or ((numbers.low, numbers.high) if numbers is not None else (float("nan"), float("nan")))
    return Measure(signal.table.unit, low, high, silence_s or signal.table.silence_s.value, setpoint)
