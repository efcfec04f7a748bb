"""A roll call comes at a time of the night that nobody knows, once, and as often as the settings say."""

from __future__ import annotations

import datetime as dt

from ingest.domain.calls.config import RollCallConfig
from ingest.domain.calls.roll_calls import roll_call_due
from ingest.domain.model.payload import PLANT_TIME

MINUTE = 60 * 10**9
NOON = int(dt.datetime(2026, 9, 1, 12, tzinfo=PLANT_TIME).timestamp()) * 10**9
DAY = 24 * 60 * MINUTE


def night(number: int, config: RollCallConfig, drawn: str = "s", plant: str = "p") -> list[int]:
    """The quarters of an hour from the noon of that day on in which a roll call is due."""
    begin = NOON + number * DAY
    return [at for at in range(96) if roll_call_due(config, drawn, plant, begin + at * 15 * MINUTE) is not None]


def test_each_night_has_its_own_moment_which_lasts_until_the_night_is_over() -> None:
    """So that a service that was down at it calls the roll later; not by day, and not the same elsewhere."""
    every = RollCallConfig(nights_a_week=7)
    nights = [night(number, every) for number in range(30)]
    assert all(due and due == [*range(due[0], 72)] for due in nights if due)  # until six in the morning
    first = {due[0] for due in nights if due}
    assert min(first) >= 40  # ten in the evening
    assert len(first) > 10
    assert nights != [night(number, every, "other") for number in range(30)]
    assert nights != [night(number, every, plant="q") for number in range(30)]
    assert nights == [night(number, every) for number in range(30)]


def test_it_comes_as_often_as_the_settings_say_and_has_one_name_a_night() -> None:
    some = RollCallConfig(nights_a_week=2)
    called = sum(bool(night(number, some)) for number in range(350))
    assert 70 <= called <= 130  # 100 are expected
    assert not any(night(number, RollCallConfig()) for number in range(30))
    names = {roll_call_due(RollCallConfig(nights_a_week=7), "s", "p", NOON + at * MINUTE) for at in range(24 * 60)}
    assert names == {None, "p/2026-09-01"}
