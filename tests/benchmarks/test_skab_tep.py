"""The public-data benchmarks read their file formats and print what they promise, whatever the batches."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import recordings, skab, tep
from benchmarks.halves import HALVES, by_half, half

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
    assert figures["far"] < 0.2, "it stands until the average has come back"
    assert {half: figures[half] is not None for half in HALVES} == {"tune": True, "judge": False}
    assert figures["tune"] == {name: figures[name] for name in ("f1", "far", "mar")}
    assert figures["event_recall"] == 1.0
    assert figures["median_delay_s"] < 30
    assert figures["always_alarm"] == {"f1": 0.5, "far": 1.0, "mar": 0.0}
    assert set(figures["plain_limit"]) == set(figures["pca"]) == {"f1", "far", "mar"}
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
    assert figures["pca"]["detection_rate"] > 0.5
    assert figures["limit"] > 1.0
    assert figures["tune"]["detection_rate"] == figures["detection_rate"]
    assert figures["judge"]["detection_rate"] is None, "d03 alone, which nobody sees"
    assert {"false_alarms_per_day", "median_delay_s"} <= set(figures)


@pytest.mark.parametrize("benchmark", [skab, tep])
def test_a_folder_without_data_is_reported(
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


def test_the_figures_are_the_same_however_the_readings_come(
    loop: Path, process: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = skab.measure(loop), tep.measure(process)
    monkeypatch.setattr(recordings, "BATCH", 77)
    assert (skab.measure(loop), tep.measure(process)) == expected


def test_an_active_alarm_is_reported_until_it_returns() -> None:
    """Ten quiet rows to learn from would do; the fault is in rows 60 to 69."""
    rows = related(100, np.random.default_rng(4))
    rows[60:70, 2] += 5.0
    bank = recordings.bank_of("spe", 3, {**skab.PCA, "train": 50.0, "share": 0.5})
    alarm = recordings.alarmed(bank, np.arange(100.0), rows)
    assert alarm[60:70].all()
    assert alarm.sum() < 15


def test_the_halves_of_a_set_follow_from_its_files_names_alone() -> None:
    names = [f"valve1/{at}.csv" for at in range(200)]
    assert {half(name) for name in names} == set(HALVES)
    assert 60 < sum(half(name) == "tune" for name in names) < 140
    assert by_half([(name, name) for name in names], len) == by_half([(name, name) for name in names[::-1]], len)
    assert by_half([("valve1/0.csv", 3)], sum) == {"tune": 3, "judge": None}
