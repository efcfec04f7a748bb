"""Data as people have it gives one and the same table, whatever library it comes from."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import analyse
from detectors.workbench import InvalidData, InvalidRule
from detectors.workbench.frames import table_of
from detectors.workbench.layout import Layout
from tests.detectors.workbench.interchange import Frame

N = 90
CLOCK = [f"2024-01-01 08:{row // 60:02}:{row % 60:02}" for row in range(N)]
BEGIN_NS = int(dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp()) * 10**9  # 08:00 in Shanghai


def columns() -> dict[str, NDArray[Any]]:
    """Every type a column may have."""
    pressure = np.arange(N) / 8
    pressure[7] = np.nan
    return {
        "time": np.array(CLOCK, object),
        "pressure": pressure,
        "count": np.arange(N) * 3,
        "running": np.arange(N) % 2 == 0,
        "shift": np.array([None, *["早班，一号工段"] * (N - 1)], object),
    }


def relation(folder: Path) -> duckdb.DuckDBPyRelation | None:
    """The same as a table of DuckDB, which speaks Arrow."""
    lines = ["time,pressure,count,running,shift"]
    lines += [
        f"{CLOCK[r]},{'' if r == 7 else r / 8},{r * 3},{r % 2 == 0},{'早班，一号工段' if r else ''}" for r in range(N)
    ]
    (folder / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    types = "{'time': 'VARCHAR', 'pressure': 'DOUBLE', 'count': 'INTEGER', 'running': 'BOOLEAN', 'shift': 'VARCHAR'}"
    return duckdb.sql(f"SELECT * FROM read_csv('{folder / 'rows.csv'}', columns={types})")  # noqa: S608  made up here


@pytest.mark.parametrize("kind", ["dict", "interchange", "arrow", "csv"])
def test_one_table_from_every_library(kind: str, tmp_path: Path) -> None:
    arrow = relation(tmp_path)
    data = {"dict": columns(), "interchange": Frame(columns()), "arrow": arrow, "csv": tmp_path / "rows.csv"}[kind]
    table = table_of(data)
    assert table.columns == ("pressure", "count", "running")
    assert table.time_column == "time"
    np.testing.assert_array_equal(table.time, BEGIN_NS + np.arange(N) * 10**9)
    wanted = np.array([np.arange(N) / 8, np.arange(N) * 3, np.arange(N) % 2 == 0], np.float64).T
    wanted[7, 0] = np.nan
    np.testing.assert_array_equal(table.rows(0, N), wanted)
    np.testing.assert_array_equal(table.column("count"), wanted[:, 1])
    assert [(fact.what, fact.column) for fact in table.facts] == [("text", "shift")]


def test_arrow_in_many_pieces_and_of_every_number(tmp_path: Path) -> None:
    """Batches, slices, times with and without a zone, dates, small and large numbers, nulls, long and short texts."""
    table = table_of(
        duckdb.sql(
            "SELECT TIMESTAMPTZ '2024-01-01 00:00:00Z' + i * INTERVAL 1 SECOND AS at, i::TINYINT AS tiny,"
            " (i * 3)::UBIGINT AS big, i / 4::FLOAT AS single,"
            " CASE WHEN i % 5 = 0 THEN NULL ELSE i::DOUBLE END AS holes,"
            " CASE WHEN i % 3 = 0 THEN NULL ELSE i % 2 = 0 END AS switch, i::VARCHAR AS digits"
            " FROM range(0, 100) r(i) ORDER BY i"
        )
    )
    assert table.columns == ("tiny", "big", "single", "holes", "switch", "digits")
    assert table.time[0] == BEGIN_NS
    i = np.arange(100.0)
    np.testing.assert_array_equal(table.column("big"), i * 3)
    np.testing.assert_array_equal(table.column("single"), i / 4)
    np.testing.assert_array_equal(table.column("holes"), np.where(i % 5 == 0, np.nan, i))
    np.testing.assert_array_equal(table.column("switch"), np.where(i % 3 == 0, np.nan, i % 2 == 0))
    np.testing.assert_array_equal(table.column("digits"), i)


def test_decimals_are_numbers() -> None:
    """As databases have them: with and without decimals, below 0, beyond 64 bits, NULL."""
    table = table_of(
        duckdb.sql(
            "SELECT i AS time, (i - 1700000050)::DECIMAL(12, 0) / 8 AS ratio, ((i - 1700000050) * 0.25) AS x,"
            " ((i - 1700000050) * 1000000000000000000000.5)::DECIMAL(38, 1) AS far,"
            " CASE WHEN i % 5 = 0 THEN NULL ELSE (i - 1700000050)::DECIMAL(18, 3) END AS holes"
            " FROM range(1700000000, 1700000100) r(i) ORDER BY i"
        )
    )
    away = np.arange(-50.0, 50.0)
    assert table.columns == ("ratio", "x", "far", "holes")
    np.testing.assert_array_equal(table.column("x"), away / 4)
    np.testing.assert_allclose(table.column("far"), away * 1e21, rtol=1e-12)
    np.testing.assert_array_equal(table.column("holes"), np.where(away % 5 == 0, np.nan, away))


def test_columns_of_one_name_are_told_apart() -> None:
    arrow = duckdb.sql("SELECT i AS time, i AS x, i * 2 AS x FROM range(1700000000, 1700000100) r(i)")
    keyed = {"time": CLOCK, 1: np.arange(N), "1": np.arange(N) * 2}
    assert table_of(keyed).columns == ("1", "1 (2)")
    assert len(table_of(arrow).columns) == 2


def test_times_without_a_zone_are_those_of_the_zone_given() -> None:
    """Also where its clocks are set: 2024-03-31 02:00 in Berlin is 03:00."""
    naive = np.array(["2024-03-31T01:59:59", "2024-03-31T03:00:00"] * 20, "datetime64[s]") + np.repeat(np.arange(20), 2)
    times = {"ts": naive, "x": np.arange(40.0)}
    table = table_of(times, Layout(timezone="Europe/Berlin"))
    assert table.time[0] == int(dt.datetime(2024, 3, 31, 0, 59, 59, tzinfo=dt.UTC).timestamp()) * 10**9
    assert np.diff(table.time).min() == 10**9


def test_what_is_no_table_is_refused_by_name() -> None:
    for data, words in (
        (3, "int"),
        ({"time": CLOCK, "x": [1.0, 2.0]}, "columns of one length"),
        ({"x": np.arange(50.0)}, "a column of times"),
        ({"time": CLOCK, "name": ["a"] * N}, "at least one column of numbers"),
        ({"time": CLOCK, "name": ["a"] * N}, "column 'name' = 'a': expected"),
        ({}, "at least one row"),
        ({"curve": np.zeros((50, 2)), "phase": np.ones(50) * 1j}, "curve, phase: expected flat columns"),
        ({"time": ["soon", *CLOCK[1:]], "x": np.arange(N) * 1.0}, None),
    ):
        if words is None:
            facts = table_of(data).facts
            assert [(fact.what, fact.many, fact.line, fact.value) for fact in facts] == [("no time", 1, 1, "soon")]
        else:
            with pytest.raises(InvalidData, match=words):
                table_of(data)
    with pytest.raises(InvalidRule, match="did you mean 'pressure'"):
        analyse(columns(), columns=["presure"])
