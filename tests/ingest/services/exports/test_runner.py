"""Lists are made in a process of their own: one at a time, from what is committed, and failures are reported."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from ingest.domain.cases.hazard import Hazard, HazardSource
from ingest.services.exports import runner
from ingest.services.exports.request import Ending, ExportRequest, Page
from ingest.services.exports.runner import NICE, ExportFailed, ExportRunner
from ingest.services.exports.sheets import SheetBuilder
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.database import Database
from tests import migrated
from tests.ingest.services.exports.test_daily_registers import built
from tests.small_plant import PLANT, small_configuration

NOW = 1_900_000_000 * 10**9


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = migrated.opened(tmp_path / "state.db")
    yield database
    database.close()


@pytest.fixture
def in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process runs as others do: with every processor busy one of the idle class may wait for minutes."""
    monkeypatch.setattr(runner, "_yield_to_all", lambda _: None)


def hazards(count: int) -> list[Hazard]:
    return [
        Hazard(UUID(int=n + 1), PLANT, f"积尘 {n}", "=1+1", "一车间", HazardSource.HAND, NOW - n, "张三")
        for n in range(count)
    ]


def export_of(folder: Path, ending: Ending, **more: Any) -> ExportRequest:
    plants = tuple(small_configuration(folder).plants.values())
    return ExportRequest("hazards", ending, plants, frozenset({PLANT}), {PLANT: NOW}, 3600.0, NOW, **more)


async def made(desk: ExportRunner, what: ExportRequest) -> bytes:
    with await desk.make(what) as file:
        return file.read()


@pytest.mark.usefixtures("in_its_turn")
async def test_what_another_process_makes_is_what_this_one_would(tmp_path: Path, database: Database) -> None:
    store = CaseStore(database)
    store.commit(added=hazards(30))
    desk = ExportRunner(StateConfig(path=tmp_path / "state.db"), tmp_path)
    for ending in ("json", "csv", "html"):
        here = built(SheetBuilder(store, DailyStore(database), CaseFigures(database)), export_of(tmp_path, ending))
        assert await made(desk, export_of(tmp_path, ending)) == here
    assert (await made(desk, export_of(tmp_path, "xlsx"))).startswith(b"PK")
    year = await made(desk, export_of(tmp_path, "json", year=2030))
    assert json.loads(year)["rows"]


async def test_pages_of_a_list_are_the_list(tmp_path: Path, database: Database) -> None:
    CaseStore(database).commit(added=hazards(25))
    maker = SheetBuilder(CaseStore(database), DailyStore(database), CaseFigures(database))
    whole = [row["title"] for row in json.loads(built(maker, export_of(tmp_path, "json")))["rows"]]
    pages = [
        msgspec.json.decode(built(maker, export_of(tmp_path, "page", first=first, most=10)), type=Page)
        for first in (0, 10, 20)
    ]
    title = [column.key for column in pages[0].columns].index("title")
    assert [row[title] for page in pages for row in page.rows] == whole
    assert {page.total for page in pages} == {25}


@pytest.mark.usefixtures("in_its_turn")
async def test_a_missing_database_is_reported(tmp_path: Path) -> None:
    desk = ExportRunner(StateConfig(path=tmp_path / "nowhere.db"), tmp_path)
    with pytest.raises(ExportFailed, match="does not answer") as refused:
        await desk.make(export_of(tmp_path, "csv"))
    assert refused.value.again


@pytest.mark.usefixtures("in_its_turn")
async def test_a_workbook_that_cannot_be_written_here_is_refused_by_the_extra_it_needs(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    CaseStore(database).commit(added=hazards(1))
    (tmp_path / "xlsxwriter.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    desk = ExportRunner(StateConfig(path=tmp_path / "state.db"), tmp_path)
    with pytest.raises(
        ExportFailed, match=r"XLSX: 需要附加组件 needs the extra xlsx: pip install 'yujing\[xlsx\]'"
    ) as refused:
        await desk.make(export_of(tmp_path, "xlsx"))
    assert not refused.value.again
    assert (await made(desk, export_of(tmp_path, "csv"))).count(b"\r\n") == 2


@pytest.mark.usefixtures("in_its_turn")
async def test_a_cancelled_export_leaves_no_process_and_frees_its_place(tmp_path: Path, database: Database) -> None:
    CaseStore(database).commit(added=hazards(3))
    desk = ExportRunner(StateConfig(path=tmp_path / "state.db"), tmp_path)
    giving_up = [asyncio.create_task(desk.make(export_of(tmp_path, "csv"))) for _ in range(3)]
    await asyncio.sleep(0.05)
    for task in giving_up:
        task.cancel()
    await asyncio.gather(*giving_up, return_exceptions=True)
    assert _children() == []
    assert (await made(desk, export_of(tmp_path, "csv"))).count(b"\r\n") == 4


async def test_a_list_is_made_with_the_time_that_nobody_else_wants(tmp_path: Path, database: Database) -> None:
    """From its start on, so that loading its code delays no alarm either."""
    CaseStore(database).commit(added=hazards(3))
    making = asyncio.create_task(
        made(ExportRunner(StateConfig(path=tmp_path / "state.db"), tmp_path), export_of(tmp_path, "csv"))
    )
    while not (found := _workers()):
        assert not making.done()
        await asyncio.sleep(0)
    stopped = int(found[0])
    os.kill(stopped, signal.SIGSTOP)  # it is looked at before it can do anything about it itself
    try:
        async with asyncio.timeout(30):
            while os.sched_getscheduler(stopped) != os.SCHED_IDLE:
                await asyncio.sleep(0.01)
        assert os.getpriority(os.PRIO_PROCESS, stopped) == NICE
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert (await making).count(b"\r\n") == 4


async def test_a_list_is_made_where_the_system_has_no_class_for_idle_work(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS."""
    CaseStore(database).commit(added=hazards(3))
    monkeypatch.delattr(os, "sched_setscheduler")
    assert (
        await made(ExportRunner(StateConfig(path=tmp_path / "state.db"), tmp_path), export_of(tmp_path, "csv"))
    ).startswith(b"\xef\xbb\xbf")


def _children() -> list[str]:
    deadline = time.monotonic() + 30
    while (found := _workers()) and time.monotonic() < deadline:
        pass
    return found


def _workers() -> list[str]:
    return [
        child
        for task in Path("/proc/self/task").iterdir()
        for child in _text(task / "children").split()
        if "exports.worker" in _text(Path(f"/proc/{child}/cmdline"))
    ]


def _text(file: Path) -> str:
    """What is in it; nothing, of a thread or process that has just ended."""
    try:
        return file.read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
