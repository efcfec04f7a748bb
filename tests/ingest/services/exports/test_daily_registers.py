"""Registers of daily duty, a month of forty plants, are made by the process of their own on either database."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from ingest.domain.cases.cleaning import Cleaning
from ingest.domain.cases.daily_sheets import TITLES
from ingest.domain.cases.days import DaySpan, begins
from ingest.domain.cases.pledge import Pledge
from ingest.domain.cases.work import Work, WorkKind
from ingest.domain.model.daily import PledgeDuty
from ingest.domain.model.plant import Plant
from ingest.services.exports import runner
from ingest.services.exports.request import Ending, ExportRequest
from ingest.services.exports.runner import ExportRunner
from ingest.services.exports.sheets import SheetBuilder
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_rows import TABLES, row_of
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.database import Database
from tests.small_plant import small_configuration

FIRST, LAST = dt.date(2026, 11, 1), dt.date(2026, 11, 30)
HOUR = 3600 * 10**9
NOW = begins(LAST) + 23 * HOUR
PLANTS = 40


def county(folder: Path) -> tuple[Plant, ...]:
    """Plants that owe a pledge by nine each day of the month."""
    (plant,) = small_configuration(folder).enterprises()
    bare = replace(plant, points=(), gateways=(), pledge=PledgeDuty(dt.time(9), FIRST))
    return tuple(replace(bare, id=f"plant-{number:03}") for number in range(PLANTS))


def month(plants: tuple[Plant, ...]) -> list[Work | Cleaning | Pledge]:
    """Of each plant and day a hot work, a cleaning and a pledge; the first plant gives none."""
    found: list[Work | Cleaning | Pledge] = []
    for number, plant in enumerate(plants):
        for day in range(30):
            key, at = number * 100 + day, begins(FIRST + dt.timedelta(days=day)) + 8 * HOUR
            found += [
                Work(
                    UUID(int=key), plant.id, WorkKind.HOT_WORK, "一车间", "=1+1", at, at + HOUR, "维修班", "李工",
                    "张三", "接火盆", at - HOUR, "李工",
                ),
                Cleaning(UUID(int=10**6 + key), plant.id, "A1", at, "李工", "无积尘", at, "李工"),
            ]  # fmt: skip
            if number:
                found.append(
                    Pledge(
                        UUID(int=2 * 10**6 + key), plant.id, FIRST + dt.timedelta(days=day), 1, "研判", "承诺", "陈总",
                        2, 1, at, "李工", works={"hot-work": 1},
                    )
                )  # fmt: skip
    return found


def built(builder: SheetBuilder, request: ExportRequest) -> bytes:
    out = io.BytesIO()
    builder.build(request, out)
    return out.getvalue()


async def test_the_process_of_its_own_makes_what_this_one_would_on_either_database(
    tmp_path: Path, database: Database, state: StateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_yield_to_all", lambda _: None)
    store, plants = CaseStore(database), county(tmp_path)
    records = month(plants)
    with database.write() as connection:  # many at once: by the store each is looked for first
        for kind in (Work, Cleaning, Pledge):
            rows = [row_of(record) for record in records if isinstance(record, kind)]
            connection.execute(sa.insert(TABLES[kind]), rows)
    here = SheetBuilder(store, DailyStore(database), CaseFigures(database))
    desk = ExportRunner(state, tmp_path)

    def request_of(name: str, ending: Ending, span: DaySpan) -> ExportRequest:
        return ExportRequest(name, ending, plants, None, {}, 3600.0, NOW, span=span)

    for name in TITLES:
        whole = request_of(name, "csv", DaySpan(FIRST, LAST))
        with await desk.make(whole) as file:
            made = file.read()
        assert made == built(here, whole)
        head, *lines = csv.reader(io.StringIO(made.decode("utf-8-sig")))
        assert len(lines) == PLANTS * 30
        day = [*csv.reader(io.StringIO(built(here, request_of(name, "csv", DaySpan(LAST, LAST))).decode("utf-8-sig")))]
        assert len(day) - 1 == PLANTS, "one day of it"
        if name == "pledges":
            states = [line[head.index("状态")] for line in lines]
            assert (states.count("漏报"), states.count("未承诺"), states.count("已承诺")) == (29, 1, 39 * 30)
            assert {line[head.index("与报备不符")] for line in lines} == {""}, (
                "each says what was declared of its plant"
            )
        with await desk.make(request_of(name, "xlsx", DaySpan(LAST))) as file:
            assert file.read(2) == b"PK"
