"""Records of cleaning are an age, an alarm and a hazard on both databases, whenever the service is started anew.

The engine is the real one, by a clock of the test's own; the automation looks each hour, as it would every half minute.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from ingest.domain.cases.cleaning import Cleaning
from ingest.domain.cases.cleaning_steps import CleaningStep, Void
from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.hazard import HazardLevel, HazardState
from ingest.domain.cases.hazard_steps import Close, Grade, Rectify, Register, Submit
from ingest.domain.model.alarm import Alarm
from ingest.engine.commands import Acknowledge, Person
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.case_books import open_case_books
from ingest.runtime.cleaning_automation import CleaningAutomation
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.database import Database
from tests.ingest.runtime.automated_plant import HOUR, AutomatedPlant
from tests.small_plant import ENTERPRISE, PLANT, small_configuration

TEXT = (
    ENTERPRISE.replace('"steel"', '"dust"\ndust = "metal"').replace("dust_workers = 0", "dust_workers = 12")
    + """
[[gateways]]
id = "GW-01"
name = "一号网关"

[[cleaning]]
id = "AREA"
name = "打磨间"
every_h = 24
method = "吸尘"
who = "打磨班"
"""
)
OPERATOR = Person("中控室", "operator")


class Hall(AutomatedPlant[CleaningAutomation]):
    """A dust plant that cleans one area a day."""

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder, database, TEXT, dt.date(2026, 3, 2))

    def written(self, text: str) -> PlantConfiguration:
        return small_configuration(self.folder, self.journal.number_points, text)

    def automated(self) -> tuple[CaseStore, CleaningAutomation]:
        books = open_case_books(self.database, CasesConfig())
        self.cleaned = books.cleaned
        return books.store, CleaningAutomation(books, lambda: self.engine.configuration, self.observe, self.clock.wall)

    async def after(self, hours: int) -> None:
        """Hours go by, with one round in each."""
        for _ in range(hours):
            self.clock.time += HOUR
            await self.run_automations()

    async def clean(self, ago: int = 0) -> Cleaning:
        """The area was cleaned, hours ago."""
        now = self.clock.wall()
        record = Cleaning(uuid4(), PLANT, "AREA", now - ago * HOUR, "李工", "无积尘", now, "李工")
        self.store.commit(added=[record])
        await self.run_automations()
        return record

    async def void(self, record: Cleaning) -> None:
        """The record was wrong."""
        self.take(CleaningStep, record, Void("填错"), "李工", "operator")
        await self.run_automations()

    def shown(self) -> list[tuple[str, int]]:
        """Rule and level of the alarms of the area's age that are active."""
        return sorted((alarm.rule, alarm.level) for alarm in self.outstanding())

    def outstanding(self) -> Sequence[Alarm]:
        return self.active("AREA")

    def close_hazard(self) -> None:
        """The hazard that is open goes its way to the end."""
        (hazard,) = self.hazards(HazardState.FOUND)
        plan = Rectify("李工", "清扫", 0, self.today, "停机")
        for form in (Register(), Grade(HazardLevel.GENERAL), plan, Submit("已清扫", (uuid4(),)), Close("合格")):
            hazard = self.step(hazard, form)


@pytest.fixture
def hall(tmp_path: Path, database: Database) -> Hall:
    return Hall(tmp_path, database)


async def test_an_area_that_is_not_cleaned_is_an_alarm_then_a_graver_one_and_a_hazard_twice_over(hall: Hall) -> None:
    """With restarts in between: the same alarms go on, and nothing is opened twice."""
    await hall.after(100)
    assert (hall.observed, hall.hazards()) == (0, []), "nothing on record is unknown"
    assert hall.shown() == [("SILENT", 1)], "and after three days said to be"
    for number in (1, 2):
        await hall.clean()
        await hall.after(23)
        assert hall.shown() == []
        await hall.after(2)
        assert hall.shown() == [("H", 1)]
        before = {alarm.id for alarm in hall.outstanding()}
        hall.restart()
        await hall.after(20)
        assert {alarm.id for alarm in hall.outstanding()} == before
        for alarm in hall.outstanding():
            hall.submit(Acknowledge(alarm.id, OPERATOR, "已安排"))
        await hall.after(28)
        assert hall.shown() == [("H", 1), ("HH", 2)]
        assert len(hall.hazards(HazardState.FOUND)) == 1
        hall.restart()
        await hall.after(30)
        assert len(hall.hazards()) == number
        await hall.clean()
        hall.restart()
        await hall.run_automations()
        assert hall.shown() == []
        hall.close_hazard()
        await hall.after(1)
        assert len(hall.hazards(HazardState.CLOSED)) == len(hall.hazards()) == number


async def test_what_is_entered_late_or_voided_counts_at_once_and_after_a_restart(hall: Hall) -> None:
    old = await hall.clean(30)
    assert hall.shown() == [("H", 1)]
    newer = await hall.clean(5)
    assert hall.shown() == [], "the newest counts, whenever it was entered"
    await hall.void(newer)
    assert hall.shown() == [("H", 1)], "the one before it counts again"
    hall.restart()
    await hall.run_automations()
    assert hall.shown() == [("H", 1)]
    await hall.void(old)
    await hall.after(1)
    point = hall.configuration.find(PLANT, "AREA")
    assert point is not None
    assert hall.engine.engine_state.latest(point.index, hall.clock.wall()).value is None, "nobody knows"
    assert hall.cleaned.last(PLANT, "AREA") is None


async def test_an_earlier_hazard_stands_for_the_next_finding_only_while_it_is_open(hall: Hall) -> None:
    """Nobody closes the first; the area is cleaned, and left again; then it is closed. With and without a restart."""
    for restarted in (False, True):
        before = len(hall.hazards())
        await hall.clean()
        await hall.after(73)
        await hall.clean()
        await hall.after(73)
        assert len(hall.hazards()) == before + 1
        if restarted:
            hall.restart()
        hall.close_hazard()
        await hall.after(1)
        assert len(hall.hazards()) == before + 2
        hall.close_hazard()
        await hall.after(2)
        assert len(hall.hazards()) == before + 2, "the same finding is no second hazard"
