"""The life of an alarm: one table, held against a model that knows no table."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import product
from uuid import UUID, uuid4

import pytest

from ingest.domain.alarms.lifecycle import (
    TRANSITIONS,
    Cause,
    Refused,
    acknowledged,
    commented,
    consequences,
    displayed_state,
    disposed,
    following,
    raised,
    recorded,
    reset,
    returned,
)
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmState, alarm_id, event_id, historical_id
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.domain.model.text import Text
from tests.ingest.domain.alarms.plain_lifecycle import STRENGTH, K, S, model


def alarm(state: AlarmState = S.NORMAL, *, raises: int = 0) -> Alarm:
    """An alarm of a CO point."""
    name = alarm_id("p", "CO-01", "H", 100)
    title = Text("一氧化碳 高报", "CO high")
    return Alarm(name, "p", "CO-01", "H", 1, state, title, 25.0, 24.0, "ppm", 100, 110, 110, raises)


def at(time: int, by: str | None = None, **detail: object) -> Cause:
    return Cause(time, time, by, "operator" if by else None, detail)


def stood() -> Alarm:
    event = raised(alarm(), at(110), value=25.0)
    assert event is not None
    return event.alarm


def suppression(kind: SuppressionKind) -> Suppression:
    return Suppression(uuid4(), kind, SuppressionState.IN_FORCE, "p", "CO-01", None, "检修", "op", 1, 1, None)


def table(state: AlarmState, kind: AlarmEventKind, *, active: bool) -> AlarmState | str | None:
    try:
        return following(state, kind, active=active)
    except Refused:
        return "refused"


def test_every_pair_of_state_and_event_is_defined_and_is_what_the_facts_ask_for() -> None:
    assert set(TRANSITIONS) == set(product(S, K))
    differences = [
        (state, kind, active, table(state, kind, active=active), model(state, kind, active=active))
        for state, kind, active in product(S, K, (False, True))
        if table(state, kind, active=active) != model(state, kind, active=active)
    ]
    assert differences == []


def test_a_million_random_steps_stay_with_the_model() -> None:
    dice = random.Random(20261124)  # noqa: S311  the same steps every time
    kinds = list(K)
    ours: AlarmState = S.NORMAL
    theirs: AlarmState = S.NORMAL
    active, differences, met = False, 0, set()
    for kind in dice.choices(kinds, k=1_000_000):
        a, b = table(ours, kind, active=active), model(theirs, kind, active=active)
        met.add((ours, kind))
        differences += a != b
        if isinstance(a, AlarmState):
            if kind is K.RAISED:
                active = True
            elif kind in {K.RETURNED, K.LATCHED}:
                active = False
            ours = a
        theirs = b if isinstance(b, AlarmState) else theirs
        if ours is S.REMOVED and dice.random() < 0.1:  # for good: what comes next is another alarm
            ours = theirs = S.NORMAL
    assert differences == 0
    assert ours is theirs
    assert len(met) == len(TRANSITIONS), "every pair was met"


@dataclass
class World:
    """One rule's alarm as a plain story of facts, beside the real one."""

    alarm: Alarm
    over: set[SuppressionKind]
    active: bool = True
    seen: bool = False
    latch: bool = False
    has_feedback: bool = False  # feedback was given since it was raised


def random_life(seed: int) -> int:
    """Lead one alarm through a random life; every record it makes must be what the facts ask for. Returns steps."""
    dice = random.Random(seed)  # noqa: S311  the same life every time
    world = World(stood(), set(), latch=dice.random() < 0.3)
    steps = 40
    for time in range(200, 200 + steps):
        events = _random_step(dice, world, time)
        over = max(world.over, key=STRENGTH.index, default=None)
        for event in events:
            world.alarm = event.alarm
            follow = consequences(event.alarm, at(time), suppression(over) if over else None)
            world.alarm = follow[-1].alarm if follow else world.alarm
        if not events:
            follow = consequences(world.alarm, at(time), suppression(over) if over else None)
            world.alarm = follow[-1].alarm if follow else world.alarm
        a = world.alarm
        assert a.active == world.active
        if a.active and over:
            assert (
                a.state
                is {
                    SuppressionKind.SHELVED: S.SHELVED,
                    SuppressionKind.SUPPRESSED: S.SUPPRESSED,
                    SuppressionKind.OUT_OF_SERVICE: S.OUT_OF_SERVICE,
                }[over]
            ), "while it holds, the strongest suppression is shown"
        elif a.active:
            assert a.state in {S.UNACKNOWLEDGED, S.ACKNOWLEDGED}
        else:
            assert a.state not in {S.UNACKNOWLEDGED, S.ACKNOWLEDGED}
        assert (a.cleared is not None) == (a.state is S.NORMAL and world.has_feedback), (
            "销警 asks for both, and for no more"
        )
    return steps


def _random_step(dice: random.Random, world: World, time: int) -> list[AlarmEvent]:
    move = dice.choice(["raise", "return", "ack", "reset", "dispose", "begin", "end", "comment"])
    event: AlarmEvent | None = None
    try:
        if move == "raise":
            event = raised(world.alarm, at(time), value=1.0)
            world.has_feedback &= event is None
            world.active = True
        elif move == "return":
            event = returned(world.alarm, at(time), latch=world.latch)
            world.active = False
        elif move == "ack":
            event = acknowledged(world.alarm, at(time, "op"))
        elif move == "reset":
            event = reset(world.alarm, at(time, "op"))
        elif move == "dispose":
            event = disposed(world.alarm, at(time, "op"))
            world.has_feedback = True
        elif move == "comment":
            event = commented(world.alarm, at(time, "op", comment="看过"))
        elif move == "begin":
            world.over.add(dice.choice(STRENGTH))
        else:
            world.over.discard(dice.choice(STRENGTH))
    except Refused:
        pass
    return [event] if event else []


def test_whole_lives_under_random_suppressions_keep_their_promises() -> None:
    assert sum(random_life(seed) for seed in range(1000)) == 40_000


def test_an_unacknowledged_alarm_does_not_vanish_when_the_value_returns() -> None:
    back = returned(stood(), at(200))
    assert back is not None
    assert back.alarm.state is S.RETURNED
    seen = acknowledged(back.alarm, at(300, "张三", comment="已到现场"))
    assert seen.alarm.state is S.NORMAL
    assert (seen.alarm.acked, seen.alarm.acked_by, seen.alarm.comment) == (300, "张三", "已到现场")
    assert (seen.by, seen.role) == ("张三", "operator")


def test_an_acknowledged_alarm_ends_when_the_value_returns() -> None:
    back = returned(acknowledged(stood(), at(120, "op")).alarm, at(200))
    assert back is not None
    assert (back.alarm.state, back.alarm.returned) == (S.NORMAL, 200)


def test_a_latched_alarm_stays_until_it_was_seen_and_reset() -> None:
    """Neither the value's return nor the acknowledgement alone ends it."""
    held = returned(stood(), at(200), latch=True)
    assert held is not None
    assert (held.kind, held.alarm.state) == (K.LATCHED, S.LATCHED_UNACKNOWLEDGED)
    with pytest.raises(Refused, match="reset: the alarm is latched-unacknowledged"):
        reset(held.alarm, at(210, "op"))
    seen = acknowledged(held.alarm, at(220, "op")).alarm
    assert seen.state is S.LATCHED_ACKNOWLEDGED
    assert reset(seen, at(230, "op")).alarm.state is S.NORMAL


def test_an_alarm_that_comes_back_is_the_same_alarm_and_wants_to_be_seen_again() -> None:
    over = returned(acknowledged(stood(), at(120, "op")).alarm, at(200))
    assert over is not None
    disposition = disposed(over.alarm, at(210, "op")).alarm
    (done,) = consequences(disposition, at(210), None)
    assert (done.kind, done.alarm.cleared) == (K.CLEARED, 210)
    again = raised(done.alarm, at(250), value=30.0)
    assert again is not None
    a = again.alarm
    assert (a.id, a.raises, a.annunciated, a.raised) == (alarm().id, 2, 250, 110)
    assert (a.state, a.returned, a.acked, a.acked_by, a.disposed, a.cleared) == (
        S.UNACKNOWLEDGED, None, None, None, None, None,
    )  # fmt: skip


def test_an_alarm_raised_while_shelved_is_recorded_as_raised_and_then_as_shelved() -> None:
    hidden = consequences(stood(), at(110), suppression(SuppressionKind.SHELVED))
    assert [(event.kind, event.alarm.state) for event in hidden] == [(K.SHELVED, S.SHELVED)]
    back = consequences(hidden[-1].alarm, at(500), None)
    assert [(event.kind, event.alarm.state) for event in back] == [(K.UNSHELVED, S.UNACKNOWLEDGED)]


def test_of_several_suppressions_the_strongest_is_shown_and_the_next_takes_over_when_it_ends() -> None:
    out = consequences(stood(), at(110), suppression(SuppressionKind.OUT_OF_SERVICE))[-1].alarm
    assert out.state is S.OUT_OF_SERVICE
    then = consequences(out, at(300), suppression(SuppressionKind.SHELVED))
    assert [event.kind for event in then] == [K.RETURNED_TO_SERVICE, K.SHELVED]
    assert then[-1].alarm.state is S.SHELVED


def test_clearing_asks_for_the_value_back_and_for_feedback_in_either_order() -> None:
    early = disposed(acknowledged(stood(), at(120, "op")).alarm, at(130, "op")).alarm
    assert consequences(early, at(130), None) == []
    back = returned(early, at(200))
    assert back is not None
    assert [event.kind for event in consequences(back.alarm, at(200), None)] == [K.CLEARED]


@pytest.mark.parametrize(
    ("alarm_state", "over", "evaluated", "shown"),
    [
        (None, None, True, S.NORMAL),
        (None, None, False, S.NOT_EVALUATED),
        (None, SuppressionKind.SHELVED, False, S.SHELVED),
        (S.UNACKNOWLEDGED, None, False, S.UNACKNOWLEDGED),
        (S.RETURNED, SuppressionKind.SHELVED, True, S.RETURNED),
    ],
)
def test_a_rule_is_shown_by_its_alarm_or_by_what_keeps_it_from_raising_one(
    alarm_state: AlarmState | None, over: SuppressionKind | None, evaluated: bool, shown: AlarmState
) -> None:
    assert displayed_state(alarm_state, over, evaluated=evaluated) is shown


def test_an_event_that_means_nothing_makes_no_record() -> None:
    back = returned(stood(), at(200))
    assert back is not None
    assert raised(stood(), at(1), value=1.0) is None
    assert returned(back.alarm, at(201)) is None
    assert recorded(alarm(), received=1) is None
    assert recorded(replace(stood(), historical=True, returned=9), received=1) is None


def test_what_cannot_be_done_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="acknowledged: the alarm is normal"):
        acknowledged(alarm(), at(1, "x"))
    with pytest.raises(Refused, match="acknowledged: the alarm is acknowledged"):
        acknowledged(acknowledged(stood(), at(120, "op")).alarm, at(130, "x"))


def test_a_historical_alarm_that_proves_longer_is_sent_again_under_another_id() -> None:
    known = replace(alarm(), historical=True, returned=200)
    first, again = recorded(known, received=500), recorded(known, received=900)
    longer = recorded(replace(known, returned=300), received=900)
    assert first is not None
    assert again is not None
    assert longer is not None
    assert (first.alarm.state, first.time, first.received) == (S.NORMAL, 200, 500)
    assert first.id == again.id != longer.id
    assert historical_id("p", "CO-01", "H", 100) != alarm_id("p", "CO-01", "H", 100)


def test_ids_are_the_same_on_every_machine_and_every_replay() -> None:
    name = alarm_id("p", "CO-01", "H", 100)
    assert name == UUID("d21d093f-ca0d-5d46-a0a5-77374802d5aa")
    assert event_id(name, K.RAISED, 5) == UUID("3832ad8e-1c6c-5cb0-b52d-7a3b6037d450")
    assert name != alarm_id("p", "CO-01", "H", 101)
    assert event_id(name, K.RAISED, 5) != event_id(name, K.RETURNED, 5)
