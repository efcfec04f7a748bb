from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.judged_plant import Verdict, evaluate_faulty, sample_configuration
from gateway_sim.faults import FAULTS, QUICK, SLOW, Fault, Slot, Where, timetable
from gateway_sim.faults.timetable import CYCLE_S, QUICK_S
from gateway_sim.physics.aluminium import CAST_S, FIRST_S, IDLE_S
from gateway_sim.physics.dust import SHIFTS
from gateway_sim.physics.signals import BEGIN_S as CLOCK_S
from gateway_sim.sites import sample_sites

SEEDS = st.integers(0, 2**32 - 1)
BEGIN_S = 60
AFTER_S = 70  # a count over a minute returns a minute after its last event
IDS = {fault.id for fault in FAULTS}
QUICK_IDS = {fault.id for fault in QUICK}


def _seconds(slots: tuple[Slot, ...]) -> dict[int, list[Fault]]:
    end = int(max(slot.end_s for slot in slots)) + 1
    return {s: [slot.fault for slot in slots if slot.start_s <= s < slot.end_s] for s in range(end)}


def _alone(fault: Fault, *seeds: int) -> list[Verdict]:
    active = {second: [fault] for second in range(BEGIN_S, BEGIN_S + int(fault.lasts_s))}
    return evaluate_faulty(fault.plant, BEGIN_S + int(fault.lasts_s) + AFTER_S, seeds, active)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_every_expected_point_alarms_in_time_and_returns_after_repair(fault: Fault) -> None:
    """The physics crosses the numbers of the plant file within the fault's promised time; the repair undoes it."""
    verdicts = _alone(fault, 1, 2)
    raised = [verdict for verdict in verdicts if verdict.raised]
    assert {verdict.point for verdict in raised} <= set(fault.affects)
    assert len(verdicts) == 2 * len(raised), "every alarm has returned"
    for copy in range(2):
        for point in fault.points:
            first = min(v.at_s for v in raised if v.copy == copy and v.point == point and v.code in fault.rules)
            assert BEGIN_S <= first <= BEGIN_S + fault.needed_s


@pytest.mark.parametrize("fault", [f for f in SLOW if "FORECAST" in f.rules], ids=lambda fault: fault.id)
def test_what_creeps_reaches_its_limit_in_the_end(fault: Fault) -> None:
    """So that a forecast has something to be ahead of, and is asked for before it."""
    for copy in range(2):
        limits = [v.at_s for v in _alone(fault, 1, 2) if v.copy == copy and v.raised and v.kind == "limit"]
        assert fault.needed_s < min(limits) - BEGIN_S <= fault.lasts_s


@pytest.mark.parametrize(
    "fault",
    [
        f
        for f in SLOW
        if {*f.rules} & {"PINNED", "NEIGHBOUR", "NOISE", "DRIFT", "CURRENT"} and "FORECAST" not in f.rules
    ],
    ids=lambda fault: fault.id,
)
def test_what_hides_crosses_no_limit(fault: Fault) -> None:
    """Whoever finds these has more than limits."""
    assert [verdict for verdict in _alone(fault, 1, 2, 3) if verdict.kind == "limit"] == []


@pytest.mark.parametrize("seed", range(5))
def test_a_minute_shows_every_quick_fault_and_nothing_else(seed: int) -> None:
    """No missed fault, no false alarm, the first within 20 s, and all is quiet again at the end."""
    slots = timetable(QUICK_S, seed)
    assert {slot.fault.id for slot in slots} == QUICK_IDS
    found = _judged_all(slots, 60, seed)
    assert min(verdict.at_s for verdict in found) <= 20
    _explained(slots, found)


@pytest.mark.parametrize("seed", range(5))
def test_three_minutes_show_every_fault_and_nothing_else(seed: int) -> None:
    slots = timetable(CYCLE_S, seed)
    assert {slot.fault.id for slot in slots} == IDS
    _explained(slots, _judged_all(slots, int(CYCLE_S) + AFTER_S, seed))


def _judged_all(slots: tuple[Slot, ...], seconds: int, seed: int) -> list[Verdict]:
    return [v for plant in sample_sites() for v in evaluate_faulty(plant, seconds, [seed], _seconds(slots))]


def _explained(slots: tuple[Slot, ...], found: list[Verdict]) -> None:
    """Every fault is found in time, every alarm has a fault, every alarm has returned."""
    raised = [verdict for verdict in found if verdict.raised]
    for slot in slots:
        ours = [v for v in raised if v.plant == slot.fault.plant and v.point in slot.fault.points]
        needed_by = slot.start_s + slot.fault.needed_s
        hits = [v for v in ours if v.code in slot.fault.rules and slot.start_s <= v.at_s <= needed_by]
        assert hits, slot.fault.id
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
    for first, other in combinations(slots, 2):
        if first.fault.plant == other.fault.plant and {*first.fault.affects} & {*other.fault.affects}:
            assert first.end_s <= other.start_s or other.end_s <= first.start_s


@given(duration_s=st.floats(QUICK_S, 1000), seed=SEEDS)
def test_a_minute_is_enough_for_all_quick_faults_and_three_for_all(duration_s: float, seed: int) -> None:
    shown = {slot.fault.id for slot in timetable(duration_s, seed)}
    assert shown >= QUICK_IDS
    assert shown == IDS or duration_s < CYCLE_S


def test_a_minute_begins_no_slow_fault() -> None:
    """A run of a minute is the same demonstration it has always been."""
    for fault in QUICK:
        assert fault.begin_s + fault.lasts_s <= QUICK_S
    for fault in SLOW:
        assert fault.begin_s > QUICK_S
        assert fault.begin_s + fault.lasts_s + 2 <= CYCLE_S


def test_long_runs_repeat_the_faults() -> None:
    """The quick ones after a time that is calm but for what creeps or hides."""
    slots = timetable(600.0, 1)
    starts = [slot.start_s for slot in slots if slot.fault.id == "co-leak"]
    assert len(starts) == 4
    quick = [slot for slot in slots if slot.fault.id in QUICK_IDS]
    assert max(b.start_s - a.end_s for a, b in pairwise(quick)) > 60


def test_what_is_foretold_comes_again_only_when_it_is_news() -> None:
    """A forecast says nothing of what came as near to its limit within sixteen windows."""
    for fault in SLOW:
        if "FORECAST" in fault.rules:
            slots = [slot for slot in timetable(1800.0, 1) if slot.fault is fault]
            assert len(slots) == 2
            assert slots[1].start_s - slots[0].end_s > 17 * 40


@pytest.mark.parametrize("seed", range(2))
def test_repeated_cycles_show_every_fault_again_and_nothing_else(seed: int) -> None:
    """Nobody acknowledges anything, and the ordinary state is not unlearnt by faults that come back."""
    slots = timetable(7 * CYCLE_S, seed)
    _explained(slots, _judged_all(slots, int(7 * CYCLE_S) + AFTER_S, seed))


def test_casting_faults_wait_for_steady_casting() -> None:
    """While the machine stands idle its rules are gated, so a fault could not be seen."""
    idle = range(int(CAST_S - FIRST_S), int(CAST_S - FIRST_S + IDLE_S))
    slots = [slot for slot in timetable(9000.0, 1) if slot.fault.plant == "demo-aluminium"]
    assert slots[-1].start_s > idle.stop
    assert not [slot for slot in slots if int(slot.start_s) in idle or int(slot.end_s) in idle]


def test_dust_faults_wait_for_the_next_shift() -> None:
    begin, end = SHIFTS[0][1] - CLOCK_S, SHIFTS[1][0] - CLOCK_S
    slots = [slot for slot in timetable(end + 600, 1) if slot.fault.plant == "demo-dust"]
    assert slots[-1].start_s > end
    assert not [slot for slot in slots if slot.start_s < end and slot.end_s > begin]


def test_labels_name_points_and_rules_that_exist() -> None:
    for fault in FAULTS:
        known = {point.id: point for point in sample_configuration().plants[fault.plant].points}
        assert set(fault.affects) <= set(known)
        for point in fault.points:
            assert {rule.code for rule in known[point].rules} & set(fault.rules), (fault.id, point)


def test_ids_are_their_own() -> None:
    assert len(IDS) == len(FAULTS)


def test_faults_of_every_sort_are_there() -> None:
    assert {fault.where for fault in FAULTS} == set(Where)
