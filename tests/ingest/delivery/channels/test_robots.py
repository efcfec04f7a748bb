"""Robots of group chats tell people everything, red first, within what their providers take."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ingest.base.config import Secret
from ingest.delivery.channels.config import DingTalkConfig, FeishuConfig, RobotConfig, WeComConfig
from ingest.delivery.channels.rate import PostLimit
from ingest.delivery.channels.robot import RobotConnector
from ingest.delivery.channels.texts import EVENTS, line_of
from ingest.domain.model.call import Cause
from ingest.domain.model.outbox import Message
from ingest.domain.model.warning import Colour
from tests.ingest.delivery.channels.messages import NUMBER, call_message
from tests.ingest.delivery.channels.stand_ins import (
    SECRET,
    TOKEN,
    DingTalkGroup,
    FeishuGroup,
    Group,
    WeComGroup,
)
from tests.ingest.delivery.outbox import (
    START,
    alarm_message,
    early_warning,
    notice_message,
    until,
    warning_message,
)
from tests.ingest.delivery.receiver import Receiver, Reply

KINDS: dict[str, tuple[type[RobotConfig], type[Group]]] = {
    "dingtalk": (DingTalkConfig, DingTalkGroup),
    "wecom": (WeComConfig, WeComGroup),
    "feishu": (FeishuConfig, FeishuGroup),
}


@dataclass
class Chat:
    """A robot's connector, and the group it posts to; `now` (s since the epoch) is both their clock."""

    connector: RobotConnector
    group: Group
    receiver: Receiver
    clock: Clock

    async def say(self, *messages: Message) -> list[str | None]:
        outcomes = await asyncio.gather(*(self.connector.deliver([message]) for message in messages))
        return [outcome.error for (outcome,) in outcomes]

    async def move(self, by_s: float) -> None:
        self.clock.now += by_s
        self.connector.bundler.wake()
        await asyncio.sleep(0)

    async def storm(self, alarms: int) -> list[asyncio.Task[list[str | None]]]:
        """Say alarms of level 1, all at once; returns once the first five, which go by themselves, were posted."""
        storm = [grave_or_not(alarm_message(seq, point=f"P-{seq:03}"), level=1) for seq in range(1, alarms + 1)]
        sending = [asyncio.create_task(self.say(message)) for message in storm]
        await until(lambda: len(self.group.texts) == 5)
        return sending

    async def next_post(self, sending: Sequence[asyncio.Task[list[str | None]]]) -> None:
        posted = len(self.group.posts)
        await self.move(7.0)
        await until(lambda: len(self.group.posts) > posted or all(task.done() for task in sending))


class Clock:
    def __init__(self) -> None:
        self.now = START / 1e9

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def chatting(kind: str, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> AsyncIterator[Chat]:
    monkeypatch.setenv("ROBOT_TOKEN", TOKEN)
    monkeypatch.setenv("ROBOT_SECRET", SECRET)
    config_of, group_of = KINDS[kind]
    clock = Clock()
    group = group_of(clock)
    with Receiver(group) as receiver:
        if kind != "wecom":
            settings.setdefault("secret", Secret(env="ROBOT_SECRET"))
        config = config_of(name="robot", url=receiver.url, token=Secret(env="ROBOT_TOKEN"), timeout_s=2, **settings)
        opened = config.open_connector(lambda: int(clock.now * 1e9))
        assert isinstance(opened, RobotConnector)
        limit = PostLimit(20, 5, clock.now)
        connector = RobotConnector(
            config, opened._client, opened._robot, lambda: int(clock.now * 1e9), limit=limit, steady=clock
        )
        try:
            yield Chat(connector, group, receiver, clock)
        finally:
            await connector.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_group_reads_what_happened_how_grave_it_is_and_under_which_id(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm, warning, notice = alarm_message(1), warning_message(2), notice_message(3)
    async with chatting(kind, monkeypatch) as chat:
        for message in (alarm, warning, notice):
            assert await chat.say(message) == [None]
        texts = chat.group.texts
        assert texts[0].startswith("【报警 2级 发生】南安铝业有限公司 CW_IN_P-01 结晶器冷却水进水压力 低低报 0.118MPa")
        assert "限值 0.15" in texts[0]
        assert "处置：停止浇铸" in texts[0]
        assert "11-23 16:00:00" in texts[0]  # Beijing time
        assert texts[0].endswith(f" 编号 {alarm.body['alarm']['id']}")
        assert texts[1].startswith("【预警 ")
        assert texts[1].endswith(f" 编号 {warning.body['warning']['id']}")
        assert texts[2].startswith("【提醒 ")
        assert chat.receiver.requests[0].headers["idempotency-key"] == str(alarm.id)
    async with chatting(kind, monkeypatch, language="en") as chat:
        assert await chat.say(alarm) == [None]
        assert chat.group.texts[0].startswith("[ALARM level 2 raised] ")


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("dingtalk", "manager01"),
        ("dingtalk", "13800000000"),
        ("wecom", "LiSi"),
        ("wecom", "+8613800000000"),
        ("feishu", "ou_18eac85d35a26f989317ad4f02e8bbbb"),
    ],
)
async def test_a_call_mentions_the_person_it_calls_and_nobody_else(
    kind: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a text says that people wrote: it calls nobody."""
    spoken = 'all <at user_id="all">所有人</at> <@all> @all'
    async with chatting(kind, monkeypatch) as chat:
        assert await chat.say(call_message(1, address, what=spoken)) == [None]
        assert chat.group.mentioned == [[address.removeprefix("+86")]]
        assert f"编号 {NUMBER}" in chat.group.texts[0]
        assert "【叫应 红色】" in chat.group.texts[0]
        assert "请张三在16:01前按1确认" in chat.group.texts[0]
        assert "<@all>" not in chat.group.texts[0] or kind == "dingtalk"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_long_text_is_cut_in_its_middle_and_says_so(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = call_message(1, "13800000000", what="撤离<@" * 1500)
    async with chatting(kind, monkeypatch) as chat:
        assert await chat.say(message) == [None]
        (text,) = chat.group.texts
        assert len(text.encode()) <= 2048
        assert "【叫应 红色】" in text
        assert text.endswith(f"…（已截短） 编号 {NUMBER}")


async def test_a_storm_is_told_whole_within_twenty_posts_a_minute_and_red_is_not_kept_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two hundred alarms at once, then a red warning: it is read at once, first in its post; nothing is left out."""
    async with chatting("dingtalk", monkeypatch) as chat:
        sending = await chat.storm(200)
        posted = len(chat.group.texts)
        red = asyncio.create_task(chat.say(red_warning(300)))
        await until(lambda: len(chat.group.texts) > posted)
        assert chat.group.texts[-1].startswith("【预警 红色")
        assert await red == [None]
        while not all(task.done() for task in sending):
            await chat.next_post(sending)
        read = "\n".join(chat.group.texts)
        assert [read.count(f"P-{seq:03} ") for seq in range(1, 201)] == [1] * 200
        assert most_in_a_minute(chat.group.posts) <= 20
        assert {error for task in sending for error in task.result()} == {None}


def test_no_minute_has_more_posts_than_the_limit_and_red_has_its_reserve() -> None:
    """Against a plain count, whatever comes when."""
    for seed in range(20):
        drawn = random.Random(seed)  # noqa: S311  the same each time
        limit, now, posts = PostLimit(20, 5, 0.0, spent=10), 0.0, list[tuple[float, bool]]()
        posts += [(0.0, False)] * 10
        for _ in range(400):
            now += drawn.expovariate(drawn.choice((0.1, 1.0, 10.0)))
            grave = drawn.random() < 0.2
            wait_s = limit.wait_s(now, grave=grave)
            within = [each for at, each in posts if at > now - 65]
            if grave:
                assert wait_s == 0 or len(within) >= 17, (seed, now)
                assert wait_s > 0 or len(within) < 20, (seed, now)
            if wait_s == 0:
                limit.count(now, grave=grave)
                posts.append((now, grave))
            elif drawn.random() < 0.3:
                now += wait_s + 1e-6
                assert limit.wait_s(now, grave=grave) < 1e-3, (seed, now)
        assert most_in_a_minute([at for at, _ in posts]) <= 20
        assert most_in_a_minute([at for at, grave in posts if not grave]) <= 15


async def test_an_alarm_of_level_2_that_comes_again_is_not_kept_waiting_by_its_own_return(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Events of one alarm are sent in their order, so in a storm the return takes a post of the reserve, too."""
    async with chatting("dingtalk", monkeypatch) as chat:
        sending = await chat.storm(200)
        for seq, kind in ((301, "raised"), (302, "returned"), (303, "raised")):
            message = alarm_message(seq, point="P-AGAIN")
            task = asyncio.create_task(chat.say(replace(message, body={**message.body, "event": kind})))
            await until(task.done)
        assert len(chat.group.texts) == 8
        assert [text.partition("】")[0] for text in chat.group.texts[5:]] == [
            "【报警 2级 发生", "【报警 2级 恢复", "【报警 2级 发生"
        ]  # fmt: skip
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


@pytest.mark.parametrize("most", [2, 5, 20, 100])
def test_red_that_comes_each_second_waits_for_a_part_of_a_minute_only(most: int) -> None:
    """Whatever waits shares the next post, so that a new one is read soon though others used up the posts."""
    limit, times, waiting, longest = PostLimit(most, 1, 0.0, spent=most // 2), list[float](), list[int](), 0
    for now in range(600):
        waiting.append(now)
        if limit.wait_s(now, grave=True) == 0:
            limit.count(now, grave=True)
            times.append(now)
            longest, waiting = max(longest, now - waiting[0]), []
    assert most_in_a_minute(times) <= most
    assert longest <= {2: 65, 5: 34, 20: 18, 100: 18}[most]


@pytest.mark.parametrize(
    ("kind", "code", "block_s"), [("dingtalk", 130101, 600), ("wecom", 45009, 60), ("feishu", 11232, 60)]
)
async def test_a_robot_that_was_posted_to_too_often_is_left_alone(
    kind: str, code: int, block_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may use the same robot: DingTalk blocks it for ten minutes, and longer for each try."""
    async with chatting(kind, monkeypatch) as chat:
        chat.group.fault = chat.group.answer(code, "send too fast")
        (error,) = await chat.say(alarm_message(1))
        assert error is not None
        assert str(code) in error
        (outcome,) = await chat.connector.deliver([alarm_message(1)])
        assert outcome.retry_after_s == block_s
        assert len(chat.group.posts) == 1
        chat.group.fault = None
        await chat.move(block_s + 1)
        assert await chat.say(alarm_message(1)) == [None]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_refused_says_why_and_no_secret(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    field = "code" if kind == "feishu" else "errcode"
    async with chatting(kind, monkeypatch) as chat:
        for fault, words in (
            (Reply(500, body=TOKEN.encode()), "HTTP 500"),
            (Reply(body=b"<html>"), "not a JSON object"),
            (Reply(body=b"[0]"), "not a JSON object"),
            (Reply(body=b'{"ok": true}'), f"no number {field}"),
            (Reply(body=f'{{"{field}": false}}'.encode()), f"no number {field}"),
            (Reply(body=f'{{"{field}": "0"}}'.encode()), f"no number {field}"),
            (Reply(503, body=f'{{"{field}": 0}}'.encode()), "HTTP 503"),
            (Reply(body=f'{{"{field}": 424242, "errmsg": "{TOKEN} {SECRET}"}}'.encode()), f"{field} 424242"),
        ):
            chat.group.fault = fault
            (error,) = await chat.say(alarm_message(1))
            assert error is not None
            assert words in error
            assert TOKEN not in error
            assert SECRET not in error
            await chat.move(60)
        chat.group.fault = None
    if kind != "wecom":
        monkeypatch.setenv("OTHER", "another secret")
        async with chatting(kind, monkeypatch, secret=Secret(env="OTHER")) as chat:
            (error,) = await chat.say(alarm_message(1))
            assert error is not None
            assert "secret" in error


async def test_events_that_were_not_chosen_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async with chatting("wecom", monkeypatch, events=["returned"]) as chat:
        assert await chat.say(alarm_message(1), call_message(2, "LiSi")) == [None, None]
        assert len(chat.group.texts) == 1
        assert "叫应" in chat.group.texts[0]


def test_every_event_that_can_be_chosen_has_a_word() -> None:
    for event in EVENTS:
        message = alarm_message(1)
        line = line_of(replace(message, body={**message.body, "event": event}))
        assert EVENTS[event].zh in line.head.zh


def red_warning(seq: int) -> Message:
    message = warning_message(seq)
    warning = {**message.body["warning"], "colour": str(Colour.RED)}
    assert early_warning().plant == message.plant
    return replace(message, body={**message.body, "warning": warning})


def grave_or_not(message: Message, level: int) -> Message:
    return replace(message, body={**message.body, "alarm": {**message.body["alarm"], "level": level}})


def most_in_a_minute(times: Sequence[float]) -> int:
    return max((sum(at - 60 < other <= at for other in times) for at in times), default=0)


def test_a_call_goes_first_unless_it_is_a_roll_call_or_for_less_than_red() -> None:
    """Without a colour it is for an alarm of level 2."""
    for colour, cause, grave in (
        (Colour.RED, Cause.WARNING, True),
        (Colour.ORANGE, Cause.WARNING, False),
        (None, Cause.ALARM, True),
        (None, Cause.SYSTEM, True),
        (None, Cause.ROLL_CALL, False),
    ):
        line = line_of(call_message(1, "LiSi", colour, cause=cause))
        assert line.grave is grave, (colour, cause)
        assert line.fitted(400).startswith("【在线抽查】" if cause is Cause.ROLL_CALL else "【叫应")


async def test_what_waits_goes_back_when_a_robot_is_blocked_and_what_was_given_up_is_not_posted_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with chatting("dingtalk", monkeypatch) as chat:
        sending = await chat.storm(100)
        last = sending.pop()
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
        chat.group.fault = chat.group.answer(130101)
        await chat.next_post(sending)
        await until(lambda: all(task.done() for task in sending))
        errors = [error for task in sending for error in task.result() if error is not None]
        posted = len(chat.group.posts)
        assert errors
        chat.group.fault = None
        await chat.move(700.0)
        assert await chat.say(alarm_message(300, point="P-300")) == [None]
        read = "\n".join(chat.group.texts)
        assert len(chat.group.posts) == posted + 1
        assert "P-100 " not in read
        assert len(errors) + sum(f"P-{seq:03} " in read for seq in range(1, 100)) == 99
