"""Why a point is judged as it is: every rule of it, where each number comes from, and what is not judged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingest.domain.model.fault import InvalidConfig, near
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.text import Text
from ingest.plants.catalogue import load_catalogue
from ingest.plants.gates import ALWAYS
from ingest.plants.load import plant_files
from ingest.plants.plantfile import PointText, read_plant_file
from ingest.plants.point_rules import EvaluatedPoint, Judged, evaluate_points, gateway_points, service_points

CATALOGUE: Final = "catalogue"
PLANT_FILE: Final = "plant file"

_TEXTS: Final = frozenset({"kind", "level", "source", "confidence", "label", "label_en", "dust"})


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a rule: what it says, and whether the catalogue or the plant file does."""

    name: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class RuleNote:
    """A rule in force. `gate` is "" where it is always judged; `remark` is why its `unless` was left out, or ""."""

    code: str
    kind: str
    level: int
    title: Text
    reason: Text
    gate: str
    remark: str
    red: bool
    keys: tuple[Key, ...]
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Look:
    """A rule of another point that looks at this one: through its condition, its expression or as one of a group."""

    point: str
    code: str
    how: str


@dataclass(frozen=True, slots=True)
class PointNote:
    """Everything a point is, and is not, judged by."""

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
    not_judged: tuple[tuple[str, str], ...]
    disabled: tuple[tuple[str, str], ...]
    looked_at_by: tuple[Look, ...]


class Unknown(LookupError):
    """No such plant or point; the message names those that come near."""


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
        raise Unknown(
            f"企业 plant {plant!r}: 应为其一 expected one of {', '.join(files) or '(none)'}{near(plant, files)}"
        )
    text, faults = read_plant_file(files[plant], catalogue)
    if text is None:
        raise InvalidConfig(faults)
    judged, found = evaluate_points(text)
    if faults or found:
        raise InvalidConfig([*faults, *found])
    own = (gateway_point for gateway in text.gateways for gateway_point in gateway_points(gateway, catalogue.gateway))
    return _explained(plant, point, (*own, *judged), text.points)


def _explained(plant: str, point: str, judged: Sequence[EvaluatedPoint], written: Sequence[PointText]) -> PointNote:
    every = {judged_point.id: judged_point for judged_point in judged}
    if point not in every:
        raise Unknown(f"测点 point {point!r}: 应为 {plant} 的测点 expected a point of {plant}{near(point, every)}")
    return _note(plant, written, every[point], judged)


def as_json(note: PointNote) -> dict[str, Any]:
    """The explanation as JSON-ready data; numbers that are not known are null."""
    return {
        "plant": note.plant,
        "point": note.id,
        "was": note.was,
        "signal": note.signal,
        "name": _both(note.name),
        "unit": note.unit,
        "range": [_finite(end) for end in note.range],
        "setpoint": note.setpoint,
        "silence_s": note.silence_s,
        "mandatory": note.mandatory,
        "basis": note.basis,
        "rules": [
            {
                "code": rule.code,
                "kind": rule.kind,
                "level": rule.level,
                "red": rule.red,
                "title": _both(rule.title),
                "reason": _both(rule.reason),
                "when": rule.gate or ALWAYS,
                "remark": rule.remark or None,
                "keys": {key.name: {"value": key.value, "from": key.origin} for key in rule.keys},
                "source": rule.source,
                "confidence": rule.confidence,
            }
            for rule in note.rules
        ],
        "not_judged": [{"code": code, "why": why} for code, why in note.not_judged],
        "disabled": [{"code": code, "by": by} for code, by in note.disabled],
        "looked_at_by": [{"point": look.point, "code": look.code, "how": look.how} for look in note.looked_at_by],
    }


def _note(plant: str, texts: Sequence[PointText], judged: EvaluatedPoint, every: Sequence[EvaluatedPoint]) -> PointNote:
    written = next((text for text in texts if text.table.id == judged.id), None)
    own: Mapping[str, Mapping[str, Any]] = written.own if written is not None else {}
    of = judged.measure
    return PointNote(
        plant=plant,
        id=judged.id,
        was=judged.was,
        signal=judged.signal,
        name=judged.name,
        unit=of.unit,
        range=(of.low, of.high),
        setpoint=of.setpoint,
        silence_s=of.silence_s,
        mandatory=judged.mandatory,
        basis=judged.basis,
        rules=tuple(_rule(rule, own.get(rule.code, {})) for rule in judged.rules),
        not_judged=tuple((code, why) for code, _, why in (line.partition(": ") for line in judged.unjudged)),
        disabled=tuple(_disabled(written)) if written is not None else (),
        looked_at_by=tuple(look for other in every if other.id != judged.id for look in _looks(other, judged.id)),
    )


def _rule(rule: Judged, own: Mapping[str, Any]) -> RuleNote:
    spec = rule.spec
    told = spec.model_dump(exclude_unset=True, exclude=set(_TEXTS))
    keys = tuple(
        Key(key, value, PLANT_FILE if key in own else CATALOGUE) for key, value in told.items() if value is not None
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
    )


def _disabled(written: PointText) -> Iterator[tuple[str, str]]:
    for code in written.signal.table.disabled_rules:
        yield code, CATALOGUE
    for code in written.table.disabled_rules:
        yield code, PLANT_FILE


def _looks(other: EvaluatedPoint, point: str) -> Iterator[Look]:
    for rule in other.rules:
        if rule.when is not None and point in rule.when.points:
            yield Look(other.id, rule.code, rule.when.shown)
        if rule.of is not None and point in rule.of.points:
            yield Look(other.id, rule.code, rule.of.shown)
        if point in rule.inputs:
            yield Look(other.id, rule.code, rule.spec.kind)


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
