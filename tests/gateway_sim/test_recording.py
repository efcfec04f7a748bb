from __future__ import annotations

from pathlib import Path

import pytest

from gateway_sim.recording import InvalidRecording, Layout, read_recording

HEAD = "datetime;Pressure;Temperature;Volume Flow RateRMS;anomaly"
FIRST = "2020-03-09 10:34:33;0.05;75.5;32.0;0.0"
SECOND = "2020-03-09 10:34:35;;75.6;32.9;0.0"
LAYOUT = Layout({"Pressure": "P-01", "Volume Flow RateRMS": "F-01"})


def _file(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "run.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_recording_is_read_with_times_in_its_own_zone(tmp_path: Path) -> None:
    recording = read_recording(_file(tmp_path, HEAD, FIRST, SECOND), LAYOUT)
    assert recording.time_ms == [1583721273000, 1583721275000]  # 10:34:33 in Shanghai is 02:34:33 UTC
    assert recording.values == {"P-01": [0.05, None], "F-01": [32.0, 32.9]}
    assert recording.readings == 4


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    lines = [line.replace(";", separator) for line in (HEAD, FIRST)]
    assert read_recording(_file(tmp_path, *lines), LAYOUT).values == {"P-01": [0.05], "F-01": [32.0]}


@pytest.mark.parametrize(
    "text",
    [
        "20200309103433",
        "20200309103433000",
        "1583721273000000",
        "1583721273000000000",
        "1583721273.0",
        "1.583721273e9",
        "2020-03-09T02:34:33.000000Z",
        "1583721273",
        "1583721273000",
        "2020-03-09T02:34:33Z",
        "2020/03/09 10:34:33",
        "2020-03-09 10:34:33+08:00",
    ],
)
def test_usual_ways_to_write_a_time_are_read(tmp_path: Path, text: str) -> None:
    recording = read_recording(_file(tmp_path, "t,x", f"{text},1"), Layout({"x": "P-01"}, "t"))
    assert recording.time_ms == [1583721273000]


@pytest.mark.parametrize(
    "text", ["0", "12", "43899.44", "20201332103433", "20200309", "9" * 20, "1e400", "nan", "0001-01-01"]
)
def test_what_is_no_time_of_our_days_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidRecording, match="YYYYMMDDHHMMSS"):
        read_recording(_file(tmp_path, "t,x", f"{text},1"), Layout({"x": "P-01"}, "t"))


def test_shifted_so_that_the_last_row_is_then(tmp_path: Path) -> None:
    recording = read_recording(_file(tmp_path, HEAD, FIRST, SECOND), LAYOUT)
    assert recording.shifted_to_end_at(10_000).time_ms == [8_000, 10_000]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "line 1: no column 'datetime'"),
        ([HEAD], "at least one line of readings"),
        (["datetime;Temperature", "2020-03-09 10:34:33;1"], "line 1: no column 'Pressure'"),
        (
            [HEAD, FIRST, "2020-03-09 10:34:35;x1;75.6;32.9;0.0"],
            "line 3: column 'Pressure' = 'x1': expected a finite number",
        ),
        ([HEAD, FIRST.replace("0.05", "inf")], "line 2: column 'Pressure' = 'inf': expected a finite number"),
        ([HEAD, "yesterday;0.05;75.5;32.0;0.0"], "line 2: column 'datetime' = 'yesterday': expected ISO 8601"),
        ([HEAD, SECOND, FIRST], "line 3: column 'datetime' = '2020-03-09 10:34:33': expected a time later"),
        ([HEAD, FIRST, FIRST], "line 3: column 'datetime'"),
        ([HEAD, "2020-03-09 10:34:33;0.05"], "line 2: 2 cells; expected 5"),
    ],
)
def test_a_fault_names_file_line_column_and_value(tmp_path: Path, lines: list[str], reason: str) -> None:
    file = _file(tmp_path, *lines)
    with pytest.raises(InvalidRecording) as caught:
        read_recording(file, LAYOUT)
    assert reason in str(caught.value)
    assert str(caught.value).startswith(str(file))


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecording, match="No such file"):
        read_recording(tmp_path / "none.csv", LAYOUT)


def test_an_unknown_timezone_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecording, match="Asia/Shanghai"):
        read_recording(_file(tmp_path, HEAD, FIRST), Layout({"Pressure": "P-01"}, timezone="Mars/Base"))
