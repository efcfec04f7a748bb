"""A long register is made in the memory of a short one, oldest first, and leaves nothing behind."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.registers import FIRST, HOUR, fill
from ingest.domain.cases.days import begins
from ingest.domain.cases.sheet import Row
from ingest.services import all_pages
from ingest.services.exports import runner
from ingest.services.exports.request import Ending, ExportRequest
from ingest.services.exports.runner import ExportRunner
from ingest.services.exports.sheets import SheetBuilder
from ingest.services.exports.spool import Spool
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.database import Database
from tests import migrated
from tests.ingest.services.exports.test_daily_registers import built, county

SHORT, LONG = 30, 240
"""Days."""


def register(folder: Path, days: int) -> tuple[SheetBuilder, Database, ExportRequest]:
    """A county's records of so many days, and a request for its declared work as CSV."""
    plants = tuple(replace(plant, pledge=None) for plant in county(folder)[:10])
    database = migrated.opened(folder / f"{days}.db")
    fill(database, plants, days)
    builder = SheetBuilder(CaseStore(database), DailyStore(database), CaseFigures(database))
    now = begins(FIRST + dt.timedelta(days=days)) - HOUR
    return builder, database, ExportRequest("works", "csv", plants, None, {}, 3600.0, now)


@pytest.fixture(scope="module")
def registers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, tuple[SheetBuilder, ExportRequest]]]:
    """Of `SHORT` and of `LONG`, to be read only: to write them takes as long as to read them several times."""
    folder, made, databases = tmp_path_factory.mktemp("registers"), {}, []
    for days in (SHORT, LONG):
        builder, database, request = register(folder, days)
        made[days] = builder, request
        databases.append(database)
    yield made
    for database in databases:
        database.close()


def peak(builder: SheetBuilder, request: ExportRequest, folder: Path) -> int:
    """The most memory that making it takes at once, bytes."""
    with (folder / "out").open("w+b") as out:
        builder.build(request, out)  # what is loaded and cached once
        out.seek(0)
        tracemalloc.start()
        try:
            builder.build(request, out)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "ending", "year"),
    [
        *(("works", ending, None) for ending in ("csv", "json", "html", "xlsx")),
        ("responsibility", "csv", None),
        ("summary", "csv", 2025),
    ],
)
def test_eight_times_the_records_are_not_kept_in_memory(
    tmp_path: Path,
    registers: dict[int, tuple[SheetBuilder, ExportRequest]],
    name: str,
    ending: Ending,
    year: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(all_pages, "_PAGE", 50)
    monkeypatch.setattr("ingest.services.exports.spool._SMALL", 1000)
    monkeypatch.setattr("ingest.services.exports.spool._AT_ONCE", 50)
    took = []
    for days in (SHORT, LONG):
        builder, request = registers[days]
        took.append(peak(builder, replace(request, name=name, ending=ending, year=year), tmp_path))
    assert took[1] - took[0] < 100 * 10 * (LONG - SHORT), f"{took}: a row that is kept takes 350 bytes, of ten a day"


TIMES = {"works": "报备开始时间", "cleanings": "清扫时间", "hazards": "发现时间", "pledges": "承诺日期"}


@pytest.mark.parametrize("name", TIMES)
def test_registers_are_whole_and_the_oldest_first_however_many_pages_they_take(
    registers: dict[int, tuple[SheetBuilder, ExportRequest]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(all_pages, "_PAGE", 7)
    monkeypatch.setattr("ingest.services.exports.daily_registers._LINES", 30)
    builder, request = registers[SHORT]
    head, *rows = csv.reader(io.StringIO(built(builder, replace(request, name=name)).decode("utf-8-sig")))
    times = [row[head.index(TIMES[name])] for row in rows]
    assert times == sorted(times)
    assert len({row[head.index("编号")] for row in rows}) == len(rows) == 10 * SHORT


@pytest.mark.parametrize("count", [0, 1, 1500])
def test_a_spool_gives_its_rows_again_and_again_side_by_side(count: int) -> None:
    def rows() -> Iterator[Row]:
        yield from ((number, "文", None, dt.date(2026, 1, 1)) for number in range(count))

    with closing(Spool(rows())) as spool:
        assert len(spool) == count
        assert [*zip(spool, spool, strict=True)] == [(row, row) for row in rows()]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_what_a_killed_service_left_is_removed_at_the_start_and_an_export_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_yield_to_all", lambda _: None)
    _, database, request = register(tmp_path, 2)
    before = names(tmp_path)
    left = Path(tempfile.mkdtemp(prefix=".export-", dir=tmp_path))
    (left / "rows").write_bytes(b"1")
    desk = ExportRunner(StateConfig(path=tmp_path / "2.db"), tmp_path)
    assert left.name not in names(tmp_path)
    endings: tuple[Ending, ...] = ("xlsx", "csv")
    for ending in endings:
        with await desk.make(replace(request, ending=ending)) as file:
            assert file.read(2)
    database.close()
    assert names(tmp_path) <= before
