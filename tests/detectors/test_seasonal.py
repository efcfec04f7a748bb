"""What is normal depends on the time of day, or on the phase of the process."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import Bank, Readings
from detectors.examples import evaluate
from tests.detectors.many import first, seconds
from tests.detectors.rule_tables import SECOND, rule, table
from tests.reference.plain import run
from tests.reference.scores import SCORES

HOUR, DAY = 3600.0, 86_400.0
NORMAL = {"period_s": DAY, "offset_s": 0.0, "least": 7.0, "floor": 0.5}


def days(many: int, seed: int = 3) -> NDArray[np.float64]:
    """Ten points every five minutes: 17 at night, 33 in the afternoon, and other weather every day."""
    random = np.random.default_rng(seed)
    hours = np.arange(many * 288) / 12
    day = 25 + 8 * np.sin(2 * np.pi * (hours - 9) / 24)
    return np.asarray(
        day + np.repeat(random.normal(0, 1, (10, many)), 288, axis=1) + random.normal(0, 0.3, (10, many * 288))
    )


def test_healthy_days_with_weather_give_no_findings() -> None:
    assert not any(seconds("profile", days(40), 6.0, 4.0, step_s=300.0, **NORMAL))


def test_what_is_normal_at_noon_is_found_at_midnight() -> None:
    values = days(15)
    midnight = 14 * 288 + 24  # two in the morning of the fifteenth day
    values[:, midnight : midnight + 12] += 14.0  # which makes it 31
    at = [first(found) for found in seconds("profile", values, 6.0, 4.0, step_s=300.0, **NORMAL)]
    assert all(midnight * 300 <= second < (midnight + 12) * 300 for second in at)
    assert not any(seconds("limit", values, 40.0, side=1.0, step_s=300.0))


def test_a_fault_never_teaches_however_long_it_lasts() -> None:
    values = days(40)
    values[:, 10 * 288 :] += 15.0
    for found in seconds("profile", values, 6.0, 4.0, step_s=300.0, **NORMAL):
        assert found[0][0]
        assert len(found) == 1, "tripped on the eleventh day and never returned"


def test_a_lone_spike_does_not_spoil_the_lesson_of_its_hour() -> None:
    hour = [20.0] * 11
    spiky = [*hour, 20.0] * 4 + [*hour, 99.0] + [*hour, 20.0] + [*hour, 29.0]
    found = evaluate("profile", spiky, 6.0, step_s=1.0, period_s=288.0, offset_s=0.0, least=1.0, floor=1.0)
    assert found == [], "a day of 24 hours of twelve readings each has not come round yet"
    found = evaluate("profile", spiky * 8, 6.0, step_s=1.0, period_s=288.0, offset_s=0.0, least=1.0, floor=1.0)
    assert any(line.startswith("trips") for line in found)


def test_local_time_decides_which_hour_it_is() -> None:
    """A shift at eight in China begins at midnight UTC: both name the same bins."""
    day = [20.0] * 8 + [30.0] * 16
    param = {"period_s": DAY, "least": 3.0, "floor": 0.5}
    utc = evaluate("profile", [*day * 5, 30.0], 6.0, step_s=HOUR, others=(), **param, offset_s=0.0)
    local = evaluate("profile", [*day * 5, 30.0], 6.0, step_s=HOUR, others=(), **param, offset_s=8 * HOUR)
    assert utc == local == ["trips at 432000 s: 20"]


def test_a_level_that_is_normal_late_in_a_cast_is_found_early_in_it() -> None:
    length = np.tile(np.linspace(0.0, 4000.0, 400), 8)
    level = np.tile(np.where(np.linspace(0.0, 4000.0, 400) < 500, 60.0, 80.0), 8)
    level += np.random.default_rng(2).normal(0, 0.5, len(level))
    level[7 * 400 + 20 : 7 * 400 + 30] = 80.0
    found = evaluate(
        "phase", level.tolist(), 6.0, 4.0, others=[length.tolist()], low=50.0, high=3990.0, least=3.0, floor=1.0,
        fresh_s=5.0,
    )  # fmt: skip
    assert [line.split(":")[0] for line in found] == ["trips at 2820 s", "returns at 2830 s"]


def test_a_phase_that_jitters_between_two_bins_is_one_visit_of_each() -> None:
    """Otherwise a stop at the border would be a dozen casts, and teach the rule that it knows the place."""
    jitter = [100.0, 300.0] * 12
    level = [60.0, 80.0] * 12
    param = {"low": 0.0, "high": 6400.0, "least": 2.0, "floor": 1.0, "fresh_s": 5.0}
    assert evaluate("phase", [*level, 0.0], 6.0, others=[[*jitter, 100.0]], **param) == []


@pytest.mark.parametrize("kind", ["profile", "phase"])
def test_a_long_dense_stream_gives_the_findings_of_plain_loops(kind: str) -> None:
    """Bins with neighbours, hundreds of visits, gaps, falls back by one bin."""
    random = np.random.default_rng(11)
    many = 6000
    phase = np.cumsum(random.choice([0.0, 1.0, 1.0, -0.6], many)) % 40 - 2
    value = 10 + np.sin(phase / 6) + random.normal(0, 0.3, many) + 4 * (random.random(many) < 0.02)
    value[random.random(many) < 0.02] = np.nan
    time = np.cumsum(random.choice([1, 1, 1, 7], many)) * SECOND
    param = {"profile": {"period_s": 48.0, "offset_s": 3.0}, "phase": {"low": 0.0, "high": 32.0, "fresh_s": 3.0}}[kind]
    rules = [
        rule(kind, n, 0, 3.0, 2.0, least=2.0, floor=0.1, inputs=(1,), gate=gate, **param)
        for n, gate in enumerate([None, (1, ">=", 5.0)])
    ]
    point = np.tile(np.array([1, 0], np.int32), many)
    readings = Readings(point, np.repeat(time, 2), np.array([phase, value]).T.ravel(), np.repeat(time, 2), point)
    expected = run(
        rules, list(zip(point.tolist(), readings.time.tolist(), readings.value.tolist(), strict=True)), SCORES
    )
    found = Bank({kind: table(rules)}).update(readings, int(time[-1]))
    columns = (found.rule, found.raised, found.time, found.onset)
    findings = [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    assert findings == expected
    assert len(findings) > 50


@pytest.mark.parametrize("kind", ["profile", "phase"])
def test_a_rule_keeps_at_most_600_bytes(kind: str) -> None:
    param = {"period_s": DAY, "offset_s": 0.0, "low": 0.0, "high": 1.0, "fresh_s": 1.0, "least": 3.0, "floor": 1.0}
    (detector,) = Bank({kind: table([rule(kind, 0, 0, 6.0, inputs=(1,), **param)])}).detectors()
    assert sum(array.nbytes for array in detector.state().arrays.values()) <= 620, "and the trip's own few"
