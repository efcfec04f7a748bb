"""Which suppression covers an alarm, and when one begins or ends by itself."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ingest.domain.alarms.suppressions import NEVER, Suppressions
from ingest.domain.model.alarm import Alarm, AlarmState, alarm_id
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.domain.model.text import Text

SHELVED = Suppression(
    UUID(int=1), SuppressionKind.SHELVED, SuppressionState.IN_FORCE, "p", "CO-01", "H", "校准", "op", 10, 10, 100
)
OUT = replace(SHELVED, id=UUID(int=2), kind=SuppressionKind.OUT_OF_SERVICE, rule=None, until=None)
LOW = Alarm(
    alarm_id("p", "CO-01", "H", 1), "p", "CO-01", "H", 1, AlarmState.UNACKNOWLEDGED, Text("", ""), 1.0, 1.0, "", 1, 1, 1
)
HIGH = replace(LOW, rule="HH", level=2)


def test_the_strongest_one_that_covers_the_rule_counts() -> None:
    both = Suppressions([SHELVED, OUT])
    assert both.over(LOW, 50, highest=False) == OUT
    assert both.over(replace(LOW, point="CO-02"), 50, highest=False) is None
    assert both.over(replace(LOW, plant="q"), 50, highest=False) is None
    assert Suppressions([SHELVED]).over(replace(LOW, rule="L"), 50, highest=False) is None


@pytest.mark.parametrize(("highest", "covered"), [(False, False), (True, True)])
def test_the_highest_level_is_shelved_only_if_the_settings_say_so(*, highest: bool, covered: bool) -> None:
    whole = Suppressions([replace(SHELVED, rule=None)])
    assert (whole.over(HIGH, 50, highest=highest) is not None) is covered
    assert Suppressions([OUT]).over(HIGH, 50, highest=False) == OUT, "what was approved covers it"


@pytest.mark.parametrize(("now", "covered"), [(9, False), (10, True), (99, True), (100, False)])
def test_it_covers_from_its_beginning_until_its_end(now: int, *, covered: bool) -> None:
    assert (Suppressions([SHELVED]).over(LOW, now, highest=False) is not None) is covered


def test_what_waits_for_approval_covers_nothing() -> None:
    waiting = replace(OUT, state=SuppressionState.APPLIED)
    assert Suppressions([waiting]).over(LOW, 50, highest=False) is None


def test_it_ends_by_itself_once_and_names_the_points_to_look_at() -> None:
    known = Suppressions([SHELVED, OUT])
    assert known.due == 10
    assert known.expire(10) == ([], {("p", "CO-01")})
    assert known.due == 100
    assert known.expire(99) == ([], set())
    ended, points = known.expire(150)
    assert [(suppression.id, suppression.state, suppression.ended, suppression.ended_by) for suppression in ended] == [
        (SHELVED.id, SuppressionState.ENDED, 100, "yujing")
    ]
    assert points == {("p", "CO-01")}
    assert (known.due, known.expire(1000), len(known)) == (NEVER, ([], set()), 1)


def test_one_that_begins_later_is_looked_at_when_it_begins() -> None:
    known = Suppressions([replace(SHELVED, begins=50)])
    known.expire(20)
    assert known.due == 50
    assert known.expire(60) == ([], {("p", "CO-01")})


def test_an_application_nobody_decided_on_ends_with_its_time() -> None:
    known = Suppressions([replace(OUT, state=SuppressionState.APPLIED, until=100)])
    ended, _ = known.expire(101)
    assert [suppression.state for suppression in ended] == [SuppressionState.ENDED]
    assert len(known) == 0
