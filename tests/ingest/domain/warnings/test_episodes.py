"""One plant's warning from its beginning to its end, step by step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.domain.model.warning import Asked, Colour, EarlyWarning, Step, Trait, WarningState
from ingest.domain.warnings.config import DutyConfig, WarningsConfig
from ingest.domain.warnings.policy import Actor
from tests.ingest.domain.warnings.small import EVERYBODY, SECOND, TERMS, episodes_of_plant, fact


def hand(at_s: int, by: str = "王工", role: str = "admin") -> Actor:
    return Actor(by, role, at_s * SECOND)  # type: ignore[arg-type]


def test_a_step_nobody_has_is_passed_at_once() -> None:
    made = episodes_of_plant(holders={Step.COUNTY: ("县局",), Step.PROVINCE: ("省厅",)})
    (event,) = made.learn(0, known=[fact("A", 0, 2)])
    assert (event.warning.step, event.warning.who) == (Step.COUNTY, ("县局",))
    assert event.detail == {"passed": ["enterprise", "township"]}
    later = made.pass_time(6 * SECOND)
    assert [str(event.kind) for event in later] == ["reminded", "escalated"]
    assert later[-1].detail == {"missed": "acknowledgement", "from": "county"}
    assert made.open is not None
    assert made.open.who == ("省厅",)


def test_alarms_that_come_and_go_all_the_time_do_not_fill_the_disk() -> None:
    """Ten alarms flap each second for five minutes: a new fact is sent at once, the end of one every 10 s."""
    calm = replace(TERMS, deadlines=replace(TERMS.deadlines, acknowledge=dict.fromkeys(Colour, 10**15)))
    made = episodes_of_plant(terms=calm)
    events = made.learn(0, known=[fact("A", 0, 2), *(fact(f"F{n}", 0, 2) for n in range(10))])
    for second in range(1, 300):
        for n in range(10):
            now = second * SECOND + n
            flapping = fact(f"F{n}", second, 2)
            events += made.learn(now, over=[flapping.key]) if second % 2 else made.learn(now, known=[flapping])
    assert 20 <= len(events) <= 150, "of 3,000 changes"
    new = made.learn(300 * SECOND, known=[fact("NEW", 300, 2)])
    assert [str(event.kind) for event in new] == ["inputs-changed"], "at once"
    made.learn(301 * SECOND, over=[fact("NEW", 300, 2).key])
    (gone,) = made.pass_time(400 * SECOND)
    assert (str(gone.kind), gone.time) == ("inputs-changed", 310 * SECOND)
    assert {known.point for ground in gone.warning.inputs for known in ground.facts} == {"A"}


def test_the_last_step_is_asked_for_ever() -> None:
    made = episodes_of_plant(holders={Step.ENTERPRISE: ("厂",)})
    made.learn(0, known=[fact("A", 0, 2)])
    events = made.pass_time(600 * SECOND)
    assert {str(event.kind) for event in events} == {"reminded"}
    assert len(events) == 200  # at half time and at the end of each 6 s
    assert events[-1].warning.step is Step.ENTERPRISE


def test_above_its_peak_it_must_be_seen_and_answered_anew_and_never_goes_down_a_step() -> None:
    made = episodes_of_plant()
    made.learn(0, known=[fact("A", 0)])
    made.pass_time(15 * SECOND)  # yellow at 7 s, asked anew, not answered for 8 s
    key = next(iter(made.live))
    events = made.give_feedback(key, hand(15), "原因", "措施")
    assert [str(event.kind) for event in events] == ["acknowledged", "feedback"]
    assert events[-1].warning.step is Step.TOWNSHIP
    step = events[-1].warning.step
    (risen,) = made.learn(20 * SECOND, known=[fact("B", 20, 2, Trait.RED)])
    warning = risen.warning
    assert (warning.peak, warning.asking, warning.acknowledged, warning.feedback) == (
        Colour.RED,
        Asked.ACKNOWLEDGEMENT,
        None,
        None,
    )
    assert (warning.asked, warning.until) == (20 * SECOND, 24 * SECOND)
    assert warning.step is step


def test_what_comes_back_soon_is_the_same_episode_and_later_another() -> None:
    made = episodes_of_plant()
    cause = fact("A", 0, 2)
    made.learn(0, known=[cause])
    made.learn(1 * SECOND, over=[cause.key])
    ended = next(event for event in made.pass_time(6 * SECOND) if event.kind == "ended")
    assert (ended.warning.state, ended.warning.colour) == (WarningState.OVER, None)
    again = made.learn(10 * SECOND, known=[replace(cause, since=10 * SECOND)])[-1]
    assert (str(again.kind), again.warning.id) == ("reopened", ended.warning.id)
    made.learn(11 * SECOND, over=[cause.key])
    other = made.learn(22 * SECOND, known=[replace(cause, since=22 * SECOND)])[-1]
    assert str(other.kind) == "raised"
    assert other.warning.id != ended.warning.id
    assert [x.state for x in made.live.values()] == [WarningState.OVER, WarningState.OPEN]


def test_a_closed_episode_is_not_opened_again() -> None:
    made = episodes_of_plant()
    cause = fact("A", 0, 2)
    key = made.learn(0, known=[cause])[0].warning.id
    made.give_feedback(key, hand(1), "原因", "措施")
    made.learn(2 * SECOND, over=[cause.key])
    assert [str(x.kind) for x in made.pass_time(7 * SECOND)] == ["ended", "closed"]
    assert str(made.learn(8 * SECOND, known=[replace(cause, since=8 * SECOND)])[0].kind) == "raised"


def test_other_reasons_for_the_same_colour_are_kept_and_asked_of_nobody() -> None:
    made = episodes_of_plant()
    made.learn(0, known=[fact("A", 0, 2)])
    before = made.open
    (event,) = made.learn(2 * SECOND, known=[fact("B", 2, 2)])
    assert str(event.kind) == "inputs-changed"
    assert before is not None
    assert (event.warning.asked, event.warning.colour) == (before.asked, before.colour)
    assert [known.point for known in event.warning.inputs[0].facts] == ["A", "B"]


def test_going_on_from_what_was_committed_changes_nothing() -> None:
    """A watch made anew from its record does what the old one would have done, under the same ids."""
    for until in range(1, 30):
        made = episodes_of_plant()
        facts = [fact("A", 0), fact("B", 3, 2)]
        events = made.learn(0, known=facts[:1]) + made.learn(3 * SECOND, known=facts[1:])
        events += made.learn(9 * SECOND, over=[facts[1].key])
        events += made.pass_time(until * SECOND)
        kept: dict[object, EarlyWarning] = {event.warning.id: event.warning for event in events}
        again = episodes_of_plant(max(until, 9))
        again.resume(kept.values(), made.facts.values())
        assert again.pass_time(60 * SECOND) == made.pass_time(60 * SECOND)


def test_an_operator_answers_for_the_enterprise_only() -> None:
    made = episodes_of_plant()
    key = made.learn(0, known=[fact("A", 0, 2)])[0].warning.id
    made.pass_time(6 * SECOND)
    with pytest.raises(ValueError, match="township"):
        made.acknowledge(key, hand(7, role="operator"))
    assert made.acknowledge(key, hand(7, role="inspector"))[0].warning.acknowledged == 7 * SECOND
    alone = episodes_of_plant(holders={})
    key = alone.learn(0, known=[fact("A", 0, 2)])[0].warning.id
    assert alone.acknowledge(key, hand(7, role="operator"))[-1].by == "王工"


def test_who_answers_for_a_plant_is_decided_by_its_name_or_region() -> None:
    config = WarningsConfig(
        duty=(
            DutyConfig(step=Step.ENTERPRISE, name="厂", plants=frozenset({"p1"})),
            DutyConfig(step=Step.COUNTY, name="南安", regions=frozenset({"350583"})),
            DutyConfig(step=Step.CITY, name="泉州", regions=frozenset({"3505"})),
            DutyConfig(step=Step.CITY, name="值班室"),
        )
    )
    assert config.duty_of("p1", "350583").holders == {
        Step.ENTERPRISE: ("厂",),
        Step.COUNTY: ("南安",),
        Step.CITY: ("泉州", "值班室"),
    }
    assert config.duty_of("p2", "350100").holders == {Step.CITY: ("值班室",)}


def test_reminders_must_be_in_order() -> None:
    with pytest.raises(ValueError, match="each later"):
        WarningsConfig(remind_at=(0.5, 0.25))
    assert TERMS.deadlines.remind_at == (0.5,)
    assert set(EVERYBODY) == set(Step)
