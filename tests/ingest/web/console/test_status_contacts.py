"""A point's page and the API say which contacts its instrument has, and what each says now."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.flags import Flag
from ingest.domain.model.instrument import StatusContact
from ingest.plants.view import Latest
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import NOON, STEEL
from tests.ingest.web.stand_in import OPERATOR, StandIn

POINT, CONTACT = (f"/plants/{STEEL}/points/{point}" for point in ("CO-01", "CO-02"))


@pytest.fixture
def wired(hall: StandIn) -> StandIn:
    """The head CO-01 has two contacts; one of them is closed while all is well."""
    contacts = {
        DeviceStatus.FAILURE: StatusContact("CO-02", 1),
        DeviceStatus.FUNCTION_CHECK: StatusContact("GH_LVL-01", 0),
    }
    (head,) = (instrument for instrument in hall.known.instruments[STEEL] if instrument.id == "CO-01")
    hall.known = replace(hall.known, instruments={STEEL: (replace(head, contacts=contacts),)})
    return hall


def shown(page: str) -> dict[str, str]:
    """The answer beside each contact, by what it says."""
    cells = re.findall(r'<span class="sub" data-contact="([a-z-]+)">.*?<span class="quality">(.*?)</span>', page)
    return dict(cells)


SHOWN = [
    (Latest(NOON, 1.0, 0, stale=False), True, "是"),
    (Latest(NOON, 0.0, 0, stale=False), False, "否"),
    (Latest(NOON, 1.0, 0, stale=True), None, "未知"),
    (Latest(NOON, 1.0, int(Flag.BAD), stale=False), None, "未知"),
    (Latest(NOON, 0.5, 0, stale=False), None, "未知"),
    (Latest(0, None, 0, stale=True), None, "未知"),
]
"""The newest reading of a contact, whether its status holds, and how that is said."""


async def test_a_contact_says_yes_no_or_unknown_and_never_healthy_for_unknown(wired: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    wired.put(STEEL, "GH_LVL-01", Latest(NOON, 1.0, 0, stale=False))
    for latest, active, answer in SHOWN:
        wired.put(STEEL, "CO-02", latest)
        detail = (await client.get(f"/api/v1{POINT}")).json()
        assert detail["status_contacts"] == [
            {"instrument": "CO-01", "status": "failure", "point": "CO-02", "active": active},
            {"instrument": "CO-01", "status": "function-check", "point": "GH_LVL-01", "active": False},
        ]
        assert shown((await client.get(POINT)).text) == {"failure": answer, "function-check": "否"}


async def test_a_contact_says_whose_it_is_and_a_point_of_an_instrument_without_any_shows_none(
    wired: StandIn, ask: Ask
) -> None:
    client = ask(OPERATOR)
    (of,) = (await client.get(f"/api/v1{CONTACT}")).json()["status_contacts"]
    assert (of["instrument"], of["status"]) == ("CO-01", "failure")
    assert "仪表 CO-01" in (await client.get(CONTACT)).text
    wired.known = replace(wired.known, instruments={})
    assert (await client.get(f"/api/v1{POINT}")).json()["status_contacts"] == []
    assert "状态触点" not in (await client.get(POINT)).text


async def test_a_reading_whose_contact_cannot_be_read_is_shown_as_of_unknown_status(wired: StandIn, ask: Ask) -> None:
    """With its value, which is judged."""
    wired.put(STEEL, "CO-01", Latest(NOON, 6.0, int(Flag.STATUS_UNKNOWN), stale=False))
    client = ask(OPERATOR)
    latest = (await client.get(f"/api/v1{POINT}")).json()["latest"]
    assert (latest["status"], latest["value"], latest["quality"]) == ("unknown", 6.0, ["status_unknown"])
    table = (await client.get(f"/plants/{STEEL}/table")).text
    assert "状态未知 1" in table
    assert "仪表状态未知" in table


async def test_a_contact_belongs_to_its_instrument_and_is_not_missing_among_them(wired: StandIn, ask: Ask) -> None:
    page = (await ask(OPERATOR).get("/instruments")).text
    assert "泉州宏远钢铁有限公司：1 个测点未列入仪表台账" in page  # CW_DT-01
