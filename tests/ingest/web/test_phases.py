"""The phase of an equipment: API and console show the same, and unknown where its signal cannot be trusted."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ingest.domain.model.flags import Flag
from ingest.domain.model.payload import iso
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.plant import Phase
from ingest.domain.model.text import Text
from ingest.plants.view import Latest
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, MINUTE, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, StandIn

PHASES = (
    Phase("idle", Text("待机", "idle")),
    Phase("start", Text("起铸", "start"), "LEN > 0", ("CAST_LEN-01",), "CAST_LEN-01 > 0"),
    Phase("steady", Text("稳定铸造", "steady"), "LEN >= 500", ("CAST_LEN-01",), "CAST_LEN-01 >= 500"),
)


@pytest.fixture
def machine(hall: StandIn) -> str:
    """The casting machine, with phases by its cast length."""
    plant = hall.known.plants[ALUMINIUM]
    plant = replace(plant, equipment=(replace(plant.equipment[0], phases=PHASES),))
    hall.known = replace(hall.known, plants={**hall.known.plants, ALUMINIUM: plant})
    return plant.equipment[0].id


@pytest.mark.parametrize(
    ("value", "flags", "stale", "code", "name"),
    [
        (0.0, 0, False, "idle", "待机"),
        (20.0, 0, False, "start", "起铸"),
        (900.0, 0, False, "steady", "稳定铸造"),
        (900.0, Flag.BAD, False, "unknown", "未知"),
        (900.0, 0, True, "unknown", "未知"),
        (None, 0, False, "unknown", "未知"),
    ],
)
async def test_api_and_console_show_the_same_phase(
    hall: StandIn, ask: Ask, machine: str, value: float | None, flags: int, stale: bool, code: str, name: str
) -> None:
    hall.put(ALUMINIUM, "CAST_LEN-01", Latest(hall.time, value, int(flags), stale=stale))
    (equipment,) = (await ask(INSPECTOR).get(f"/api/v1/plants/{ALUMINIUM}")).json()["equipment"]
    assert equipment["id"] == machine
    assert (equipment["phase"]["code"], equipment["phase"]["name"]["zh"]) == (code, name)
    for path in (f"/plants/{ALUMINIUM}", f"/plants/{ALUMINIUM}/points/CW_IN_P-01"):
        page = (await ask(INSPECTOR).get(path)).text
        assert f'data-phase="{code}">阶段 {name}<' in page


async def test_the_trend_of_a_point_shows_the_phases_of_its_equipment(hall: StandIn, ask: Ask, machine: str) -> None:
    """As recorded, each from its change on; in the caller's language, and reloaded with the trend."""
    hall.put(ALUMINIUM, "CW_IN_P-01", Latest(hall.time, 0.3, 0, stale=False))
    hall.phase_records = [
        PhaseRecord(ALUMINIUM, machine, hall.time - minutes * 60 * 10**9, code, number)
        for minutes, code, number in ((50, "idle", 1), (40, "start", 2), (30, "steady", 3), (20, "unknown", 0))
    ]
    path = f"/plants/{ALUMINIUM}/points/CW_IN_P-01"
    for page in (await ask(INSPECTOR).get(path), await ask(INSPECTOR).get(f"{path}/trend?span=3600")):
        wide = page.text.split('class="drawing narrow"')[0]
        assert re.findall(r'<g data-phase="(\w+)"><title>([^ ]+) ', wide) == [
            ("idle", "待机"),
            ("start", "起铸"),
            ("steady", "稳定铸造"),
            ("unknown", "未知"),
        ]
        assert "下方为设备阶段" in page.text


async def test_a_trend_without_phases_has_no_band_and_one_with_none_recorded_an_empty_one(
    hall: StandIn, ask: Ask, machine: str
) -> None:
    path = f"/plants/{ALUMINIUM}/points/CW_IN_P-01/trend"
    assert machine
    page = (await ask(INSPECTOR).get(path)).text
    assert page.count('class="trend phases"') == 2
    assert '<rect class="phase-' not in page
    wood = next(point for point in hall.known.points if point is not None and point.plant == WOOD)
    page = (await ask(INSPECTOR).get(f"/plants/{WOOD}/points/{wood.id}/trend")).text
    assert "phases" not in page
    assert "设备阶段" not in page


def recorded(hall: StandIn, machine: str, until_ago: int = 0) -> None:
    """Phases of the last 90 min, and readings of what tells them up to so many ns ago."""
    hall.put(ALUMINIUM, "CAST_LEN-01", Latest(hall.time - until_ago, 0.3, 0, stale=False))
    hall.phase_records = [
        PhaseRecord(ALUMINIUM, machine, hall.time - minutes * MINUTE, code, number)
        for minutes, code, number in ((90, "idle", 1), (40, "start", 2), (30, "steady", 3), (5, "gone", 4))
    ]


async def test_the_history_of_phases_has_each_from_its_change_on_and_nothing_where_none_is_known(
    hall: StandIn, ask: Ask, machine: str
) -> None:
    """A record holds for 20 min at most; one the plant file no longer has is called by its code."""
    recorded(hall, machine)
    path = f"/api/v1/plants/{ALUMINIUM}/equipment/{machine}/phases"
    span = {"from": iso(hall.time - 100 * MINUTE), "to": iso(hall.time)}
    found = (await ask(INSPECTOR).get(path, params=span)).json()
    assert [phase["code"] for phase in found["process"]] == ["idle", "start", "steady"]
    assert [
        (each["start"], each["end"], each["phase"]["code"], each["phase"]["name"]["zh"]) for each in found["phases"]
    ] == [
        (iso(hall.time - start * MINUTE), iso(hall.time - end * MINUTE), code, name)
        for start, end, code, name in (
            (90, 70, "idle", "待机"),
            (40, 30, "start", "起铸"),
            (30, 10, "steady", "稳定铸造"),
            (5, 0, "gone", "gone"),
        )
    ]
    hour = (await ask(INSPECTOR).get(path)).json()
    assert (hour["start"], hour["end"]) == (iso(hall.time - 60 * MINUTE), iso(hall.time))
    assert [each["phase"]["code"] for each in hour["phases"]] == ["start", "steady", "gone"]


async def test_the_newest_phase_lasts_only_as_far_as_the_history_has_come(
    hall: StandIn, ask: Ask, machine: str
) -> None:
    """To its last reading of what tells the phase: after that nobody knows."""
    recorded(hall, machine, until_ago=2 * MINUTE)
    path = f"/api/v1/plants/{ALUMINIUM}/equipment/{machine}/phases"
    last = (await ask(INSPECTOR).get(path)).json()["phases"][-1]
    assert last["phase"]["code"] == "gone"
    assert iso(hall.time - 2 * MINUTE) <= last["end"] < iso(hall.time - MINUTE)


async def test_phases_that_nobody_can_tell_are_refused_by_name(hall: StandIn, ask: Ask, machine: str) -> None:
    equipment = f"/api/v1/plants/{ALUMINIUM}/equipment"
    assert (await ask(INSPECTOR).get(f"{equipment}/NONE/phases")).status_code == 404
    assert (await ask(ELSEWHERE).get(f"{equipment}/{machine}/phases")).status_code == 404
    for start, words in ((hall.time + 1, "a time before"), (hall.time - 32 * 1440 * MINUTE, "31 days before")):
        answer = await ask(INSPECTOR).get(f"{equipment}/{machine}/phases", params={"from": iso(start)})
        assert answer.status_code == 422
        assert words in answer.text
        assert "应为" in answer.json()["message"]["zh"]
    hall.history_away = True
    answer = await ask(INSPECTOR).get(f"{equipment}/{machine}/phases")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "7"


async def test_equipment_without_phases_has_an_empty_history_of_them(ask: Ask) -> None:
    (equipment,) = (await ask(INSPECTOR).get(f"/api/v1/plants/{WOOD}")).json()["equipment"]
    found = (await ask(INSPECTOR).get(f"/api/v1/plants/{WOOD}/equipment/{equipment['id']}/phases")).json()
    assert (found["process"], found["phases"]) == ([], [])


async def test_equipment_without_phases_shows_none(ask: Ask) -> None:
    (equipment,) = (await ask(INSPECTOR).get(f"/api/v1/plants/{WOOD}")).json()["equipment"]
    assert equipment["phase"] is None
    assert "data-phase" not in (await ask(INSPECTOR).get(f"/plants/{WOOD}")).text


async def test_a_rule_is_shown_with_the_names_of_its_phases(hall: StandIn, ask: Ask) -> None:
    points = list(hall.known.points)
    at = next(point.index for point in points if point is not None and point.id == "CW_IN_P-01")
    found = points[at]
    assert found is not None
    points[at] = changed = replace(
        found, rules=tuple(replace(rule, phases=(PHASES[1].name, PHASES[2].name)) for rule in found.rules)
    )
    plant = hall.known.plants[ALUMINIUM]
    plant = replace(plant, points=tuple(changed if point is found else point for point in plant.points))
    hall.known = replace(hall.known, points=tuple(points), plants={**hall.known.plants, ALUMINIUM: plant})
    rule = (await ask(INSPECTOR).get(f"/api/v1/plants/{ALUMINIUM}/points/CW_IN_P-01")).json()["rules"][0]
    assert [phase["en"] for phase in rule["phases"]] == ["start", "steady"]
    assert "起铸、稳定铸造" in (await ask(INSPECTOR).get(f"/plants/{ALUMINIUM}/points/CW_IN_P-01")).text


async def test_an_alarm_is_shown_with_the_phase_it_was_raised_in(hall: StandIn, ask: Ask) -> None:
    """Not with the one its equipment is in now; without one where the equipment has no phases."""
    known = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.118)
    hall.book[known.id] = replace(known, phase=PHASES[1].called)
    for path in ("", f"/{known.id}"):
        found = (await ask(INSPECTOR).get(f"/api/v1/alarms{path}")).json()
        (alarm,) = [shown for shown in found.get("alarms", [found]) if shown["id"] == str(known.id)]
        assert alarm["phase"] == {"code": "start", "name": {"zh": "起铸", "en": "start"}}
        page = (await ask(INSPECTOR).get(f"/alarms{path}")).text
        assert ('data-phase="start">起铸<' if path else "· 起铸</span>") in page
    hall.book[known.id] = replace(known, phase=None)
    assert (await ask(INSPECTOR).get(f"/api/v1/alarms/{known.id}")).json()["phase"] is None
    assert "触发时所处阶段" not in (await ask(INSPECTOR).get(f"/alarms/{known.id}")).text
