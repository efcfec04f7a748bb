"""The rules that come with the service: from facts to a colour, with everything that led there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.domain.model.warning import Colour, Fact, Trait
from ingest.domain.warnings.derive import MOST, Derivation, derive
from ingest.domain.warnings.rules import load_rules
from ingest.plants.catalogue import load_catalogue
from tests.ingest.domain.warnings.small import SECOND, fact

RULES = load_rules()
RUNS, MUST = Trait.IN_PRODUCTION, Trait.MANDATORY
NOW = 100_000


def called(*facts: Fact, at: int = NOW) -> Derivation:
    return derive(facts, RULES, at * SECOND)


def held(*facts: Fact, at: int = NOW) -> tuple[str | None, list[str]]:
    found = called(*facts, at=at)
    return str(found.colour) if found.colour else None, [ground.rule for ground in found.grounds]


def level_1(name: str = "A", since: int = NOW, traits: Trait = RUNS, **more: object) -> Fact:
    return fact(name, since, 1, traits, **{"equipment": name, "signal": name} | more)


def level_2(name: str = "A", since: int = NOW, traits: Trait = RUNS, **more: object) -> Fact:
    return fact(name, since, 2, traits, **{"equipment": name, "signal": name} | more)


def lost(age: int, traits: Trait = MUST | RUNS) -> Fact:
    return level_1("L", NOW - age, Trait.LOST | traits)


@pytest.mark.parametrize(
    ("facts", "colour", "rules"),
    [
        ([], None, []),
        ([level_1()], "blue", ["L1"]),
        ([level_1(since=NOW - 599)], "blue", ["L1"]),
        ([level_1(since=NOW - 600)], "yellow", ["L1-OLD", "L1"]),
        ([level_1("A"), level_1("B")], "blue", ["L1"]),
        ([level_1("A", equipment="E"), level_1("B", equipment="E")], "yellow", ["L1-PAIR", "L1"]),
        ([level_1("A", equipment=None), level_1("B", equipment=None)], "blue", ["L1"]),
        ([level_2()], "orange", ["L2"]),
        ([level_2(traits=Trait.RED)], "red", ["RED", "L2"]),
        ([level_1(traits=Trait.RED)], "blue", ["L1"]),
        ([level_2("A", NOW - 300), level_2("B", NOW)], "red", ["L2-PAIR", "L2"]),
        ([level_2("A", NOW - 301), level_2("B", NOW)], "orange", ["L2"]),
        ([level_2("A", NOW - 4000), level_2("B", NOW - 3700)], "red", ["L2-PAIR", "L2"]),
        ([level_2("I", traits=Trait.BYPASS)], "orange", ["L2"]),
        ([level_2("I", 0, traits=Trait.BYPASS), level_2("A")], "red", ["L2-BYPASS", "L2"]),
        ([level_2("I", 0, traits=Trait.BYPASS), level_1("A")], "orange", ["L2", "L1"]),
        ([level_1(traits=Trait.FORECAST)], "blue", ["L1", "FORECAST"]),
        ([level_2(traits=Trait.FORECAST)], "blue", ["FORECAST"]),
        ([level_1(since=0, traits=Trait.FORECAST)], "blue", ["L1", "FORECAST"]),
        ([lost(599)], "blue", ["L1"]),
        ([lost(600)], "yellow", ["LOST", "L1"]),
        ([lost(7200)], "orange", ["LOST-LONG", "LOST", "L1"]),
        ([lost(7200, MUST)], "blue", ["L1"]),
        ([lost(7200, RUNS)], "blue", ["L1"]),
        ([Fact(None, "P", "", "S", "E", 0, Trait.OUT_OF_SERVICE | MUST, 0)], "blue", ["OUT-OF-SERVICE"]),
        ([Fact(None, "P", "", "S", "E", 0, Trait.OUT_OF_SERVICE, 0)], None, []),
        ([Fact(None, "P", "", "S", "E", 0, Trait.FUNCTION_CHECK | MUST, 0)], "blue", ["FUNCTION-CHECK"]),
        ([Fact(None, "P", "", "S", "E", 0, Trait.FUNCTION_CHECK, 0)], None, []),
    ],
)  # fmt: skip
def test_the_default_rules(facts: list[Fact], colour: str | None, rules: list[str]) -> None:
    assert held(*facts) == (colour, rules)


@pytest.mark.parametrize(
    ("kind", "count", "colour", "rule"),
    [
        (level_1, 3, "blue", None),
        (level_1, 4, "yellow", "ITEM-YELLOW"),
        (lambda name: level_1(name, NOW - 600, signal="CO"), 3, "orange", "ITEM-ORANGE"),
        (lambda name: level_1(name, NOW - 600, signal="CO"), 2, "yellow", None),
        (lambda name: level_2(name, NOW - 1000 * ord(name), signal="CO"), 2, "red", "ITEM-RED"),
    ],
)
def test_points_of_one_monitoring_item_add_up(kind: object, count: int, colour: str, rule: str | None) -> None:
    """4 blue make yellow, 3 yellow orange, 2 orange red; of different items they do not."""
    make = kind if callable(kind) and kind is not level_1 else (lambda name: level_1(name, signal="CO"))
    facts = [make(name) for name in "ABCD"[:count]]
    found = held(*facts)
    assert found[0] == colour
    assert (rule in found[1]) if rule else not any(name.startswith("ITEM") for name in found[1])


def test_two_alarms_of_one_point_are_one_point_of_its_item() -> None:
    facts = [level_1(name, point="P", signal="CO") for name in "ABCD"]
    assert "ITEM-YELLOW" not in held(*facts)[1]


def test_lost_points_do_not_add_up() -> None:
    """A cut line is no rising danger: only rules on lost points judge them."""
    facts = [level_1(name, 0, Trait.LOST | RUNS, signal="CO", equipment="E") for name in "ABCD"]
    assert held(*facts) == ("blue", ["L1"])


def test_what_is_over_counts_only_beside_what_began_soon_after() -> None:
    """Two level 2 alarms within 5 min are two, also if the first is over by then; 5 min after it began it is past."""
    first = level_2("A", NOW - 200)
    over = replace(first, gone=(NOW - 100) * SECOND)
    assert held(over) == (None, [])
    assert held(over, level_2("B")) == ("red", ["L2-PAIR", "L2"])
    assert held(over, replace(level_2("B"), gone=NOW * SECOND)) == (None, [])
    assert called(over, level_2("B")).due == (NOW + 100) * SECOND
    assert held(over, level_2("B"), at=NOW + 100) == ("orange", ["L2"])


def test_alarms_near_each_other_are_found_behind_one_that_stands_alone() -> None:
    (pair, _) = called(level_2("A", 0), level_2("B", 5000), level_2("C", 5100), level_2("D", 9000)).grounds
    assert (pair.rule, [fact.point for fact in pair.facts]) == ("L2-PAIR", ["B", "C"])


def test_a_future_fact_and_a_coming_age_decide_the_next_evaluation() -> None:
    assert called(level_1(since=NOW + 7)) == Derivation(None, (), (NOW + 7) * SECOND)
    assert called(level_1(since=NOW - 1)).due == (NOW + 599) * SECOND
    assert called(lost(600)).due == (NOW + 6600) * SECOND
    assert called(level_2()).due is None


def test_a_flood_keeps_the_facts_that_weigh_most() -> None:
    """The oldest first; the number of the others is given."""
    facts = [level_1(f"P{number:03}", NOW - number, signal=f"S{number}") for number in range(50)]
    (ground,) = called(*facts).grounds
    assert (len(ground.facts), ground.more) == (MOST, 50 - MOST)
    assert [fact.point for fact in ground.facts[:2]] == ["P049", "P048"]


def test_each_rule_says_where_it_is_from() -> None:
    """Nothing of ours is presented as regulation; interlocks are signals of the catalogue."""
    assert {str(rule.confidence) for rule in RULES.rules} == {"engineering default", "published"}
    assert all("engineering default" in rule.source or "GB 39496" in rule.source for rule in RULES.rules)
    known = {signal for kind in load_catalogue().signals.values() for signal in kind}
    assert RULES.bypass_signals <= known
    assert {rule.colour for rule in RULES.rules} == set(Colour)
