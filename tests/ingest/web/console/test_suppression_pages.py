"""Suppressions and the audit trail: who decides, who ends, what is shown."""

from __future__ import annotations

import pytest

from ingest.domain.model.suppression import SuppressionState
from tests.ingest.web.conftest import Ask
from tests.ingest.web.console.shown import offered, section
from tests.ingest.web.filled import fill
from tests.ingest.web.made_up_plants import STEEL
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn


async def test_what_waits_is_in_force_and_is_over_is_listed_apart(hall: StandIn, ask: Ask) -> None:
    await fill(hall)
    page = (await ask(OPERATOR).get("/suppressions")).text
    waiting, in_force = section(page, "待批准"), section(page, "生效中")
    assert "煤气柜柜位" in waiting
    assert "传感器送检" in in_force
    assert "更换热电偶，旁站监护" in in_force
    assert "没有历史记录" in section(page, "历史")


@pytest.mark.parametrize(
    ("token", "forms"),
    [(OPERATOR, {"end"}), (INSPECTOR, {"approve"}), (ADMIN, {"approve", "end"})],
)
async def test_supervision_decides_and_the_plant_ends(token: str, forms: set[str], hall: StandIn, ask: Ask) -> None:
    await fill(hall)
    page = (await ask(token).get("/suppressions")).text
    assert offered(page) == forms
    assert ("/reject" in page) is ("approve" in forms)


@pytest.mark.parametrize(
    ("decision", "state", "verdict"),
    [("approve", SuppressionState.IN_FORCE, "批准人"), ("reject", SuppressionState.REJECTED, "驳回人")],
)
async def test_an_application_is_decided_with_a_word(
    decision: str, state: SuppressionState, verdict: str, hall: StandIn, ask: Ask
) -> None:
    waiting = (await fill(hall)).waiting
    client = ask(INSPECTOR)
    answer = await client.post(f"/suppressions/{waiting}/{decision}", data={"comment": "限两小时"})
    assert (answer.status_code, hall.hidden[waiting].state) == (303, state)
    assert f"{verdict} 南安市应急管理局" in (await client.get("/suppressions")).text
    assert "限两小时" in (await client.get(f"/audit?kind=suppression&subject={waiting}")).text
    assert (await client.post(f"/suppressions/{waiting}/{decision}")).status_code in {404, 409}


async def test_an_application_is_withdrawn_and_then_over(hall: StandIn, ask: Ask) -> None:
    waiting = (await fill(hall)).waiting
    client = ask(OPERATOR)
    assert (await client.post(f"/suppressions/{waiting}/end")).status_code == 303
    page = (await client.get("/suppressions")).text
    assert "煤气柜柜位" in section(page, "历史")
    assert "没有待批准的申请" in page


async def test_others_suppressions_and_acts_are_not_there(hall: StandIn, ask: Ask) -> None:
    filled = await fill(hall)
    client = ask(ELSEWHERE)
    assert STEEL not in (await client.get("/suppressions")).text
    assert "更换热电偶" not in (await client.get("/audit")).text
    assert (await client.post(f"/suppressions/{filled.waiting}/end")).status_code == 404


async def test_the_audit_trail_is_shown_in_the_language_of_the_reader(hall: StandIn, ask: Ask) -> None:
    await fill(hall)
    client = ask(OPERATOR)
    page = (await client.get("/audit")).text
    for phrase in ("申请停用", "批准停用", "搁置", "更换热电偶，旁站监护", "系统", "监管", "№ "):
        assert phrase in page
    assert "out-of-service" not in page.split("<main")[1].split("<option")[0]
    client.cookies.set("lang", "en")
    page = (await client.get("/audit?kind=suppression")).text
    for phrase in ("applied for", "approved", "Out of service", "Shelved"):
        assert phrase.lower() in page.lower()


async def test_the_audit_trail_is_narrowed_and_paged(hall: StandIn, ask: Ask) -> None:
    alarm = next(iter(hall.book.values()))
    client = ask(OPERATOR)
    for n in range(120):
        await client.post(f"/alarms/{alarm.id}/comment", data={"comment": f"第{n}条。"})
    page = (await client.get(f"/audit?kind=alarm&subject={alarm.id}")).text
    assert page.count("第") - page.count("第 ") >= 100
    assert "第119条。" in page
    assert "第5条。" not in page
    older = page.split('class="more" href="')[1].split('"')[0].replace("&amp;", "&")
    rest = (await client.get(older)).text
    assert "第5条。" in rest
    assert "第119条。" not in rest
    assert "没有符合条件的记录" in (await client.get("/audit?kind=lead")).text
