"""Dust cleaning by API and page, and what its records do: readings of the area's point, a hazard, nothing unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ingest.domain.cases.hazard import HazardFilter
from ingest.domain.model.daily import CleaningArea
from ingest.domain.model.payload import iso
from ingest.domain.model.text import Text
from ingest.runtime.case_books import CaseBooks
from ingest.runtime.cleaning_automation import FEED_S, CleaningAutomation
from ingest.storage.state.cleaning_board import CleaningBoard
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.work_board import WorkBoard
from ingest.web.rest.cleanings import NewCleaning
from tests.ingest.web.conftest import Ask
from tests.ingest.web.filled import PDF
from tests.ingest.web.made_up_plants import MINUTE, WOOD
from tests.ingest.web.stand_in import INSPECTOR, OPERATOR, StandIn
from tests.ingest.web.test_hazards import STEPS, through
from tests.ingest.web.test_works import done

CLEANINGS = "/api/v1/cleanings"
HOUR = 60 * MINUTE
POINT = "HOPPER_T-01"


@pytest.fixture
def hall() -> StandIn:
    """The wood plant cleans two areas: one a day, by records, and one every eight hours that a gateway measures."""
    made_up = StandIn()
    plant = made_up.known.plants[WOOD]
    areas = (
        CleaningArea("A1", Text("打磨间", "grinding"), "吸尘", "打磨班", POINT, 24.0),
        CleaningArea("A2", Text("除尘间", "collector"), "吸尘", "维修班", "DUST_DP-01", 8.0, measured=True),
    )
    made_up.known = replace(made_up.known, plants={**made_up.known.plants, WOOD: replace(plant, cleaning=areas)})
    return made_up


def refuse(*_: object, **__: object) -> Any:
    raise StateUnavailable("away")


class Automation:
    """The automation as after a start, with the readings it passes on."""

    def __init__(self, hall: StandIn) -> None:
        daily = hall.cases.daily
        cleaned = CleaningBoard(daily)
        boards = (cleaned, hall.cases.cleaned)

        def written(records: Sequence[object]) -> None:
            for board in boards:
                board.note(records)

        hall.cases.store._written = written
        works = WorkBoard(daily, lambda: hall.time)
        books = CaseBooks(hall.cases.store, daily, works, cleaned, hall.cases.notices, hall.cases.instruments)
        self.fed: list[tuple[int, float]] = []
        self.part = CleaningAutomation(books, hall.configuration, self._observe, lambda: hall.time)

    def _observe(self, values: Sequence[tuple[int, float]]) -> None:
        self.fed += values

    def checked(self) -> list[float]:
        """Look once; return what was passed on."""
        before = len(self.fed)
        self.part.check()
        return [value for _, value in self.fed[before:]]


def cleaning_body(hall: StandIn, ago: int = 0, **changes: Any) -> dict[str, Any]:
    body = {"plant": WOOD, "area": "A1", "done": iso(hall.time - ago), "cleaner": "李工", "result": "无可见积尘"}
    return body | changes


async def test_records_drive_the_point_and_what_is_unknown_is_not_fed(ask: Ask, hall: StandIn) -> None:
    """Entered late, again, voided, after a restart: the age is that of the newest cleaning that counts."""
    work = Automation(hall)
    assert work.checked() == [], "no record is unknown, not clean"
    first = await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall, 5 * HOUR)))
    assert work.checked() == [5.0]
    assert work.checked() == [], "once in a while is enough"
    hall.time += int(FEED_S * 1e9)
    assert work.checked() == [pytest.approx(5 + 1 / 12)]
    await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall, 9 * HOUR)))
    assert work.checked() == [], "an older one that came later changes nothing"
    newest = await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall, HOUR)))
    assert work.checked() == [1.0]
    assert Automation(hall).checked() == [1.0], "the same after a restart"
    work = Automation(hall)
    work.checked()
    for record, expected in ((newest, 5 + 1 / 12), (first, 9.0)):
        await done(await ask(OPERATOR).post(f"{CLEANINGS}/{record['id']}/void", json={"version": 1, "remark": "填错"}))
        assert work.checked() == [pytest.approx(expected)]
    (last,) = (await done(await ask(OPERATOR).get(f"{CLEANINGS}?state=valid")))["cleanings"]
    await done(await ask(OPERATOR).post(f"{CLEANINGS}/{last['id']}/void", json={"version": 1, "remark": "填错"}))
    assert [math.isnan(value) for value in work.checked()] == [True], "what was shown is not true any more"
    assert work.checked() == []
    assert {area["area"]: area["standing"] for area in await done(await ask(INSPECTOR).get(f"{CLEANINGS}/areas"))} == {
        "A1": "unknown", "A2": "unknown",
    }  # fmt: skip


async def test_long_overdue_cleaning_is_a_hazard_once_and_again_after_the_next(ask: Ask, hall: StandIn) -> None:
    def hazards() -> list[str | None]:
        return [hazard.point for hazard in hall.cases.store.hazards(HazardFilter(), limit=9)]

    for area in ("A1", "A2"):
        await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall, area=area)))
    Automation(hall).checked()
    hall.time += 71 * HOUR
    Automation(hall).checked()
    assert hazards() == ["DUST_DP-01"], "three times eight hours; a measured area, too"
    hall.time += HOUR
    for _ in range(3):  # each as after a restart
        Automation(hall).checked()
    assert len(hazards()) == 2
    standing = {area["area"]: area["standing"] for area in await done(await ask(INSPECTOR).get(f"{CLEANINGS}/areas"))}
    assert standing == {"A1": "long-overdue", "A2": "long-overdue"}
    await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall)))
    standing = {area["area"]: area["standing"] for area in await done(await ask(INSPECTOR).get(f"{CLEANINGS}/areas"))}
    assert standing["A1"] == "in-order"


async def test_an_earlier_hazard_stands_for_a_later_finding_until_it_is_closed(ask: Ask, hall: StandIn) -> None:
    """Also where the same automation goes on looking, as it does between two restarts."""

    def hazards() -> list[tuple[str | None, str]]:
        return [(hazard.point, str(hazard.state)) for hazard in hall.cases.store.hazards(HazardFilter(), limit=9)]

    automation = Automation(hall)
    await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall)))
    hall.time += 72 * HOUR
    automation.checked()
    assert hazards() == [(POINT, "found")]
    await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall)))
    hall.time += 72 * HOUR
    for _ in range(3):
        automation.checked()
    assert hazards() == [(POINT, "found")], "the earlier one is still open"
    (hazard,) = (await done(await ask(INSPECTOR).get("/api/v1/hazards")))["hazards"]
    await through(ask, hazard, *STEPS)
    for _ in range(3):
        automation.checked()
    assert hazards() == [(POINT, "found"), (POINT, "closed")]


async def test_a_value_that_could_not_be_passed_on_is_passed_on_in_the_next_round(ask: Ask, hall: StandIn) -> None:
    automation = Automation(hall)
    await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall, 80 * HOUR)))
    answers, hall.cases.store.hazards = hall.cases.store.hazards, refuse  # type: ignore[method-assign]
    with pytest.raises(StateUnavailable):
        automation.checked()
    assert automation.fed == [(hall.known.find(WOOD, POINT).index, 80.0)], "the database is away, intake is not"  # type: ignore[union-attr]
    hall.cases.store.hazards = answers  # type: ignore[method-assign]
    passed, automation.part._observe = automation.part._observe, refuse
    (record,) = (await done(await ask(OPERATOR).get(CLEANINGS)))["cleanings"]
    await done(await ask(OPERATOR).post(f"{CLEANINGS}/{record['id']}/void", json={"version": 1, "remark": "填错"}))
    with pytest.raises(StateUnavailable):
        automation.checked()
    automation.part._observe = passed
    assert [math.isnan(value) for value in automation.checked()] == [True]


async def test_the_board_takes_note_of_what_is_committed_while_it_reads(
    ask: Ask, hall: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before is not taken for the newest; of two cleanings of one moment the one entered later counts."""
    daily, board = hall.cases.daily, hall.cases.cleaned
    first = await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall, HOUR)))
    read = DailyStore.last_cleanings
    meanwhile = [cleaning_body(hall, cleaner="王工")]

    def late(store: DailyStore, *of: Any) -> Any:
        found = read(store, *of)
        if meanwhile:
            draft = NewCleaning.model_validate(meanwhile.pop()).draft()
            hall.cases.store.commit(added=[replace(draft, id=UUID(int=7), given=hall.time, by="王工")])
        return found

    monkeypatch.setattr(DailyStore, "last_cleanings", late)
    last = board.last(WOOD, "A1")
    assert last is not None
    assert (last.cleaner, str(last.id) != first["id"]) == ("王工", True)
    hall.time += 1
    again = await done(await ask(OPERATOR).post(CLEANINGS, json=cleaning_body(hall) | {"done": iso(last.done)}))
    for known in (board, CleaningBoard(daily)):
        newest = known.last(WOOD, "A1")
        assert newest is not None
        assert str(newest.id) == again["id"]


async def test_a_cleaning_is_recorded_with_a_picture_on_the_page(ask: Ask, hall: StandIn) -> None:
    operator = ask(OPERATOR)
    page = (await operator.get("/cleaning")).text
    assert "无记录，情况不明" in page
    form = {
        "plant": WOOD,
        "area": "A1",
        "done": "2026-11-23T14:00",
        "cleaner": "李工",
        "result": "无积尘",
        "thickness_um": "800",
    }
    files = [("files", ("照片.pdf", PDF, "application/pdf"))]
    answer = await operator.post("/cleaning", data=form, files=files)
    assert answer.status_code == 303, answer.text
    assert "按期" in (await operator.get("/cleaning")).text
    (record,) = (await done(await operator.get(CLEANINGS)))["cleanings"]
    assert (record["thickness_um"], len(record["evidence"])) == (800, 1)
    assert "照片.pdf" in (await operator.get(f"/cleaning/{record['id']}")).text
    answer = await operator.post(f"/cleaning/{record['id']}/void", data={"version": "1", "remark": "填错"})
    assert answer.status_code == 303, answer.text
    assert "无记录，情况不明" in (await operator.get("/cleaning")).text
    for wrong in ({"area": "A9"}, {"done": iso(hall.time + HOUR)}, {"cleaner": ""}):
        assert (await operator.post(CLEANINGS, json=cleaning_body(hall, **wrong))).status_code == 422
    assert (await ask(INSPECTOR).post(CLEANINGS, json=cleaning_body(hall))).status_code == 403
