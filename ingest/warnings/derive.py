"""From facts to a colour, with every rule that holds and what it holds for (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from ingest.model.warning import Colour, Fact, Ground
from ingest.warnings.rules import ColourRule, ColourRules

MOST: Final = 20
"""Facts kept with a rule that holds; of a flood of alarms, those that weigh most and how many more there were."""


@dataclass(frozen=True, slots=True)
class Called:
    """What the facts call for.

    Attributes:
        colour: None: for nothing.
        grounds: every rule that holds, the gravest first.
        due: when that may change though no fact does, ns; None: never.
    """

    colour: Colour | None = None
    grounds: tuple[Ground, ...] = ()
    due: int | None = None

    @property
    def reasons(self) -> list[tuple[str, list[str]]]:
        """Rules and facts by name: what makes one answer differ from another."""
        return [(ground.rule, [fact.key for fact in ground.facts]) for ground in self.grounds]


def derive(facts: Iterable[Fact], rules: ColourRules, now: int) -> Called:
    """What these facts of one plant call for at `now` (ns)."""
    matched, standing, due = _match(facts, rules, now)
    grounds = []
    for rule, selected in zip(rules.rules, matched, strict=True):
        held = _held(rule, selected if rule.reached is None else _reached(rule, standing), standing)
        if held:
            held.sort(key=lambda fact: (-fact.level, fact.since, fact.key))
            more = max(0, len(held) - MOST)
            kept = tuple(held[:MOST])
            grounds.append(Ground(rule.id, rule.colour, rule.text, rule.source, rule.confidence, kept, more))
    grounds.sort(key=lambda ground: -ground.colour.rank)
    return Called(grounds[0].colour if grounds else None, tuple(grounds), due)


_Standing = list[tuple[Fact, Colour | None]]
"""Each fact that stands, with the colour it has by rules about single facts."""


def _match(facts: Iterable[Fact], rules: ColourRules, now: int) -> tuple[list[list[Fact]], _Standing, int | None]:
    """Which facts each rule selects; which ones stand; when that changes."""
    matched: list[list[Fact]] = [[] for _ in rules.rules]
    standing: _Standing = []
    times: list[int] = []
    for fact in facts:
        if fact.since > now:
            times.append(fact.since)
            continue
        colour: Colour | None = None
        for at in rules.matching(fact.traits):
            rule = rules.rules[at]
            if fact.gone is not None:
                if rule.within is None or fact.since + rule.within <= now:
                    continue
                times.append(fact.since + rule.within)
            elif fact.since + rule.older > now:
                times.append(fact.since + rule.older)
                continue
            matched[at].append(fact)
            if rule.single and (colour is None or colour < rule.colour):
                colour = rule.colour
        if fact.gone is None:
            standing.append((fact, colour))
    return matched, standing, min(times, default=None)


def _reached(rule: ColourRule, standing: _Standing) -> list[Fact]:
    """What a rule about others' colours selects."""
    return [
        fact
        for fact, colour in standing
        if colour is not None and rule.reached is not None and colour >= rule.reached
        if rule.select.matches(fact.traits)
    ]


def _held(rule: ColourRule, found: Sequence[Fact], standing: _Standing) -> list[Fact]:
    """The facts a rule holds for, none if it does not hold."""
    others: list[Fact] = []
    if rule.beside is not None:
        others = [fact for fact, _ in standing if rule.beside.matches(fact.traits) and fact not in found]
        if not others:
            return []
    if rule.count == 1:
        return [*found, *others] if found else []
    held = [fact for group in _groups(rule, found) for fact in _enough(rule, group)]
    return held + others if held else []


def _groups(rule: ColourRule, found: Sequence[Fact]) -> Iterator[Sequence[Fact]]:
    if rule.same is None:
        yield found
        return
    of: Mapping[str, Callable[[Fact], str | None]] = {
        "equipment": lambda fact: fact.equipment,
        "signal": lambda fact: fact.signal,
    }
    belongs = of[rule.same]
    known = sorted((fact for fact in found if belongs(fact)), key=lambda fact: str(belongs(fact)))
    for _, group in groupby(known, belongs):
        yield list(group)


def _enough(rule: ColourRule, group: Sequence[Fact]) -> Sequence[Fact]:
    """Those facts of a group that are as many as the rule asks for, and as near in time."""
    if rule.within is None:
        return group if _count(rule, group) >= rule.count else ()
    ordered = sorted(group, key=lambda fact: fact.since)
    near: dict[str, Fact] = {}
    for at, first in enumerate(ordered):
        window = [fact for fact in ordered[at:] if fact.since - first.since <= rule.within]
        if _count(rule, window) >= rule.count and any(fact.gone is None for fact in window):
            near |= {fact.key: fact for fact in window}
    return list(near.values())


def _count(rule: ColourRule, facts: Iterable[Fact]) -> int:
    return len({fact.point if rule.each == "point" else fact.key for fact in facts})
