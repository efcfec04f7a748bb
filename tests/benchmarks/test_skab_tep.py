"""The public-data benchmarks read their file formats and print what they promise; the detector keeps its promises."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import skab, tep
from benchmarks.multivariate import SmoothedMahalanobis, Tuning, distance

SENSORS = ("Current", "Pressure", "Temperature")


def related(rows: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Three sensors that follow one cause."""
    cause: NDArray[np.float64] = random.normal(size=(rows, 1)) * np.array([1.0, -2.0, 0.5])
    return cause + random.normal(20.0, 0.1, (rows, 3))


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    """A folder laid out as SKAB's: one recording with a fault in rows 500..599, one free of anomalies."""
    random = np.random.default_rng(3)
    rows = related(700, random)
    rows[500:600, 1] += 4.0
    for folder, name in (("valve1", "0"), ("anomaly-free", "anomaly-free")):
        labelled = folder == "valve1"
        lines = ["datetime;" + ";".join(SENSORS) + (";anomaly;changepoint" if labelled else "")]
        for i, row in enumerate(rows):
            stamp = f"2020-03-09 10:{i // 60:02d}:{i % 60:02d}"
            label = [f"{float(500 <= i < 600)}", "0.0"] if labelled else []
            lines.append(";".join([stamp, *map(repr, map(float, row)), *label]))
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def process(tmp_path: Path) -> Path:
    """A folder laid out as the Tennessee Eastman one: `d00.dat` on its side, a fault that shows, one that does not."""
    random = np.random.default_rng(5)
    runs = {name: random.normal(5.0, 1.0, (rows, 52)) for name, rows in {"d00": 400, "d00_te": 300}.items()}
    runs |= {name: random.normal(5.0, 1.0, (300, 52)) for name in ("d01_te", "d03_te")}
    runs["d01_te"][160:, 7] += 6.0
    for name, rows in runs.items():
        np.savetxt(tmp_path / f"{name}.dat", rows.T if name == "d00" else rows)
    return tmp_path


def test_the_skab_benchmark_finds_a_fault_and_compares_it_with_the_two_cheap_answers(loop: Path) -> None:
    figures = skab.measure(loop)
    assert list(figures["files"]) == ["valve1/0.csv"]
    assert figures["f1"] > 0.8
    assert figures["far"] < 0.15
    assert figures["event_recall"] == 1.0
    assert figures["median_delay_s"] < 30
    assert figures["always_alarm"] == {"f1": 0.5, "far": 1.0, "mar": 0.0}
    assert set(figures["plain_limit"]) == {"f1", "far", "mar"}
    assert {"mar", "false_alarms_per_day"} <= set(figures)


def test_the_tep_benchmark_leaves_the_faults_nobody_sees_out_of_its_mean(process: Path) -> None:
    figures = tep.measure(process)
    assert set(figures["faults"]) == {"d01", "d03"}
    assert figures["detection_rate"] == figures["faults"]["d01"]["detection_rate"] > 0.9
    assert figures["faults"]["d01"]["delay_min"] < 30
    assert figures["false_alarm_rate"] < 0.05
    assert figures["event_recall"] == 1.0
    assert figures["always_alarm"]["false_alarm_rate"] == 1.0
    assert "detection_rate" in figures["plain_limit"]
    assert {"false_alarms_per_day", "median_delay_s"} <= set(figures)


@pytest.mark.parametrize("benchmark", [skab, tep])
def test_a_folder_without_data_is_said_so(
    benchmark: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmark", "--data", str(tmp_path / "absent"), "--json"])
    main = skab.main if benchmark is skab else tep.main
    assert main() == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert "absent" in printed.err


@pytest.mark.parametrize("form", ["table", "json"])
def test_both_print_a_table_or_one_json_object(
    form: str, loop: Path, process: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for main, named in ((skab.main, "valve1/0.csv"), (tep.main, "d01")):
        monkeypatch.setattr(sys, "argv", ["benchmark", "--data", str(loop)] + ["--json"] * (form == "json"))
        assert main() == 0
        out = capsys.readouterr().out
        assert named in out
        if form == "json":
            assert isinstance(json.loads(out), dict)


def trained(tuning: Tuning) -> SmoothedMahalanobis:
    detector = SmoothedMahalanobis(tuning)
    detector.train(related(400, np.random.default_rng(11)))
    return detector


@pytest.mark.parametrize("tuning", [skab.TUNING, tep.TUNING])
def test_the_contributions_add_up_to_the_squared_score_and_name_the_faulty_sensor(tuning: Tuning) -> None:
    detector, score, contributions = trained(tuning), 0.0, np.zeros(3)
    limit = np.inf
    for row in related(50, np.random.default_rng(12)):
        score, limit, contributions = detector.step(row + np.array([0.0, 0.0, 2.0]))
    assert score > limit
    assert contributions.sum() == pytest.approx(score**2)
    assert contributions.argmax() == 2


@pytest.mark.parametrize("tuning", [skab.TUNING, tep.TUNING])
def test_missing_values_raise_no_alarm_and_hide_none_of_the_others(tuning: Tuning) -> None:
    detector = trained(tuning)
    rows = related(200, np.random.default_rng(13))
    rows[:, 0] = np.nan
    rows[::3] = np.nan
    assert not any(score > limit for score, limit, _ in map(detector.step, rows[:100]))
    shifted = [score > limit for score, limit, _ in map(detector.step, rows[100:] + np.array([0.0, 0.0, 4.0]))]
    assert shifted[-1]


def test_a_sensor_missing_in_training_altogether_is_not_judged() -> None:
    rows = related(400, np.random.default_rng(14))
    rows[:, 1] = np.nan
    detector = SmoothedMahalanobis(Tuning(ridge=0.01))
    detector.train(rows)
    score, limit, contributions = detector.step(np.array([20.0, 1e6, 20.0]))
    assert score < limit
    assert contributions[1] == 0


def test_an_alarm_is_released_below_the_limit_it_began_at() -> None:
    detector = trained(Tuning(limit=5.0, release=0.5))
    faulty = np.array([20.0, 20.0, 24.0])
    limits = [detector.step(faulty)[1] for _ in range(30)]
    assert limits[0] == 5.0
    assert limits[-1] == 2.5


def test_many_groups_at_once_would_score_bit_for_bit_as_one() -> None:
    """The sums run along the last axis, so a stack of groups adds up in the same order as a single one."""
    random = np.random.default_rng(15)
    weights, strayed = random.normal(size=(7, 52, 52)), random.normal(size=(7, 52))
    stacked = strayed * (weights * strayed[:, np.newaxis, :]).sum(axis=2)
    for group in range(7):
        assert np.array_equal(distance(strayed[group], weights[group])[1], stacked[group])
