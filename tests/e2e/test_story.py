"""One story from end to end: cooling water fails in a casting pit, and nobody may forget it before it is put right.

Real broker, real service in its own process, a simulated deep-well casting plant, real browsers of a phone's and a
desktop's size. Every step must be seen by API, on the console in both sizes, and in the audit trail.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Page, ViewportSize

from gateway_sim.faults.quick import QUICK
from gateway_sim.gateway import Link, ReferenceGateway
from gateway_sim.simulated_plant import SimulatedPlant
from gateway_sim.sites import sample_sites
from tests.browser import Watched, chromium, watched
from tests.e2e.service import TOKEN, Service
from tests.servers import HTTP, mosquitto

PLANT: Final = "demo-aluminium"
FAULT: Final = next(fault for fault in QUICK if fault.id == "cooling-water-lost")
EVERY_S: Final = 0.25
PATIENCE_S: Final = 180.0
PHOTO: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d4944415478da63fcffff3f030005fe02fea72d1f960000000049454e44ae426082"
)  # a PNG of one pixel

OPERATOR, TOWNSHIP, COUNTY = "铸造车间 王建国", "水头镇安监站", "南安市应急管理局"
TOKENS: Final = {name: f"a-token-of-this-story-{number}" for number, name in enumerate((OPERATOR, TOWNSHIP, COUNTY))}
SETTINGS: Final = f"""
[[api.tokens]]
name = "{OPERATOR}"
role = "operator"
plants = ["{PLANT}"]
token = {{ file = "token-0" }}
[[api.tokens]]
name = "{TOWNSHIP}"
role = "inspector"
token = {{ file = "token-1" }}
[[api.tokens]]
name = "{COUNTY}"
role = "inspector"
token = {{ file = "token-2" }}

[warnings]
fall_after_s = 1
remind_at = []
ack_s = {{ red = 3, orange = 3, yellow = 60, blue = 60 }}
[[warnings.duty]]
step = "enterprise"
name = "{OPERATOR}"
[[warnings.duty]]
step = "township"
name = "{TOWNSHIP}"
[[warnings.duty]]
step = "county"
name = "{COUNTY}"
"""


class Casting:
    """The casting plant at its gateways; `broken` is what is wrong with it now."""

    def __init__(self, broker: tuple[str, int]) -> None:
        site = sample_sites()[PLANT]
        self._plant = SimulatedPlant(site, seed=1)
        self._gateways = {name: ReferenceGateway(PLANT, name, Link(*broker)) for name in site.gateways}
        self._carried = site.gateways
        self.broken: tuple[Any, ...] = ()

    async def run(self) -> None:
        """Sample and publish until cancelled."""
        async with asyncio.TaskGroup() as group:
            for gateway in self._gateways.values():
                group.create_task(gateway.run())
            while True:
                row = self._plant.sample(EVERY_S, self.broken)
                now = time.time_ns() // 10**6
                for name, gateway in self._gateways.items():
                    values = {point: [row[point]] for point in self._carried[name] if point in row}
                    gateway.publish([now], values)
                await asyncio.sleep(EVERY_S)


class Story:
    """What everybody sees, by API, on a phone, on a desktop and in the audit trail."""

    def __init__(self, service: Service, opened: dict[str, Watched]) -> None:
        self.service = service
        self.sizes = {size: opened[size].page for size in ("phone", "desktop")}
        self.operator = opened["operator's phone"].page

    async def as_(self, name: str, method: str, path: str, **more: Any) -> Any:
        """Call the API in somebody's name; fail with its answer if it refuses."""
        headers = {"authorization": f"Bearer {TOKENS.get(name, TOKEN)}"}
        url = f"{self.service.url}/api/v1{path}"
        answer = await asyncio.to_thread(HTTP.request, method, url, headers=headers, **more)
        assert answer.is_success, f"{name} {method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def until(self, path: str, true: Callable[[Any], bool], what: str) -> Any:
        """Wait until the API shows something."""
        deadline = time.monotonic() + PATIENCE_S
        while not true(answer := await self.as_(COUNTY, "GET", path)):
            assert time.monotonic() < deadline, f"waited in vain for {what}: {answer}"
            await asyncio.sleep(0.05)
        return answer

    async def seen(self, path: str, *texts: str) -> None:
        """Both sizes of the console show these texts on a page that needs no sideways scrolling."""
        for size, page in self.sizes.items():
            await page.goto(path)
            shown = await page.inner_text("main")
            for text in texts:
                assert text in shown, f"{path} on the {size} does not show {text!r}:\n{shown}"
            wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{path} on the {size} is {wide} px too wide"

    async def audited(self, subject: str, *wanted: tuple[str, str]) -> None:
        """The trail of a record has these (actor, action), in this order, among others."""
        acts = (await self.as_(COUNTY, "GET", "/audit", params={"subject": subject, "limit": 1000}))["acts"]
        acted = iter([(act["actor"], act["action"]) for act in reversed(acts)])
        assert all(step in acted for step in wanted), f"{wanted} not all in {[(a['actor'], a['action']) for a in acts]}"


@asynccontextmanager
async def pages(service: Service) -> AsyncIterator[dict[str, Watched]]:
    """A phone and a desktop of the county's inspector, a phone of the operator; what goes wrong fails the story."""
    phone, desktop = ViewportSize(width=390, height=844), ViewportSize(width=1366, height=800)
    sizes = {"phone": (phone, COUNTY), "desktop": (desktop, COUNTY), "operator's phone": (phone, OPERATOR)}
    async with chromium() as browser:
        opened = {}
        for name, (size, who) in sizes.items():
            context = await browser.new_context(
                base_url=service.url, viewport=size, has_touch=size is phone, is_mobile=size is phone
            )
            opened[name] = await watched(context)
            await sign_in(opened[name].page, TOKENS[who])
        yield opened
        assert {name: visitor.wrong for name, visitor in opened.items()} == {name: [] for name in sizes}


async def sign_in(page: Page, token: str) -> None:
    await page.goto("/signin")
    await page.get_by_label("访问令牌").fill(token)
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url("**/alarms")


@pytest.mark.timeout(600)
async def test_a_cooling_fault_is_followed_until_it_is_put_right_and_every_step_is_seen(tmp_path: Path) -> None:
    (tmp_path / "plants").mkdir()
    with (files("gateway_sim") / "plants" / f"{PLANT}.toml").open("rb") as text:
        (tmp_path / "plants" / f"{PLANT}.toml").write_bytes(text.read())
    for number, token in enumerate(TOKENS.values()):
        (tmp_path / f"token-{number}").write_text(token, encoding="utf-8")
    with (
        mosquitto(tmp_path) as broker,
        Service(tmp_path, broker, SETTINGS, plant=PLANT) as service,
    ):
        async with pages(service) as opened, asyncio.TaskGroup() as group:
            casting = Casting(broker)
            running = group.create_task(casting.run())
            story = Story(service, opened)
            warning, alarm = await it_breaks(story, casting)
            await nobody_answers(story, warning)
            await it_is_put_right(story, casting, warning, alarm)
            hazard = await it_becomes_a_hazard(story, alarm)
            await it_is_inspected_and_rectified(story, hazard)
            verdict = await story.as_("admin", "GET", "/audit/verify")
            assert verdict["broken"] is None
            running.cancel()


async def it_breaks(story: Story, casting: Casting) -> tuple[str, str]:
    """The pumps fail: an alarm of the highest level, and a red warning of the plant."""
    await story.until(
        f"/plants/{PLANT}/points/CW_IN_P-01", lambda point: point["latest"]["value"] is not None, "readings"
    )
    casting.broken = (FAULT,)
    path = f"/warnings?plant={PLANT}"
    found = await story.until(path, lambda page: any(w["colour"] == "red" for w in page["warnings"]), "a red warning")
    warning = found["warnings"][0]
    assert (warning["state"], warning["step"], warning["who"]) == ("open", "enterprise", [OPERATOR])
    alarms = (await story.as_(COUNTY, "GET", f"/alarms?plant={PLANT}&level=2"))["alarms"]
    why = await story.as_(COUNTY, "GET", f"/warnings/{warning['id']}/explain")
    red = [reason for reason in why["reasons"] if reason["colour"] == "red"]
    facts = {fact["alarm"] for reason in red for fact in reason["facts"]}
    alarm = next(
        alarm for alarm in alarms if alarm["rule"] == "LL" and alarm["id"] in facts
    )  # others may have followed
    assert alarm["state"] == "unacknowledged"
    await story.seen(f"/alarms/{alarm['id']}", alarm["title"]["zh"], "未确认")
    await story.seen(f"/warnings/{warning['id']}", "红色", "南安示范铝业有限公司", alarm["point"])
    await story.seen("/warnings", "红色", "南安示范铝业有限公司")
    await story.audited(alarm["id"], ("yujing", "raised"))
    return warning["id"], alarm["id"]


async def nobody_answers(story: Story, warning: str) -> None:
    """Neither the plant nor the township acknowledges in time: it goes up to the county, who does."""
    path = f"/warnings/{warning}"
    up = await story.until(path, lambda found: found["step"] == "county", "the county to be asked")
    assert [event["step"] for event in up["history"] if event["event"] == "escalated"] == ["township", "county"]
    assert up["who"] == [COUNTY]
    await story.seen(path, "县级", COUNTY)
    phone = story.sizes["phone"]
    await phone.goto(path)
    await phone.locator("#acknowledge textarea").fill("已电话通知企业停止浇铸并撤人")
    async with phone.expect_navigation():
        await phone.locator("#acknowledge button.main").tap()
    seen = await story.until(path, lambda found: found["acknowledged_by"] == COUNTY, "the acknowledgement")
    assert seen["asking"] == "feedback"
    await story.seen(path, "已电话通知企业停止浇铸并撤人")
    await story.audited(
        warning, ("yujing", "raised"), ("yujing", "escalated"), ("yujing", "escalated"), (COUNTY, "acknowledged")
    )


async def it_is_put_right(story: Story, casting: Casting, warning: str, alarm: str) -> None:
    """The operator acknowledges, the water is back, and the alarms are cleared once somebody entered the cause."""
    path = f"/alarms/{alarm}"
    await story.as_(OPERATOR, "POST", f"{path}/acknowledge", json={"comment": "备用泵已启动"})
    await story.seen(path, "已确认", OPERATOR, "备用泵已启动")
    casting.broken = ()
    await story.until(path, lambda alarm: alarm["returned"] is not None, "the water to be back")
    detail = await story.as_(COUNTY, "GET", path)
    assert detail["cleared"] is None, "the value is back; nobody has said what it was"
    form = story.operator.locator("#dispose")
    await story.operator.goto(path)
    await form.locator("summary").tap()
    await form.locator("select[name=cause]").select_option("process.water")
    await form.locator("textarea[name=measure]").fill("更换损坏的循环水泵联轴器，试压正常")
    await form.locator("input[name=person]").fill("王建国")
    await form.locator("input[type=file]").set_input_files(
        {"name": "水泵.png", "mimeType": "image/png", "buffer": PHOTO}
    )
    async with story.operator.expect_navigation():
        await form.locator("button.main").tap()
    await story.until(path, lambda alarm: alarm["cleared"] is not None, "the alarm to be cleared (销警)")
    await story.seen(path, "销警", "更换损坏的循环水泵联轴器，试压正常")
    await story.audited(
        alarm, (OPERATOR, "acknowledged"), ("yujing", "returned"), (OPERATOR, "disposed"), ("yujing", "cleared")
    )
    (given,) = (await story.as_(COUNTY, "GET", f"/dispositions?alarm={alarm}"))["dispositions"]
    assert len(given["evidence"]) == 1
    await story.audited(given["id"], (OPERATOR, "disposed"))
    peak = (await story.as_(OPERATOR, "GET", f"/warnings/{warning}"))["peak"]  # it may have been raised lower
    answer = {"cause": "循环水泵联轴器断裂", "measure": "更换联轴器，试压正常，恢复生产", "peak": peak}
    await story.as_(OPERATOR, "POST", f"/warnings/{warning}/feedback", json=answer)
    closed = await story.until(
        f"/warnings/{warning}", lambda found: found["state"] == "closed", "the warning to be closed"
    )
    assert closed["colour"] is None
    await story.seen(f"/warnings/{warning}", "循环水泵联轴器断裂", "已办结")
    await story.audited(warning, (OPERATOR, "feedback"), ("yujing", "closed"))


async def it_becomes_a_hazard(story: Story, alarm: str) -> str:
    """What let it happen is a major hazard: registered, graded by its clause, reported, and under supervision."""
    made = await story.as_(
        OPERATOR,
        "POST",
        "/hazards",
        json={
            "plant": PLANT,
            "title": "结晶器冷却水无备用泵自动切换",
            "description": "主泵失效后备用泵须人工启动，冷却水中断约半分钟",
            "place": "铸造车间水泵房",
            "source": "alarm",
            "origin": alarm,
        },
    )
    path = f"/hazards/{made['id']}"
    made = await story.as_(OPERATOR, "POST", f"{path}/register", json={"version": made["version"]})
    clauses = (await story.as_(COUNTY, "GET", "/hazards/criteria"))["clauses"]
    clause = next(clause for clause in clauses if "ALC_CW_IN_P" in clause["signals"])
    grading = {"version": made["version"], "level": "major", "clause": clause["id"]}
    made = await story.as_(COUNTY, "POST", f"{path}/grade", json=grading)
    reporting = {"version": made["version"], "to": "泉州市应急管理局"}
    made = await story.as_(OPERATOR, "POST", f"{path}/report", json=reporting)
    listing = {"version": made["version"], "number": "南安督办〔2026〕7号", "authority": COUNTY, "since": today()}
    made = await story.as_(COUNTY, "POST", f"{path}/supervise", json=listing)
    plan = {
        "version": made["version"],
        "responsible": "王建国",
        "measure": "加装备用泵自动切换和压力联锁",
        "budget_yuan": "86000.00",
        "deadline": (dt.date.today() + dt.timedelta(days=20)).isoformat(),  # noqa: DTZ011  the plant's day
        "contingency": "切换完成前每班专人值守水泵房",
    }
    await story.as_(OPERATOR, "POST", f"{path}/rectify", json=plan)
    await story.seen(path, "重大事故隐患", clause["article"], "南安督办〔2026〕7号", "加装备用泵自动切换和压力联锁")
    await story.audited(
        made["id"], (OPERATOR, "find"), (OPERATOR, "register"), (COUNTY, "grade"), (OPERATOR, "report"),
        (COUNTY, "supervise"), (OPERATOR, "rectify"),
    )  # fmt: skip
    return str(made["id"])


async def it_is_inspected_and_rectified(story: Story, hazard: str) -> None:
    """The county inspects, finds it, and closes it once it is put right."""
    planned = await story.as_(
        COUNTY,
        "POST",
        "/inspections",
        json={
            "plant": PLANT,
            "basis": "plan",
            "reference": "2026年深井铸造专项检查",
            "inspectors": ["李监察", "陈志强"],
            "day": today(),
            "scope": "深井铸造冷却水系统及联锁",
        },
    )
    path = f"/inspections/{planned['id']}"
    begun = await story.as_(COUNTY, "POST", f"{path}/begin", json={"version": planned["version"]})
    finding = {"version": begun["version"], "text": "备用泵不能自动切换", "hazard": hazard}
    found = await story.as_(COUNTY, "POST", f"{path}/findings", json=finding)
    conclusion = {
        "version": found["version"],
        "result": "rectify",
        "document": "南应急责改〔2026〕113号",
        "remark": "限期整改",
    }
    await story.as_(COUNTY, "POST", f"{path}/conclude", json=conclusion)
    await story.seen(path, "南应急责改〔2026〕113号", "备用泵不能自动切换", "李监察")
    await story.audited(planned["id"], (COUNTY, "plan"), (COUNTY, "begin"), (COUNTY, "conclude"))

    path = f"/hazards/{hazard}"
    version = (await story.as_(COUNTY, "GET", path))["version"]
    photo = await story.as_(
        OPERATOR, "POST", "/evidence", data={"plant": PLANT}, files={"file": ("切换试验.png", PHOTO, "image/png")}
    )
    submission = {"version": version, "done": "自动切换已投用，断电试验合格", "evidence": [photo["id"]]}
    done = await story.as_(OPERATOR, "POST", f"{path}/submit", json=submission)
    closing = {"version": done["version"], "remark": "现场复查合格，同意销号"}
    closed = await story.as_(COUNTY, "POST", f"{path}/close", json=closing)
    assert (closed["state"], closed["lifted"] is not None) == ("closed", True)
    await story.seen(path, "现场复查合格，同意销号", "自动切换已投用")
    await story.audited(hazard, (OPERATOR, "submit"), (COUNTY, "close"))
    await story.seen("/hazards?state=closed", "结晶器冷却水无备用泵自动切换")
    await story.seen("/inspections?state=concluded", "深井铸造冷却水系统及联锁")
    await story.seen("/audit", COUNTY)


def today() -> str:
    return dt.date.today().isoformat()  # noqa: DTZ011  the plant's day
