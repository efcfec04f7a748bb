"""Silence is judged from the list of points, by arrival time."""

from __future__ import annotations

import numpy as np

from detectors import Bank, Readings
from tests.detectors.rule_tables import SECOND, rule, table

START = 1_700_000_000 * SECOND
NOBODY, NEVER = np.empty(0, np.int32), np.empty(0, np.int64)
NOTHING = Readings(NOBODY, NEVER, np.empty(0), NEVER, NOBODY)


def heard(point: int, at: int, carrier: int = 9) -> Readings:
    """One reading that arrived at `at`."""
    time = np.array([at])
    return Readings(np.array([point], np.int32), time, np.array([1.0]), time, np.array([carrier], np.int32))


def silence() -> Bank:
    """Points 0 and 1 may be silent for 5 s, device 9 for 8 s."""
    return Bank({"silence": table([rule("silence", 0, 0, 5), rule("silence", 1, 1, 5), rule("silence", 2, 9, 8)])})


def test_a_point_that_was_never_heard_is_found_silent() -> None:
    detector = silence()
    detector.update(NOTHING, START)
    detector.update(heard(0, START + 4 * SECOND), START + 4 * SECOND)
    found = detector.update(NOTHING, START + 5 * SECOND)
    assert found.rule.tolist() == [1]
    assert found.raised.tolist() == [True]
    assert found.onset.tolist() == [START + 5 * SECOND]


def carried() -> Bank:
    """As `silence`, but both points wait for device 9."""
    two = [rule("silence", number, number, 5, inputs=(9,)) for number in (0, 1)]
    return Bank({"silence": table([*two, rule("silence", 2, 9, 8)])})


def test_a_device_that_was_never_heard_is_one_fact() -> None:
    """However many points it carries; once it has reported, each of them is judged by itself."""
    detector = carried()
    assert [detector.update(NOTHING, START + second * SECOND).rule.tolist() for second in (0, 8, 90)] == [[], [2], []]
    found = detector.update(heard(0, START + 100 * SECOND), START + 100 * SECOND)
    assert (found.rule.tolist(), found.raised.tolist()) == ([2], [False])
    assert detector.update(NOTHING, START + 104 * SECOND).rule.tolist() == []
    assert sorted(detector.update(NOTHING, START + 105 * SECOND).rule.tolist()) == [0, 1]


def test_a_device_that_was_ever_heard_is_not_new_after_a_restart() -> None:
    """Also where only the points' readings tell so: who is silent was not remembered by earlier versions."""
    before, after = carried(), carried()
    before.update(heard(0, START), START)
    after.load(before.dump(silence=False))
    back = START + 3600 * SECOND
    after.resume(START, back, set())
    assert after.update(NOTHING, back).rule.tolist() == []
    assert sorted(after.update(NOTHING, back + 10 * SECOND).rule.tolist()) == [0, 1, 2]


def test_hearing_any_point_is_hearing_the_device_that_carries_it() -> None:
    detector = silence()
    detector.update(NOTHING, START)
    detector.update(heard(1, START + 7 * SECOND), START + 7 * SECOND)
    assert 2 not in detector.update(NOTHING, START + 9 * SECOND).rule


def test_a_silent_point_returns_with_its_first_reading() -> None:
    detector = silence()
    detector.update(NOTHING, START)
    detector.update(NOTHING, START + 20 * SECOND)
    found = detector.update(heard(0, START + 21 * SECOND), START + 21 * SECOND)
    assert (0, False) in zip(found.rule.tolist(), found.raised.tolist(), strict=True)


def test_time_in_which_nobody_listened_is_no_silence_of_the_points() -> None:
    detector = silence()
    detector.update(heard(0, START), START)
    back = START + 3600 * SECOND
    detector.resume(START + SECOND, back)
    assert len(detector.update(NOTHING, back)) == 0
    assert len(detector.update(NOTHING, back + 9 * SECOND)) == 0, "what waited meanwhile may be on its way"
    assert len(detector.update(NOTHING, back + 10 * SECOND)) == 3


def test_what_was_found_at_the_start_is_heard_then() -> None:
    """The age of a point that was not judged any more does not grow while the watcher is away."""
    detector = silence()
    detector.update(heard(0, START), START)
    back = START + 3600 * SECOND
    detector.resume(START + 4 * SECOND, back)
    detector.update(heard(0, START + 4 * SECOND), back)
    detector.update(heard(1, back + 8 * SECOND), back + 8 * SECOND)
    assert detector.update(NOTHING, back + 10 * SECOND).rule.tolist() == [0], "after 10 s"
    detector.resume(back + 10 * SECOND, 2 * back)
    detector.update(heard(0, back + 9 * SECOND), 2 * back)
    assert detector.update(NOTHING, 2 * back + SECOND).rule.tolist() == []


def test_a_watcher_that_comes_and_goes_tells_a_silence_once_it_has_watched_for_long_enough_in_sum() -> None:
    """Lives of 12 s with an hour between them: 60 s are over in the fifth."""
    bank = Bank({"silence": table([rule("silence", 0, 0, 60)])})
    bank.update(heard(0, START), START)
    now = START
    for life in range(1, 6):
        findings = [bank.update(NOTHING, now + second * SECOND).raised.tolist() for second in range(13)]
        assert findings == [[]] * 12 + [[True] if life == 5 else []]
        left, now = now + 12 * SECOND, now + 3600 * SECOND
        dump, bank = bank.dump(), Bank({"silence": table([rule("silence", 0, 0, 60)])})
        bank.load(dump)
        bank.resume(left, now)


def test_what_was_silent_before_the_watcher_left_stays_silent() -> None:
    detector = silence()
    detector.update(NOTHING, START)
    detector.update(NOTHING, START + 20 * SECOND)
    back = START + 3600 * SECOND
    detector.resume(START + 20 * SECOND, back)
    assert len(detector.update(NOTHING, back)) == 0, "no false return"
