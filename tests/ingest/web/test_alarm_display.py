"""How each alarm is to be shown comes with its row; what is folded is in the list all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import Gate, Plant
from ingest.plants.view import Latest
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, SECOND, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, StandIn

ALARMS = "/api/v1/alarms"


@pytest.fixture
def machine(hall: StandIn) -> Plant:
    """The wood plant, whose collector runs while its fan does."""
    plant = hall.known.plants[WOOD]
    plant = replace(plant, equipment=(replace(plant.equipment[0], running=Gate("FAN-01", "==", 1.0)),))
    hall.known = replace(hall.known, plants={**hall.known.plants, WOOD: plant})
    hall.put(WOOD, "FAN-01", Latest(hall.time, 0.0, 0, stale=False))
    return plant


async def test_a_row_says_what_it_is_folded_under_and_what_is_folded_under_it(hall: StandIn, ask: Ask) -> None:
    """The gateway is offline; so its points are silent."""
    for point in ("DP-01", "FAN-01"):
        hall.raise_alarm(WOOD, point, "SILENT", None, ago_s=600)
    gateway = next(alarm for alarm in hall.book.values() if alarm.rule == "OFFLINE")
    rows = (await ask(ELSEWHERE).get(ALARMS, params={"state": "unacknowledged"})).json()["alarms"]
    found = {row["point"]: row["display"] for row in rows}
    assert found["GW-01"] | {"covers": 0} == {
        "equipment": None, "first_out": False, "covered_by": None, "covers": 0, "chattering": False, "stale": False,
    }  # fmt: skip
    assert found["GW-01"]["covers"] == 2
    cover = {"kind": "gateway", "plant": WOOD, "id": "GW-01", "alarm": str(gateway.id)}
    assert found["DP-01"]["covered_by"] == found["FAN-01"]["covered_by"] == cover
    assert found["DP-01"]["equipment"] == "DC-01"
    page = (await ask(ELSEWHERE).get(ALARMS, params={"point": "DP-01", "limit": 1})).json()["alarms"]
    assert page[0]["display"]["covered_by"] == cover


async def test_the_page_of_one_alarm_says_it_as_well(hall: StandIn, machine: Plant, ask: Ask) -> None:
    first = hall.raise_alarm(WOOD, "HOPPER_T-01", "H", 61.0, ago_s=30)
    second = hall.raise_alarm(WOOD, "HOPPER_T-01", "HH", 71.0, ago_s=10)
    shown = (await ask(INSPECTOR).get(f"{ALARMS}/{first.id}")).json()["display"]
    cover = {"kind": "equipment", "plant": WOOD, "id": machine.equipment[0].id, "alarm": None}
    assert (shown["covered_by"], shown["first_out"]) == (cover, False)
    high = (await ask(INSPECTOR).get(f"{ALARMS}/{second.id}")).json()["display"]
    assert high["covered_by"] is None


async def test_what_is_over_is_shown_as_it_is(hall: StandIn, ask: Ask) -> None:
    rows = (await ask(INSPECTOR).get(ALARMS, params={"state": "normal"})).json()["alarms"]
    assert {row["display"] for row in rows} == {None}
    assert rows


async def test_settings_say_what_is_chattering_and_stale(hall: StandIn, ask: Ask) -> None:
    hall.load.config = AlarmsConfig(stale_s=60)
    alarm = next(alarm for alarm in hall.book.values() if alarm.plant == ALUMINIUM)
    for ago in (50, 40, 30):
        hall.raise_alarm(ALUMINIUM, "CW_IN_T-01", "H", 36.0, ago_s=ago)
    shown = (await ask(INSPECTOR).get(f"{ALARMS}/{alarm.id}")).json()["display"]
    assert (shown["stale"], shown["chattering"]) == (True, False)
    rows = (await ask(INSPECTOR).get(ALARMS, params={"point": "CW_IN_T-01"})).json()["alarms"]
    assert [row["display"]["chattering"] for row in rows] == [True] * 3


@pytest.mark.parametrize(
    ("latest", "stands"),
    [
        ((0.0, 0, False), True),
        ((1.0, 0, False), False),
        ((0.0, 0, True), False),
        ((0.0, Flag.BAD, False), False),
        ((None, 0, False), False),
    ],
)
def test_a_machine_stands_only_by_a_value_to_trust(
    hall: StandIn, machine: Plant, latest: tuple[float | None, int, bool], *, stands: bool
) -> None:
    value, flags, stale = latest
    hall.put(WOOD, "FAN-01", Latest(hall.time - SECOND, value, flags, stale=stale))
    found = hall.view().stopped([WOOD, ALUMINIUM, "gone"])
    assert found == ({(WOOD, machine.equipment[0].id): "FAN-01"} if stands else {})
