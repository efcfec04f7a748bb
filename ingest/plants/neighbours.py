"""What a point's rules can look at: the other points of its plant, found by name, kind and place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.domain.model.plant import Gate
from ingest.plants.catalogue import Signal
from ingest.plants.formula import Formula, Tied, condition, parse_formula, tie, word
from ingest.plants.gates import ALWAYS, Candidate, Missing, Peers, When, find_gate, find_point
from ingest.plants.kinds import Unfit


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A point of the plant as far as other points' rules ask."""

    id: str
    of: Signal
    equipment: str | None
    setpoint: float | None
    silence_s: float

    @property
    def signal(self) -> str:
        """Its catalogue code."""
        return self.of.code


class Neighbours:
    """The points of a plant, found by id or signal without looking at each."""

    def __init__(self, points: Sequence[Neighbour]) -> None:
        self.points = points
        self.by_id = {point.id: point for point in points}
        self._named: dict[str, list[Neighbour]] = {}
        self._on: dict[str, list[Neighbour]] = {}
        for point in points:
            for name in {point.id, point.signal}:
                self._named.setdefault(name, []).append(point)
            if point.equipment is not None:
                self._on.setdefault(point.equipment, []).append(point)

    def named(self, name: str) -> Sequence[Neighbour]:
        """Those of that id or signal."""
        return self._named.get(name, ())

    def on(self, equipment: str | None) -> Sequence[Neighbour]:
        """Those of that equipment; none for None."""
        return self._on.get(equipment, ()) if equipment is not None else ()


class Surroundings:
    """The points of a plant, seen from one of them."""

    def __init__(self, here: Neighbour, around: Neighbours) -> None:
        self._here = here
        self._around = around
        self._by_id = around.by_id

    def find(self, name: str, key: str) -> Candidate:
        """The point a name stands for: this one by its own id or signal, else as `find_point` says. Raises Missing."""
        if name in {self._here.id, self._here.signal}:
            return self._here
        return find_point(name, self._here.equipment, self._around.named(name), key)

    def formula(self, text: str | None, key: str = "of") -> Tied | None:
        """The expression tied to points. Raises Missing."""
        return tie(parse_formula(text), lambda name: self.find(name, key), key) if text is not None else None

    def condition(self, when: str, unless: str | None, *, asked: bool) -> tuple[Gate | None, Tied | None, str]:
        """When a rule is judged: the gate if it is a plain comparison, the condition, and why `unless` was left out.

        Args:
            when: as written.
            unless: as written; None = nothing closes the rule.
            asked: whether the plant file itself wrote `unless`, which is then not left out.

        Raises:
            Missing: the plant has not what they name.
        """
        gate, tied = self._condition(when, "when")
        if unless is None:
            return gate, tied, ""
        try:
            _, closed = self._condition(unless, "unless")
        except Missing as missing:
            if asked:
                raise
            return gate, tied, str(missing)
        if closed is None:
            return gate, tied, ""
        text = f"not ({closed.text})" if tied is None else f"({tied.text}) and not ({closed.text})"
        names = parse_formula(text).points
        points = (*(tied.points if tied else ()), *closed.points)
        ids = dict(zip((*self._names(when), *self._names(unless)), points, strict=True))
        shown = f"not ({closed.shown})" if tied is None else f"({tied.shown}) and not ({closed.shown})"
        return None, Tied(text, tuple(ids[name] for name in names), shown), ""

    def others(self, asked: Peers | None) -> tuple[Neighbour, ...]:
        """The further points a rule looks at. Raises Missing."""
        if asked is None:
            return ()
        if isinstance(asked.where, tuple):
            found = dict.fromkeys(self.find(name, asked.key).id for name in asked.where)
            among = [self._by_id[each] for each in found if each != self._here.id]
            if len(among) < asked.least:
                raise Unfit(asked.key, list(asked.where), f"at least {asked.least} besides {self._here.id}")
            return tuple(among)
        here = self._here
        near = self._around.on(here.equipment) if asked.where == "equipment" else self._around.points
        if asked.alike:
            among = [p for p in near if p is not here and p.signal == here.signal]
        else:
            among = [p for p in near if p is not here and p.of.table.kind == "analogue"]
        if len(among) < asked.least:
            kind = here.signal if asked.alike else "measured value"
            raise Missing(
                asked.key,
                f"{'another' if asked.least == 1 else f'{asked.least} other'} {kind} {_where(asked.where, here)}",
            )
        return tuple(among)

    def longest_silence(self, tied: Tied | None) -> float:
        """How old the value of another point in the expression may be, s."""
        ids = set(tied.points) - {self._here.id} if tied is not None else set()
        return max((self._by_id[each].silence_s for each in ids), default=math.inf)

    def _condition(self, text: str, key: str) -> tuple[Gate | None, Tied | None]:
        found = condition(text)
        if found is None:
            return None, None
        if isinstance(found, When):
            gate = find_gate(found, self._here.equipment, self._seen(found.name), key)
            number = f"{gate.value:.12g}"
            tied = Tied(f"{word(found.name)} {gate.op} {number}", (gate.point,), f"{gate.point} {gate.op} {number}")
            return gate, tied
        return None, tie(found, lambda name: self.find(name, key), key)

    def _seen(self, name: str) -> Sequence[Candidate]:
        """The points a comparison may mean: this one alone where it is named by its own signal."""
        return [self._here] if name in {self._here.id, self._here.signal} else self._around.named(name)

    def _names(self, text: str) -> tuple[str, ...]:
        found = condition(text)
        if found is None or text == ALWAYS:
            return ()
        return found.points if isinstance(found, Formula) else found.names


def _where(where: str, here: Neighbour) -> str:
    if where == "plant":
        return "in the plant"
    return f"on {here.equipment}" if here.equipment else "on its equipment, of which it names none"
