"""A point in alarm is marked wherever its value is shown, and a switch shows its state in words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ingest.domain.model.alarm import AlarmState
from ingest.domain.model.suppression import SuppressionKind
from ingest.engine.commands import Decide, Person, Suppress
from ingest.plants.catalogue import load_catalogue
from ingest.plants.view import Latest
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import MINUTE, NOON, STEEL, WOOD
from tests.ingest.web.stand_in import OPERATOR, StandIn

POINT = f"/plants/{STEEL}/points/CO-01"


def row(page: str, point: str) -> str:
    """What the table of points has of one."""
    found: list[str] = re.findall(rf'<tr class="[^"]*" data-point="{point}">.*?</tr>', page, re.DOTALL)
    assert len(found) == 1
    return found[0]


async def places(ask: Ask) -> list[str]:
    """Everywhere the value of CO-01 stands."""
    client = ask(OPERATOR)
    plant, table, point, trend = [
        (await client.get(path)).text
        for path in (f"/plants/{STEEL}", f"/plants/{STEEL}/table", POINT, f"{POINT}/trend")
    ]
    reading = [re.findall(r'<p class="reading.*?</p>', page, re.DOTALL)[0] for page in (point, trend)]
    return [row(plant, "CO-01"), row(table, "CO-01"), *reading]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (AlarmState.UNACKNOWLEDGED, "未确认"),
        (AlarmState.ACKNOWLEDGED, "已确认"),
        (AlarmState.RETURNED, "已恢复"),
        (AlarmState.LATCHED_ACKNOWLEDGED, "锁存"),
        (AlarmState.SHELVED, "搁置"),
        (AlarmState.SUPPRESSED, "抑制"),
        (AlarmState.OUT_OF_SERVICE, "停用"),
    ],
)
async def test_a_point_in_alarm_looks_in_alarm(hall: StandIn, ask: Ask, state: AlarmState, word: str) -> None:
    """By shape and words and a way there, beside the gravest of its alarms; also while the alarm is hidden."""
    hall.book = {key: alarm for key, alarm in hall.book.items() if alarm.point != "CO-01"}
    hall.put(STEEL, "CO-01", Latest(NOON, 170.0, 0, stale=False))
    other = hall.raise_alarm(STEEL, "CO-01", "H", 25.0)
    grave = hall.raise_alarm(STEEL, "CO-01", "HH", 170.0, 60)
    hall.book[grave.id] = replace(grave, state=state)
    for shown in await places(ask):
        assert "tone-alarm" in shown
        assert "level-2" in shown
        assert f'href="/alarms/{grave.id}"' in shown
        assert '<path d="M8 1 15.5 15H.5Z"/>' in shown
        assert word in shown
        assert "另有 1 条" in shown or f'href="/alarms/{other.id}"' in shown
        assert "正常" not in shown


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [
        ("HH", AlarmState.RETURNED, ("二级", "已恢复", "一级", "设计抑制")),
        ("SLOPE", AlarmState.RETURNED, ("已恢复", "一级", "设计抑制")),
        ("HH", AlarmState.LATCHED_ACKNOWLEDGED, ("二级", "锁存", "一级", "设计抑制")),
    ],
)
async def test_a_value_over_its_limit_is_not_marked_as_returned_alone(
    hall: StandIn, ask: Ask, code: str, state: AlarmState, words: tuple[str, ...]
) -> None:
    """Its limit is hidden by design and calls nobody, yet the value is over it: both have a mark and a way there."""
    hall.book = {key: alarm for key, alarm in hall.book.items() if alarm.point != "CO-01"}
    hall.put(STEEL, "CO-01", Latest(NOON, 30.0, 0, stale=False))
    over = hall.raise_alarm(STEEL, "CO-01", "H", 30.0)
    hall.book[over.id] = replace(over, state=AlarmState.SUPPRESSED)
    past = hall.raise_alarm(STEEL, "CO-01", "HH", 170.0, 60)
    hall.book[past.id] = replace(past, rule=code, level=2 if code == "HH" else 1, state=state, returned=NOON)
    for shown in await places(ask):
        for raised in (over, past):
            assert f'href="/alarms/{raised.id}"' in shown
        for word in words:
            assert word in shown
        assert "另有" not in shown


async def test_an_outstanding_alarm_is_shown_beside_a_graver_hidden_one(hall: StandIn, ask: Ask) -> None:
    """A hidden alarm calls nobody; the one that does is not left to be counted beside it."""
    hall.book = {key: alarm for key, alarm in hall.book.items() if alarm.point != "CO-01"}
    hall.put(STEEL, "CO-01", Latest(NOON, 170.0, 0, stale=False))
    calls = hall.raise_alarm(STEEL, "CO-01", "H", 25.0)
    grave = hall.raise_alarm(STEEL, "CO-01", "HH", 170.0, 60)
    hall.book[grave.id] = replace(grave, state=AlarmState.SUPPRESSED)
    for shown in await places(ask):
        assert 0 <= shown.find(f"/alarms/{grave.id}") < shown.find(f"/alarms/{calls.id}")


async def test_a_point_whose_alarm_is_over_looks_well_again(hall: StandIn, ask: Ask) -> None:
    hall.book = {key: alarm for key, alarm in hall.book.items() if alarm.point != "CO-01"}
    hall.put(STEEL, "CO-01", Latest(NOON, 6.0, 0, stale=False))
    for state in (AlarmState.NORMAL, AlarmState.REMOVED):
        alarm = hall.raise_alarm(STEEL, "CO-01", "HH", 170.0, 60)
        hall.book[alarm.id] = replace(alarm, state=state, returned=NOON)
        for shown in await places(ask):
            assert "正常" in shown
            assert "tone-good" in shown
            assert "/alarms/" not in shown


async def test_doubts_about_a_value_are_shown_beside_its_alarm(hall: StandIn, ask: Ask) -> None:
    hall.raise_alarm(STEEL, "CO-01", "HH", 170.0)
    hall.put(STEEL, "CO-01", Latest(NOON, 170.0, 0, stale=True))
    for shown in await places(ask):
        assert "数据过期" in shown
        assert "tone-gone" in shown
        assert "二级" in shown


@pytest.mark.parametrize(("value", "zh", "en"), [(1.0, "运行", "running"), (0.0, "停止", "stopped")])
async def test_a_switch_says_its_state_in_words(hall: StandIn, ask: Ask, value: float, zh: str, en: str) -> None:
    hall.put(WOOD, "FAN-01", Latest(NOON, value, 0, stale=False))
    client = ask(OPERATOR)
    for page in (f"/plants/{WOOD}", f"/plants/{WOOD}/points/FAN-01"):
        assert f"<b>{zh}</b>" in (await client.get(page)).text
    latest = (await client.get(f"/api/v1/plants/{WOOD}/points/FAN-01")).json()["latest"]
    assert (latest["value"], latest["text"]) == (value, {"zh": zh, "en": en})
    await client.post("/language", data={"lang": "en", "onward": "/plants"})
    assert f"<b>{en}</b>" in (await client.get(f"/plants/{WOOD}")).text


async def test_a_condition_and_a_trend_say_in_words_what_a_switch_says(hall: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    alarm = hall.raise_alarm(WOOD, "DP-01", "LL", 150.0)
    pages = (f"/plants/{WOOD}/points/DP-01", f"/plants/{WOOD}/points/DP-01/rules", f"/alarms/{alarm.id}")
    for page in pages:
        assert "FAN-01 == 运行" in (await client.get(page)).text
    assert ">停止</text>" in (await client.get(f"/plants/{WOOD}/points/FAN-01")).text
    await client.post("/language", data={"lang": "en", "onward": "/plants"})
    for page in pages:
        assert "FAN-01 == running" in (await client.get(page)).text


async def test_what_else_a_point_is_in_alarm_for_stands_apart_from_what_follows(hall: StandIn, ask: Ask) -> None:
    hall.raise_alarm(STEEL, "CO-01", "H", 30.0)
    hall.raise_alarm(STEEL, "CO-01", "HH", 180.0)
    page = (await ask(OPERATOR).get(f"{POINT}/trend")).text
    assert re.search(r"另有 \d+ 条</span>\s", page)


async def test_a_number_has_no_words_and_an_unknown_state_neither(hall: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    hall.put(STEEL, "CO-01", Latest(NOON, 1.0, 0, stale=False))
    assert (await client.get(f"/api/v1{POINT}")).json()["latest"]["text"] is None
    hall.put(WOOD, "FAN-01", Latest(NOON, 1.0, 0, stale=True))
    assert (await client.get(f"/api/v1/plants/{WOOD}/points/FAN-01")).json()["latest"]["text"] is None
    assert "<b>运行</b>" not in row((await client.get(f"/plants/{WOOD}")).text, "FAN-01")


def test_every_digital_signal_of_the_catalogue_has_words_in_both_languages() -> None:
    catalogue = load_catalogue()
    digital = [s for kind in catalogue.signals.values() for s in kind.values() if s.table.kind == "digital"]
    assert digital
    for signal in digital:
        assert signal.states is not None
        for word in signal.states:
            assert word.zh
            assert word.en.isascii()


async def hidden(hall: StandIn, kind: SuppressionKind, rule: str | None = None, begins: int | None = None) -> None:
    """Have alarms of CO-01 hidden for a quarter of an hour, approved where that is asked for."""
    hall.book = {key: alarm for key, alarm in hall.book.items() if alarm.point != "CO-01"}
    hall.put(STEEL, "CO-01", Latest(NOON, 6.0, 0, stale=False))
    until = (begins or NOON) + 15 * MINUTE
    command = Suppress(kind, STEEL, "CO-01", rule, "传感器送检", until, Person("王建国", "operator"), begins)
    record = await hall.order(command)
    if kind is SuppressionKind.OUT_OF_SERVICE:
        await hall.order(Decide(record.id, True, Person("李明", "inspector")))


@pytest.mark.parametrize(
    ("kind", "rule", "word"),
    [
        (SuppressionKind.OUT_OF_SERVICE, None, "停用"),
        (SuppressionKind.SHELVED, "H", "搁置"),
        (SuppressionKind.SUPPRESSED, "H", "抑制"),
    ],
)
async def test_a_point_whose_alarms_are_hidden_says_so_wherever_its_value_stands(
    hall: StandIn, ask: Ask, kind: SuppressionKind, rule: str | None, word: str
) -> None:
    """Before any alarm of it: nobody would be called, so it is not shown as well."""
    await hidden(hall, kind, rule)
    for shown in await places(ask):
        assert word in shown
        assert "截止" in shown
        assert "正常" not in shown
        assert "tone-good" not in shown
    rules = (await ask(OPERATOR).get(f"{POINT}/rules")).text
    assert rules.count(word) == (len(hall.known.plants[STEEL].points[0].rules) if rule is None else 1)
    assert (await ask(OPERATOR).get(f"/api/v1{POINT}")).json()["hidden_by"] == kind
    listed = {
        listed_point["id"]: listed_point["hidden_by"]
        for listed_point in (await ask(OPERATOR).get(f"/api/v1/plants/{STEEL}/points")).json()
    }
    assert listed == dict.fromkeys(listed) | {"CO-01": kind}


@pytest.mark.parametrize("kind", [kind for kind in SuppressionKind if kind.hides])
async def test_the_list_of_plants_says_where_nobody_would_be_called(
    hall: StandIn, ask: Ask, kind: SuppressionKind
) -> None:
    """A plant without an alarm is not quiet for want of points that call; the words fit whatever hides them."""
    assert "报警被隐藏" not in (await ask(OPERATOR).get("/plants/table")).text
    await hidden(hall, kind)
    page = (await ask(OPERATOR).get("/plants/table")).text
    row = page.split(f'id="plant-{STEEL}"')[1].split("</tr>")[0]
    assert "1 个测点的报警被隐藏" in row
    assert page.count("报警被隐藏") == 1


async def test_what_hides_alarms_without_end_says_so_wherever_the_value_stands(hall: StandIn, ask: Ask) -> None:
    command = Suppress(
        SuppressionKind.SUPPRESSED, STEEL, "CO-01", None, "停炉", None, Person("王建国", "operator"), None
    )
    await hall.order(command)
    for shown in await places(ask):
        assert "抑制" in shown
        assert "直到手动解除" in shown


async def test_suppressions_of_a_point_are_shown_beside_its_alarms(hall: StandIn, ask: Ask) -> None:
    """The level 2 that no shelving reaches calls beside what is shelved."""
    await hidden(hall, SuppressionKind.SHELVED)
    hall.raise_alarm(STEEL, "CO-01", "HH", 170.0)
    for shown in await places(ask):
        assert "二级" in shown
        assert "搁置" in shown
    for code, shelved in (("H", True), ("HH", False)):
        rule = (await ask(OPERATOR).get(f"{POINT}/rules")).text.split(f">{code}</span>")[1].split("</tr>")[0]
        assert ("搁置" in rule) is shelved


async def test_a_point_is_shown_as_hidden_only_while_it_is(hall: StandIn, ask: Ask) -> None:
    """What is approved for later hides nothing yet, and what is over hides nothing any more."""
    await hidden(hall, SuppressionKind.OUT_OF_SERVICE, begins=NOON + MINUTE)
    for time, word in ((NOON, "正常"), (NOON + MINUTE, "停用"), (NOON + 16 * MINUTE, "正常")):
        hall.time = time
        for shown in await places(ask):
            assert word in shown


async def test_a_warning_marks_what_is_shelved_among_its_grounds(hall: StandIn, ask: Ask) -> None:
    hall.raise_alarm(STEEL, "CO-01", "HH", 170.0)
    warned = next(event.warning for event in reversed(hall.warned) if event.warning.plant == STEEL)
    page = f"/warnings/{warned.id}"
    assert "搁置" not in (await ask(OPERATOR).get(page)).text.split('id="why"')[1].split('id="history"')[0]
    await hall.order(
        Suppress(SuppressionKind.SHELVED, STEEL, "CO-01", None, "复测", NOON + MINUTE, Person("王建国", "operator"))
    )
    assert "搁置" in (await ask(OPERATOR).get(page)).text.split('id="why"')[1].split('id="history"')[0]
