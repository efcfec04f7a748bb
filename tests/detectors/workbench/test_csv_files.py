"""CSV files as people have them are read; what cannot be is counted, and named by line, column and value."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from detectors.workbench import Fact, InvalidData, InvalidRule, Table
from detectors.workbench.csv_files import read_csv
from detectors.workbench.layout import Layout

EIGHT = int(dt.datetime(2024, 1, 3, tzinfo=dt.UTC).timestamp())  # 08:00 in Shanghai
HEAD = "时间,温度,压力"
ROWS = ["2024-01-03 08:00:00,20.5,1", "2024-01-03 08:00:10,21,2", "2024-01-03 08:00:20,21.5,3"]


def read(folder: Path, *lines: str, encoding: str = "utf-8", layout: Layout | None = None) -> Table:
    file = folder / "data.csv"
    file.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return read_csv(file, layout)


def facts(table: Table) -> list[Fact]:
    return [*table.facts]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_usual_encodings_are_found(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, HEAD, *ROWS, encoding=encoding)
    assert table.columns == ("温度", "压力")
    assert table.time_column == "时间"
    assert (table.time // 10**9 - EIGHT).tolist() == [0, 10, 20]
    assert table.column("温度").tolist() == [20.5, 21.0, 21.5]
    assert facts(table) == []


def test_a_file_that_turns_out_to_be_gbk_far_down_is_read_whole(tmp_path: Path) -> None:
    lines = [f"2024-01-03 08:{row // 60:02}:{row % 60:02},{row},ok" for row in range(3000)]
    table = read(tmp_path, "t,x,note", *lines, "2024-01-03 09:00:00,1,停机", encoding="gbk")
    assert len(table) == 3001


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found_and_so_are_decimal_commas(tmp_path: Path, separator: str) -> None:
    mark = "." if separator == "," else ","
    lines = [f"2024-01-03 08:00:0{row}{separator}{row}{mark}25{separator}-1{mark}5" for row in range(5)]
    table = read(tmp_path, separator.join(("time", "a", "b")), *lines)
    assert table.column("a").tolist() == [0.25, 1.25, 2.25, 3.25, 4.25]
    assert table.column("b").tolist() == [-1.5] * 5


def test_a_comma_among_points_is_no_decimal_comma(tmp_path: Path) -> None:
    """Where numbers have points, 1,234 could be a thousand or a little more than one: nobody guesses."""
    lines = [f"2024-01-03 08:00:0{row};{row}.5;1,234" for row in range(5)]
    table = read(tmp_path, "time;a;b", *lines)
    assert table.columns == ("a",)
    assert facts(table) == [Fact("text", 5, "b", 2, "1,234")]


def test_bad_cells_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    table = read(tmp_path, HEAD, *ROWS, "2024-01-03 08:00:30,ERR,inf", "2024-01-03 08:00:40,Bad,", "x,1,2", "1,2", "")
    assert facts(table) == [
        Fact("misshapen", 1, None, 8, "2"),
        Fact("no time", 1, "时间", 7, "x"),
        Fact("bad cells", 2, "温度", 5, "ERR"),
        Fact("bad cells", 1, "压力", 5, "inf"),
    ]
    np.testing.assert_array_equal(table.column("温度"), [20.5, 21, 21.5, np.nan, np.nan])


def test_columns_of_text_and_empty_ones_are_left_out_by_name(tmp_path: Path) -> None:
    table = read(tmp_path, "时间,班组,备用,温度", *(f"2024-01-03 08:00:0{row},甲班,,{row}" for row in range(5)))
    assert table.columns == ("温度",)
    assert facts(table) == [Fact("text", 5, "班组", 2, "甲班"), Fact("empty", 5, "备用")]


def test_rows_are_put_in_the_order_of_their_times_and_a_repeated_time_counts_once(tmp_path: Path) -> None:
    table = read(tmp_path, HEAD, ROWS[2], ROWS[0], ROWS[1], ROWS[1].replace(",21,", ",99,"))
    assert table.column("温度").tolist() == [20.5, 21, 21.5]
    assert facts(table) == [Fact("out of order", 1, "时间", 3), Fact("repeated time", 1, "时间", 5)]


def test_newest_first_is_read_as_well(tmp_path: Path) -> None:
    table = read(tmp_path, HEAD, *reversed(ROWS))
    assert table.column("压力").tolist() == [1, 2, 3]


def test_lines_above_the_header_and_a_separator_at_the_end_of_lines_are_passed_over(tmp_path: Path) -> None:
    lines = [f"{row}," for row in ROWS]
    table = read(tmp_path, "某某厂 历史数据", "", HEAD, *lines)
    assert table.columns == ("温度", "压力")
    assert facts(table) == [Fact("preamble", 2, None, 1, "某某厂 历史数据")]


@pytest.mark.parametrize(
    "time",
    ["2024/1/3 8:00", "2024-1-3 8:00:00.0", "2024年1月3日 8时0分0秒", "20240103080000", str(EIGHT), f"{EIGHT}000"],
)
def test_usual_ways_to_write_a_time(tmp_path: Path, time: str) -> None:
    assert read(tmp_path, "t,x", f"{time},1").time.tolist() == [EIGHT * 10**9]


def test_a_clock_that_is_not_set_in_summer_stays_even_over_the_year(tmp_path: Path) -> None:
    """Local times without a zone are China's, which has no summer time: an hour is an hour in March and October."""
    days = ["2024-03-31", "2024-10-27"]
    lines = [f"{day} 0{hour}:{half}0:00,{hour}" for day in days for hour in range(5) for half in (0, 3)]
    table = read(tmp_path, "t,x", *lines)
    assert set(np.diff(table.time).tolist()) - {int(table.time[10] - table.time[9])} == {1800 * 10**9}
    assert facts(table) == []


def test_a_format_of_its_own_and_rows_without_times(tmp_path: Path) -> None:
    given = read(tmp_path, "t,x", "03/01/24 08,1", layout=Layout(time_form="%d/%m/%y %H"))
    assert given.time.tolist() == [EIGHT * 10**9]
    rows = read(tmp_path, "x,y", "1,2", "3,4", layout=Layout(every_s=180))
    assert np.diff(rows.time).tolist() == [180 * 10**9]
    assert rows.columns == ("x", "y")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "line 1: '': expected a column of times and at least one of numbers"),
        (["hello"], "line 1: 'hello': expected a column of times"),
        ([HEAD], "expected at least one line of readings below the header"),
        (ROWS, "line 1: '2024-01-03 08:00:00,20.5,1': expected a header line"),
        (["a,b", "1,2"], "column 'a' = '1': expected a column of times"),
        (["time,b", "soon,2"], "column 'time' = 'soon': expected a column of times"),
        ([HEAD, "soon,1,2", "later,1,2", "2024-01-03 08:00:00,1,2"], "column '时间' = 'soon': expected"),
        (["time,b", "2024-01-03 08:00:00,x"], "expected at least one column of numbers beside the time"),
        ([HEAD, "2024-01-03,1", "2024-01-03,1", ROWS[0]], "line 2: 2 cells: expected 3 cells"),
    ],
)
def test_what_cannot_be_used_is_refused_by_file_line_column_and_value(
    tmp_path: Path, lines: list[str], words: str
) -> None:
    with pytest.raises(InvalidData) as error:
        read(tmp_path, *lines, layout=Layout(time="时间") if "soon,1,2" in lines else None)
    assert str(error.value).startswith(str(tmp_path / "data.csv"))
    assert words in str(error.value)
    assert error.value.zh


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(b"\xff\x00\xff\x81\n" * 9)
    with pytest.raises(InvalidData, match="expected text in UTF-8 or GBK"):
        read_csv(file)
    with pytest.raises(InvalidData, match="a file that can be read"):
        read_csv(tmp_path / "nothing.csv")
    with pytest.raises(InvalidRule, match="time column 'tme': did you mean 'time'"):
        read(tmp_path, "time,x", "2024-01-03,1", layout=Layout(time="tme"))
    with pytest.raises(InvalidData, match="an encoding such as gbk"):
        read(tmp_path, HEAD, *ROWS, layout=Layout(encoding="klingon"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "ascii"])
def test_an_encoding_that_is_not_the_file_s_is_refused_by_its_name(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "gbk.csv"
    file.write_text("时间,温度\n2024-01-01 08:00:00,1\n", encoding="gbk")
    with pytest.raises(InvalidData, match=f"expected text in {encoding}$"):
        read_csv(file, Layout(encoding=encoding))


def test_columns_of_one_name_are_told_apart_and_switches_are_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, "time,x,x,", *(f"2024-01-03 08:00:0{row},{row},TRUE,false" for row in range(3)))
    assert table.columns == ("x", "x (2)", "column 4")
    assert table.rows(0, 1).tolist() == [[0.0, 1.0, 0.0]]
