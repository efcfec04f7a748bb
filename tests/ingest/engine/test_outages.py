"""Every outage of a point and of a gateway is reported on time by the running engine, the third one like the first."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest

from detectors.kinds.silence import GRACE_S
from ingest.domain.model.batch import Batch
from ingest.storage.journal.commit import Commit
from tests.ingest.engine.test_clock_steps import POINTS, SECOND, SILENCE_S, Bench, Outstanding, Second, bench
from tests.small_plant import TEXT

HEALTHY = 5.0
GRACE = round(GRACE_S)
LIFE = 57  # s, of a service that is killed all the time
GATEWAY = {"CO-01": "GW-01", "CO-02": "GW-02"}


def silent(outstanding: Outstanding) -> set[str]:
    """The points with an alarm of silence."""
    return {point for point, rule in outstanding if rule == "SILENT"}


def one_impatient_point() -> str:
    """The plant in which CO-01 may be silent for 5 s, and everybody else for as long as the catalogue says."""
    return TEXT.replace('id = "CO-01"', f'id = "CO-01"\nsilence_s = {SILENCE_S}')


def expected(heard: Mapping[str, int], now: int) -> set[str]:
    """Which points were silent for too long, in seconds of uptime; of a gateway that never reported, it alone."""
    quiet = {point for point in POINTS if now - heard.get(point, 0) >= SILENCE_S}
    return {point for point in quiet if point in heard} | {GATEWAY[point] for point in quiet}


def live(made: Bench, talking: Mapping[str, list[tuple[int, int]]], seconds: int) -> None:
    """Points report in these spans of seconds (ends left out); silence is found within the second."""
    heard: dict[str, int] = {}
    for second in range(1, seconds):
        speaks = [point for point, spans in talking.items() if any(a <= second < b for a, b in spans)]
        heard |= dict.fromkeys(speaks, second)
        made.arrive(Second(dict.fromkeys(speaks, HEALTHY)))
        assert silent(made.judge()) == expected(heard, second), f"second {second}"


@pytest.mark.parametrize("first", [1, 3 * SILENCE_S], ids=["at once", "after it was missed"])
def test_each_of_three_outages_is_reported_on_time_also_where_the_service_started_first(first: int) -> None:
    with bench() as made:
        talks = [(first + at, first + at + 3) for at in (0, 20, 40)]
        live(made, dict.fromkeys(POINTS, talks), first + 60)


def test_a_gateway_that_never_connected_is_one_fact_and_one_that_did_is_none_over_restarts() -> None:
    """Before commissioning its points are not silent; later they are, whenever the service was started."""
    with bench() as made:
        for _ in range(10 * SILENCE_S):
            made.arrive(Second({}))
            assert silent(made.judge()) <= {"GW-01", "GW-02"}
        made.begin()
        made.arrive(Second({"CO-01": HEALTHY}))
        assert silent(made.judge()) == {"GW-02"}, "CO-02's gateway has still never been heard"
        made.begin()
        for _ in range(SILENCE_S):
            made.arrive(Second({}))
            outstanding = silent(made.judge())
        assert outstanding == {"GW-01", "GW-02", "CO-01"}


def test_an_outage_is_reported_on_time_beside_points_with_a_longer_allowance() -> None:
    with bench(one_impatient_point()) as made:
        for number, first in enumerate((10, 30, 50)):
            for second in range(first, first + 20):
                talks = [point for point in POINTS if point == "CO-02" or second < first + 4]
                made.arrive(Second(dict.fromkeys(talks, HEALTHY)))
                found = "CO-01" in silent(made.judge())
                assert found == (second >= first + 3 + SILENCE_S), f"outage {number + 1}, after {second - first} s"


def test_readings_of_points_nobody_knows_make_nobody_silent_whose_readings_wait_behind_them() -> None:
    """An engine that is behind goes by the times of arrival of all it comes to."""
    with bench() as made:
        made.arrive(Second(dict.fromkeys(POINTS, HEALTHY)))
        assert silent(made.judge()) == set()
        for _ in range(4 * SILENCE_S):
            made.clock.time += SECOND
            ones, at = np.ones(1), np.full(1, made.clock.time)
            stranger = Batch(np.full(1, 999, np.int32), at, ones, ones.astype(np.uint16) * 0, at)
            made.journal.append(Commit(stranger, 1))
            made.arrive(Second(dict.fromkeys(POINTS, HEALTHY)))
        while made.engine.lag():
            made.engine.process(1)
            assert silent(frozenset((a.point, a.rule) for a in made.engine.engine_state.alarms.values())) == set()


def test_random_outages_are_reported_over_restarts_by_the_uptime_of_the_service() -> None:
    """However often it dies and however long it is away; for 10 s after each start nobody newly falls silent."""
    draw = random.Random(4)  # noqa: S311  the same history every time
    with bench() as made:
        heard, newly_silent, talks = dict[str, int](), 0, dict.fromkeys(POINTS, True)
        outstanding, lives, back = set[str](), 0, -GRACE
        for second in range(1, 600):
            talks = {point: talking != (draw.random() < 0.12) for point, talking in talks.items()}
            speaks = [point for point in POINTS if talks[point]]
            heard |= dict.fromkeys(speaks, second)
            made.arrive(Second(dict.fromkeys(speaks, HEALTHY)))
            found, due = silent(made.judge()), expected(heard, second)
            assert found == (due if second - back >= GRACE else due & outstanding), f"second {second}"
            newly_silent += bool(found - outstanding)
            outstanding = found
            if draw.random() < 0.04:
                made.clock.time += draw.choice((1, 60, 86_400)) * SECOND
                made.begin()
                lives, back = lives + 1, second
        assert newly_silent > 30
        assert lives > 15


@pytest.mark.parametrize("speaks", [(), ("CO-02",)], ids=["nobody speaks", "others speak"])
def test_a_service_that_is_killed_every_minute_reports_silent_points(speaks: tuple[str, ...]) -> None:
    """A point that went, its gateway, and a gateway that never came; what may be lost is what was not yet committed."""
    with bench(TEXT.replace('id = "CO-01"', f'id = "CO-01"\nsilence_s = {3 * LIFE}')) as made:
        for _ in range(4):
            made.arrive(Second({"CO-01": HEALTHY}))
            made.judge()
        made.begin()
        up, silent_since = 0, dict[str, int]()
        for _ in range(5):
            for _ in range(LIFE):
                up += 1
                made.arrive(Second(dict.fromkeys(speaks, HEALTHY)))
                silent_since = dict.fromkeys(silent(made.judge()), up) | silent_since
            made.clock.time += 10 * SECOND
            made.begin()
        due = {"GW-01": 90, "CO-01": 3 * LIFE} | ({} if speaks else {"GW-02": 90})
        assert silent_since.keys() == due.keys()
        assert all(due[who] - 4 <= at <= due[who] + 2 * GRACE for who, at in silent_since.items()), silent_since
