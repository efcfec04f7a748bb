"""What is rare for a point is found, once, and nobody has to set a limit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import Bank, Findings, Readings
from detectors.contributions import Aspect
from detectors.examples import scores, tables
from detectors.kinds.surprise import USUAL
from tests.detectors.many import seconds
from tests.detectors.rule_tables import SECOND, rule, specimen, table
from tests.detectors.scored import START, Row, plain_rows, scored_rows
from tests.reference.plain import World
from tests.reference.scores import SCORES

HALF_HOUR = 1800.0
DAY = 48


def days(many: int, seed: int = 5, points: int = 10) -> NDArray[np.float64]:
    """Points every half an hour: a swing over the day, and noise."""
    random = np.random.default_rng(seed)
    return np.asarray(np.sin(np.arange(many * DAY) * 2 * np.pi / DAY) + random.normal(0, 0.1, (points, many * DAY)))


def found(values: NDArray[np.float64], on: float = 0.5, **param: float) -> list[list[int]]:
    """The rows at which each point trips."""
    judged = seconds("surprise", values, on, step_s=HALF_HOUR, **{**USUAL, **param})
    return [[round(at / HALF_HOUR) for raised, at in findings if raised] for findings in judged]


def one_by_one(values: NDArray[np.float64], step_s: float = HALF_HOUR, **param: float) -> NDArray[np.float64]:
    """The scores of one point."""
    time, point = (np.arange(len(values)) * step_s * SECOND).astype(np.int64), np.zeros(len(values), np.int32)
    (made,) = tables("surprise", 0.5, None, 0, **{**USUAL, **param}).values()
    (score,) = scores("surprise", made, Readings(point, time, values, time, point))
    return score


def test_what_is_normal_at_noon_is_surprising_at_night() -> None:
    values = days(25)
    night = 20 * DAY + 36
    values[:, night : night + 12] = 1.0  # what every day shows at its row 12
    for rows in found(values):
        assert any(night <= row < night + 4 for row in rows)


def test_one_event_speaks_once_not_at_every_reading() -> None:
    values = days(25)
    values[:, 20 * DAY :] += 4.0
    for rows in found(values):
        announced = [row for row in rows if 20 * DAY <= row < 20 * DAY + USUAL["hold"]]
        assert announced[0] == 20 * DAY
        assert len(announced) <= 2


def test_within_the_hold_only_what_is_clearly_rarer_speaks() -> None:
    values = days(25, points=1)
    values[0, 20 * DAY] += 2.0
    values[0, 20 * DAY + 20] += 1.0
    assert [row for row in found(values)[0] if row >= 20 * DAY] == [20 * DAY]
    values[0, 20 * DAY + 20] += 30.0
    assert [row for row in found(values)[0] if row >= 20 * DAY] == [20 * DAY, 20 * DAY + 20]


def test_the_same_spike_is_told_the_second_and_the_third_time() -> None:
    random = np.random.default_rng(2)
    values = 136.0 + np.abs(random.normal(0, 0.8, (10, 4000)))
    spikes = [1500, 1680, 2600, 2750, 3700]  # two of them soon after the one before
    for at in spikes:
        values[:, at : at + 3] = 165.0
    for rows in found(values):
        assert [row for row in rows if row in spikes] == spikes


def test_a_slow_drift_is_told() -> None:
    """Eight times the noise, over 400 readings: no reading departs much from the fifty before it."""
    random = np.random.default_rng(4)
    values = random.normal(0, 1, (10, 2500))
    values[:, 1800:2200] += np.linspace(0, 8, 400)
    values[:, 2200:] += 8
    for rows in found(values):
        assert any(1800 < row < 2000 for row in rows)


Noise = Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]
NOISES: dict[str, Noise] = {
    "normal": lambda random, shape: random.normal(0, 1, shape),
    "uniform": lambda random, shape: random.uniform(0, 1, shape),
    "exponential": lambda random, shape: random.exponential(1, shape),
    "heavy tails": lambda random, shape: random.lognormal(0, 1.5, shape),
    "counts, mostly zero": lambda random, shape: random.poisson(0.2, shape).astype(float),
    "wandering": lambda random, shape: np.cumsum(random.normal(0, 1, shape), axis=1),
}


@pytest.mark.parametrize("noise", NOISES)
def test_one_limit_means_much_the_same_whatever_the_noise(noise: str) -> None:
    """One reading in 400 is as rare, by definition."""
    values = NOISES[noise](np.random.default_rng(6), (10, 5000))
    assert 1 / 4000 < sum(map(len, found(values))) / values.size < 1 / 150


def test_a_signal_of_which_nothing_is_unusual_stays_below_on() -> None:
    """By definition one reading in 400 is as rare; the hold makes of them an alarm in a week or two."""
    rows = found(days(60, points=20))
    assert sum(map(len, rows)) / (20 * 60) < 0.1
    assert not any(map(len, found(days(60, points=20), on=0.7)))


@pytest.mark.parametrize("level", [0.0, 0.1, -1e9])
def test_a_flat_signal_never_surprises_whatever_its_level(level: float) -> None:
    score = one_by_one(np.full(900, level))
    assert np.isnan(score[: int(USUAL["least"])]).all()
    assert not score[int(USUAL["least"]) :].any()


def test_a_new_way_of_running_is_surprising_once_and_normal_after_some_days() -> None:
    values = days(60)
    values[:, 30 * DAY :] += 5.0
    for rows in found(values, on=0.6):
        assert next(row for row in rows if row >= 30 * DAY) == 30 * DAY
        assert not [row for row in rows if row > 40 * DAY]


def test_the_same_shape_in_another_unit_scores_the_same() -> None:
    (values,) = days(25, points=1)
    np.testing.assert_allclose(one_by_one(values * 1024.0), one_by_one(values))


def test_no_score_reaches_one_nor_looks_ahead() -> None:
    (values,) = days(25, points=1)
    values[1000] = 1e12
    score = one_by_one(values)
    assert np.nanmax(score) < 1.0
    np.testing.assert_array_equal(score[:900], one_by_one(values[:900]))


def test_missing_values_teach_nothing() -> None:
    (values,) = days(12, points=1)
    gappy = np.repeat(values, 2)
    gappy[1::2] = np.nan
    score = one_by_one(gappy, HALF_HOUR / 2)
    np.testing.assert_array_equal(score[::2], one_by_one(values))
    assert np.isnan(score[1::2]).all()


def test_local_time_decides_which_hour_it_is() -> None:
    """The hours are whole ones of local time: half an hour off, other readings share a visit."""
    (values,) = days(25, points=1)
    np.testing.assert_array_equal(one_by_one(values, offset_s=7 * 86_400.0), one_by_one(values))
    assert (one_by_one(values, offset_s=1800.0)[200:] != one_by_one(values)[200:]).any()


def stream(many: int) -> list[tuple[int, int, float]]:
    """Point 1, the gate, and point 0 every twenty minutes or so: a swing, wild values, a shift, gaps, no values."""
    random = np.random.default_rng(11)
    time = START + np.cumsum(random.choice([1200, 1200, 1200, 700, 30_000], many, p=[0.33, 0.33, 0.3, 0.03, 0.01]))
    swing = 10 + 3 * np.sin(time / 86_400 * 2 * np.pi)
    value = swing + random.normal(0, 0.3, many) + 6 * random.standard_t(2, many) * (random.random(many) < 0.02)
    value[many // 2 :] += 4.0
    value[random.random(many) < 0.02] = math.nan
    gate = np.where(random.random(many) < 0.1, 0.0, 1.0)
    time = START + (time - START) * SECOND
    pairs = zip(time.tolist(), gate.tolist(), value.tolist(), strict=True)
    return [row for at, shut, seen in pairs for row in ((1, at, shut), (0, at, seen))]


@pytest.mark.parametrize("gate", [None, (1, ">=", 0.5)])
def test_weeks_of_readings_score_as_in_plain_loops(gate: tuple[int, str, float] | None) -> None:
    """Seasons, tails and holds come into play only after some time."""
    rows = stream(5000)
    for made in (specimen, lambda kind, **more: rule(kind, 0, 0, 0.5, **{**USUAL, **more})):
        fast = scored_rows(made("surprise", gate=gate), rows, cuts=[7, 3000, 3001])
        plain = plain_rows(made("surprise", gate=gate), rows)
        judged = np.array([row[2] for row in rows[::2]]) >= (0.5 if gate else -1.0)
        mine, theirs = (np.array([scored.score for scored in rows]) for rows in (fast, plain))
        np.testing.assert_allclose(mine[judged], theirs[judged], rtol=1e-9)
        assert (mine[judged] >= 0.5).sum() > 10


Aspects = list[tuple[Aspect, float]]


def fed(bank: Bank, rows: list[Row]) -> Findings:
    point, time, value = (np.array(column) for column in zip(*rows, strict=True))
    point = point.astype(np.int32)
    return bank.update(Readings(point, time, value.astype(np.float64), time, point), int(time[-1]))


def aspects(cuts: list[int], rows: list[Row]) -> dict[int, Aspects]:
    """By the time of each trip of point 0: what contributed, the largest share first; a new bank from each cut on."""
    found: dict[int, Aspects] = {}
    dump = b""
    for begin, end in itertools.pairwise([0, *cuts, len(rows)]):
        bank = Bank({"surprise": table([rule("surprise", 0, 0, 0.5, **USUAL)])})
        if dump:
            bank.load(dump)
        findings = fed(bank, rows[begin:end])
        dump = bank.dump()
        for at, trips in enumerate(findings.raised.tolist()):
            assert findings.contributions is not None
            named = findings.contributions.of(at)
            assert all(each.point == 0 for each in named)
            assert bool(named) == trips, "a return names nothing"
            if trips:
                found[int(findings.time[at])] = [(each.aspect, each.share) for each in named]
    return found


def test_a_finding_names_the_aspects_that_count_as_the_plain_loop_does_for_any_cut_and_restart() -> None:
    rows = [row for row in stream(2600) if row[0] == 0]
    whole = aspects([], rows)
    assert {aspect for named in whole.values() for aspect, _ in named} == {*Aspect} - {Aspect.WHOLE}
    assert len({named[0][0] for named in whole.values()}) > 2, "it is not always the same that leads"
    assert aspects([5, 1700, 1701, 2599], rows) == whole
    plain, world, expected = rule("surprise", 0, 0, 0.5, **USUAL), World(), {}
    for _, time, value in rows:
        if SCORES["surprise"](plain, time, value, True, world) >= 0.5:
            terms = zip((Aspect.SEASON, Aspect.SHIFT, Aspect.JUMP, Aspect.DRIFT), plain.memory["blame"], strict=True)
            expected[time] = {aspect: term / sum(plain.memory["blame"]) for aspect, term in terms}
    assert expected.keys() >= whole.keys()
    for time, named in whole.items():
        assert sum(share for _, share in named) == pytest.approx(1, abs=0.03)
        assert dict(named) == pytest.approx({aspect: expected[time][aspect] for aspect, _ in named}, rel=1e-6)


def test_a_slow_drift_a_spike_and_a_strange_hour_are_told_apart() -> None:
    random = np.random.default_rng(4)
    drifting, spike, odd = random.normal(0, 1, 2500), random.normal(0, 1, 2500), days(40, points=1)[0]
    drifting[1800:2200] += np.linspace(0, 8, 400)
    spike[2000] += 7.0
    odd[30 * DAY + 36 : 30 * DAY + 40] = 1.0  # what noon shows, at night
    for values, since, named_aspects in (
        (drifting, 1800, {Aspect.DRIFT}),
        (spike, 2000, {Aspect.SEASON, Aspect.JUMP}),
        (odd, 30 * DAY + 36, {Aspect.SEASON}),
    ):
        rows = [(0, START + at * 1800 * SECOND, float(value)) for at, value in enumerate(values)]
        named = next(named for time, named in aspects([], rows).items() if time >= rows[since][1])
        assert {aspect for aspect, share in named if share > 0.1} == named_aspects


def test_a_rule_keeps_at_most_two_kib() -> None:
    (detector,) = Bank({"surprise": table([rule("surprise", 0, 0, 0.5, **USUAL)])}).detectors()
    assert sum(array.nbytes for array in detector.state().arrays.values()) <= 2048
