"""The benchmark of processes that move reads its file formats, and counts events and healthy time as it promises."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import process, recordings
from benchmarks.process import by_event, seen
from benchmarks.process_records import Recording
from benchmarks.process_records import recordings as records_of

ROWS = 700
FAULT = slice(500, 600)


def related(random: np.random.Generator) -> NDArray[np.float64]:
    """Three sensors that follow one cause, one of which parts from it in a stretch."""
    rows: NDArray[np.float64] = random.normal(size=(ROWS, 1)) * np.array([1.0, -2.0, 0.5])
    return rows + random.normal(20.0, 0.1, (ROWS, 3))


def write(path: Path, header: list[str], table: list[list[object]]) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = [",".join(header), *(",".join(map(str, row)) for row in table)]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two runs of a rig with a fault each, a year of a network and an attacked one, a boiler; all small."""
    random = np.random.default_rng(3)
    stamps = np.datetime_as_string(np.datetime64("2016-07-04T00", "h") + np.arange(ROWS))
    for name in ("anything", "run-2"):
        rows = related(random)
        rows[FAULT, 1] += 4.0
        labels = [int(FAULT.start <= at < FAULT.stop) for at in range(ROWS)]
        table: list[list[object]] = [[at, *row, labels[at]] for at, row in enumerate(rows.tolist())]
        write(tmp_path / "cranfield" / f"{name}.csv", ["t_s", "x01", "x02", "x03", "fault"], table)
    for name, attack in (("quiet", 0.0), ("attacked", 4.0)):
        rows = related(random)
        rows[FAULT, 1] += attack
        table = [
            [
                f"{stamp[8:10]}/{stamp[5:7]}/{stamp[2:4]} {stamp[11:13]}",
                *row,
                (1 if FAULT.start <= at < FAULT.stop else -999 if at < 100 else 0) if attack else "",
            ]
            for at, (stamp, row) in enumerate(zip(stamps, rows.tolist(), strict=True))
        ]
        write(tmp_path / "batadal" / f"{name}.csv", ["DATETIME", "L_T1", "F_PU1", "S_PU1", "ATT_FLAG"], table)
    signal = random.normal(130.0, 1.0, ROWS)
    signal[FAULT] += 30.0
    table = [
        [f"{stamp[:10]} {stamp[11:]}:00:00", signal[at], int(FAULT.start <= at < FAULT.stop)]
        for at, stamp in enumerate(stamps)
    ]
    write(tmp_path / "boiler" / "pressure.csv", ["time", "value", "anomaly"], table)
    write(tmp_path / "boiler" / "notes.csv", ["when", "who"], [["today", "nobody"]])
    return tmp_path


def test_every_set_finds_its_fault_and_says_how_long_it_watched(data: Path) -> None:
    figures = process.measure(data)
    assert {name: line["events"] for name, line in figures.items()} == {"cranfield": 2, "batadal": 1, "boiler": 1}
    for name, line in figures.items():
        assert line["event_recall"] == line["raised_recall"] == 1.0, name
        assert line["false_alarms"] <= 4, name
        assert set(line["tune"] or line["judge"]) == set(line["rolling_z"]) == set(line["plain_limit"])
    assert figures["cranfield"]["healthy_h"] == round(2 * (ROWS - process.RIG_LESSON - 100 - 1) / 3600, 2)
    assert figures["batadal"]["healthy_h"] == ROWS - 100 - 100 - 1, (
        "its last row lasts no time; rows that nobody labelled are not healthy"
    )
    assert figures["batadal"]["year"]["healthy_h"] == ROWS - ROWS // 2 - 1, "what comes after the lesson"
    assert set(figures["cranfield"]["files"]) == {"anything", "run-2"}
    assert set(figures["boiler"]["files"]) == {"pressure"}


def test_the_figures_are_the_same_however_the_readings_come(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = process.measure(data)
    monkeypatch.setattr(recordings, "BATCH", 77)
    assert process.measure(data) == expected


def test_a_set_that_is_missing_is_none_and_all_missing_is_an_error(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "batadal").rename(data / "elsewhere")
    for arguments in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["benchmark", "--data", str(data), *arguments])
        assert process.main() == 0
        printed = capsys.readouterr().out
    assert json.loads(printed)["batadal"] is None
    assert json.loads(printed)["boiler"]["events"] == 1
    monkeypatch.setattr(sys, "argv", ["benchmark", "--data", str(data / "elsewhere"), "--set", "boiler"])
    assert process.main() == 2
    assert "'anomaly'" in capsys.readouterr().err


def test_a_folder_of_one_set_can_be_given_itself(data: Path) -> None:
    assert process.measure(data / "boiler", ["boiler"])["boiler"]["events"] == 1


def test_an_alarm_that_stood_before_an_event_is_not_raised_by_it() -> None:
    """Two events in ten rows; the alarm of the first begins before it and is one false alarm, in the first part."""
    truth = np.array([0, 0, 1, 1, 0, 0, 0, 1, 0, 0], bool)
    alarm = np.array([0, 1, 1, 1, 1, 0, 0, 1, 1, 0], bool)
    record = Recording("x", np.arange(10.0), np.zeros((10, 1)), truth, np.ones(10, bool))
    first, second = (seen(part).figures() for part in by_event(record, alarm, 0))
    assert (first["event_recall"], first["raised_recall"], first["false_alarms"]) == (1.0, 0.0, 1)
    assert (second["event_recall"], second["raised_recall"], second["false_alarms"]) == (1.0, 1.0, 0)
    assert first["healthy_time_in_alarm"] == 0.5
    assert second["healthy_time_in_alarm"] == 0.4, "it still stood after both events"


def test_times_that_nobody_can_read_are_an_error_that_shows_one(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", ["t_s", "x", "fault"], [["yesterday", 1.0, 0]])
    with pytest.raises(ValueError, match="'yesterday'"):
        records_of(tmp_path, "t_s", "fault")
