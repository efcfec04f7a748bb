"""Nobody decides on what nobody saw: a decision names the occurrence it is about, and a stale one is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from typing import Any

import httpx
import pytest

from ingest.domain.model.alarm import Alarm, AlarmEventKind, AlarmState
from ingest.domain.model.suppression import SuppressionKind, SuppressionState
from ingest.domain.model.warning import Asked, Colour, EarlyWarning
from ingest.engine.commands import Person, Suppress
from tests.ingest.web.conftest import Ask
from tests.ingest.web.filled import fill
from tests.ingest.web.made_up_plants import SECOND, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, INSPECTOR, OPERATOR, StandIn

ALARMS, WARNINGS = "/api/v1/alarms", "/api/v1/warnings"


def again(hall: StandIn, alarm: Alarm, state: AlarmState = AlarmState.UNACKNOWLEDGED) -> Alarm:
    """The same alarm, raised once more."""
    known = hall.book[alarm.id]
    active = None if state is AlarmState.UNACKNOWLEDGED else hall.time
    more = replace(known, raises=known.raises + 1, state=state, returned=active, acked=None, annunciated=hall.time)
    return hall._commit(more, AlarmEventKind.RAISED, hall.time)


@pytest.fixture
def alarm(hall: StandIn) -> Alarm:
    """Of level 1, so that it can be hidden; raised seven times, over for now."""
    made = hall.raise_alarm(STEEL, "CO-01", "H", 30.0)
    for _ in range(6):
        made = again(hall, made, AlarmState.RETURNED)
    return made


FORMS: dict[str, tuple[AlarmState, dict[str, str]]] = {
    "acknowledge": (AlarmState.UNACKNOWLEDGED, {}),
    "reset": (AlarmState.LATCHED_ACKNOWLEDGED, {}),
    "shelve": (AlarmState.UNACKNOWLEDGED, {"minutes": "30", "reason": "检修"}),
    "suppress": (AlarmState.UNACKNOWLEDGED, {"reason": "停产检修"}),
}


def fields(page: str, action: str) -> dict[str, str]:
    """The hidden fields of a form on a page."""
    form = page[page.index(f'action="{action}"') :].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))


def leads(refused: httpx.Response) -> list[str]:
    """Where the buttons of the page of a refusal lead."""
    return re.findall(r'<a class="button" href="([^"]+)"', refused.text)


async def send(client: httpx.AsyncClient, page: str, action: str, data: dict[str, str]) -> httpx.Response:
    """Fill in a form of a page that was loaded some time ago."""
    return await client.post(action, data=fields(page, action) | data)


@pytest.mark.parametrize("form", FORMS)
async def test_a_page_that_shows_the_seventh_raise_decides_nothing_about_the_eighth(
    form: str, hall: StandIn, alarm: Alarm, ask: Ask
) -> None:
    """Refused in the reader's language with what changed; from the page as it is now it is done."""
    state, data = FORMS[form]
    client, action = ask(OPERATOR), f"/alarms/{alarm.id}/{form}"
    seventh = replace(alarm, state=state, returned=None if state is AlarmState.UNACKNOWLEDGED else hall.time)
    hall.book[alarm.id] = seventh
    page = (await client.get(f"/alarms/{alarm.id}")).text
    hall.book[alarm.id] = replace(seventh, raises=8, value=41.5)
    refused = await send(client, page, action, data)
    assert (refused.status_code, hall.book[alarm.id].state, hall.hidden) == (409, state, {})
    assert "您看到的是该报警的第 7 次触发，现在是第 8 次" in refused.text
    assert leads(refused) == [f"/alarms/{alarm.id}", "/alarms"]
    client.cookies.set("lang", "en")
    assert "You saw raise 7 of this alarm; it is at raise 8 now" in (await send(client, page, action, data)).text
    page = (await client.get(f"/alarms/{alarm.id}")).text
    assert (await send(client, page, action, data)).status_code == 303
    assert hall.book[alarm.id].state is not state


async def test_feedback_on_a_raise_that_is_over_does_not_clear_the_next_one(
    hall: StandIn, alarm: Alarm, ask: Ask
) -> None:
    client = ask(OPERATOR)
    page = (await client.get(f"/alarms/{alarm.id}")).text
    again(hall, alarm)
    data = {"cause": "process.gas", "measure": "检漏", "person": "赵敏"}
    assert (await send(client, page, "/dispositions", data)).status_code == 409
    assert hall.book[alarm.id].disposed is None
    assert (await client.get("/api/v1/dispositions")).json()["dispositions"] == []
    body: dict[str, Any] = {"alarms": [str(alarm.id)], "handled": "2026-11-23T06:00:00Z"} | data
    assert (await client.post("/api/v1/dispositions", json=body | {"raises": [7]})).status_code == 409
    assert (await client.post("/api/v1/dispositions", json=body | {"raises": [7, 8]})).status_code == 422
    assert (await client.post("/api/v1/dispositions", json=body | {"raises": [8]})).status_code == 201


async def test_the_list_and_its_dialog_name_the_raise_they_show(alarm: Alarm, ask: Ask) -> None:
    page = (await ask(OPERATOR).get("/alarms")).text
    button = re.search(rf'<a [^>]*data-ack="{alarm.id}"[^>]*>', page)
    assert button is not None
    assert f'data-raises="{alarm.raises}"' in button[0]
    assert "raises" in fields(page[page.index('<dialog id="ack"') :], "/alarms")


async def test_an_acknowledgement_names_its_raise_and_without_one_means_the_first(
    hall: StandIn, alarm: Alarm, ask: Ask
) -> None:
    """So a client that knows of no raises goes on as long as that is safe."""
    client, path = ask(OPERATOR), f"{ALARMS}/{alarm.id}/acknowledge"
    for body in (None, {"comment": "已到现场"}, {"raises": 6}, {"raises": 8}):
        refused = await client.post(path, json=body)
        assert refused.status_code == 409
        conflict = refused.json()
        assert set(conflict["changed"]) == {"zh", "en"}
        assert (conflict["now"]["alarm"], conflict["now"]["raises"]) == (str(alarm.id), 7)
    assert hall.book[alarm.id].acked is None
    shown = (await client.get(f"{ALARMS}/{alarm.id}")).json()
    assert (await client.post(path, json={"raises": shown["raises"]})).status_code == 200
    once = hall.raise_alarm(WOOD, "DP-01", "HH", 1600.0)
    assert (await client.post(f"{ALARMS}/{once.id}/acknowledge")).status_code == 200


async def test_a_latched_alarm_is_reset_by_the_raise_that_was_seen(hall: StandIn, alarm: Alarm, ask: Ask) -> None:
    hall.book[alarm.id] = replace(alarm, state=AlarmState.LATCHED_ACKNOWLEDGED)
    client = ask(OPERATOR)
    assert (await client.post(f"{ALARMS}/{alarm.id}/reset")).status_code == 409
    assert (await client.post(f"{ALARMS}/{alarm.id}/reset", json={"raises": 7})).status_code == 200


async def test_shelving_from_the_page_of_one_alarm_hides_no_other_of_its_rule(
    hall: StandIn, alarm: Alarm, ask: Ask
) -> None:
    """The one on the page is long over; a new alarm of the same rule has not been seen."""
    client = ask(OPERATOR)
    hall.book[alarm.id] = replace(alarm, state=AlarmState.UNACKNOWLEDGED, returned=None)
    page = (await client.get(f"/alarms/{alarm.id}")).text
    hall.book[alarm.id] = replace(alarm, state=AlarmState.NORMAL)
    hall.raise_alarm(STEEL, "CO-01", "H", 33.0, ago_s=-5)
    refused = await send(client, page, f"/alarms/{alarm.id}/shelve", {"minutes": "30", "reason": "检修"})
    assert (refused.status_code, hall.hidden) == (409, {})
    assert "您没有看到的新报警" in refused.text


def risen(hall: StandIn, plant: str, peak: Colour) -> EarlyWarning:
    """The plant's warning as it has just become as grave as that."""
    event = [event for event in hall.warned if event.warning.plant == plant][-1]
    episodes = hall.watches.by_plant[plant]
    more = replace(event.warning, colour=peak, peak=peak, asking=Asked.ACKNOWLEDGEMENT, acknowledged=None)
    episodes.live[more.id] = more
    hall.warned.append(replace(event, seq=len(hall.warned) + 1, warning=more))
    return more


async def test_who_saw_a_warning_orange_does_not_acknowledge_it_red(hall: StandIn, ask: Ask) -> None:
    """By page and by REST; nor do they answer it. Without a colour it is the one it was raised with."""
    hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    client = ask(INSPECTOR)
    (first,) = (await client.get(WARNINGS, params={"state": "open", "plant": STEEL})).json()["warnings"]
    path, action = f"{WARNINGS}/{first['id']}", f"/warnings/{first['id']}/acknowledge"
    page = (await client.get(f"/warnings/{first['id']}")).text
    now = risen(hall, STEEL, Colour.RED)
    feedback = {"cause": "煤气泄漏", "measure": "撤人"}
    for answer in (
        await send(client, page, action, {}),
        await send(client, page, f"/warnings/{first['id']}/feedback", feedback),
    ):
        assert answer.status_code == 409
        assert "现在是红色" in answer.text
    for end, body in (("acknowledge", {}), ("acknowledge", {"peak": first["peak"]}), ("feedback", feedback)):
        refused = await client.post(f"{path}/{end}", json=body)
        assert (refused.status_code, refused.json()["now"]["peak"]) == (409, "red")
    assert hall.watches.find(now.id).live[now.id].acknowledged is None
    assert (await client.post(f"{path}/acknowledge", json={"peak": "red"})).status_code == 200


async def test_an_approval_hides_no_alarm_that_rose_after_it_was_looked_at(hall: StandIn, ask: Ask) -> None:
    """The page says what would be hidden; an inspector who saw none does not hide one of level 2."""
    waiting = (await fill(hall)).waiting
    record = hall.hidden[waiting]
    client, action = ask(INSPECTOR), f"/suppressions/{waiting}/approve"
    page = (await client.get("/suppressions")).text
    hall.raise_alarm(record.plant, record.point, "HH", 95.0)
    refused = await send(client, page, action, {})
    assert (refused.status_code, hall.hidden[waiting].state) == (409, SuppressionState.APPLIED)
    assert "其中二级 1 条" in refused.text
    now = [f"/alarms/{alarm.id}" for alarm in hall.book.values() if alarm.point == record.point and alarm.active]
    assert leads(refused) == [*now, "/suppressions", "/alarms"]
    stale = await client.post(f"/api/v1/suppressions/{waiting}/approve", json={"raises": 0})
    assert (stale.status_code, stale.json()["now"]["raises"]) == (409, 1)
    page = (await client.get("/suppressions")).text
    assert "批准后将隐藏该测点的报警" in page
    assert (await send(client, page, action, {})).status_code == 303


async def test_whoever_acknowledges_second_reads_who_was_first_and_when(hall: StandIn, ask: Ask) -> None:
    """Also once the alarm is back to normal. What they wrote is kept with the alarm, and the answer says so."""
    first, second = ask(OPERATOR), ask(ADMIN)
    for number, back in enumerate((False, True)):
        alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 170.0 + number)
        await first.post(f"/api/v1/alarms/{alarm.id}/acknowledge", json={"comment": "已撤人"})
        if back:
            hall.return_alarm(hall.book[alarm.id])
        hall.time += 5 * SECOND
        answer = await second.post(f"/api/v1/alarms/{alarm.id}/acknowledge", json={"comment": "正在通风"})
        body = answer.json()
        assert answer.status_code == 409
        assert body["changed"] == {
            "zh": f"中控室 王建国 已于 11-23 14:12:{30 + 5 * number} 确认该报警。您的备注已保存在该报警下。",
            "en": f"中控室 王建国 acknowledged this alarm at 11-23 14:12:{30 + 5 * number}."
            " Your comment is kept with the alarm.",
        }
        assert body["now"]["by"] == "中控室 王建国"
        page = await second.post(f"/alarms/{alarm.id}/acknowledge", data={"comment": "风机已开"})
        assert page.status_code == 409
        assert "中控室 王建国 已于" in page.text
        assert "没有保存" not in page.text
        assert hall.book[alarm.id].acked_by == "中控室 王建国"
        comments = [event.detail.get("comment") for event in hall.alarm_history(alarm.id)]
        assert [comment for comment in comments if comment] == ["已撤人", "正在通风", "风机已开"]
        silent = await second.post(f"/alarms/{alarm.id}/acknowledge", data={})
        assert "已保存" not in silent.text
        assert len(hall.alarm_history(alarm.id)) == len(comments)


async def test_whoever_is_second_with_words_that_are_not_kept_gets_them_back(hall: StandIn, ask: Ask) -> None:
    """Of a warning seen or answered, of an application decided on or made: reported as not saved, and shown again."""
    hall.raise_alarm(STEEL, "CO-02", "HH", 170.0)
    warning = hall.warned[-1].warning
    draft = Suppress(SuppressionKind.OUT_OF_SERVICE, STEEL, "CO-01", None, "校验", None, Person("王建国", "operator"))
    applied = await hall.order(draft)
    raises = str(sum(alarm.raises for alarm in hall.book.values() if alarm.point == "CO-01"))
    for token, path, words in (
        (OPERATOR, f"/warnings/{warning.id}/acknowledge", {"comment": "已到现场 <b>"}),
        (INSPECTOR, f"/warnings/{warning.id}/feedback", {"cause": "阀门未关", "measure": "已更换"}),
        (INSPECTOR, f"/suppressions/{applied.id}/approve", {"comment": "同意"}),
        (INSPECTOR, f"/suppressions/{applied.id}/reject", {"comment": "另有安排"}),
    ):
        form = {"peak": str(warning.peak), "raises": raises}
        if not path.endswith("reject"):
            assert (await ask(token).post(path, data=form | dict.fromkeys(words, "首先"))).status_code == 303
        answer = await ask(token).post(path, data=form | words)
        assert answer.status_code == 409
        page = answer.text
        assert "您填写的以下内容没有保存" in page
        assert [escape(text) in page for text in words.values()] == [True] * len(words), path
        if "comment" in words:
            assert "没有保存" not in (await ask(token).post(path, data=form | {"comment": " "})).text


async def test_an_act_that_the_alarm_state_does_not_allow_is_refused_in_words(hall: StandIn, ask: Ask) -> None:
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 170.0)
    refused = await ask(OPERATOR).post(f"/alarms/{alarm.id}/reset", data={"raises": "1"})
    assert refused.status_code == 409
    assert "该报警现在的状态是“未确认”，不能复位。" in refused.text


async def test_a_second_answer_to_a_warning_or_an_application_names_the_first(hall: StandIn, ask: Ask) -> None:
    hall.raise_alarm(STEEL, "CO-02", "HH", 170.0)
    warning = hall.warned[-1].warning
    for _ in range(2):
        answer = await ask(OPERATOR).post(f"/warnings/{warning.id}/acknowledge", data={"peak": warning.peak})
    assert "中控室 王建国 已于 11-23 14:12:30 确认该预警。" in answer.text
    draft = Suppress(SuppressionKind.OUT_OF_SERVICE, STEEL, "CO-01", None, "校验", None, Person("王建国", "operator"))
    applied = await hall.order(draft)
    for path in ("approve", "reject"):
        raises = sum(alarm.raises for alarm in hall.book.values() if alarm.point == "CO-01")
        answer = await ask(INSPECTOR).post(f"/suppressions/{applied.id}/{path}", data={"raises": str(raises)})
    assert answer.status_code == 409
    assert "南安市应急管理局 已于 11-23 14:12:30 批准该申请。" in answer.text


@pytest.mark.parametrize("by_itself", [False, True])
@pytest.mark.parametrize(
    ("kind", "ended", "in_english"),
    [
        (SuppressionKind.SHELVED, "取消该搁置", "ended this shelving"),
        (SuppressionKind.SUPPRESSED, "解除该设计抑制", "ended this suppression by design"),
        (SuppressionKind.OUT_OF_SERVICE, "撤回该停用申请", "withdrew this application"),
    ],
)
async def test_whoever_comes_after_the_end_of_a_suppression_reads_who_ended_it_and_when(
    kind: SuppressionKind, ended: str, in_english: str, by_itself: bool, hall: StandIn, ask: Ask
) -> None:
    """Whatever they wanted: end it, approve it, reject it. By form and by REST, in both languages."""
    hall.raise_alarm(STEEL, "CO-01", "H", 30.0)
    rule = None if kind is SuppressionKind.OUT_OF_SERVICE else "H"
    draft = Suppress(kind, STEEL, "CO-01", rule, "校验", hall.time + 60 * SECOND, Person("李安全", "operator"))
    suppression = await hall.order(draft)
    if kind is not SuppressionKind.OUT_OF_SERVICE:
        unasked = await ask(INSPECTOR).post(f"/suppressions/{suppression.id}/approve", data={})
        assert (unasked.status_code, "李安全 已于 11-23 14:12:30 " in unasked.text) == (409, True)
    if by_itself:
        hall.hidden[suppression.id] = replace(
            suppression, state=SuppressionState.ENDED, ended=hall.time, ended_by="yujing"
        )
    else:
        assert (await ask(OPERATOR).post(f"/suppressions/{suppression.id}/end", data={})).status_code == 303
    who = "yujing 已于 11-23 14:12:30 因期满" if by_itself else "中控室 王建国 已于 11-23 14:12:30 "
    for token, path in ((ADMIN, "end"), (INSPECTOR, "approve"), (INSPECTOR, "reject")):
        page = await ask(token).post(f"/suppressions/{suppression.id}/{path}", data={})
        assert (page.status_code, who + ended in page.text) == (409, True), page.text
        assert "is not known" not in page.text
        answer = await ask(token).post(f"/api/v1/suppressions/{suppression.id}/{path}")
        assert (answer.status_code, in_english in answer.json()["changed"]["en"]) == (409, True)


async def test_a_second_rejection_names_the_first(hall: StandIn, ask: Ask) -> None:
    draft = Suppress(SuppressionKind.OUT_OF_SERVICE, STEEL, "CO-01", None, "校验", None, Person("李安全", "operator"))
    applied = await hall.order(draft)
    for path in ("reject", "reject", "approve", "end"):
        answer = await ask(ADMIN).post(f"/suppressions/{applied.id}/{path}", data={})
        assert path == "reject" or answer.status_code == 409
    assert "admin 已于 11-23 14:12:30 驳回该申请。" in answer.text


async def test_a_refusal_leads_to_the_record_that_it_asks_to_look_at(hall: StandIn, ask: Ask) -> None:
    """The one that is new, of several each, and never a page of another site."""
    client = ask(OPERATOR)
    seen = hall.raise_alarm(STEEL, "CO-01", "H", 30.0)
    del hall.book[seen.id]
    new = hall.raise_alarm(STEEL, "CO-01", "H", 31.0, ago_s=2)
    hall.book[seen.id] = replace(seen, state=AlarmState.NORMAL, returned=hall.time)
    form = {"minutes": "30", "reason": "检修", "raises": "1", "onward": "https://evil.example"}
    refused = await client.post(f"/alarms/{seen.id}/shelve", data=form)
    assert "一条您没有看到的新报警" in refused.text
    assert leads(refused) == [f"/alarms/{new.id}", "/alarms"]
    warning = risen(hall, STEEL, Colour.RED)
    for came_from, before in (("/warnings?plant=x", ["/warnings?plant=x"]), (f"/warnings/{warning.id}", [])):
        referer = f"http://yujing.test{came_from}"
        stale = {"peak": "orange"}
        refused = await client.post(f"/warnings/{warning.id}/acknowledge", data=stale, headers={"referer": referer})
        assert (refused.status_code, leads(refused)) == (409, [f"/warnings/{warning.id}", *before, "/alarms"])
    unknown = await client.post(f"/alarms/{warning.id}/reset", data={"raises": "1"})
    assert (unknown.status_code, leads(unknown)) == (404, ["/alarms"])
