"""Reads the signal catalogue: what each kind of plant measures, and the default rules of its points."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import Field, ValidationInfo, field_validator

from ingest.domain.model.expectations import InvalidValue, one_of, with_near
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.plant import (
    GATEWAY_SIGNAL,
    SERVICE,
    GatewayPoint,
    InstrumentPoint,
    PlantKind,
    ServicePoint,
)
from ingest.domain.model.text import Text
from ingest.plants.gates import known_name
from ingest.plants.kinds import KINDS, RuleSpec, label_of, overlay
from ingest.plants.phase_rules import phase_rules
from ingest.plants.phases import PHASES, PhaseModel, read_model
from ingest.plants.rationalization import ANOTHER_SIGNAL, Rationalizations, load_rationalizations
from ingest.plants.written import Place, Sourced, Written, checked, read_toml

DIRECTORY: Final = Path(__file__).with_name("catalogue")
INSTRUMENT: Final = "instrument"
"""The file of what the service watches of instruments."""

STATUS_CONTACT: Final = "STATUS_CONTACT"
"""The signal of contacts by which instruments say a status of themselves."""

PLANT_KINDS: Final[tuple[PlantKind, ...]] = get_args(PlantKind)

_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]*")


class RangeNumbers(Sourced):
    """The instrument's range."""

    low: float
    high: float

    @field_validator("high")
    @classmethod
    def _wide(cls, high: float, info: ValidationInfo) -> float:
        low = info.data.get("low")
        if low is not None and low >= high:
            raise InvalidValue(Text(f"大于 low，即 {low:g}", f"more than low, which is {low:g}"))
        return high


class Seconds(Sourced):
    """A time."""

    value: float = Field(gt=0)


class Months(Sourced):
    """How often instruments of a signal are calibrated, unless the plant file says otherwise."""

    months: int = Field(gt=0)


class SignalTable(Written):
    """A signal as written, without its rules."""

    name: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    unit: str
    kind: Literal["analogue", "digital"]
    # what 0 and 1 of a digital signal mean
    states: tuple[str, str] | None = Field(default=None, strict=False, validate_default=True)
    range: RangeNumbers | None = None  # None: per design, the plant file gives it
    silence_s: Seconds
    basis: str | None = Field(default=None, min_length=1)
    mandatory: bool = False  # a duty asks for the signal, as `basis` says; out of action it is a hazard
    calibration: Months | None = None  # None: as `common.toml` says
    interlock: bool = False  # the state of an interlock: 1 says that it is bypassed
    disabled_rules: tuple[str, ...] = Field(default=(), strict=False)

    @field_validator("states")
    @classmethod
    def _digital(cls, states: tuple[str, str] | None, info: ValidationInfo) -> tuple[str, str] | None:
        if (states is not None) != (info.data.get("kind") == "digital"):
            raise InvalidValue(
                Text("0 和 1 的含义，仅开关量填写", "what 0 and 1 mean, for digital signals and only for them")
            )
        if states is not None and not all(len(text.split(maxsplit=1)) == 2 for text in states):
            raise InvalidValue(
                Text(
                    "每项先写不含空格的中文，空一格，再写英文",
                    "each in Chinese without a space, then a space, then in English",
                )
            )
        return states

    @field_validator("interlock")
    @classmethod
    def _has_states(cls, interlock: bool, info: ValidationInfo) -> bool:  # noqa: FBT001
        if interlock and info.data.get("states") is None:
            raise InvalidValue(
                Text(
                    "仅开关量填写：1 表示联锁被旁路",
                    "only for digital signals: 1 says that the interlock is bypassed",
                )
            )
        return interlock

    @field_validator("mandatory")
    @classmethod
    def _by_duty(cls, mandatory: bool, info: ValidationInfo) -> bool:  # noqa: FBT001
        if mandatory and info.data.get("basis") is None:
            raise InvalidValue(Text("与 basis（依据）同填", "only with a basis: the duty that asks for the signal"))
        return mandatory


class RuleTables(Written):
    """Rules as written, by code."""

    rules: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Common(Written):
    """`common.toml`: what every measuring point gets, rules of analogue ones, shared signals, a gateway's own."""

    calibration: Months
    every: RuleTables = RuleTables()
    analogue: RuleTables = RuleTables()
    shared: dict[str, Any] = Field(default_factory=dict)
    gateway: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal with the rules its points get by default (those of `common.toml`, too), and what they ask of people."""

    code: str
    table: SignalTable
    rules: Mapping[str, RuleSpec]
    rationalizations: Rationalizations

    @property
    def name(self) -> Text:
        """Its name in both languages."""
        return Text(self.table.name, self.table.name_en)

    @property
    def states(self) -> tuple[Text, Text] | None:
        """The states that 0 and 1 stand for; None: its values are numbers."""
        return _texts(self.table.states) if self.table.states is not None else None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All signals with their default rules.

    Attributes:
        signals: by kind of plant and code, those of every kind among them.
        shared: the signals of every kind of plant, by code.
        gateway: the signals of a gateway's own points, by code.
        service: the signals of what the service monitors of itself, by code.
        instrument: the signals of what it watches of an instrument's checks, by code.
        calibration: how often instruments are calibrated whose signal does not say.
        every, analogue: rules of all measuring points, and of analogue ones besides, unless their signal changes them.
        phases: models of phases, by kind of plant and name.
    """

    signals: Mapping[PlantKind, Mapping[str, Signal]]
    gateway: Mapping[str, Signal]
    service: Mapping[str, Signal]
    every: Mapping[str, RuleSpec]
    analogue: Mapping[str, RuleSpec]
    phases: Mapping[PlantKind, Mapping[str, PhaseModel]]
    instrument: Mapping[str, Signal]
    calibration: Months
    shared: Mapping[str, Signal]


@cache
def load_catalogue(directory: Path = DIRECTORY) -> Catalogue:
    """Load the catalogue shipped with the service, or another of the same form.

    Raises:
        InvalidConfig: with every fault of every file.
    """
    file = directory / "common.toml"
    raw, faults = read_toml(file)
    if raw is not None:
        common, found = checked(Common, raw, Place(file))
        faults += found
    if raw is None or common is None:
        raise InvalidConfig(faults)
    every = _rules(common.every.rules, Place(file, "every"), frozenset(), faults)
    analogue = _rules(common.analogue.rules, Place(file, "analogue"), frozenset(), faults)
    shared = _signals(common.shared, common.every, common.analogue, file, faults)
    gateway = _own(common.gateway, (GATEWAY_SIGNAL, *(point.signal for point in GatewayPoint)), file, faults)
    service = _watched(directory / f"{SERVICE}.toml", ServicePoint, faults)
    instrument = _watched(directory / f"{INSTRUMENT}.toml", InstrumentPoint, faults)
    signals: dict[PlantKind, Mapping[str, Signal]] = {}
    phases: dict[PlantKind, Mapping[str, PhaseModel]] = {}
    for kind in PLANT_KINDS:
        file = directory / f"{kind}.toml"
        raw, found = read_toml(file)
        faults += found
        tables = dict(raw or {})
        phases[kind] = _models(tables.pop(PHASES, {}), Place(file, PHASES), faults)
        known = _signals(tables, common.every, common.analogue, file, faults)
        signals[kind] = {code: _timed(signal, phases[kind].values()) for code, signal in {**known, **shared}.items()}
    if faults:
        raise InvalidConfig(faults)
    return Catalogue(signals, gateway, service, every, analogue, phases, instrument, common.calibration, shared)


def _models(raw: Mapping[str, Any], place: Place, faults: list[Fault]) -> Mapping[str, PhaseModel]:
    models = {}
    for name, table in raw.items():
        model, found = read_model(table, place.at(name))
        faults += found
        if model is not None:
            models[name] = model
    return models


def _timed(signal: Signal, models: Iterable[PhaseModel]) -> Signal:
    """Return the signal with the rules that judge phases, if a model asks its points to."""
    judging = {
        code: rule for model in models if model.signal == signal.code for code, rule in phase_rules(model).items()
    }
    return replace(signal, rules={**signal.rules, **judging}) if judging else signal


def _watched(file: Path, points: Iterable[ServicePoint | InstrumentPoint], faults: list[Fault]) -> Mapping[str, Signal]:
    """Read the file of one kind of points that the service gives the values of."""
    raw, found = read_toml(file)
    faults += found
    return _own(raw or {}, tuple(point.signal for point in points), file, faults)


def _own(raw: Mapping[str, Any], codes: Sequence[str], file: Path, faults: list[Fault]) -> Mapping[str, Signal]:
    """Read the signals that the service itself measures; `raw` must have exactly these codes."""
    faults += [Place(file, code).fault("(missing)", Text("信号", "a signal")) for code in codes if code not in raw]
    faults += [Place(file, code).fault(raw[code], one_of(codes)) for code in raw if code not in codes]
    return _signals(raw, RuleTables(), RuleTables(), file, faults)


def _signals(
    raw: Mapping[str, Any], every: RuleTables, analogue: RuleTables, file: Path, faults: list[Fault]
) -> Mapping[str, Signal]:
    signals = {}
    known = load_rationalizations(file.parent, file.stem, faults)
    for code, own in raw.items():
        place = Place(file, code)
        if not isinstance(own, dict):
            faults.append(place.fault(own, Text("表", "a table")))
            continue
        model = own.get("like")
        if model is not None and model not in raw:
            faults.append(place.at("like").fault(model, with_near(ANOTHER_SIGNAL, model, raw)))
            continue
        written = {**raw[model], **own} if model else dict(own)
        written.pop("like", None)
        rules = written.pop("rules", {})
        table, found = checked(SignalTable, written, place)
        faults += found
        if table is not None:
            shared = every.rules | (analogue.rules if table.kind == "analogue" else {})
            merged = shared | {rule: overlay(shared.get(rule, {}), text) for rule, text in rules.items()}
            for i, rule in enumerate(table.disabled_rules):
                if merged.pop(rule, None) is None:
                    its_own = with_near(Text("它已有的规则", "a rule it has"), rule, merged)
                    faults.append(place.at("disabled_rules", i).fault(rule, its_own))
            asked = known.get(code, Rationalizations())
            signals[code] = Signal(code, table, _rules(merged, place, raw.keys(), faults), asked)
    return signals


def _rules(
    written: Mapping[str, Mapping[str, Any]], place: Place, gates: AbstractSet[str], faults: list[Fault]
) -> Mapping[str, RuleSpec]:
    specs = {}
    for code, text in written.items():
        spec, found = read_rule(code, text, place.at("rules", code), gates)
        faults += found
        if spec is not None:
            specs[code] = spec
    return specs


def read_rule(
    code: str, text: Mapping[str, Any], place: Place, gates: AbstractSet[str]
) -> tuple[RuleSpec | None, list[Fault]]:
    """Return the rule, or None and every fault in it; `gates` are the signals and points it may name."""
    kind = text.get("kind", "(missing)")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        return None, [place.at("kind").fault(kind, one_of(KINDS))]
    spec, faults = checked(model, text, place)
    if spec is None:
        return None, faults
    if label_of(code) is None and not (spec.label and spec.label_en):
        expected = Text(
            f"label 与 label_en，因为代码 {code} 没有通用名称",
            f"label and label_en, as {code} is not a code with its own",
        )
        faults.append(place.at("label").fault("(missing)", expected))
    if not _CODE.fullmatch(code):
        expected = Text(
            "由大写字母、数字和 _ 组成、以字母开头的代码", "a code of capitals, digits and _, beginning with a letter"
        )
        faults.append(place.fault(code, expected))
    faults += [
        place.at(key).fault(text[key], with_near(known_name(name), name, gates))
        for key, name in spec.names()
        if name not in gates
    ]
    return (None, faults) if faults else (spec, [])


@cache
def _texts(states: tuple[str, str]) -> tuple[Text, Text]:
    """Return both state names in both languages; cached, as all points of a signal share them."""
    off, on = (Text(*text.split(maxsplit=1)) for text in states)
    return off, on
