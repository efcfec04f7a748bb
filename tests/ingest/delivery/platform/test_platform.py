from __future__ import annotations

import json
import logging
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.delivery.connector import Outcome
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.platform.connector import PlatformConnector
from ingest.delivery.platform.opening import open_platform
from ingest.delivery.sender import OutboxSender
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.outbox import Message
from tests.ingest.delivery.outbox import (
    PLANT,
    START,
    Clock,
    MemoryOutbox,
    alarm_message,
    hurry,
    readings_message,
    running,
)
from tests.ingest.delivery.platform.profiles import APPID, APPSECRET, IV, KEY, OLD_MAPPING
from tests.ingest.delivery.receiver import Authority, Receiver, Reply, Request, make_authority

YES = Reply(200, body=b'{"code": 0, "msg": "ok"}')


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPSECRET", APPSECRET)
    monkeypatch.setenv("SM4_KEY", KEY)
    monkeypatch.setenv("SM4_IV", IV)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"), "province")


@pytest.fixture
def platform(authority: Authority) -> Iterator[Receiver]:
    with Receiver(lambda _: YES, tls=authority.server) as started:
        yield started


@asynccontextmanager
async def opened(platform: Receiver, authority: Authority, **more: Any) -> AsyncIterator[PlatformConnector]:
    given = {
        "url": platform.url,
        "appid": APPID,
        "appsecret": {"env": "APPSECRET"},
        "key": {"env": "SM4_KEY"},
        "iv": {"env": "SM4_IV"},
        "ca_file": authority.ca_file,
        **more,
    }
    connector = open_platform(PlatformConfig.model_validate(given), lambda: START)
    try:
        yield connector
    finally:
        await connector.close()


def report_in(request: Request, key: str = KEY) -> dict[str, Any]:
    """What the province reads: deciphered by OpenSSL, not by our code."""
    openssl = shutil.which("openssl")
    assert openssl, "install openssl"
    ciphertext = bytes.fromhex(json.loads(request.body)["data"])
    command = [openssl, "enc", "-d", "-sm4-cbc", "-K", key, "-iv", IV]
    done = subprocess.run(command, input=ciphertext, capture_output=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


async def test_the_province_can_read_an_alarm_over_tls(platform: Receiver, authority: Authority) -> None:
    async with opened(platform, authority) as connector:
        assert await connector.deliver([alarm_message(1)]) == [Outcome(1)]
    (request,) = platform.requests
    assert request.headers["content-type"] == "application/json"
    assert request.headers["appsecret"] == APPSECRET
    body = json.loads(request.body)
    assert body.keys() == {"appid", "data"}
    assert body["appid"] == APPID
    assert body["data"] == body["data"].upper()
    report = report_in(request)
    assert report["enterpriseId"] == PLANT.uscc
    assert report["datas"][0]["title"] == "结晶器冷却水进水压力 低低报"


async def test_replaced_secrets_of_the_platform_are_used_from_the_next_start_on(
    platform: Receiver, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authority issues them anew: what is sent after the restart, it can tell and read by the new ones."""
    async with opened(platform, authority) as connector:
        await connector.deliver([alarm_message(1)])
    monkeypatch.setenv("APPSECRET", "another-appsecret")
    monkeypatch.setenv("SM4_KEY", KEY[::-1])
    async with opened(platform, authority) as connector:
        assert await connector.deliver([alarm_message(1)]) == [Outcome(1)]
    old, new = platform.requests
    assert (old.headers["appsecret"], new.headers["appsecret"]) == (APPSECRET, "another-appsecret")
    assert report_in(new, KEY[::-1])["datas"] == report_in(old)["datas"]


async def test_messages_go_together_by_kind_and_enterprise(platform: Receiver, authority: Authority) -> None:
    messages = [
        alarm_message(1),
        readings_message(2),
        alarm_message(3, point="OTHER"),
        readings_message(4, plant="p2", uscc="91110000802100433B"),
        readings_message(5),
    ]
    async with opened(platform, authority) as connector:
        outcomes = await connector.deliver(messages)
    assert sorted(outcomes, key=lambda outcome: outcome.seq) == [Outcome(seq) for seq in (1, 2, 3, 4, 5)]
    found = sorted((r["reportType"], r["enterpriseId"], len(r["datas"])) for r in map(report_in, platform.requests))
    assert found == [("alarm", PLANT.uscc, 2), ("continues", PLANT.uscc, 4), ("report", "91110000802100433B", 2)]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (
            Reply(200, body='{"code": 4001, "msg": "企业未注册"}'.encode()),
            "the platform refused: code = 4001, 企业未注册",
        ),
        (Reply(200, body=b'{"code": "0"}'), "the platform refused: code = 0"),
        (Reply(200, body=b'{"code": false}'), "the platform refused: code = False"),
        (Reply(200, body=b"{}"), "the platform refused: code = None"),
        (Reply(200, body=b"<html>login</html>"), "the platform's answer is not a JSON object"),
        (Reply(200, body=b"[0]"), "the platform's answer is not a JSON object"),
        (Reply(200, body=b"[" * 60_000), "the platform's answer is not a JSON object"),
        (Reply(200, body=b"\xff\xfe{"), "the platform's answer is not a JSON object"),
        (Reply(200), "the platform's answer is not a JSON object"),
        (Reply(500, body=b'{"code": 0}'), "HTTP 500 Internal Server Error"),
        (Reply(302, {"location": "/"}), "HTTP 302: redirects are not followed, set the final address"),
        (Reply(reset=True), "connection broken before the answer was complete (reset)"),
    ],
)
async def test_only_the_platforms_own_yes_counts(
    platform: Receiver, authority: Authority, reply: Reply, error: str
) -> None:
    platform.answer = lambda _: reply
    async with opened(platform, authority) as connector:
        assert await connector.deliver([alarm_message(1), alarm_message(2, point="B")]) == [
            Outcome(1, error),
            Outcome(2, error),
        ]
    assert len(platform.requests) == 1


async def test_a_province_may_say_yes_in_its_own_words(
    platform: Receiver, authority: Authority, tmp_path: Path
) -> None:
    text = OLD_MAPPING.read_text(encoding="utf-8")
    text = text.replace('key = "code"\nsuccess = 0', 'key = "status"\nsuccess = "OK"').replace('"upper"', '"lower"')
    (tmp_path / "province.toml").write_text(text, encoding="utf-8")
    platform.answer = lambda _: Reply(200, body=b'{"status": "OK"}')
    async with opened(platform, authority, mapping=tmp_path / "province.toml") as connector:
        assert await connector.deliver([alarm_message(1)]) == [Outcome(1)]
    data = json.loads(platform.requests[0].body)["data"]
    assert data == data.lower()


async def test_one_message_the_province_dislikes_does_not_keep_the_others_away(
    platform: Receiver, authority: Authority
) -> None:
    """A refused batch comes again message by message; only the disliked one is rejected for good, at its third try."""

    def judge(request: Request) -> Reply:
        points = [item["quotaId"] for item in report_in(request)["datas"]]
        return Reply(200, body=b'{"code": 7, "msg": "unknown quotaId"}') if "P-2" in points else YES

    platform.answer = judge
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in (1, 2, 3)), connector="platform")
    async with opened(platform, authority) as connector:
        sender = OutboxSender(outbox, [connector], now=clock, steady=clock.steady)
        async with running(sender):
            await hurry(outbox.done, clock, outbox, sender)
    assert outbox.rows[1].delivered
    assert outbox.rows[3].delivered
    assert outbox.rows[2].delivered is None
    assert (len(outbox.rows[2].errors), outbox.rows[2].errors[-1]) == (
        3,
        "the platform refused: code = 7, unknown quotaId",
    )
    assert outbox.rows[2].rejected
    assert len(outbox.rows[1].errors) == len(outbox.rows[3].errors) == 1


async def test_a_busy_platform_gets_the_same_batch_again(platform: Receiver, authority: Authority) -> None:
    manners = iter([Reply(503, {"retry-after": "30"}), YES])
    platform.answer = lambda _: next(manners)
    messages = [alarm_message(1), alarm_message(2, point="B")]
    async with opened(platform, authority) as connector:
        busy = await connector.deliver(messages)
        assert [outcome.retry_after_s for outcome in busy] == [30, 30]
        assert await connector.deliver(messages) == [Outcome(1), Outcome(2)]
    first, second = platform.requests
    assert first.body == second.body


async def test_a_message_that_cannot_be_written_holds_up_only_itself(platform: Receiver, authority: Authority) -> None:
    good, broken = alarm_message(1), alarm_message(2)
    broken.body["alarm"]["comment"] = "\ud800"
    async with opened(platform, authority) as connector:
        messages: list[Message] = [good, broken]
        assert {outcome.error for outcome in await connector.deliver(messages)} == {
            "a text in the message is not Unicode"
        }
        assert [outcome.error for outcome in await connector.deliver(messages)] == [
            None,
            "a text in the message is not Unicode",
        ]


async def test_after_a_loss_of_the_link_every_message_arrives_once(authority: Authority) -> None:
    platform, outbox, clock = Receiver(lambda _: YES, tls=authority.server), MemoryOutbox(), Clock()
    for seq in range(1, 61, 3):
        outbox.put(
            alarm_message(seq, point=f"P-{seq}"),
            alarm_message(seq + 1, AlarmEventKind.RETURNED, point=f"P-{seq}"),
            readings_message(seq + 2),
            connector="platform",
        )
    async with opened(platform, authority) as connector:
        sender = OutboxSender(outbox, [connector], now=clock, steady=clock.steady)
        async with running(sender):
            await hurry(lambda: sum(bool(row.errors) for row in outbox.rows.values()) > 20, clock, outbox, sender)
            with platform:
                await hurry(outbox.done, clock, outbox, sender)
    reports = [report_in(request) for request in platform.accepted]
    events = [item["eventId"] for report in reports if report["reportType"] == "alarm" for item in report["datas"]]
    assert sorted(events) == sorted(str(r.message.id) for r in outbox.rows.values() if r.message.kind == "alarm")
    assert sum(len(r["datas"]) for r in reports if r["reportType"] in {"report", "continues"}) == 2 * 20
    order = [(i["alarmId"], i["eventType"]) for r in reports if r["reportType"] == "alarm" for i in r["datas"]]
    for alarm in {alarm for alarm, _ in order}:
        assert [kind for of, kind in order if of == alarm] == ["raised", "returned"]


async def test_what_the_platform_echoes_betrays_no_secret(
    platform: Receiver, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = json.dumps({"code": 401, "msg": f"bad appsecret {APPSECRET} for {APPID}"}).encode()
    platform.answer = lambda _: Reply(200, body=echo)
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1), connector="platform")
    with capture_logs() as logs:
        async with opened(platform, authority) as connector:
            sender = OutboxSender(outbox, [connector], now=clock, steady=clock.steady, escalate_after=2)
            async with running(sender):
                await hurry(lambda: len(outbox.rows[1].errors) >= 3, clock, outbox, sender)
    assert outbox.rows[1].errors[0] == "the platform refused: code = 401, bad appsecret *** for ***"
    everything = "\n".join([caplog.text, repr(logs), *outbox.rows[1].errors])
    assert "delivery_overdue" in everything
    for hidden in (APPSECRET, APPID, KEY, IV):
        assert hidden not in everything


async def test_a_platform_that_cannot_prove_itself_gets_nothing(platform: Receiver, tmp_path: Path) -> None:
    theirs = make_authority(tmp_path, "theirs")
    async with opened(platform, theirs) as connector:
        (outcome,) = await connector.deliver([alarm_message(1)])
    assert outcome.error is not None
    assert "certificate verify failed" in outcome.error
    assert platform.requests == []
