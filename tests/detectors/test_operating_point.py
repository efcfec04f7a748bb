"""A group at an operating point that no lesson held: found once, reported while it lasts, and judged there as well."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import Bank
from detectors.detector import Reason, State
from tests.detectors.rule_tables import table
from tests.detectors.scored import START, plain_rows, scored_rows
from tests.detectors.test_multivariate import TRAIN, circuit, feed, found, group, stream
from tests.reference.plain import PlainRule

Floats = NDArray[np.float64]

STAY: Final = int(0.75 * TRAIN)
MORE_LOAD: Final = np.array([150.0, 150.0, 6.0, -30.0])
"""Another load, to which all of the circuit goes together; far beyond that of the lesson."""
MOVED: Final = TRAIN + 100
SETTLED: Final = MOVED + STAY + 150
"""By then the average has come to the new level and has kept still there for long enough."""
LEAK: Final = SETTLED + 100


def moved(seconds: int = LEAK + 200) -> Floats:
    """From `MOVED` on the circuit runs at another load."""
    rows = circuit(seconds)
    rows[MOVED:] += MORE_LOAD
    return rows


def watcher(number: int = 0, **param: Any) -> PlainRule:
    """A rule that follows drift, and so takes operating points for known."""
    usual = {"adaptation": 0.002, "smoothing": 0.1, "ridge": 0.01, "shrink": 0.05, "clip": 100.0, "off": 0.85}
    return group("mahalanobis", number, **(usual | param))


def reasons(bank: Bank) -> list[Reason]:
    return [Reason(reason) for reason in bank.not_evaluated(START).reason]


def raised(rows: Floats, **param: Any) -> list[tuple[bool, int]]:
    return [(up, second) for up, second, _ in found([watcher(**param)], rows)]


def test_a_new_operating_point_is_found_once_and_reported_while_it_lasts() -> None:
    rows = moved()
    (up, began), (down, ended) = raised(rows)
    assert (up, down) == (True, False)
    assert MOVED <= began < MOVED + 10
    assert MOVED + STAY < ended < SETTLED
    bank = Bank({"mahalanobis": table([watcher()])})
    feed(bank, stream(rows[:MOVED]))
    assert reasons(bank) == []
    feed(bank, stream(rows[MOVED:], since=MOVED))
    assert reasons(bank) == [Reason.OPERATING_POINT_UNKNOWN]


def test_a_leak_is_found_at_the_new_operating_point_as_it_is_at_the_old_one() -> None:
    rows = moved()
    rows[LEAK:, 1] -= 2.0
    findings = found([watcher()], rows)
    assert [up for up, _, _ in findings] == [True, False, True]
    assert LEAK <= findings[2][1] < LEAK + 60
    assert findings[2][2] in {0, 1}


def test_trembling_is_found_at_the_new_operating_point() -> None:
    rows = moved()
    rows[LEAK:, 2] += 0.15 * np.where(np.arange(len(rows) - LEAK) % 2, 1.0, -1.0)
    findings = found([watcher()], rows)
    assert [up for up, _, _ in findings][:3] == [True, False, True]
    assert LEAK <= findings[2][1] < LEAK + 60
    assert findings[2][2] == 2


def test_back_at_the_lessons_level_nothing_is_reported_and_the_other_point_is_found_again() -> None:
    """Nobody accepted it: the second visit may be a fault, and so may the third."""
    stay, home = SETTLED - MOVED, 150
    rows = circuit(MOVED + 3 * (stay + home))
    visits = [MOVED + visit * (stay + home) for visit in range(3)]
    for begin in visits:
        rows[begin : begin + stay] += MORE_LOAD
    bank = Bank({"mahalanobis": table([watcher()])})
    done = 0
    for begin in visits:
        for end, expected in ((begin + stay, [Reason.OPERATING_POINT_UNKNOWN]), (begin + stay + home, [])):
            findings = feed(bank, stream(rows[done:end], since=done))
            done = end
            assert reasons(bank) == expected
            if expected:
                assert findings.raised.tolist() == [True, False], "once a visit"
            else:
                assert findings.raised.tolist() in ([], [True, False]), "the way back may be seen"


def test_a_process_that_goes_on_moving_stays_in_alarm() -> None:
    rows = circuit(MOVED + 4 * STAY)
    rows[MOVED:] += np.linspace(0.0, 1.0, len(rows) - MOVED)[:, np.newaxis] * MORE_LOAD * 20
    assert [up for up, _ in raised(rows, clip=math.inf)] == [True]


def test_a_process_that_is_said_to_be_stationary_has_one_operating_point() -> None:
    rows = moved()
    assert [up for up, _ in raised(rows, adaptation=0.0)] == [True]
    both = [watcher(0, adaptation=0.0), watcher(1)]
    bank = Bank({"mahalanobis": table(both)})
    findings = feed(bank, stream(rows))
    assert [findings.raised[findings.rule == number].tolist() for number in (0, 1)] == [[True], [True, False]]


def test_after_a_gap_the_process_is_judged_by_its_lesson_again() -> None:
    rows = moved(SETTLED + 300)
    bank = Bank({"mahalanobis": table([watcher(ridge=0.0)])})
    feed(bank, stream(rows[:SETTLED]))
    assert reasons(bank) == [Reason.OPERATING_POINT_UNKNOWN]
    findings = feed(bank, stream(rows[SETTLED : SETTLED + 60], since=SETTLED + 600))
    assert findings.raised.tolist() == [True], "it is still there, and nobody accepted it"
    assert reasons(bank) == []


def drifting(seconds: int, slope: float) -> Floats:
    """The circuit while the hall warms up: its temperature goes one way all the while."""
    rows = circuit(seconds)
    rows[:, 3] += slope * np.arange(seconds)
    return rows


def test_a_member_that_drifted_all_through_the_lesson_is_not_judged_and_the_others_are() -> None:
    rows = drifting(TRAIN + 900, 0.1)
    bank = Bank({"mahalanobis": table([watcher(on=2.0, off=1.0)])})
    assert not len(feed(bank, stream(rows)))
    assert reasons(bank) == [Reason.MEMBER_UNKNOWN]
    rows[TRAIN + 400 :, 1] -= 2.0
    (up, second, cause), *_ = found([watcher(on=2.0, off=1.0)], rows)
    assert up
    assert TRAIN + 400 <= second < TRAIN + 460
    assert cause in {0, 1}


SLOW: Final = 0.025
"""Degrees a second: more than half of what the temperature does in a lesson, and not nearly all."""
LEFT: Final = MOVED + TRAIN + 50
"""By then a process has been away for longer than the lesson lasted, and the rule learns anew."""
LEARNT: Final = LEFT + TRAIN


def left_for_good(seconds: int = LEARNT + 500) -> Floats:
    """A lesson in which the hall warmed up; from `MOVED` on the load goes up, and stays where it is after `LEFT`."""
    rows = drifting(seconds, SLOW)
    rows[MOVED:] += np.minimum(np.arange(seconds - MOVED) / (LEFT - MOVED), 1.0)[:, np.newaxis] * MORE_LOAD * 20
    rows[LEFT:, 3] -= SLOW * np.arange(seconds - LEFT)
    return rows


def test_where_an_unsettled_lesson_was_left_for_as_long_as_it_lasted_the_rule_learns_anew_and_says_so() -> None:
    rows, bank = left_for_good(), Bank({"mahalanobis": table([watcher()])})
    assert feed(bank, stream(rows[:MOVED])).raised.tolist() == []
    findings = feed(bank, stream(rows[MOVED:LEFT], since=MOVED))
    assert findings.raised.tolist() == [True, False], "not evaluated is no alarm"
    assert (findings.time[1] - findings.time[0]) // 10**9 == TRAIN - 1
    assert reasons(bank) == [Reason.OPERATING_POINT_LEARNING]
    bank = bank.successor({"mahalanobis": table([watcher()])})
    assert not len(feed(bank, stream(rows[LEFT:LEARNT], since=LEFT)))
    assert reasons(bank) == [Reason.OPERATING_POINT_UNKNOWN], "it judges there, and nobody has accepted it"
    rows[LEARNT + 100 :, 1] -= 20.0
    assert feed(bank, stream(rows[LEARNT:], since=LEARNT)).raised.tolist()[:1] == [True]
    bank.teach("mahalanobis", "p0/r0", circuit(TRAIN))
    assert reasons(bank) == []


def test_where_the_lesson_was_settled_the_alarm_of_a_moving_process_stands() -> None:
    rows = left_for_good()
    rows[:TRAIN] = circuit(TRAIN)
    assert raised(rows[:LEFT]) == [(True, raised(rows[:LEFT])[0][1])]


def test_limits_are_wider_where_the_lesson_drifted() -> None:
    rows = drifting(TRAIN + 400, SLOW)
    rows[TRAIN:, 3] = rows[TRAIN - 1, 3] + circuit(TRAIN + 400)[TRAIN:, 3] - 30.0
    settled = circuit(TRAIN + 400)
    of_both = []
    for lesson in (rows, settled):
        bank = Bank({"mahalanobis": table([watcher()])})
        feed(bank, stream(lesson))
        arrays = bank.detectors()[0].state().arrays
        of_both.append((bool(arrays["unsettled"][0]), float(arrays["spread_limit"][0])))
    assert [unsettled for unsettled, _ in of_both] == [True, False]
    assert of_both[0][1] > 2 * of_both[1][1]


def wandering() -> Floats:
    """Four points one after the other, two of them twice, with missing values."""
    stays = [(0.0, 90), (1.0, SETTLED), (-0.8, SETTLED), (0.0, 90), (1.0, SETTLED), (1.6, SETTLED), (0.0, 200)]
    loads = np.concatenate([np.full(seconds, load) for load, seconds in [(0.0, TRAIN), *stays]])
    rows: Floats = circuit(len(loads)) + loads[:, np.newaxis] * MORE_LOAD
    rows[np.random.default_rng(8).random(rows.shape) < 0.02] = np.nan
    return rows


def test_scores_are_those_of_the_plain_model_over_many_operating_points() -> None:
    unsettled = left_for_good()
    unsettled[np.random.default_rng(8).random(unsettled.shape) < 0.02] = np.nan
    for rule, readings in (
        (watcher(), wandering()),
        (watcher(limit=4.0, ridge=0.0), wandering()),
        (watcher(), unsettled),
        (watcher(), drifting(TRAIN + 300, 0.1)),
    ):
        rows = stream(readings)
        ours, theirs = scored_rows(rule, rows), plain_rows(rule, rows)
        assert len(ours) == len(theirs)
        for mine, plain in zip(ours, theirs, strict=True):
            assert mine.score == pytest.approx(plain.score, rel=1e-6, abs=1e-9, nan_ok=True)


def test_batches_restarts_and_neighbours_change_nothing() -> None:
    rows = stream(np.concatenate((left_for_good(), wandering()[TRAIN:])))
    whole = feed(Bank({"mahalanobis": table([watcher()])}), rows)
    assert whole.raised.sum() > 4
    tables = {"mahalanobis": table([group("mahalanobis", 1, inputs=(2,)), watcher()])}
    bank, seen = Bank(tables), []
    for begin in range(0, len(rows), 4 * 97):
        bank = bank.successor(tables)
        findings = feed(bank, rows[begin : begin + 4 * 97])
        seen += [time for time, rule in zip(findings.time.tolist(), findings.rule.tolist(), strict=True) if rule == 0]
    assert seen == whole.time.tolist()


def test_who_learnt_before_operating_points_were_known_goes_on_and_learns_nothing_anew() -> None:
    rows, tables = stream(moved()), {"mahalanobis": table([watcher()])}
    bank = Bank(tables)
    feed(bank, rows[: 4 * MOVED])
    (detector,) = bank.detectors()
    new = ("unknown_point", "centre", "home", "level", "kept_still", "stood", "unsettled", "elsewhere")
    kept = detector.state()
    older = State(kept.key, {name: array.copy() for name, array in kept.arrays.items() if name not in new})
    restored = Bank(tables)
    restored.detectors()[0].restore(older)
    for point_bank in (bank, restored):
        assert not [reason for reason in reasons(point_bank) if reason is not Reason.NEVER_HEARD]
    later = rows[4 * MOVED :]
    assert feed(bank, later).time.tolist() == feed(restored, later).time.tolist()
