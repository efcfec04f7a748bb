"""The closed loop by its pages: a hazard's whole life, an inspection after a lead, records, duties, lists."""

from __future__ import annotations

import re
from uuid import UUID

import httpx
import pytest

from ingest.domain.cases.daily_sheets import TITLES as REGISTERS
from ingest.domain.cases.hazard import HazardState
from ingest.domain.cases.inspection import InspectionState, Result
from ingest.domain.cases.lead import LeadState
from ingest.domain.cases.lists import TITLES
from tests.ingest.web.conftest import Ask
from tests.ingest.web.console.shown import alarm_at, offered
from tests.ingest.web.filled import PDF, fill
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

FILE = [("files", ("照片.pdf", PDF, "application/pdf"))]


class Walk:
    """A hazard moved on by the forms of its page, as the page offers them."""

    def __init__(self, hall: StandIn, ask: Ask) -> None:
        self.hall, self.clients = hall, {token: ask(token) for token in (OPERATOR, INSPECTOR, ADMIN)}
        self.id = UUID(int=0)

    async def opened(self, **form: str) -> None:
        answer = await self.clients[OPERATOR].post("/hazards", data=form)
        assert answer.status_code == 303, answer.text
        self.id = UUID(answer.headers["location"].rpartition("/")[2])

    async def step(self, token: str, step: str, **form: str) -> httpx.Response:
        page = (await self.clients[token].get(f"/hazards/{self.id}")).text
        assert step in offered(page), (step, offered(page))
        (version,) = set(re.findall(r'name="version" value="(\d+)"', page))
        fixed = step in {"submit", "close"}
        where = f"/hazards/{step}" if fixed else f"/hazards/{self.id}/{step}"
        data = {"version": version, **form} | ({"hazard": str(self.id)} if fixed else {})
        return await self.clients[token].post(where, data=data, files=FILE if fixed else None)

    @property
    def state(self) -> HazardState:
        found = self.hall.cases.store.hazard(self.id)
        assert found is not None
        return found.state


PLAN = {
    "responsible": "林志强",
    "measure": "更换变送器",
    "budget": "3500.50",
    "deadline": "2026-12-01",
    "contingency": "人工巡检",
}


async def test_a_major_hazard_is_followed_to_its_close_by_the_forms_each_role_is_offered(
    hall: StandIn, ask: Ask
) -> None:
    """Every step by its own form; budget to the fen; evidence with submission and review."""
    walk = Walk(hall, ask)
    alarm = alarm_at(hall, "CO-01")
    new = (await walk.clients[OPERATOR].get(f"/hazards/new?alarm={alarm.id}")).text
    assert 'value="炉前平台一氧化碳 高报"' in new
    await walk.opened(
        plant=STEEL, alarm=str(alarm.id), title="一氧化碳超标", place="炉前", description="多次", point="CO-01"
    )
    steps = [
        (OPERATOR, "register", {}, HazardState.REGISTERED),
        (INSPECTOR, "grade", {"level": "major", "clause": "art4-6"}, HazardState.GRADED),
        (OPERATOR, "report", {"to": "市局"}, HazardState.REPORTED),
        (INSPECTOR, "supervise", {"number": "12号", "authority": "市局", "since": "2026-11-23"}, HazardState.REPORTED),
        (OPERATOR, "rectify", PLAN, HazardState.RECTIFYING),
        (INSPECTOR, "extend", {"deadline": "2026-12-05", "reason": "备件未到"}, HazardState.RECTIFYING),
        (OPERATOR, "submit", {"done": "已更换"}, HazardState.SUBMITTED),
        (INSPECTOR, "send-back", {"reason": "无试验记录"}, HazardState.RECTIFYING),
        (OPERATOR, "submit", {"done": "已更换并试验"}, HazardState.SUBMITTED),
        (INSPECTOR, "close", {"remark": "复查合格"}, HazardState.CLOSED),
    ]
    for token, step, form, after in steps:
        answer = await walk.step(token, step, **form)
        assert (answer.status_code, walk.state) == (303, after), answer.text
    found = hall.cases.store.hazard(walk.id)
    assert found is not None
    assert found.budget_fen == 350_050
    page = (await walk.clients[INSPECTOR].get(f"/hazards/{walk.id}")).text
    assert offered(page) == set()
    for phrase in ("3,500.50", "无试验记录", "复查合格", "照片.pdf", f"/alarms/{alarm.id}", "按期", "摘牌", "已销号"):
        assert phrase in page


@pytest.mark.parametrize(
    ("state", "operator", "inspector"),
    [
        ("found", {"register"}, {"register", "dismiss"}),
        ("registered", set(), {"grade", "dismiss"}),
        ("graded", {"rectify"}, {"grade", "dismiss"}),
        ("reported", {"rectify"}, {"supervise"}),
        ("rectifying", {"submit"}, {"extend"}),
        ("submitted", set(), {"close", "send-back"}),
        ("closed", set(), set()),
        ("dismissed", set(), set()),
    ],
)
async def test_only_the_next_steps_are_offered_and_only_to_who_may_take_them(
    state: str, operator: set[str], inspector: set[str], hall: StandIn, ask: Ask
) -> None:
    hazard = (await fill(hall)).hazards[state]
    for token, forms in ((OPERATOR, operator), (INSPECTOR, inspector)):
        page = (await ask(token).get(f"/hazards/{hazard}")).text
        assert offered(page) == forms
        assert ("下一步由其他角色办理" in page) is (not forms and state not in {"closed", "dismissed"})


async def test_who_submitted_it_is_not_offered_to_review_it(hall: StandIn, ask: Ask) -> None:
    hazard = (await fill(hall)).hazards["rectifying"]
    client = ask(ADMIN)
    page = (await client.get(f"/hazards/{hazard}")).text
    (version,) = set(re.findall(r'name="version" value="(\d+)"', page))
    await client.post("/hazards/submit", data={"hazard": str(hazard), "version": version, "done": "好了"})
    assert offered((await client.get(f"/hazards/{hazard}")).text) == set()
    assert offered((await ask(INSPECTOR).get(f"/hazards/{hazard}")).text) == {"close", "send-back"}


async def test_a_form_from_an_older_page_changes_nothing(hall: StandIn, ask: Ask) -> None:
    hazard = (await fill(hall)).hazards["found"]
    client = ask(INSPECTOR)
    assert (await client.post(f"/hazards/{hazard}/register", data={"version": "1"})).status_code == 303
    answer = await client.post(f"/hazards/{hazard}/dismiss", data={"version": "1", "reason": "误报"})
    assert answer.status_code == 409
    assert "可能已有他人处理" in answer.text


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("budget", "-1", "整改资金"),
        ("budget", "很多", "整改资金"),
        ("deadline", "2026-11-01", "整改时限"),
        ("measure", " ", "措施"),
    ],
)
async def test_a_wrong_field_of_a_plan_is_named(field: str, value: str, message: str, hall: StandIn, ask: Ask) -> None:
    hazard = (await fill(hall)).hazards["graded"]
    answer = await ask(OPERATOR).post(f"/hazards/{hazard}/rectify", data=PLAN | {"version": "3", field: value})
    assert answer.status_code == 422
    assert message in answer.text


async def test_hazards_are_filtered_by_state_level_and_plant(hall: StandIn, ask: Ask) -> None:
    filled = (await fill(hall)).hazards
    client = ask(INSPECTOR)

    async def listed(query: str) -> set[str]:
        page = (await client.get(f"/hazards{query}")).text
        found = set(re.findall(r'data-hazard="([^"]+)"', page))
        return {state for state, key in filled.items() if str(key) in found}

    assert await listed("") == set(filled) - {"closed", "dismissed"}
    assert await listed("?state=all") == set(filled)
    assert await listed("?state=closed") == {"closed"}
    assert await listed("?level=major") == {"reported", "rectifying"}
    assert await listed(f"?plant={ALUMINIUM}&state=all") == {"found", "dismissed"}
    hall.time += 30 * 86_400 * 10**9
    assert await listed("?state=overdue") == {"rectifying"}
    assert "▲ 逾期" in (await client.get("/hazards")).text


async def test_an_inspection_after_a_lead_finds_hazards_and_ends_with_a_document(hall: StandIn, ask: Ask) -> None:
    filled = await fill(hall)
    client = ask(INSPECTOR)
    answer = await client.post("/leads", data={"plant": WOOD, "text": "粉尘堆积"})
    lead = answer.headers["location"].rpartition("/")[2]
    assert (await client.post(f"/leads/{lead}/take", data={"version": "1"})).status_code == 303
    form = {"plant": WOOD, "lead": lead, "inspectors": "李明、吴芳", "day": "2026-11-24", "scope": "除尘系统"}
    where = (await client.post("/inspections", data=form)).headers["location"]
    key = UUID(where.rpartition("/")[2])
    await client.post(f"{where}/begin", data={"version": "1"})
    known = str(filled.hazards["registered"])
    await client.post(f"{where}/find", data={"version": "2", "text": "卸灰阀漏灰", "hazard": known})
    bad = await client.post(f"{where}/find", data={"version": "3", "text": "积尘"})
    assert bad.status_code == 422
    new = {"version": "3", "text": "积尘超过 3 mm", "hazard": "", "title": "积尘", "place": "风管"}
    assert (await client.post(f"{where}/find", data=new)).status_code == 303
    end = {"inspection": str(key), "version": "4", "result": "rectify", "document": "责改〔2026〕7号"}
    assert (await client.post("/inspections/conclude", data=end, files=FILE)).status_code == 303
    found = hall.cases.store.inspection(key)
    assert found is not None
    assert (found.inspectors, found.state, found.result) == (
        ("李明", "吴芳"),
        InspectionState.CONCLUDED,
        Result.RECTIFY,
    )
    assert len(found.findings) == 2
    page = (await ask(OPERATOR).get(where)).text
    for phrase in ("积尘", "除尘器锁气卸灰阀漏灰", "责改〔2026〕7号", "责令限期整改", "照片.pdf", f"/leads/{lead}"):
        assert phrase in page
    assert offered(page) == set()
    settled = {"version": str(hall.cases.store.lead(UUID(lead)).version), "remark": "已查处"}  # type: ignore[union-attr]
    assert (await client.post(f"/leads/{lead}/close", data=settled)).status_code == 303
    after = hall.cases.store.lead(UUID(lead))
    assert after is not None
    assert after.state is LeadState.CLOSED


async def test_supervision_inspects_and_the_plant_reads(hall: StandIn, ask: Ask) -> None:
    filled = await fill(hall)
    for path, forms in (
        (f"/inspections/{filled.inspection}", {"find", "conclude", "cancel"}),
        (f"/leads/{filled.lead}", {"close"}),
        ("/leads", {"leads"}),
        (f"/enterprises/{STEEL}", {"classify"}),
    ):
        assert offered((await ask(INSPECTOR).get(path)).text) == forms, path
    for path, forms in (
        (f"/inspections/{filled.inspection}", set()),
        (f"/leads/{filled.lead}", set()),
        ("/leads", set()),
        (f"/enterprises/{STEEL}", {"note"}),
    ):
        assert offered((await ask(OPERATOR).get(path)).text) == forms, path
    assert "安排检查" not in (await ask(OPERATOR).get("/inspections")).text


async def test_an_enterprises_record_class_and_connection(hall: StandIn, ask: Ask) -> None:
    client = ask(ADMIN)
    note = {"version": "0", "principal": "林志强", "principal_phone": "0595-86380000", "connected_on": "2026-08-01"}
    assert (await client.post(f"/enterprises/{STEEL}/note", data=note)).status_code == 303
    grade = {"version": "1", "risk_class": "orange", "reason": "涉煤气"}
    assert (await client.post(f"/enterprises/{STEEL}/classify", data=grade)).status_code == 303
    page = (await client.get(f"/enterprises/{STEEL}")).text
    for phrase in (
        "林志强",
        'href="tel:0595-86380000"',
        "橙（B）较大风险",
        "涉煤气",
        "已接入",
        "2026-11",
        "2025-12-31",
    ):
        assert phrase in page
    again = await client.post(f"/enterprises/{STEEL}/classify", data=grade)
    assert again.status_code == 409
    bad = await client.post(f"/enterprises/{STEEL}/note", data=note | {"version": "2", "principal_phone": "<script>"})
    assert bad.status_code == 422
    hall.positions = []
    page = (await client.get("/enterprises")).text
    order = re.findall(r'href="/enterprises/([a-z-]+)"', page)
    assert order[0] == WOOD, "its deadline was the earliest"
    assert "逾期" in page


async def test_a_self_inspection_is_entered_once_for_its_period(hall: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    page = (await client.get("/self-inspections")).text
    assert page.count('name="period" value="2026-11"') == 2
    form = {
        "plant": STEEL,
        "period": "2026-11",
        "day": "2026-11-20",
        "principal": "林志强",
        "summary": "查消防",
        "found": "0",
    }
    assert (await client.post("/self-inspections", data=form, files=FILE)).status_code == 303
    page = (await client.get("/self-inspections")).text
    for phrase in ("查消防", "照片.pdf"):
        assert phrase in page
    assert page.count('name="period" value="2026-11"') == 1
    assert (await client.post("/self-inspections", data=form)).status_code == 409


async def test_lists_can_be_looked_at_saved_and_printed(hall: StandIn, ask: Ask) -> None:
    await fill(hall)
    client = ask(INSPECTOR)
    page = (await client.get(f"/lists?plant={STEEL}")).text
    links = re.findall(r'href="(/(?:api/v1/|lists/)[^"]+)"', page)
    assert len(links) == (len(TITLES) - len(REGISTERS)) * 4 + len(REGISTERS) + 3 * 4
    for link in links:
        assert (await client.get(link.replace("&amp;", "&"))).status_code == 200, link
    assert "炉前平台一氧化碳报警器被遮挡" in (await client.get("/lists/hazards")).text
    assert "合计" in (await client.get("/lists/summary/2026")).text


async def test_others_cases_are_not_there(hall: StandIn, ask: Ask) -> None:
    filled = await fill(hall)
    client = ask(ELSEWHERE)
    every = ("/hazards?state=all", "/inspections?state=all", "/leads?state=all", "/enterprises", "/self-inspections")
    for path in (*every, "/lists/hazards", "/lists/enterprises", "/lists/summary/2026"):
        page = (await client.get(path)).text
        assert STEEL not in page, path
        assert "泉州宏远" not in page, path
    for path in (f"/hazards/{filled.hazards['graded']}", f"/inspections/{filled.inspection}", f"/leads/{filled.lead}",
                 f"/enterprises/{STEEL}", f"/hazards/new?alarm={alarm_at(hall, 'CO-01').id}"):  # fmt: skip
        assert (await client.get(path)).status_code == 404, path
    draft = {"plant": STEEL, "title": "x", "place": "x", "description": "x"}
    assert (await client.post("/hazards", data=draft)).status_code == 404


async def test_lists_on_the_console_are_in_the_readers_language(hall: StandIn, ask: Ask) -> None:
    """Whatever we call states, classes, duties and sums; what people wrote, names and clauses stay as they are."""
    await fill(hall)
    client = ask(INSPECTOR)
    ours = (
        "已接入",
        "待接入",
        "粉尘涉爆",
        "钢铁",
        "小计",
        "合计",
        "全面责任",
        "主要负责人",
        "未到期",
        "重大事故隐患",
        "人工上报",
    )
    empty = {"bypasses", *REGISTERS}
    paths = [f"/lists/{name}" for name in (*TITLES, "summary/2026") if name not in empty]
    chinese = [(await client.get(path)).text.split("<tbody>")[1] for path in paths]
    assert all(any(word in cells for word in ours) for cells in chinese)
    await client.post("/language", data={"lang": "en", "onward": "/lists"})
    for path in paths:
        cells = (await client.get(path)).text.split("<tbody>")[1].split("</tbody>")[0]
        assert [word for word in ours if word in cells] == []
