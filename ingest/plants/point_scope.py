"""Resolves what a point's rules refer to: other points of its plant, by name, signal or equipment."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ingest.domain.model.plant import Gate
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Signal
from ingest.plants.formula import BoundFormula, Formula, alternatives, bind, condition, parse_formula, quoted_name
from ingest.plants.gates import ALWAYS, Candidate, Missing, Nearby, Peers, When, a_point_of, find_gate, find_point
from ingest.plants.kinds import Unfit


@dataclass(frozen=True, slots=True)
class PlantPoint:
    """What rules of other points need to know of a point."""

    id: str
    of: Signal
    equipment: str | None
    setpoint: float | None
    silence_s: float

    @property
    def signal(self) -> str:
        """Its catalogue code."""
        return self.of.code


class PlantPoints:
    """The points of a plant, indexed by id, signal and equipment."""

    def __init__(self, points: Sequence[PlantPoint]) -> None:
        self.points = points
        self.by_id = {point.id: point for point in points}
        self._named: dict[str, list[PlantPoint]] = {}
        self._on_equipment: dict[str, list[PlantPoint]] = {}
        for point in points:
            for name in {point.id, point.signal}:
                self._named.setdefault(name, []).append(point)
            if point.equipment is not None:
                self._on_equipment.setdefault(point.equipment, []).append(point)

    def named(self, name: str) -> Sequence[PlantPoint]:
        """Return those of that id or signal."""
        return self._named.get(name, ())

    def on_equipment(self, equipment: str | None) -> Sequence[PlantPoint]:
        """Return those of that equipment; none for None."""
        return self._on_equipment.get(equipment, ()) if equipment is not None else ()


class PointScope:
    """Resolves names in the rules of one point."""

    def __init__(self, here: PlantPoint, plant_points: PlantPoints) -> None:
        self._here = here
        self._plant_points = plant_points
        self._by_id = plant_points.by_id

    def find(self, name: str, key: str) -> Candidate:
        """Return the point a name stands for: this one by its id or signal, else as `find_point`. Raises Missing."""
        if name in {self._here.id, self._here.signal}:
            return self._here
        return find_point(name, self._here.equipment, self._plant_points.named(name), key)

    def formula(self, text: str | None, key: str = "of") -> BoundFormula | None:
        """Bind an expression to points. Raises Missing."""
        return bind(parse_formula(text), lambda name: self.find(name, key), key) if text is not None else None

    def condition(
        self, when: str, unless: str | None, *, explicit: Collection[str]
    ) -> tuple[Gate | None, BoundFormula | None, tuple[Text, ...]]:
        """Return a rule's gate if it is a plain comparison, its condition, and what parts that were left out lacked.

        Left out are `unless`, and alternatives of both (`A > 1 or B > 1`) as long as one of them can be evaluated.

        Args:
            when: as written.
            unless: as written; None = there is none.
            explicit: keys the plant file itself wrote, of which nothing is left out.

        Raises:
            Missing: the plant lacks a point they name.
        """
        without: tuple[Text, ...] = ()
        if "when" not in explicit:
            when, without = self._known_alternatives(when)
        gate, bound = self._condition(when, "when")
        closed = None
        if unless is not None:
            if "unless" not in explicit:
                unless, lacked = self._known_alternatives(unless)
                without = (*without, *lacked)
            try:
                _, closed = self._condition(unless, "unless")
            except Missing as missing:
                if "unless" in explicit:
                    raise
                without = (*without, missing.what)
        if unless is None or closed is None:
            return gate, bound, without
        text = f"not ({closed.text})" if bound is None else f"({bound.text}) and not ({closed.text})"
        names = parse_formula(text).points
        points = (*(bound.points if bound else ()), *closed.points)
        ids = dict(zip((*self._names(when), *self._names(unless)), points, strict=True))
        shown = f"not ({closed.shown})" if bound is None else f"({bound.shown}) and not ({closed.shown})"
        return None, BoundFormula(text, tuple(ids[name] for name in names), shown), without

    def others(self, peers: Peers | Nearby | None) -> tuple[PlantPoint, ...]:
        """Return the further points a rule reads. Raises Missing."""
        if peers is None:
            return ()
        if isinstance(peers, Nearby):
            return self._nearby(peers)
        if isinstance(peers.where, tuple):
            found = dict.fromkeys(self.find(name, peers.key).id for name in peers.where)
            among = [self._by_id[each] for each in found if each != self._here.id]
            if len(among) < peers.least:
                here_id = self._here.id
                expected = Text(f"除 {here_id} 外至少 {peers.least} 个", f"at least {peers.least} besides {here_id}")
                raise Unfit(peers.key, list(peers.where), expected)
            return tuple(among)
        here = self._here
        near = (
            self._plant_points.on_equipment(here.equipment) if peers.where == "equipment" else self._plant_points.points
        )
        if peers.alike:
            among = [p for p in near if p is not here and p.signal == here.signal]
        else:
            among = [p for p in near if p is not here and p.of.table.kind == "analogue"]
        if len(among) < peers.least:
            kind = Text(here.signal, here.signal) if peers.alike else Text("测量值", "measured value")
            where = _where(peers.where, here)
            raise Missing(
                peers.key,
                Text(
                    f"{where.zh}的另{'一' if peers.least == 1 else f'外 {peers.least} '}个测点：{kind.zh}",
                    f"{'another' if peers.least == 1 else f'{peers.least} other'} {kind.en} {where.en}",
                ),
            )
        return tuple(among)

    def _nearby(self, nearby: Nearby) -> tuple[PlantPoint, ...]:
        here = self._here
        found = {p.id: p for name in nearby.names for p in self._plant_points.named(name) if p is not here}
        needed = {p.id: p for p in found.values() if not nearby.needed.isdisjoint((p.id, p.signal))}
        if not needed:
            raise Missing(nearby.key, a_point_of(*sorted(nearby.needed)))
        if any(p.equipment == here.equipment is not None for p in needed.values()):
            return tuple(p for p in found.values() if p.equipment == here.equipment or p.id not in needed)
        return tuple(found.values())

    def longest_silence(self, bound: BoundFormula | None) -> float:
        """Return how old the values of other points in the expression may be, s."""
        ids = set(bound.points) - {self._here.id} if bound is not None else set()
        return max((self._by_id[each].silence_s for each in ids), default=math.inf)

    def bindable(self, text: str) -> bool:
        """Whether the plant has what a condition needs, or one of its alternatives."""
        try:
            self._condition(self._known_alternatives(text)[0], "when")
        except Missing:
            return False
        return True

    def _known_alternatives(self, when: str) -> tuple[str, tuple[Text, ...]]:
        """Return a condition without the alternatives that name points the plant lacks, and what each lacked."""
        parts = alternatives(when)
        if len(parts) == 1:
            return when, ()
        kept, without = [], []
        for part in parts:
            try:
                self._condition(part, "when")
            except Missing as missing:
                without.append(missing.what)
            else:
                kept.append(part)
        return (" or ".join(kept), tuple(without)) if kept and without else (when, ())

    def _condition(self, text: str, key: str) -> tuple[Gate | None, BoundFormula | None]:
        found = condition(text)
        if found is None:
            return None, None
        if isinstance(found, When):
            gate = find_gate(found, self._here.equipment, self._seen(found.name), key)
            number = f"{gate.value:.12g}"
            bound = BoundFormula(
                f"{quoted_name(found.name)} {gate.op} {number}", (gate.point,), f"{gate.point} {gate.op} {number}"
            )
            return gate, bound
        return None, bind(found, lambda name: self.find(name, key), key)

    def _seen(self, name: str) -> Sequence[Candidate]:
        """Return the points a comparison may mean: only this one if it is named by its id or signal."""
        return [self._here] if name in {self._here.id, self._here.signal} else self._plant_points.named(name)

    def _names(self, text: str) -> tuple[str, ...]:
        found = condition(text)
        if found is None or text == ALWAYS:
            return ()
        return found.points if isinstance(found, Formula) else found.names


def _where(where: str, here: PlantPoint) -> Text:
    if where == "plant":
        return Text("本企业内", "in the plant")
    if here.equipment:
        return Text(f"设备 {here.equipment} 上", f"on {here.equipment}")
    return Text("同一设备（未填写所属设备）上", "on its equipment, of which it names none")
