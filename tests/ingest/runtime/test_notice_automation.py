"""A notice is given once for each occasion, withdrawn when it is over, and delivered by webhook: on both databases.

Engine, ledgers, registers and outbox are the real ones; nobody remembers anything over a restart but the files.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ingest.delivery.config import ConnectorsConfig
from ingest.domain.cases.bypass import HOUR
from ingest.domain.cases.bypass_steps import Approve, Extend, Grant, Restore
from ingest.domain.cases.days import begins
from ingest.domain.cases.ledger import Outcome
from ingest.domain.cases.ledger_steps import Inspect
from ingest.domain.cases.work import Work, WorkKind
from ingest.domain.cases.work_steps import Approve as ApproveWork
from ingest.domain.cases.work_steps import Begin, Finish, WorkStep
from ingest.domain.model.flags import Flag
from ingest.domain.model.notice import Matter, NoticeFilter
from ingest.domain.model.outbox import Message
from ingest.domain.model.suppression import SuppressionKind
from ingest.engine.bypasses import RequestBypass, TakeBypassStep
from ingest.engine.commands import Decide, End, Suppress
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.notice_store import NoticeStore
from tests.ingest.runtime.automated_plant import DAY
from tests.ingest.runtime.reminded import MINUTE, Reminded
from tests.ingest.runtime.test_instrument_automation import (
    HEAD,
    INSPECTOR,
    OPERATOR,
    START,
    calibrated,
)
from tests.small_plant import PLANT


@pytest.fixture
def plant(tmp_path: Path, database: Database) -> Reminded:
    return Reminded(tmp_path, database)


async def test_a_calibration_is_called_for_once_a_deadline_and_withdrawn_by_its_certificate(plant: Reminded) -> None:
    """Over restarts, in the second year again, to those who ask for it and to nobody else."""
    await plant.run_automations()
    plant.enter(calibrated(START))
    await plant.run_automations()
    done, before = START, [("given", "checks-unrecorded"), ("ended", "checks-unrecorded")]
    assert plant.sent() == before
    for year in (1, 2):
        due = done.replace(year=done.year + 1)
        await plant.on(due - dt.timedelta(days=31))
        assert len(plant.sent("checks")) == 2 * (year - 1)
        await plant.on(due - dt.timedelta(days=30))
        plant.restart()
        await plant.on(due - dt.timedelta(days=20))
        plant.restart()
        await plant.run_automations()
        assert len(plant.sent("checks")) == 2 * year - 1
        message = plant.messages("checks")[-1]
        assert message.body["notice"]["text"]["zh"] == (
            f"仪表检定（校准）到期：1号探头（HEAD-1），出厂编号 K-101，有效至 {due.isoformat()}"
        )
        assert message.body["enterprise"]["id"] == PLANT
        plant.enter(calibrated(plant.today))
        plant.restart()
        await plant.run_automations()
        await plant.run_automations()
        assert plant.sent("checks") == [("given", "check-due"), ("ended", "check-due")] * year
        assert plant.messages("checks")[-1].body["notice"]["id"] == message.body["notice"]["id"]
        done = plant.today
    assert plant.given.outstanding() == []
    assert plant.sent() == before + plant.sent("checks")
    assert plant.sent("elsewhere") == plant.sent("alarms") == []


async def test_a_deadline_that_moves_replaces_its_notice(plant: Reminded) -> None:
    """A certificate that ends sooner than was thought, and a check that failed, get a new notice."""
    await plant.run_automations()
    plant.enter(calibrated(START))
    await plant.on(START + dt.timedelta(days=340))
    (first,) = plant.messages("checks")
    sooner = replace(calibrated(START), valid_until=START + dt.timedelta(days=345))
    plant.enter(sooner)  # of the same day, entered later: it counts
    await plant.run_automations()
    assert [event for event, _ in plant.sent("checks")] == ["given", "ended", "given"]
    assert plant.messages("checks")[-1].body["notice"]["due"] < first.body["notice"]["due"]
    plant.enter(calibrated(plant.today, Outcome.FAILED))
    await plant.run_automations()
    assert [event for event, _ in plant.sent("checks")] == ["given", "ended", "given", "ended", "given"]
    assert "不合格" in plant.messages("checks")[-1].body["notice"]["text"]["zh"]
    assert len({message.subject for message in plant.messages("checks")}) == 1, "so a receiver hears them in order"


async def test_out_of_service_withdraws_a_notice_and_back_gives_it_again(plant: Reminded) -> None:
    await plant.run_automations()
    plant.enter(calibrated(START))
    await plant.on(START + dt.timedelta(days=340))
    away = Suppress(SuppressionKind.OUT_OF_SERVICE, PLANT, "CO-01", None, "送检", None, OPERATOR)
    applied = plant.submit(away)
    plant.submit(Decide(applied.id, True, INSPECTOR))
    await plant.run_automations()
    assert plant.given.outstanding() == []
    plant.submit(End(applied.id, OPERATOR))
    await plant.run_automations()
    assert plant.sent("checks") == [("given", "check-due"), ("ended", "check-due"), ("given", "check-due")]


async def test_checks_of_every_day_send_nothing_and_what_has_no_record_is_one_notice_a_plant(
    tmp_path: Path, database: Database
) -> None:
    periods = "periods = { calibration = { months = 12 }, function-test = { months = 6 }, inspection = { days = 1 } }\n"
    second = HEAD.replace("HEAD-1", "HEAD-2").replace("CO-01", "CO-02").replace("K-101", "K-102")
    plant = Reminded(tmp_path, database, HEAD + periods + second + periods)
    await plant.run_automations()
    plant.enter(Inspect(START, Outcome.PASSED, "李工"))
    await plant.on(START + dt.timedelta(days=5))
    (message,) = plant.messages()
    assert message.body["notice"]["text"]["zh"].startswith("仪表台账有 4 项检定、测试没有记录，请在 2026-04-01 前补录")
    await plant.on(START + dt.timedelta(days=35))
    assert len(plant.messages()) == 1, "they are overdue now, which is an alarm"


async def bypassed(plant: Reminded, hours: int = 8) -> Any:
    """The interlock is bypassed with a registration in force."""
    made = plant.submit(RequestBypass(PLANT, "LANCE", "换变送器", "专人监护", OPERATOR, hours))
    made = plant.submit(TakeBypassStep(made.id, made.version, Approve(), INSPECTOR))
    plant.show(1.0)
    await plant.run_automations()
    return made


async def test_the_end_of_a_bypass_is_announced_ahead_and_an_extension_replaces_it(plant: Reminded) -> None:
    """Two hours ahead; once over it stays due until the interlock is put back; again for the extended time."""
    made = await bypassed(plant)
    await plant.after(5.9 * 60)
    assert "bypass-ending" not in dict(plant.sent()).values()
    for _ in range(2):
        await plant.after(10)
        plant.restart()
    (given,) = [message for message in plant.messages() if message.body["notice"]["matter"] == "bypass-ending"]
    assert given.body["notice"]["subject"] == str(made.id)
    plant.engine.process()
    extended = plant.submit(TakeBypassStep(made.id, made.version, Extend(6, "备件未到"), OPERATOR))
    granted = plant.submit(TakeBypassStep(made.id, extended.version, Grant(), INSPECTOR))
    await plant.run_automations()
    ending = [event for event, matter in plant.sent() if matter == "bypass-ending"]
    assert ending == ["given", "ended"]
    await plant.after(6.5 * 60)
    ending = [event for event, matter in plant.sent() if matter == "bypass-ending"]
    assert ending == ["given", "ended", "given"], "expired, and not put back"
    expired = plant.store.bypass(made.id)
    assert expired is not None
    plant.submit(TakeBypassStep(made.id, expired.version, Restore("试验合格"), OPERATOR))
    await plant.run_automations()
    assert [notice.matter for notice in plant.given.outstanding()] == [Matter.CHECKS_UNRECORDED]
    assert granted.until - made.until < 6 * HOUR


async def test_a_registration_is_to_be_closed_once_the_interlock_was_back_for_half_an_hour(plant: Reminded) -> None:
    """What flickers gives none; what nobody knows neither gives nor withdraws one, nor does a restart."""
    made = await bypassed(plant)

    def closing() -> list[str]:
        return [event for event, matter in plant.sent() if matter == "bypass-not-closed"]

    async def shows(value: float, minutes: float, flags: int = 0) -> None:
        plant.clock.time += int(minutes * MINUTE)
        plant.show(value, flags=flags)
        await plant.run_automations()

    for value, minutes in ((0.0, 20), (0.0, 29), (1.0, 20), (0.0, 20), (0.0, 20)):
        await shows(value, minutes)
        assert closing() == []
    await shows(0.0, 1, int(Flag.BAD))
    await shows(0.0, 10)
    assert closing() == ["given"]
    await shows(0.0, 1, int(Flag.BAD))
    plant.restart()
    await plant.after(60)  # silent, too
    assert closing() == ["given"]
    plant.show(0.0)
    await plant.run_automations()
    assert closing() == ["given"]
    present = plant.store.bypass(made.id)
    assert present is not None
    plant.submit(TakeBypassStep(made.id, present.version, Restore("试验合格"), OPERATOR))
    await plant.run_automations()
    assert closing() == ["given", "ended"]


async def test_an_unregistered_bypass_and_what_interlocks_show_are_counted(plant: Reminded) -> None:
    """Before the first round nothing is known, which is not zero."""
    assert plant.registers.figures.bypasses is None
    await plant.run_automations()
    assert plant.registers.figures.interlocks == Counter(unknown=1)
    plant.show(1.0)
    await plant.run_automations()
    assert plant.registers.figures.bypasses == Counter(unregistered=1)
    made = await bypassed(plant)
    assert plant.registers.figures.bypasses == Counter({"in-force": 1, "unregistered": 0})
    assert plant.registers.figures.interlocks == Counter(bypassed=1)
    assert made.point == "LANCE"


def declared(plant: Reminded, hours: float = 2) -> Work:
    now = plant.clock.wall()
    return Work(
        uuid4(), PLANT, WorkKind.HOT_WORK, "炉前", "换管", now + HOUR, now + HOUR + int(hours * HOUR), "检修班",
        "李工", "王工", "清理可燃物", now, "中控室",
    )  # fmt: skip


def step(plant: Reminded, work: Work, form: Any, by: str = "李四") -> Work:
    """Somebody takes a step of declared work."""
    plant.take(WorkStep, work, form, by, "operator")
    found = DailyStore(plant.database).work(work.id)
    assert found is not None
    return found


async def test_work_that_nobody_closes_is_reported_once_after_its_end(plant: Reminded) -> None:
    """Not approved though its time has come, not finished half an hour after its end: two times, two notices."""
    work = declared(plant)
    plant.store.commit(added=[work])
    await plant.after(59)

    def works() -> list[str]:
        return [event for event, matter in plant.sent() if matter == "work-not-closed"]

    assert works() == []
    await plant.after(2)
    assert works() == ["given"]
    work = step(plant, step(plant, work, ApproveWork()), Begin(), "中控室")
    await plant.run_automations()
    assert works() == ["given", "ended"]
    await plant.after(2 * 60 + 20)
    assert works() == ["given", "ended"]
    await plant.after(15)
    plant.restart()
    await plant.run_automations()
    assert works() == ["given", "ended", "given"]
    assert plant.registers.figures.works == Counter(overran=1)
    step(plant, work, Finish("完工，已清理"), "中控室")
    await plant.run_automations()
    assert works() == ["given", "ended", "given", "ended"]


async def test_an_instrument_that_asks_for_maintenance_for_half_an_hour_gives_a_notice(plant: Reminded) -> None:
    """By its NE 107 status (quality 6); its readings are judged meanwhile."""

    def asked() -> list[str]:
        return [event for event, matter in plant.sent() if matter == "maintenance-required"]

    for minutes, flags, expected in (
        (1, Flag.MAINTENANCE, []), (20, 0, []), (1, Flag.MAINTENANCE, []), (31, Flag.MAINTENANCE, ["given"]),
        (60, Flag.MAINTENANCE, ["given"]), (1, 0, ["given", "ended"]),
    ):  # fmt: skip
        plant.clock.time += minutes * MINUTE
        plant.show(5.0, "CO-01", int(flags))
        await plant.run_automations()
        assert asked() == expected


async def test_a_commit_that_fails_gives_the_notice_in_the_next_round_and_once(
    plant: Reminded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was written or not: nobody can tell while the database does not answer."""
    real, calls = NoticeStore.commit, Counter[str]()

    def doubtful(self: NoticeStore, notices: Sequence[Any], messages: Sequence[Message]) -> None:
        calls["made"] += 1
        if calls["made"] == 2:
            real(self, notices, messages)
        if calls["made"] < 3:
            raise StateUnavailable("away")
        real(self, notices, messages)

    monkeypatch.setattr(NoticeStore, "commit", doubtful)
    for _ in range(2):
        with pytest.raises(StateUnavailable):
            await plant.run_automations()
    await plant.run_automations()
    await plant.run_automations()
    assert plant.sent() == [("given", "checks-unrecorded")]
    assert plant.notices.figures() == Counter({"checks-unrecorded": 1})


async def test_what_was_given_is_listed_with_how_far_it_came(plant: Reminded) -> None:
    await plant.run_automations()
    (notice,) = plant.given.notices(NoticeFilter(outstanding=True), limit=9)
    assert notice.receivers == ("all",)
    assert notice.due == begins(START + dt.timedelta(days=31))
    ((sent,),) = plant.given.sent([notice]).values()
    assert (sent.receiver, sent.event, sent.delivered) == ("all", "given", None)
    assert plant.woken == 1
    plant.clock.time += DAY
    plant.settings = ConnectorsConfig()
    plant.restart()
    plant.enter(calibrated(START))
    await plant.run_automations()
    assert plant.sent() == [("given", "checks-unrecorded")], "the receiver is not in the settings any more"
    assert plant.given.notices(NoticeFilter(outstanding=False, matter=Matter.CHECK_DUE), limit=9) == []
    assert len(plant.given.notices(NoticeFilter(plants=frozenset({PLANT}), outstanding=False), limit=9)) == 1
