"""NAB's score against cases worked out by hand, and the harness on a small corpus of the same shape."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.nab import DETECTOR, DataMissing, corpus, main, measure, readings, rules, score_all
from benchmarks.nab_baselines import STEP, WINDOW, always_alarm, plain_limit, windowed_gaussian
from benchmarks.nab_score import NEVER, PROFILES, Weights, mark, points_at, probation, score_at, sweep
from detectors import Bank

WEIGHTS = Weights(found=1.1, false=0.11, missed=1.2)
MINUTE = 60 * 10**9


def sigmoid(position: float) -> float:
    return 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def points(scores: list[float], windows: list[tuple[int, int]], exempt: int = 0) -> float:
    return points_at(mark(len(scores), windows, exempt), np.array(scores), 0.5, WEIGHTS)


def test_never_alarming_costs_nothing_without_windows_and_a_miss_for_each() -> None:
    assert points([0] * 5, []) == 0.0
    assert points([0] * 7, [(1, 2), (4, 5)]) == pytest.approx(-2.4)


def test_every_alarm_before_any_window_costs_a_full_false_alarm() -> None:
    assert points([0, 1, 0, 1, 0], []) == pytest.approx(-0.22)


def test_probation_counts_for_nothing() -> None:
    assert points([0, 1, 0, 1, 0], [], exempt=4) == 0.0
    assert points([0, 1, 0, 1, 0], [], exempt=3) == pytest.approx(-0.11)
    assert (probation(1000), probation(4033), probation(22_695)) == (150, 604, 750)


def test_the_first_row_of_a_window_earns_its_weight_and_later_ones_less() -> None:
    assert points([0, 0, 0, 0, 1, 0, 0], [(4, 5)]) == pytest.approx(1.1)
    second = 1.1 * 0.8482836399575131 / 0.9866142981514305
    assert points([0, 0, 1, 0, 0, 0, 0], [(1, 2)]) == pytest.approx(second)
    assert points([0, 0, 1, 0, 0, 0, 0], [(1, 2), (4, 5)]) == pytest.approx(second - 1.2)
    assert points([0, 0, 1, 0, 1, 0, 0], [(1, 2), (4, 5)]) == pytest.approx(second + 1.1)


def test_a_window_earns_once() -> None:
    assert points([0, 0, 0, 0, 1, 1, 0], [(4, 5)]) == points([0, 0, 0, 0, 1, 0, 0], [(4, 5)])


def test_an_alarm_just_behind_a_window_costs_less_than_one_far_behind() -> None:
    quiet = points([0] * 40, [(2, 6)])
    near, far = ([0.0] * 40 for _ in range(2))
    near[7], far[30] = 1.0, 1.0
    assert points(near, [(2, 6)]) - quiet == pytest.approx(0.11 * sigmoid(1 / 4))
    assert points(far, [(2, 6)]) - quiet == pytest.approx(-0.11)


@pytest.mark.parametrize("weights", PROFILES.values(), ids=PROFILES)
def test_perfection_is_100_and_silence_0(weights: Weights) -> None:
    marked = mark(100, [(40, 50), (70, 79)])
    perfect = np.zeros(100)
    perfect[[40, 70]] = 1.0
    assert sweep([(marked, perfect)], weights).normalised == pytest.approx(100.0)
    silent = sweep([(marked, np.zeros(100))], weights)
    assert (silent.threshold, silent.normalised) == (NEVER, 0.0)


def test_the_sweep_finds_what_trying_every_threshold_finds() -> None:
    random = np.random.default_rng(3)
    files = [(mark(200, [(60, 80), (150, 160)]), random.integers(0, 60, 200) / 60.0) for _ in range(5)]
    files.append((mark(50, []), random.integers(0, 60, 50) / 60.0))
    for weights in PROFILES.values():
        best = sweep(files, weights)
        tried = [score_at(files, step / 60.0, weights).points for step in range(60)]
        assert best.points == pytest.approx(max(*tried, -weights.missed * 10))
        assert score_at(files, best.threshold, weights).normalised == pytest.approx(best.normalised)


def test_windowed_gaussian_equals_its_plain_loop() -> None:
    value = np.random.default_rng(1).normal(5.0, 2.0, WINDOW + 3 * STEP + 7)
    fast = windowed_gaussian(value)
    for row in (1, 2, 500, WINDOW, WINDOW + STEP - 1, WINDOW + STEP, WINDOW + 2 * STEP + 5):
        first = max(row - WINDOW, 0) // STEP * STEP
        past = value[first : min(row, first + WINDOW)]
        sigma = float(past.std()) or 1e-6
        assert fast[row] == pytest.approx(1 - 0.5 * math.erfc(abs(value[row] - past.mean()) / sigma / math.sqrt(2)))


def test_plain_baselines_say_what_they_are() -> None:
    value = np.array([0.0, 2.0, 0.0, 2.0, 3.9, 4.1])
    assert plain_limit(value, 4).tolist() == [0, 0, 0, 0, 0, 1]
    assert always_alarm(value).tolist() == [1] * 6


def signal(rows: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    time_ns = np.arange(rows, dtype=np.int64) * 30 * MINUTE
    day = np.sin(np.arange(rows) * 2 * np.pi / 48)
    return time_ns, day + np.random.default_rng(seed).normal(0, 0.1, rows)


def test_what_the_bank_finds_at_one_half_are_the_rows_that_begin_to_score_so(tmp_path: Path) -> None:
    recordings = corpus(small_corpus(tmp_path))
    found = Bank({"surprise": rules(2)}).update(readings(recordings), 0)
    for point, scores in enumerate(score_all(recordings)):
        detected = scores >= 0.5
        begins = np.flatnonzero(detected & ~np.append(False, detected[:-1]))
        mine = (found.rule == point) & found.raised
        np.testing.assert_array_equal(found.time[mine], recordings[point].time_ns[begins])
        np.testing.assert_array_equal(found.value[mine], scores[begins])
    assert found.raised.any()


def test_every_row_is_scored_also_where_the_clock_was_set_back(tmp_path: Path) -> None:
    (series, _) = corpus(small_corpus(tmp_path))
    back = replace(series, time_ns=series.time_ns - np.where(np.arange(900) >= 700, 120 * MINUTE, 0))
    (scores,) = score_all([back])
    assert len(scores) == 900
    assert scores[700:].any()


def small_corpus(folder: Path) -> Path:
    labels = {"real/shift.csv": [["2024-01-12 00:00:00.000000", "2024-01-13 00:00:00.000000"]], "art/plain.csv": []}
    for number, name in enumerate(labels):
        _, value = signal(900, number)
        value[48 * 11 + 10 :] += 5.0 * (number == 0)
        (folder / name).parent.mkdir(parents=True)
        with (folder / name).open("w", encoding="utf-8", newline="") as lines:
            table = csv.writer(lines)
            table.writerow(("timestamp", "value"))
            stamps = np.datetime64("2024-01-01T00:00:00") + np.arange(900) * np.timedelta64(30, "m")
            table.writerows(
                (str(at).replace("T", " "), reading) for at, reading in zip(stamps, value.tolist(), strict=True)
            )
    (folder / "combined_windows.json").write_text(json.dumps({**labels, "real/absent.csv": []}), encoding="utf-8")
    return folder


def test_the_harness_reads_the_corpus_finds_the_shift_and_writes_what_nab_reads(tmp_path: Path) -> None:
    data, out = small_corpus(tmp_path / "data"), tmp_path / "out"
    figures = measure(data, out)
    assert (figures["files"], figures["windows"], figures["event_recall"]) == (2, 1, 1.0)
    assert figures["standard"] > 80
    assert figures["standard"] >= figures["at_half"]["standard"]
    assert figures["always_alarm"]["standard"] < 0
    assert {"windowed_gaussian", "plain_limit", "thresholds", "false_alarms_per_day", "median_delay_s"} <= set(figures)
    with (out / DETECTOR / "real" / f"{DETECTOR}_shift.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["timestamp", "value", "anomaly_score", "label"]
    assert [row["timestamp"] for row in rows if row["label"] == "1"][::48] == [
        "2024-01-12 00:00:00",
        "2024-01-13 00:00:00",
    ]
    assert max(float(row["anomaly_score"]) for row in rows) >= figures["thresholds"]["standard"]


def test_a_missing_folder_is_reported_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "nowhere"), "--json"]) == 2
    output = capsys.readouterr()
    assert "nowhere" in output.err
    assert not output.out
    (tmp_path / "combined_windows.json").write_text('{"real/absent.csv": []}', encoding="utf-8")
    with pytest.raises(DataMissing, match="none of the 1 recordings"):
        corpus(tmp_path)


def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(small_corpus(tmp_path / "data")), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 2
