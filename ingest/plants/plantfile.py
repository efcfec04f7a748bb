"""Reads a plant file, one TOML per plant, with every fault in it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from ingest.domain.model.daily import CleaningArea
from ingest.domain.model.expectations import one_of
from ingest.domain.model.fault import Fault
from ingest.domain.model.instrument import Instrument
from ingest.domain.model.plant import Confidence, InstrumentPoint, gateway_point_of
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Catalogue, Signal, read_rule
from ingest.plants.cleaning_table import SIGNAL, CleaningTable, point_of
from ingest.plants.instrument_tables import InstrumentTable, contact_faults, instrument_of
from ingest.plants.kinds import NUMBERS, RuleSpec, overlay
from ingest.plants.phase_rules import phase_rules
from ingest.plants.phases import NONE, PHASES, PhaseModel, own_model, tables_headed
from ingest.plants.plant_tables import EnterpriseTable, EquipmentTable, GatewayTable, Known, PointTable
from ingest.plants.written import Place, W, checked, read_toml

LISTS: Final = ("equipment", "gateways", "points", "instruments", "cleaning")

_NEVER_RENAMED: Final = Text(
    "不写旧编号：只有测点可以改编号；网关和企业须在旧的旁边另建新的"
    "（docs/operations.md，*Rename a gateway*、*Rename a plant*）",
    "no former id: only points are renamed; of gateways and plants a new one is set up beside the old one"
    " (docs/operations.md, *Rename a gateway*, *Rename a plant*)",
)

_SITE: Final = {"source": "plant file", "confidence": Confidence.ENGINEERING_DEFAULT}


@dataclass(frozen=True, slots=True)
class PointText:
    """A point as read from the plant file.

    Attributes:
        place: its location in the file.
        table: its table.
        signal: its signal.
        rules: all its rules, defaults and its own, complete.
        own: the rule keys given in the plant file itself, by code.
    """

    place: Place
    table: PointTable
    signal: Signal
    rules: Mapping[str, RuleSpec]
    own: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PlantPhases:
    """Which phases the equipment of a plant has.

    Attributes:
        usual: of the kind of plant, for points of no equipment; None: it has none.
        of: by equipment, of those that have a model other than `usual` or a point of its signal.
    """

    usual: PhaseModel | None
    of: Mapping[str, PhaseModel | None]

    def model(self, equipment: str | None) -> PhaseModel | None:
        """Return the model by which rules of points on that equipment name phases."""
        return self.of.get(equipment, self.usual) if equipment is not None else self.usual


@dataclass(frozen=True, slots=True)
class PlantFile:
    """The sound part of a plant file."""

    file: Path
    enterprise: EnterpriseTable | None
    equipment: tuple[EquipmentTable, ...]
    gateways: tuple[GatewayTable, ...]
    points: tuple[PointText, ...]
    phases: PlantPhases
    instruments: tuple[Instrument, ...] = ()
    cleaning: tuple[CleaningArea, ...] = ()


def read_plant_file(
    file: Path, catalogue: Catalogue, content: bytes | None = None
) -> tuple[PlantFile | None, list[Fault]]:
    """Return the sound part of a plant file (None if it is not TOML at all), and every fault in the rest."""
    raw, faults = read_toml(file, content)
    if raw is None:
        return None, faults
    reading = _Reading(file, raw, catalogue)
    return reading.plant_file(), reading.faults


class _Reading:
    """One pass over a file. A faulty table is left out and its faults kept, so that the rest is still checked."""

    def __init__(self, file: Path, raw: Mapping[str, Any], catalogue: Catalogue) -> None:
        top = ("enterprise", *LISTS)
        self.faults = [Place(file, key).fault(raw[key], one_of(top)) for key in raw if key not in top]
        self._file = file
        self._catalogue = catalogue
        self._enterprise = self._never_renamed(Place(file, "enterprise"), raw.get("enterprise", {}))
        self._items = {key: self._list(key, raw.get(key, [])) for key in LISTS}
        self._items["gateways"] = [(place, self._never_renamed(place, item)) for place, item in self._items["gateways"]]
        kind = _text(self._enterprise, "kind")
        self._signals = next((signals for name, signals in catalogue.signals.items() if name == kind), None)
        models = next((models for name, models in catalogue.phases.items() if name == kind), {})
        self._phases = self._phases_of(models)

    def plant_file(self) -> PlantFile:
        enterprise = self._checked(EnterpriseTable, Place(self._file, "enterprise"), self._enterprise)
        name = _text(self._enterprise, "id")
        if name not in {"", self._file.stem}:
            place = Place(self._file, "enterprise.id")
            expected = Text(
                f"不含 .toml 的文件名：{self._file.stem}", f"the name of the file without .toml: {self._file.stem}"
            )
            self.faults.append(place.fault(name, expected))
        self._unique("equipment")
        self._unique("gateways", "points", "cleaning")
        self._unique("instruments")
        self._none_of_a_gateways_own()
        self._renamed_from_nobody()
        equipment = self._all(EquipmentTable, "equipment", self._known())
        gateways = self._all(GatewayTable, "gateways")
        points = self._points()
        instruments = self._instruments(points)
        cleaning = self._cleaning({point.table.id for point in points if point.signal.code == SIGNAL})
        areas = tuple(area for _, area in cleaning)
        points += tuple(self._cleaned(place, area) for place, area in cleaning if not area.measured)
        return PlantFile(self._file, enterprise, equipment, gateways, points, self._phases, instruments, areas)

    def _cleaning(self, measured: AbstractSet[str]) -> list[tuple[Place, CleaningArea]]:
        """Return the sound areas that are cleaned of dust; `measured`: the points that say so of one."""
        if self._signals is not None and SIGNAL not in self._signals:
            none = Text("不填：仅用于 kind 为 dust 的企业", "none: only for kind dust")
            self.faults += [place.fault("(given)", none) for place, _ in self._items["cleaning"]]
            return []
        tables = (
            (place, self._checked(CleaningTable, place, item, self._known())) for place, item in self._items["cleaning"]
        )
        found = [(place, table.area) for place, table in tables if table is not None]
        for place, area in found:
            if area.measured and area.point not in measured:
                expected = Text(f"信号为 {SIGNAL} 的测点", f"a point of signal {SIGNAL}")
                self.faults.append(place.at("point").fault(area.point, expected))
        return found if self._signals is not None else []

    def _cleaned(self, place: Place, area: CleaningArea) -> PointText:
        """Return the point that the records of an area drive."""
        table, own = point_of(area)
        signal = (self._signals or {})[SIGNAL]
        return PointText(place, table, signal, self._rules(signal.rules, own, place, frozenset()), own)

    def _never_renamed(self, place: Place, item: object) -> object:
        """Return the table without `was`, which only points may have: elsewhere it is a fault."""
        if not isinstance(item, dict) or "was" not in item:
            return item
        self.faults.append(place.at("was").fault(item["was"], _NEVER_RENAMED))
        return {key: value for key, value in item.items() if key != "was"}

    def _known(self) -> Known:
        return Known(self._signals, self._ids("gateways"), self._ids("equipment"), self._ids("points"))

    def _points(self) -> tuple[PointText, ...]:
        known = self._known()
        signals = self._signals or {}
        names = signals.keys() | self._ids("points")
        points = []
        for place, item in self._items["points"]:
            table = self._checked(PointTable, place, item, known)
            signal = signals.get(_text(item, "signal"))
            if signal is not None:
                own = _own_rules(item)
                rules = self._rules(self._with_phases(signal, _text(item, "equipment")), own, place, names)
                if table is not None:
                    points.append(PointText(place, table, signal, rules, own))
        return tuple(points)

    def _rules(
        self,
        default: Mapping[str, RuleSpec],
        own: Mapping[str, Mapping[str, Any]],
        place: Place,
        gates: AbstractSet[str],
    ) -> Mapping[str, RuleSpec]:
        rules = dict(default)
        for code, text in own.items():
            model = rules[code].model_dump(exclude_unset=True) if code in rules else {}
            site = _SITE if not model or NUMBERS & text.keys() else {}
            spec, found = read_rule(code, overlay(model, {**site, **text}), place.at("rules", code), gates)
            self.faults += found
            if spec is not None:
                rules[code] = spec
            else:
                rules.pop(code, None)
        return rules

    def _phases_of(self, models: Mapping[str, PhaseModel]) -> PlantPhases:
        usual = next(iter(models.values()), None)
        nameable = (self._signals or {}).keys() | self._ids("points")
        signals = {(_text(item, "equipment"), _text(item, "signal")) for _, item in self._items["points"]}
        of: dict[str, PhaseModel | None] = {}
        for place, item in self._items["equipment"]:
            equipment, chosen = _text(item, "id"), _text(item, "phase_model")
            if chosen not in {"", NONE, *models}:
                names = (NONE, *models)
                expected = Text(
                    f"该类企业的阶段模型：{'、'.join(names)}", f"a model of this kind of plant: {', '.join(names)}"
                )
                self.faults.append(place.at("phase_model").fault(chosen, expected))
            model = models.get(chosen) if chosen else usual
            own = item.get(PHASES) if isinstance(item, dict) else None
            if own:
                model, found = own_model(model, own, place.at(PHASES), nameable)
                self.faults += found
            if chosen or own or (model is not None and (equipment, model.signal) in signals):
                of[equipment] = model
        return PlantPhases(usual, of)

    def _with_phases(self, signal: Signal, equipment: str) -> Mapping[str, RuleSpec]:
        """Return the default rules of a point, with those that judge the phases of its equipment."""
        usual, model = self._phases.usual, self._phases.model(equipment)
        if usual is model or usual is None or usual.signal != signal.code:
            return signal.rules
        rules = {code: rule for code, rule in signal.rules.items() if code not in phase_rules(usual)}
        return {**rules, **phase_rules(model)}

    def _list(self, key: str, found: object) -> list[tuple[Place, object]]:
        if not isinstance(found, list):
            self.faults.append(Place(self._file, key).fault(found, tables_headed(key)))
            return []
        return [(Place(self._file, f"{key}.{i}", _text(item, "id")), item) for i, item in enumerate(found)]

    def _ids(self, key: str) -> frozenset[str]:
        return frozenset(_text(item, "id") for _, item in self._items[key])

    def _unique(self, *keys: str) -> None:
        first: dict[str, Place] = {}
        for place, item in chain.from_iterable(self._items[key] for key in keys):
            name = _text(item, "id")
            before = first.setdefault(name, place)
            if name and before is not place:
                expected = Text(f"不重复的编号；{before.key} 已用", f"an id of its own; {before.key} has it too")
                self.faults.append(place.at("id").fault(name, expected))

    def _none_of_a_gateways_own(self) -> None:
        """Refuse ids that belong to a gateway's own points, or to those of an instrument."""
        gateways = self._ids("gateways")
        checks = {point.of(key): (key, point) for key in self._ids("instruments") for point in InstrumentPoint}
        for place, item in chain(self._items["gateways"], self._items["points"]):
            name = _text(item, "id")
            gateway, what = gateway_point_of(name) or ("", "")
            owner, of = (gateway, what) if gateway in gateways else checks.get(name, ("", ""))
            if owner:
                expected = Text(
                    f"不重复的编号；这是 {owner} 的 {of} 的编号", f"an id of its own; it is that of {owner}'s {of}"
                )
                self.faults.append(place.at("id").fault(name, expected))

    def _instruments(self, points: tuple[PointText, ...]) -> tuple[Instrument, ...]:
        """Return the sound instruments; no two measure the same point or have the same contact."""
        signals = {point.table.id: point.signal for point in points}
        first: dict[str, str] = {}
        sound: list[tuple[Place, InstrumentTable]] = []
        known = self._known()
        for place, item in self._items["instruments"]:
            table = self._checked(InstrumentTable, place, item, known)
            if table is None:
                continue
            for at, point in enumerate(table.points):
                if first.setdefault(point, place.key) != place.key:
                    expected = Text(
                        f"其他仪表不测的测点；{first[point]} 已测",
                        f"a point that no other instrument measures; {first[point]} does",
                    )
                    self.faults.append(place.at("points", at).fault(point, expected))
            sound.append((place, table))
        self.faults += contact_faults(sound, signals)
        plant = _text(self._enterprise, "id")
        return tuple(instrument_of(table, plant, signals, self._catalogue) for _, table in sound)

    def _renamed_from_nobody(self) -> None:
        """Refuse former ids that are still in use in this file, or that two points claim."""
        held = {_text(item, "id"): place for place, item in chain(self._items["gateways"], self._items["points"])}
        gateways = self._ids("gateways")
        first: dict[str, Place] = {}
        for place, item in self._items["points"]:
            was = _text(item, "was")
            gateway, what = gateway_point_of(was) or ("", "")
            if not was:
                continue
            if was in held:
                expected = Text(
                    f"本文件中已不再使用的编号；{held[was].key} 正在使用",
                    f"an id that is in this file no more; {held[was].key} has it",
                )
            elif gateway in gateways:
                expected = Text(
                    f"测点的旧编号；这是 {gateway} 的 {what} 的编号",
                    f"the former id of a point; it is that of {gateway}'s {what}",
                )
            elif first.setdefault(was, place) is not place:
                expected = Text(
                    f"只属于一个测点的旧编号；{first[was].key} 也写了它",
                    f"the former id of one point only; {first[was].key} was that too",
                )
            else:
                continue
            self.faults.append(place.at("was").fault(was, expected))

    def _all(self, model: type[W], key: str, known: Known | None = None) -> tuple[W, ...]:
        tables = (self._checked(model, place, item, known) for place, item in self._items[key])
        return tuple(table for table in tables if table is not None)

    def _checked(self, model: type[W], place: Place, item: object, known: Known | None = None) -> W | None:
        table, found = checked(model, item, place, known)
        self.faults += found
        return table


def _text(table: object, key: str) -> str:
    """Return the key's value if it is a text, else ""."""
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, str) else ""


def _own_rules(point: object) -> Mapping[str, Mapping[str, Any]]:
    """Return the rules in a point's table that are tables."""
    rules = point.get("rules") if isinstance(point, dict) else None
    return {code: text for code, text in rules.items() if isinstance(text, dict)} if isinstance(rules, dict) else {}
