"""Which readings belong to a function check, by plain loops; however they are cut, and over a restart."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.model.batch import Batch, concat
from ingest.domain.model.flags import CHECKED, Flag
from ingest.domain.quality.function_check import CheckSpan, FunctionChecks

POINTS = 3
LONGEST = 5
CHECK = int(Flag.FUNCTION_CHECK)


def batch(rows: list[tuple[int, int, int]]) -> Batch:
    """Rows of (point, time in ns, flags)."""
    point, time, flags = (np.array([row[at] for row in rows], np.int64) for at in range(3))
    return Batch(point.astype(np.int32), time, np.zeros(len(rows)), flags.astype(np.uint16), time)


def restarted(checks: FunctionChecks) -> FunctionChecks:
    loaded = FunctionChecks(POINTS)
    loaded.load(json.loads(json.dumps(checks.state())))
    return loaded


STREAM = st.lists(st.tuples(st.integers(0, POINTS - 1), st.booleans(), st.integers(1, 4)), max_size=40)
"""Readings in their order: point, whether its gateway flags it, and how much later than the one before it is."""


@given(STREAM, st.lists(st.integers(0, 40), max_size=5), st.booleans())
def test_what_a_gateway_flags_for_too_long_is_overdue_until_it_stops(
    stream: list[tuple[int, bool, int]], cuts: list[int], restarts: bool
) -> None:
    rows, now = list[tuple[int, int, int]](), 0
    for point, flagged, later in stream:
        now += later
        rows.append((point, now, CHECK * flagged))
    since, expected = dict[int, int](), list[int]()
    for point, time, flags in rows:
        since = {**since, point: since.get(point, time)} if flags else {p: t for p, t in since.items() if p != point}
        expected.append(int(CHECKED) if flags and time - since[point] >= LONGEST else flags)
    checks, parts = FunctionChecks(POINTS), list[Batch]()
    for begin, end in pairwise(sorted({0, *(min(cut, len(rows)) for cut in cuts), len(rows)})):
        checks = restarted(checks) if restarts else checks
        parts.append(checks.timed(batch(rows[begin:end]), LONGEST))
    assert concat(parts).flags.tolist() == expected


SPANS = st.lists(
    st.tuples(st.integers(0, POINTS - 1), st.integers(1, 9), st.integers(1, 9), st.integers(1, 15)), max_size=6
)
"""Checks one after another: point, pause before it, how long it may last, when it is ended."""


@given(
    SPANS, st.lists(st.tuples(st.integers(0, POINTS), st.integers(0, 90), st.booleans()), max_size=30), st.booleans()
)
def test_what_a_person_began_covers_its_time_and_is_overdue_after(
    checked: list[tuple[int, int, int, int]], readings: list[tuple[int, int, bool]], restarts: bool
) -> None:
    """In any order, so late ones too; a check may go on when nobody ends it; points numbered later have none."""
    checks, spans, at = FunctionChecks(POINTS), list[tuple[int, CheckSpan]](), dict[int, int]()
    for point, pause, may, lasts in checked:
        begins = at.get(point, 0) + pause
        checks.keep(point, CheckSpan(begins, begins + may))
        checks.keep(point, span := CheckSpan(begins, begins + may, begins + lasts))
        spans.append((point, span))
        at[point] = span.ended
    checks = restarted(checks) if restarts else checks
    expected = []
    for point, time, flagged in readings:
        flags = CHECK * flagged
        for of, (begins, until, ended) in spans:
            if of == point and begins < time <= ended:
                flags = CHECK if time < until else int(CHECKED)
        expected.append(flags)
    rows = [(point, time, CHECK * flagged) for point, time, flagged in readings]
    assert checks.marked(batch(rows)).flags.tolist() == expected


def test_a_batch_of_points_that_were_never_checked_is_left_as_it_is() -> None:
    checks, readings = FunctionChecks(POINTS), batch([(0, 1, 0), (1, 1, 0)])
    checks.keep(2, CheckSpan(0, 9))
    assert checks.marked(checks.timed(readings, LONGEST)) is readings


def test_another_number_of_points_keeps_what_is_known() -> None:
    checks = FunctionChecks(POINTS)
    checks.keep(1, CheckSpan(0, 9))
    checks.timed(batch([(0, 1, CHECK), (2, 1, CHECK)]), LONGEST)
    larger = checks.successor(POINTS + 2)
    assert larger.state() == checks.state()
    assert checks.successor(1).state() == {"since": [[0, 1]], "spans": []}


def test_a_check_that_a_person_begins_now_lasts_its_own_time_whatever_the_gateway_has_flagged() -> None:
    """Somebody takes over a test that a gateway has flagged for too long; afterwards that counts again."""
    checks = FunctionChecks(POINTS)
    checks.keep(0, CheckSpan(10, 20, 15))
    readings = batch([(0, time, CHECK) for time in (1, 9, 12, 16)])
    assert checks.marked(checks.timed(readings, LONGEST)).flags.tolist() == [CHECK, CHECKED, CHECK, CHECKED]
