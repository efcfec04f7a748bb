"""A mandatory sensor that is dead while its machine produces becomes a hazard after two hours, and once."""

from __future__ import annotations

import random
from dataclasses import replace
from uuid import uuid4

import pytest

from ingest.domain.cases.dead_points import DeadPoint, compare, dead_now, hazard_of
from ingest.domain.cases.hazard import HazardSource, HazardState
from ingest.domain.model.alarm import Alarm, AlarmState, alarm_id
from ingest.domain.model.plant import Point
from ingest.domain.model.text import Text
from tests.ingest.domain.cases.made import HOUR, NOON, SECOND

LIMIT = 2 * HOUR
KEY = ("p", "CO-01")


def point(name: str = "CO-01", *, mandatory: bool = True) -> Point:
    text = Text("一氧化碳", "CO")
    return Point(
        0, "p", name, "STL_CO", text, "ppm", "BF-01", "GW-01", 0, 1000, 30, None, (), (), mandatory, "令第10号"
    )


def alarm(rule: str, on: str = "CO-01", onset: int = NOON, **changes: object) -> Alarm:
    made = Alarm(
        alarm_id("p", on, rule, onset), "p", on, rule, 1, AlarmState.UNACKNOWLEDGED, Text("报警", "alarm"),
        None, 0, "", onset, onset, annunciated=onset, raises=1,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["SILENT", "BAD", "STUCK", "CURRENT"])
def test_a_point_is_dead_while_an_alarm_says_that_nothing_measures(rule: str) -> None:
    assert dead_now([point()], [alarm(rule), alarm(rule, onset=NOON - 5)]) == {KEY: NOON - 5}
    assert dead_now([point(mandatory=False)], [alarm(rule)]) == {}
    assert dead_now([point("CO-02")], [alarm(rule)]) == {}
    assert dead_now([point()], [alarm(rule, returned=NOON + 1)]) == {}
    assert dead_now([point()], [alarm(rule, historical=True)]) == {}
    assert dead_now([point()], [alarm(rule, state=AlarmState.OUT_OF_SERVICE)]) == {}, "停用 was approved"
    assert dead_now([point()], [alarm(rule, state=AlarmState.SHELVED)]) == {KEY: NOON}, "hiding it helps nobody"


def test_all_points_of_a_gateway_that_is_offline_are_dead() -> None:
    assert dead_now([point(), point("CO-02")], [alarm("OFFLINE", "GW-01")]) == {KEY: NOON, ("p", "CO-02"): NOON}
    assert dead_now([point()], [alarm("H")]) == {}


def watched(checks: list[tuple[int, bool, bool]]) -> tuple[int | None, DeadPoint | None]:
    """Look at (minute, dead, running); the minute at which it was ripe, and what is remembered at the end."""
    known: dict[tuple[str, str], DeadPoint] = {}
    ripe = None
    for minute, dead, running in checks:
        now = NOON + minute * 60 * SECOND
        seen = compare(
            known, {KEY: NOON} if dead else {}, (lambda _: True) if running else (lambda _: False), now, LIMIT
        )
        known |= {(entry.plant, entry.point): entry for entry in seen.kept}
        for key in seen.over:
            del known[key]
        if seen.ripe and ripe is None:
            ripe = minute
            known[KEY] = replace(seen.ripe[0], hazard=uuid4())
    return ripe, known.get(KEY)


def test_two_hours_in_production_are_enough_and_less_is_not() -> None:
    assert watched([(m, True, True) for m in range(0, 120, 10)])[0] is None
    assert watched([(m, True, True) for m in range(0, 131, 10)])[0] == 120


def test_a_machine_that_stands_begins_the_time_anew() -> None:
    assert watched([(0, True, True), (110, True, False), (119, True, True), (130, True, True)])[0] is None
    assert watched([(0, True, True), (110, True, False), (119, True, True), (239, True, True)])[0] == 239
    assert watched([(0, True, False), (300, True, False)])[0] is None
    assert watched([(0, True, False), (300, True, True), (420, True, True)])[0] == 420


def test_a_sensor_that_comes_back_is_forgotten() -> None:
    ripe, left = watched([(0, True, True), (119, True, True), (119, False, True), (125, True, True)])
    assert ripe == 125, "its alarm began before: the onset counts"
    assert left is not None
    assert watched([(0, True, True), (60, False, True)]) == (None, None)


def test_what_became_a_hazard_does_not_become_another_while_it_stays_dead() -> None:
    found = compare({KEY: DeadPoint(*KEY, NOON, NOON, uuid4())}, {KEY: NOON}, lambda _: True, NOON + 99 * HOUR, LIMIT)
    assert (found.kept, found.ripe) == ([], [])


@pytest.mark.parametrize("seed", range(300))
def test_any_history_is_judged_as_plain_counting_does(seed: int) -> None:
    """What is remembered between checks is all the rule knows, so a restart at any check changes nothing."""
    chance = random.Random(seed)  # noqa: S311
    checks = [(minute, chance.random() < 0.96, chance.random() < 0.96) for minute in range(0, 600, 7)]
    assert watched(checks)[0] == plainly(checks)


def plainly(checks: list[tuple[int, bool, bool]]) -> int | None:
    """The first minute that ends two hours dead in production: from the onset, or since production began again."""
    began, dead_before = None, False
    for minute, dead, running in checks:
        if not (dead and running):
            began = None
        elif began is None:
            began = minute if dead_before else 0
        if began is not None and minute - began >= 120:
            return minute
        dead_before = dead
    return None


def test_the_hazard_tells_of_the_point_and_has_the_same_id_each_time() -> None:
    dead = DeadPoint(*KEY, NOON, NOON)
    hazard, again = hazard_of(dead, point(), NOON, 2), hazard_of(dead, point(), NOON + HOUR, 2)
    assert hazard.id == again.id
    assert hazard_of(replace(dead, begun=NOON + 1), point(), NOON, 2).id != hazard.id
    assert (hazard.state, hazard.source, hazard.point, hazard.equipment) == (
        HazardState.FOUND,
        HazardSource.RULE,
        "CO-01",
        "BF-01",
    )
    assert "令第10号" in hazard.description
