from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_sim.faults import CYCLE_S, FAULTS, Fault, Slot, Where, timetable
from gateway_sim.physics.aluminium import CAST_S, FIRST_S, IDLE_S
from gateway_sim.sites import sample_sites
from tests.gateway_sim.judge import judged, sample_roster

SEEDS = st.integers(0, 2**32 - 1)
BEGIN_S = 40


def _seconds(slots: tuple[Slot, ...]) -> dict[int, list[Fault]]:
    end = int(max(slot.end_s for slot in slots)) + 1
    return {s: [slot.fault for slot in slots if slot.start_s <= s < slot.end_s] for s in range(end)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_expected_point_alarms_in_time_and_returns_after_repair(fault: Fault, seed: int) -> None:
    """The physics crosses the numbers of the plant file within the fault's promised time; the repair undoes it."""
    active = {second: [fault] for second in range(BEGIN_S, BEGIN_S + int(fault.lasts_s))}
    verdicts = judged(fault.plant, BEGIN_S + 60, seed, active)
    raised = [verdict for verdict in verdicts if verdict.raised]
    assert {verdict.point for verdict in raised} <= set(fault.affects)
    for point in fault.points:
        first = min(v.at_s for v in raised if v.point == point and v.code in fault.rules)
        assert BEGIN_S <= first <= BEGIN_S + fault.needed_s
    assert len(verdicts) == 2 * len(raised), "every alarm has returned"


@pytest.mark.parametrize("seed", range(5))
def test_a_minute_shows_every_fault_and_nothing_else(seed: int) -> None:
    """No missed fault, no false alarm, the first within 20 s, and all is quiet again at the end."""
    slots = timetable(60.0, seed)
    assert {slot.fault.id for slot in slots} == {fault.id for fault in FAULTS}
    found = [v for plant in sample_sites() for v in judged(plant, 60, seed, _seconds(slots))]
    raised = [verdict for verdict in found if verdict.raised]
    assert min(verdict.at_s for verdict in raised) <= 20
    for slot in slots:
        ours = [v for v in raised if v.plant == slot.fault.plant and v.point in slot.fault.points]
        assert any(v.code in slot.fault.rules and slot.start_s <= v.at_s <= slot.end_s for v in ours), slot.fault.id
    for verdict in raised:
        assert any(
            verdict.plant == slot.fault.plant
            and verdict.point in slot.fault.affects
            and slot.start_s <= verdict.at_s <= slot.end_s + 5
            for slot in slots
        ), verdict
    assert len(found) == 2 * len(raised), "every alarm has returned"


@given(duration_s=st.floats(20, 1000), seed=SEEDS)
def test_timetable_begins_soon_and_never_overlaps_on_a_point(duration_s: float, seed: int) -> None:
    slots = timetable(duration_s, seed)
    assert slots[0].start_s <= 15
    assert [slot.start_s for slot in slots] == sorted(slot.start_s for slot in slots)
    for slot in slots:
        assert 0 <= slot.start_s < slot.end_s <= duration_s
        assert slot.start_s + slot.fault.needed_s <= duration_s
    for one, other in combinations(slots, 2):
        if one.fault.plant == other.fault.plant and {*one.fault.affects} & {*other.fault.affects}:
            assert one.end_s <= other.start_s or other.end_s <= one.start_s


@given(duration_s=st.floats(CYCLE_S, 1000), seed=SEEDS)
def test_a_minute_is_enough_for_all_faults(duration_s: float, seed: int) -> None:
    assert {slot.fault.id for slot in timetable(duration_s, seed)} == {fault.id for fault in FAULTS}


def test_long_runs_repeat_the_faults_after_a_calm_time() -> None:
    slots = timetable(600.0, 1)
    starts = [slot.start_s for slot in slots if slot.fault.id == "co-leak"]
    assert len(starts) == 4
    calm = [b.start_s - a.end_s for a, b in pairwise(slots)]
    assert max(calm) > 60


def test_casting_faults_wait_for_steady_casting() -> None:
    """While the machine stands idle its rules are gated, so a fault could not be seen."""
    idle = range(int(CAST_S - FIRST_S), int(CAST_S - FIRST_S + IDLE_S))
    slots = [slot for slot in timetable(9000.0, 1) if slot.fault.plant == "demo-aluminium"]
    assert slots[-1].start_s > idle.stop
    assert not [slot for slot in slots if int(slot.start_s) in idle or int(slot.end_s) in idle]


def test_labels_name_points_and_rules_that_exist() -> None:
    for fault in FAULTS:
        known = {point.id: point for point in sample_roster().plants[fault.plant].points}
        assert set(fault.affects) <= set(known)
        for point in fault.points:
            assert {rule.code for rule in known[point].rules} & set(fault.rules), (fault.id, point)


def test_faults_of_every_sort_are_there() -> None:
    assert {fault.where for fault in FAULTS} == set(Where)
