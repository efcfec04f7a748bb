"""A function check is begun on a point's page, stands wherever the point is listed, and is ended there."""

from __future__ import annotations

import pytest

from ingest.domain.model.flags import CHECKED, Flag
from ingest.domain.model.suppression import SuppressionKind
from ingest.plants.view import Latest
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import NOON, STEEL
from tests.ingest.web.stand_in import DISPLAY, INSPECTOR, OPERATOR, StandIn

POINT = f"/plants/{STEEL}/points/CO-01"
FORM = {"minutes": "30", "reason": "标气标定", "onward": POINT}
MINUTE = 60 * 10**9


async def test_a_check_is_begun_shown_and_ended(hall: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    assert "开始功能检查" in (await client.get(POINT)).text
    answer = await client.post(f"{POINT}/function-check", data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, POINT)
    (check,) = hall.hidden.values()
    assert (check.kind, check.rule, check.until) == (SuppressionKind.FUNCTION_CHECK, None, hall.time + 30 * MINUTE)
    page = (await client.get(POINT)).text
    assert "标气标定" in page
    assert "开始功能检查" not in page
    assert "1 个测点正在功能检查" in (await client.get("/plants/table")).text
    assert "报警被隐藏" not in (await client.get("/plants/table")).text
    assert (await client.get(f"/api/v1{POINT}")).json()["hidden_by"] is None
    hall.time += 31 * MINUTE
    assert "已超时" in (await client.get(POINT)).text
    assert "已超时" in (await client.get("/suppressions")).text
    assert (await client.post(f"/suppressions/{check.id}/end", data={"onward": POINT})).status_code == 303
    assert "开始功能检查" in (await client.get(POINT)).text


@pytest.mark.parametrize("who", [INSPECTOR, DISPLAY])
async def test_who_may_not_act_begins_none(hall: StandIn, ask: Ask, who: str) -> None:
    assert "开始功能检查" not in (await ask(who).get(POINT)).text
    assert (await ask(who).post(f"{POINT}/function-check", data=FORM)).status_code == 403
    assert not hall.hidden


@pytest.mark.parametrize(
    ("flags", "status", "zh", "en"),
    [
        (Flag.FUNCTION_CHECK, "function-check", "功能检查 1", "function check 1"),
        (CHECKED, "function-check", "功能检查超时", "function check overdue"),
        (Flag.BAD | Flag.FAILURE, "failure", "仪表故障", "failure 1"),
        (Flag.BAD | Flag.NOT_CONNECTED, "failure", "未接仪表", "not connected"),
        (Flag.UNCERTAIN | Flag.OUT_OF_SPECIFICATION, "out-of-specification", "超出规格 2", "out of specification 2"),
        (Flag.MAINTENANCE, "maintenance-required", "需要维护 1", "maintenance required 1"),
    ],
)
async def test_the_status_of_an_instrument_stands_on_its_plants_page_and_in_the_api(
    hall: StandIn, ask: Ask, flags: Flag, status: str, zh: str, en: str
) -> None:
    """A reading that is judged keeps its value; one that is not is shown as none."""
    hall.put(STEEL, "CO-01", Latest(NOON, 6.0, int(flags), stale=False))
    client = ask(OPERATOR)
    latest = (await client.get(f"/api/v1{POINT}")).json()["latest"]
    judged = status in {"out-of-specification", "maintenance-required"} or flags == CHECKED
    assert (latest["status"], latest["value"]) == (status, 6.0 if judged else None)
    assert zh in (await client.get(f"/plants/{STEEL}/table")).text
    client.cookies.set("lang", "en")
    assert en in (await client.get(f"/plants/{STEEL}/table")).text


async def test_the_status_of_a_stale_point_is_not_known(hall: StandIn, ask: Ask) -> None:
    hall.put(STEEL, "CO-01", Latest(NOON, 6.0, 0, stale=True))
    assert (await ask(OPERATOR).get(f"/api/v1{POINT}")).json()["latest"]["status"] is None
