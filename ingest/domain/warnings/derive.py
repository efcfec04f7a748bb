"""Derives a plant's colour from its facts, with every rule that is met and the facts that meet it (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.domain.model.warning import Colour, Fact, Ground
from ingest.domain.warnings.rules import ColourRule, ColourRules

MOST: Final = 20
"""Facts stored with a rule that is met; of more, those of most weight and the number of the rest."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """The colour derived from facts, and why.

    Attributes:
        colour: the highest a rule calls for; None: no rule is met.
        grounds: every rule that is met, the gravest first.
        due: when this may change without a change of facts, ns; None: never.
        reasons: see `reasons`.
    """

    colour: Colour | None = None
    grounds: tuple[Ground, ...] = ()
    due: int | None = None
    reasons: frozenset[tuple[str, str]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Compute the reasons once: they are compared often."""
        object.__setattr__(self, "reasons", reasons(self.grounds))


def reasons(grounds: Iterable[Ground]) -> frozenset[tuple[str, str]]:
    """Return pairs of rule and fact key, by which two derivations are compared."""
    return frozenset([(ground.rule, fact.key) for ground in grounds for fact in ground.facts])


def derive(facts: Iterable[Fact], rules: ColourRules, now: int) -> Derivation:
    """Derive one plant's colour from its facts at `now` (ns)."""
    matched, own, due = _match(facts, rules, now)
    grounds = []
    for rule, selected in zip(rules.rules, matched, strict=True):
        held = _facts_held_for(rule, selected, own)
        if held:
            held.sort(key=lambda fact: (-fact.level, fact.since, fact.key))
            more = max(0, len(held) - MOST)
            kept = tuple(held[:MOST])
            grounds.append(Ground(rule.id, rule.colour, rule.text, rule.source, rule.confidence, kept, more))
    grounds.sort(key=lambda ground: -ground.colour.rank)
    return Derivation(grounds[0].colour if grounds else None, tuple(grounds), due)


class _Own(dict[str, int]):
    """Active facts, and by key the rank of the colour each has by rules about single facts; -1: none."""

    def __init__(self) -> None:
        self.active: list[Fact] = []


def _match(facts: Iterable[Fact], rules: ColourRules, now: int) -> tuple[list[list[Fact]], _Own, int | None]:
    """Return the facts each rule selects, the colour of each active fact by itself, and when that changes."""
    matched: list[list[Fact]] = [[] for _ in rules.rules]
    own = _Own()
    times: list[int] = []
    for fact in facts:
        if fact.since > now:
            times.append(fact.since)
            continue
        rank = -1
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
            if rank < rule.colour.rank and rule.single:
                rank = rule.colour.rank
        if fact.gone is None:
            own[fact.key] = rank
            own.active.append(fact)
    return matched, own, min(times, default=None)


def _facts_held_for(rule: ColourRule, found: Sequence[Fact], own: _Own) -> list[Fact]:
    """Return the facts that meet a rule, none if it is not met."""
    if rule.reached is not None:
        least = rule.reached.rank
        found = [fact for fact in found if own.get(fact.key, -1) >= least]
    if len(found) < rule.count:
        return []
    others: list[Fact] = []
    if rule.beside is not None:
        known = {fact.key for fact in found}
        others = [fact for fact in own.active if fact.key not in known and rule.beside.matches(fact.traits)]
        if not others:
            return []
    if rule.count == 1:
        return [*found, *others]
    held = [fact for group in _groups(rule, found) for fact in _enough(rule, group)]
    return held + others if held else []


def _groups(rule: ColourRule, found: Sequence[Fact]) -> Iterable[Sequence[Fact]]:
    if rule.same is None:
        return [found]
    groups: dict[str, list[Fact]] = {}
    for fact in found:
        belongs = fact.equipment if rule.same == "equipment" else fact.signal
        if belongs:
            groups.setdefault(belongs, []).append(fact)
    return groups.values()


def _enough(rule: ColourRule, group: Sequence[Fact]) -> Sequence[Fact]:
    """Return the facts of a group that are as many as the rule requires, within its time."""
    if rule.within is None:
        return group if _count(rule, group) >= rule.count else ()
    ordered = sorted(group, key=lambda fact: fact.since)
    near: dict[str, Fact] = {}
    end = 0
    for at, first in enumerate(ordered):
        before = end
        while end < len(ordered) and ordered[end].since - first.since <= rule.within:
            end += 1
        window = ordered[at:end]
        if end == before:  # a part of the one before
            continue
        if _count(rule, window) >= rule.count and any(fact.gone is None for fact in window):
            near |= {fact.key: fact for fact in window}
    return list(near.values())


def _count(rule: ColourRule, facts: Sequence[Fact]) -> int:
    return len({fact.point for fact in facts}) if rule.each == "point" else len(facts)
