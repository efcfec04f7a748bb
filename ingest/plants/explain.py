"""Explains how a point is evaluated: each rule, the origin of each number, and the rules that are not evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ingest.domain.model.expectations import one_of, with_near
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.instrument import Instrument
from ingest.domain.model.plant import SERVICE, NotEvaluated, Rationalization
from ingest.domain.model.text import Text
from ingest.plants.catalogue import load_catalogue
from ingest.plants.kinds import OWN_INSTRUCTIONS
from ingest.plants.load import plant_files
from ingest.plants.own_points import gateway_points, instrument_points, service_points
from ingest.plants.plant_budget import with_budgets
from ingest.plants.plantfile import PointText, read_plant_file
from ingest.plants.point_rules import EvaluatedPoint, EvaluatedRule, evaluate_points

CATALOGUE: Final = "catalogue"
PLANT_FILE: Final = "plant file"

_TEXTS: Final = frozenset({"kind", "level", "source", "confidence", "label", "label_en", "dust"}) | OWN_INSTRUCTIONS


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a rule: its value, and whether it comes from the catalogue or the plant file."""

    name: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class RuleNote:
    """A rule in force. `gate` is "" if it is always evaluated; `lacking`: what the parts left out need."""

    code: str
    kind: str
    level: int
    title: Text
    reason: Text
    gate: str
    lacking: tuple[Text, ...]
    red: bool
    keys: tuple[Key, ...]
    source: str
    confidence: str
    rationalization: Rationalization | None
    phases: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Dependent:
    """A rule of another point that reads this one: in its condition or expression, or as one of a group."""

    point: str
    code: str
    how: str


@dataclass(frozen=True, slots=True)
class PointNote:
    """A point with all its rules, evaluated or not."""

    plant: str
    id: str
    was: str | None
    signal: str
    name: Text
    unit: str
    range: tuple[float, float]
    setpoint: float | None
    silence_s: float
    mandatory: bool
    basis: str | None
    rules: tuple[RuleNote, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    disabled: tuple[tuple[str, str], ...]
    dependents: tuple[Dependent, ...]
    instrument: Instrument | None = None


class Unknown(LookupError):
    """There is no such plant or point; the message, in both languages, lists close matches."""

    def __init__(self, what: str, name: str, expected: Text) -> None:
        super().__init__(f"{what} {name!r}: 应为：{expected.zh}\n    expected: {expected.en}")


def explain_point(directory: Path, plant: str, point: str) -> PointNote:
    """Explain one point of the plant files in `directory`, or of the service itself.

    Raises:
        InvalidConfig: the plant's file has faults; with all of them.
        Unknown: there is no such plant or point.
    """
    catalogue = load_catalogue()
    if plant == SERVICE:
        return _explained(plant, point, service_points(catalogue.service), ())
    files = {file.stem: file for file in plant_files(directory)}
    if plant not in files:
        raise Unknown("企业 plant", plant, with_near(one_of(files or ["(none)"]), plant, files))
    text, faults = read_plant_file(files[plant], catalogue)
    if text is None:
        raise InvalidConfig(faults)
    evaluated, found = evaluate_points(text)
    if faults or found:
        raise InvalidConfig([*faults, *found])
    own = [gateway_point for gateway in text.gateways for gateway_point in gateway_points(gateway, catalogue.gateway)]
    own += [point for instrument in text.instruments for point in instrument_points(instrument, catalogue.instrument)]
    every = with_budgets((*own, *evaluated), text.enterprise.budget if text.enterprise is not None else None)
    note = _explained(plant, point, every, text.points)
    return replace(note, instrument=_instrument_of(point, text.instruments))


def _instrument_of(point: str, instruments: Iterable[Instrument]) -> Instrument | None:
    """Return the instrument that measures a point, or whose status contact it is."""
    return next((each for each in instruments if point in {*each.points, *each.contact_points}), None)


def _explained(plant: str, point: str, evaluated: Sequence[EvaluatedPoint], written: Sequence[PointText]) -> PointNote:
    every = {evaluated_point.id: evaluated_point for evaluated_point in evaluated}
    if point not in every:
        raise Unknown("测点 point", point, with_near(Text(f"{plant} 的测点", f"a point of {plant}"), point, every))
    return _note(plant, written, every[point], evaluated)


def _note(
    plant: str, texts: Sequence[PointText], evaluated: EvaluatedPoint, every: Sequence[EvaluatedPoint]
) -> PointNote:
    written = next((text for text in texts if text.table.id == evaluated.id), None)
    own: Mapping[str, Mapping[str, Any]] = written.own if written is not None else {}
    of = evaluated.measure
    return PointNote(
        plant=plant,
        id=evaluated.id,
        was=evaluated.was,
        signal=evaluated.signal,
        name=evaluated.name,
        unit=of.unit,
        range=(of.low, of.high),
        setpoint=of.setpoint,
        silence_s=of.silence_s,
        mandatory=evaluated.mandatory,
        basis=evaluated.basis,
        rules=tuple(_rule(rule, own.get(rule.code, {})) for rule in evaluated.rules),
        not_evaluated=evaluated.not_evaluated,
        disabled=tuple(_disabled(written)) if written is not None else (),
        dependents=tuple(
            dependent for other in every if other.id != evaluated.id for dependent in _dependents(other, evaluated.id)
        ),
    )


def _rule(rule: EvaluatedRule, own: Mapping[str, Any]) -> RuleNote:
    spec = rule.spec
    given = spec.model_dump(exclude_unset=True, exclude=set(_TEXTS))
    keys = tuple(
        Key(key, value, PLANT_FILE if key in own else CATALOGUE) for key, value in given.items() if value is not None
    )
    return RuleNote(
        rule.code,
        spec.kind,
        spec.level,
        spec.labelled(rule.code),
        rule.reason,
        rule.when.shown if rule.when is not None else "",
        rule.without,
        spec.red,
        keys,
        spec.source,
        str(spec.confidence),
        rule.rationalization,
        rule.phases,
    )


def _disabled(written: PointText) -> Iterator[tuple[str, str]]:
    for code in written.signal.table.disabled_rules:
        yield code, CATALOGUE
    for code in written.table.disabled_rules:
        yield code, PLANT_FILE


def _dependents(other: EvaluatedPoint, point: str) -> Iterator[Dependent]:
    for rule in other.rules:
        if rule.when is not None and point in rule.when.points:
            yield Dependent(other.id, rule.code, rule.when.shown)
        if rule.of is not None and point in rule.of.points:
            yield Dependent(other.id, rule.code, rule.of.shown)
        if point in rule.inputs:
            yield Dependent(other.id, rule.code, rule.spec.kind)
