"""An overdue check is an alarm and a hazard, and its certificate ends the one and answers the other: on both databases.

The engine is the real one, by a clock of the test's own; the automation looks each day, as it would every half minute.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.hazard import HazardLevel, HazardState
from ingest.domain.cases.hazard_steps import Close, Grade, Rectify, Register, Submit
from ingest.domain.cases.ledger import Ledger, Outcome, ledger_of
from ingest.domain.cases.ledger_steps import Calibrate, Inspect, LedgerStep
from ingest.domain.cases.verbs import Form
from ingest.domain.model.alarm import Alarm, AlarmFilter
from ingest.domain.model.instrument import Check
from ingest.domain.model.suppression import Suppression, SuppressionKind
from ingest.engine.commands import Acknowledge, Decide, End, Person, Suppress
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.instrument_automation import InstrumentAutomation
from ingest.services.cases.instrument_board import InstrumentBoard
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.database import Database
from ingest.storage.state.suppressions import SuppressionStore
from tests.ingest.runtime.automated_plant import DAY, AutomatedPlant
from tests.small_plant import PLANT, TEXT, small_configuration

START = dt.date(2026, 3, 2)
HEAD = """
[[instruments]]
id = "HEAD-1"
points = ["CO-01"]
name = "1号探头"
serial = "K-101"
"""
OVERDUE = "HEAD-1.calibration"
OPERATOR, INSPECTOR = Person("中控室", "operator"), Person("南安市应急管理局", "inspector")
QUIET = TEXT.replace('disabled_rules = ["STUCK"]', 'disabled_rules = ["STUCK", "SILENT"]')


class Works(AutomatedPlant[InstrumentAutomation]):
    """The small plant over years, with its ledgers."""

    def __init__(self, folder: Path, database: Database, more: str = HEAD) -> None:
        super().__init__(folder, database, more, START)

    def written(self, text: str) -> PlantConfiguration:
        """The plant file with `text` added, compiled."""
        return small_configuration(self.folder, self.journal.number_points, QUIET + text)

    def automated(self) -> tuple[CaseStore, InstrumentAutomation]:
        self.board = InstrumentBoard(CaseStore(self.database), CasesConfig())
        store = CaseStore(self.database, self.board.note)
        return store, InstrumentAutomation(
            store, self.board, SuppressionStore(self.database), lambda: self.engine.configuration, self.observe,
            CasesConfig(), self.clock.wall,
        )  # fmt: skip

    def edit(self, more: str) -> None:
        """Another plant file is taken over."""
        self.configuration = replace(self.written(more), version=self.configuration.version + 1)
        self.engine.adopt(self.configuration)
        self.engine.process()

    async def until(self, day: dt.date) -> None:
        """Days go by, with one round in each."""
        while self.today < day:
            self.clock.time += DAY
            await self.run_automations()

    def ledger(self) -> Ledger:
        """That of the device that stands there now."""
        found = self.store.ledger(ledger_of(self.configuration.instruments[PLANT][0]))
        assert found is not None
        return found

    def enter(self, form: Form[Any]) -> None:
        """Somebody enters something in the ledger."""
        self.take(LedgerStep, self.ledger(), form, "中控室", "operator")

    def outstanding(self) -> list[Alarm]:
        """The alarms of the instrument's checks that are active."""
        return self.active(OVERDUE)


def calibrated(day: dt.date, outcome: Outcome = Outcome.PASSED) -> Calibrate:
    return Calibrate(day, outcome, "省计量院", f"JL-{day:%Y%m%d}", evidence=(uuid4(),))


@pytest.fixture
def works(tmp_path: Path, database: Database) -> Works:
    return Works(tmp_path, database)


async def test_a_calibration_runs_out_is_an_alarm_and_a_hazard_and_its_certificate_answers_both(works: Works) -> None:
    """And the second year again, with restarts in between."""
    await works.run_automations()
    works.enter(calibrated(START))
    onsets, done = [], START
    for number in (1, 2):
        due = done.replace(year=done.year + 1)
        await works.until(due)
        assert works.outstanding() == []
        await works.until(due + dt.timedelta(days=1))
        (alarm,) = works.outstanding()
        assert (alarm.level, alarm.rule, alarm.value, alarm.title.zh) == (1, "OVERDUE", 1, "1号探头 检定校准 已逾期")
        onsets.append(alarm.onset)
        (hazard,) = works.hazards(HazardState.FOUND)
        assert (hazard.source, hazard.point, hazard.origin) == ("rule", OVERDUE, "check-overdue")
        assert f"有效至 {due.isoformat()}，已逾期" in hazard.description
        works.restart()
        works.submit(Acknowledge(alarm.id, OPERATOR, "已安排送检"))
        await works.until(due + dt.timedelta(days=9))
        assert [raised.id for raised in works.outstanding()] == [alarm.id]
        assert [found.id for found in works.hazards(HazardState.FOUND)] == [hazard.id]

        certificate = calibrated(works.today)
        works.enter(certificate)
        works.restart()
        await works.run_automations()
        assert works.outstanding() == []
        plan = Rectify("李工", "送检", 30_000, works.today, "便携仪值守")
        steps = Register(), Grade(HazardLevel.GENERAL), plan, Submit("已检定", certificate.evidence), Close("合格")
        for form in steps:
            hazard = works.step(hazard, form)
        works.enter(calibrated(due))  # entered late: changes nothing
        await works.run_automations()
        done = due + dt.timedelta(days=9)
        assert works.ledger().last[Check.CALIBRATION].day == done
        assert len(works.hazards(HazardState.CLOSED)) == len(works.hazards()) == number
    assert len(set(onsets)) == 2


async def test_while_a_hazard_of_a_check_is_open_no_second_one_is_opened(works: Works) -> None:
    """A calibration that fails makes the same check overdue anew."""
    await works.run_automations()
    await works.until(START + dt.timedelta(days=31))
    (hazard,) = works.hazards()
    await works.until(START + dt.timedelta(days=35))
    works.enter(calibrated(works.today, Outcome.FAILED))
    await works.until(START + dt.timedelta(days=40))
    assert [found.id for found in works.hazards()] == [hazard.id]
    assert len(works.outstanding()) == 1


async def test_out_of_service_ends_the_alarm_and_back_in_service_it_is_there_again(works: Works) -> None:
    await works.until(START + dt.timedelta(days=32))
    assert len(works.outstanding()) == 1
    away = Suppress(SuppressionKind.OUT_OF_SERVICE, PLANT, "CO-01", None, "送检", None, OPERATOR)
    applied: Suppression = works.submit(away)
    await works.run_automations()
    assert len(works.outstanding()) == 1, "nobody has approved it"
    works.submit(Decide(applied.id, True, INSPECTOR))
    await works.run_automations()
    assert works.outstanding() == []
    works.submit(End(applied.id, OPERATOR))
    await works.run_automations()
    assert len(works.outstanding()) == 1
    assert len(works.hazards()) == 1


async def test_another_serial_number_begins_a_ledger_of_its_own_and_keeps_the_old_one(works: Works) -> None:
    await works.until(START + dt.timedelta(days=32))
    old = works.ledger()
    works.edit(HEAD.replace("K-101", "K-102"))
    await works.run_automations()
    assert works.outstanding() == []
    assert [ledger.serial for ledger in works.store.ledgers(None)] == ["K-101", "K-102"]
    assert works.store.ledger(old.id) == old
    works.edit(HEAD)  # put back
    await works.run_automations()
    assert len(works.outstanding()) == 1


async def test_a_period_that_is_changed_in_the_plant_file_counts_at_once(works: Works) -> None:
    await works.run_automations()
    works.enter(calibrated(START))
    await works.until(START + dt.timedelta(days=100))
    assert works.outstanding() == []
    works.edit(HEAD + "periods = { calibration = { months = 3 } }\n")
    await works.run_automations()
    assert [alarm.value for alarm in works.outstanding()] == [8]


async def test_a_clock_set_back_for_a_while_opens_nothing_twice(works: Works) -> None:
    await works.run_automations()
    await works.until(START + dt.timedelta(days=31))
    assert len(works.hazards()) == 1
    works.clock.set_by -= 40 * DAY
    await works.automation.run_once()
    works.clock.set_by += 40 * DAY
    await works.automation.run_once()
    assert len(works.hazards()) == 1


async def test_an_inspection_that_is_missed_is_listed_and_no_alarm(tmp_path: Path, database: Database) -> None:
    works = Works(tmp_path, database, HEAD + "periods = { calibration = { months = 12 }, inspection = { days = 1 } }\n")
    await works.run_automations()
    works.enter(calibrated(START))
    works.enter(Inspect(START, Outcome.PASSED, "李工"))
    await works.until(START + dt.timedelta(days=5))
    assert [alarm for alarm in works.alarms.alarms(AlarmFilter(), limit=9) if alarm.point.startswith("HEAD")] == []
    assert works.hazards() == []


async def test_two_thousand_instruments_are_opened_once_and_cost_nothing_while_nothing_changes(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "".join(
        f'\n[[points]]\nid = "P-{n}"\nsignal = "STL_CO"\ngateway = "GW-01"\ndisabled_rules = ["STUCK", "SILENT"]\n'
        f'\n[[instruments]]\nid = "I-{n}"\npoints = ["P-{n}"]\nserial = "S-{n}"\n'
        for n in range(2000)
    )
    works = Works(tmp_path, database, many)
    await works.automation.run_once()
    assert len(works.store.ledgers(None)) == 2000
    assert works.observed == 2000
    monkeypatch.setattr(CaseStore, "ledgers", lambda *_: pytest.fail("read though nothing has changed"))
    await works.automation.run_once()
    assert works.observed == 2000


async def test_what_was_passed_on_stays_fresh_over_years(works: Works) -> None:
    """A value that nobody repeats would count as stale, and its rule would not be evaluated."""
    await works.run_automations()
    works.enter(calibrated(START))
    await works.until(START + dt.timedelta(days=30))
    point = works.configuration.find(PLANT, OVERDUE)
    assert point is not None
    assert not works.engine.engine_state.latest(point.index, works.clock.wall()).stale
