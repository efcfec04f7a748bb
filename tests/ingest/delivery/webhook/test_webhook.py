from __future__ import annotations

import base64
import datetime as dt
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from ingest.delivery.connector import Outcome
from ingest.delivery.sender import OutboxSender
from ingest.delivery.webhook.config import WebhookConfig
from ingest.delivery.webhook.connector import WebhookConnector, cloud_event, open_webhook
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.outbox import Message, Urgency
from ingest.domain.model.warning import WarningEventKind
from tests.fault_proxy import FaultProxy
from tests.ingest.delivery.called import ring_message
from tests.ingest.delivery.outbox import (
    SECOND,
    START,
    Clock,
    MemoryOutbox,
    alarm_message,
    hurry,
    notice_message,
    running,
    until,
    warning_message,
)
from tests.ingest.delivery.receiver import Receiver, Reply, Request, make_authority

SECRET = "whsec_" + base64.b64encode(b"a key of the tests, of 32 bytes.").decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)


@asynccontextmanager
async def opened(url: str, now: Callable[[], int] = lambda: START, **more: Any) -> AsyncIterator[WebhookConnector]:
    config = WebhookConfig.model_validate({"name": "inspector", "url": url, "secret": {"env": "HOOK_SECRET"}, **more})
    connector = open_webhook(config, now)
    try:
        yield connector
    finally:
        await connector.close()


async def deliver_one(url: str, message: Message | None = None, **more: Any) -> Outcome:
    async with opened(url, **more) as connector:
        (outcome,) = await connector.deliver([message or alarm_message(1)])
        return outcome


async def test_events_that_were_not_chosen_are_passed_over_and_calls_never_are(receiver: Receiver) -> None:
    chosen = {"events": ["returned", "given"]}
    with capture_logs() as logs:
        for message in (alarm_message(1), alarm_message(2, AlarmEventKind.RETURNED), notice_message(3), ring_message()):
            assert await deliver_one(receiver.url, message, **chosen) == Outcome(message.seq)
    kinds = [json.loads(request.body)["type"] for request in receiver.requests]
    assert kinds == ["cn.yujing.alarm.returned", "cn.yujing.notice.given", "cn.yujing.call.ring"]
    assert [log["connector"] for log in logs if log["event"] == "event_not_chosen"] == ["inspector"]
    with pytest.raises(ValidationError, match="an event of alarms, warnings or notices"):
        WebhookConfig.model_validate(
            {"name": "a", "url": receiver.url, "secret": {"env": "HOOK_SECRET"}, "events": ["rised"]}
        )


async def test_whoever_holds_the_public_key_alone_can_verify_a_message(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the signature by the shared secret; in each try anew."""
    private = Ed25519PrivateKey.generate()
    monkeypatch.setenv("HOOK_KEY", "whsk_" + base64.b64encode(private.private_bytes_raw()).decode())
    for _ in range(2):
        assert await deliver_one(receiver.url, signing_key={"env": "HOOK_KEY"}) == Outcome(1)
    for request in receiver.requests:
        symmetric, asymmetric = request.headers["webhook-signature"].split(" ")
        signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
        private.public_key().verify(base64.b64decode(asymmetric.removeprefix("v1a,")), signed)
        assert symmetric.startswith("v1,")


async def test_an_alarm_arrives_as_a_signed_cloud_event(receiver: Receiver) -> None:
    message = alarm_message(1, AlarmEventKind.ACKNOWLEDGED)
    assert await deliver_one(receiver.url, message) == Outcome(1)
    (request,) = receiver.requests
    assert json.loads(request.body) == {
        "specversion": "1.0",
        "id": str(message.id),
        "source": "/yujing/%E5%8D%97%E5%AE%89%E9%93%9D%E4%B8%9A",
        "type": "cn.yujing.alarm.acknowledged",
        "subject": "CW_IN_P-01",
        "time": "2025-11-23T08:02:00.000Z",
        "datacontenttype": "application/json",
        "data": message.body,
    }
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert request.headers["webhook-id"] == str(message.id)
    assert request.headers["webhook-timestamp"] == str(START // SECOND)
    assert signature_fits(request)


async def test_a_secret_is_replaced_while_the_receiver_knows_only_one_of_two(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, while and after: each side changes when it can, and no message is refused."""
    old, new = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    monkeypatch.setenv("OLD", old)
    monkeypatch.setenv("NEW", new)
    given: list[dict[str, Any]] = [
        {"secret": {"env": "OLD"}},
        {"secret": {"env": "OLD"}, "second_secret": {"env": "NEW"}},
        {"secret": {"env": "NEW"}, "second_secret": {"env": "OLD"}},
        {"secret": {"env": "NEW"}},
    ]
    for settings in given:
        assert await deliver_one(receiver.url, **settings) == Outcome(1)
    at = dt.datetime.fromtimestamp(START // SECOND, dt.UTC)
    knows = [
        [
            Webhook(secret).sign(request.headers["webhook-id"], at, request.body.decode())
            in request.headers["webhook-signature"].split()
            for secret in (old, new)
        ]
        for request in receiver.requests
    ]
    assert knows == [[True, False], [True, True], [True, True], [False, True]]


def signature_fits(request: Request) -> bool:
    at = dt.datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), dt.UTC)
    expected = Webhook(SECRET).sign(request.headers["webhook-id"], at, request.body.decode())
    return request.headers["webhook-signature"] == expected


@pytest.mark.parametrize("kind", list(AlarmEventKind))
def test_every_event_has_its_own_type(kind: AlarmEventKind) -> None:
    assert json.loads(cloud_event(alarm_message(1, kind)))["type"] == f"cn.yujing.alarm.{kind}"


@pytest.mark.parametrize("kind", list(WarningEventKind))
def test_a_warning_is_a_cloud_event_about_itself(kind: WarningEventKind) -> None:
    message = warning_message(1, kind)
    event = json.loads(cloud_event(message))
    assert (event["type"], event["subject"]) == (f"cn.yujing.warning.{kind}", message.body["warning"]["id"])
    assert event["data"]["reasons"][0]["text"]["zh"] == "红色标记规则的二级报警"
    assert event["data"]["warning"]["who"] == ["南安市应急管理局"]


@pytest.mark.parametrize(("ended", "kind"), [(False, "given"), (True, "ended")])
def test_a_notice_arrives_as_given_and_as_ended_under_one_subject(*, ended: bool, kind: str) -> None:
    message = notice_message(1, ended=ended)
    event = json.loads(cloud_event(message))
    assert (event["type"], event["subject"]) == (f"cn.yujing.notice.{kind}", message.body["notice"]["id"])
    assert (event["data"]["notice"]["ended"] is not None, event["time"]) == (ended, message.body["time"])


def test_the_same_message_gives_the_same_bytes_whatever_the_order_of_its_keys() -> None:
    message = alarm_message(1)
    turned = replace(message, body=dict(reversed(list(message.body.items()))), attempts=7)
    assert cloud_event(message) == cloud_event(turned)


@pytest.mark.parametrize(
    "message",
    [alarm_message(1), warning_message(1), notice_message(1), ring_message()],
    ids=["alarm", "warning", "notice", "call"],
)
def test_an_upgrade_changes_no_byte_of_what_was_tried_before(message: Message) -> None:
    """The envelope is held against a file: another version of the service would send the same under the same id."""
    golden = Path(__file__).parent / "golden" / f"{message.kind}.json"
    assert cloud_event(message) == golden.read_bytes()


async def test_every_retry_bears_the_same_id_and_body_and_a_signature_of_its_own_time(receiver: Receiver) -> None:
    """Whatever goes wrong: error, reset, silence, redirect, gone, busy."""
    manners = iter(
        [
            Reply(500),
            Reply(reset=True),
            Reply(hold=True),
            Reply(302, {"location": receiver.url + "/elsewhere"}),
            Reply(410),
            Reply(404),
            Reply(503, {"retry-after": "90"}),
            Reply(204),
        ]
    )
    receiver.answer = lambda _: next(manners)
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1))
    async with opened(receiver.url, clock, timeout_s=1) as connector:
        sender = OutboxSender(outbox, [connector], now=clock, steady=clock.steady, jitter=lambda: 0.0)
        async with running(sender):
            await hurry(outbox.done, clock, outbox, sender)
    assert len(receiver.requests) == 8
    assert {r.path for r in receiver.requests} == {"/hook"}
    assert len({r.headers["webhook-id"] for r in receiver.requests}) == 1
    assert len({r.body for r in receiver.requests}) == 1
    assert len({r.headers["webhook-timestamp"] for r in receiver.requests}) == 8
    assert all(map(signature_fits, receiver.requests))
    assert [delay // SECOND for delay in outbox.rows[1].delays] == [1, 2, 4, 8, 16, 32, 90]
    assert outbox.rows[1].errors == [
        "HTTP 500 Internal Server Error",
        "connection broken before the answer was complete (reset)",
        "no complete answer within 1 s",
        "HTTP 302: redirects are not followed, set the final address",
        "HTTP 410: the receiver says this address is gone for good",
        "HTTP 404 Not Found",
        "HTTP 503 Service Unavailable",
    ]


async def test_an_answer_that_never_ends_does_not_hold_us(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(200, drip=True)
    outcome = await deliver_one(receiver.url, timeout_s=1)
    assert outcome.error == "no complete answer within 1 s"


async def test_a_long_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(200, body=b"x" * 70_000, drip=True)
    assert (await deliver_one(receiver.url)).error is None


async def test_a_receiver_that_is_down_is_distinguished(receiver: Receiver) -> None:
    receiver.stop()
    outcome = await deliver_one(receiver.url)
    assert outcome.error is not None
    assert outcome.error.startswith("no connection: ")


@pytest.mark.parametrize(
    ("header", "requested_s"),
    [
        ("120", 120.0),
        (format_datetime(dt.datetime.fromtimestamp(START / 1e9 + 300, dt.UTC), usegmt=True), 300.0),
        ("Sun, 23 Nov 2025 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
async def test_retry_after_is_understood_in_seconds_and_as_a_date(
    receiver: Receiver, header: str, requested_s: float | None
) -> None:
    receiver.answer = lambda _: Reply(429, {"retry-after": header})
    assert await deliver_one(receiver.url) == Outcome(1, "HTTP 429 Too Many Requests", requested_s)


async def test_each_message_has_its_own_fate(receiver: Receiver) -> None:
    receiver.answer = lambda request: Reply(500 if b'"subject":"P-2"' in request.body else 200)
    async with opened(receiver.url) as connector:
        outcomes = await connector.deliver([alarm_message(seq, point=f"P-{seq}") for seq in (1, 2, 3)])
    assert [outcome.error for outcome in outcomes] == [None, "HTTP 500 Internal Server Error", None]


async def test_a_text_that_is_not_unicode_holds_up_only_itself(receiver: Receiver) -> None:
    broken = alarm_message(1)
    broken = replace(broken, body={**broken.body, "comment": "\ud800"})
    async with opened(receiver.url) as connector:
        outcomes = await connector.deliver([broken, alarm_message(2)])
    assert [outcome.error for outcome in outcomes] == ["a text in the message is not Unicode", None]


async def test_after_an_outage_everything_arrives_once() -> None:
    """The receiver is away, comes back limping (errors, resets), and in the end has every alarm exactly once."""
    clock, outbox, receiver = Clock(), MemoryOutbox(), Receiver()
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in range(1, 151)))
    limps = iter(range(10_000))

    def limp(_: Request) -> Reply:
        place = next(limps) % 7
        return Reply(reset=True) if place == 2 else Reply(500) if place == 5 else Reply(202)

    receiver.answer = limp
    async with opened(receiver.url, clock) as connector:
        sender = OutboxSender(outbox, [connector], now=clock, steady=clock.steady, jitter=lambda: 0.5)
        async with running(sender):
            await hurry(lambda: sum(len(r.errors) for r in outbox.rows.values()) >= 60, clock, outbox, sender)
            with receiver:
                await hurry(outbox.done, clock, outbox, sender)
    arrived = [request.headers["webhook-id"] for request in receiver.accepted]
    assert sorted(arrived) == sorted(str(row.message.id) for row in outbox.rows.values())


async def test_a_fresh_alarm_passes_the_backlog_of_another_behind_a_receiver_that_was_away() -> None:
    """503 while one point's alarm comes and goes 300 times; the receiver is well again when another point alarms."""
    clock, outbox, receiver = Clock(), MemoryOutbox(), Receiver(lambda _: Reply(503))
    came_and_went = [AlarmEventKind.RAISED, AlarmEventKind.RETURNED] * 150
    outbox.put(*(alarm_message(seq, kind) for seq, kind in enumerate(came_and_went, 1)))
    with FaultProxy(("127.0.0.1", receiver.port)) as proxy, receiver:
        async with opened(f"http://127.0.0.1:{proxy.port}/hook", clock) as connector:
            sender = OutboxSender(outbox, [connector], now=clock, steady=clock.steady, jitter=lambda: 0.0)
            async with running(sender):
                await hurry(lambda: len(outbox.rows[1].errors) >= 6, clock, outbox, sender)
                await until(lambda: (at := sender.next_at()) is not None and at > clock.steady())  # no probe under way
                proxy.reset()
                receiver.answer = lambda _: Reply(202)
                outbox.put(alarm_message(301, point="OTHER", urgency=Urgency.FIRST))
                sender.wake()
                clock.ns += SECOND  # and no more: the first alarm's own back-off has 32 s to go
                sender.wake()
                await until(outbox.done)
    ids = [request.headers["webhook-id"] for request in receiver.accepted]
    assert ids[0] == str(outbox.rows[301].message.id)
    assert ids[1:] == [str(outbox.rows[seq].message.id) for seq in range(1, 301)]


async def test_neither_secret_nor_query_reaches_logs_or_errors(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    manners = iter([Reply(500), Reply(reset=True), Reply(302, {"location": "http://127.0.0.1/"}), Reply(200)])
    receiver.answer = lambda _: next(manners)
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1))
    with capture_logs() as logs:
        async with opened(receiver.url + "?tenant=hidden-in-query", clock) as connector:
            sender = OutboxSender(outbox, [connector], now=clock, steady=clock.steady, escalate_after=1)
            async with running(sender):
                await hurry(outbox.done, clock, outbox, sender)
            receiver.stop()
            outbox.put(alarm_message(2, point="OTHER"))
            async with running(sender := OutboxSender(outbox, [connector], now=clock, steady=clock.steady)):
                await until(lambda: bool(outbox.rows[2].errors))
    assert receiver.requests[0].path == "/hook?tenant=hidden-in-query"
    text = "\n".join([caplog.text, repr(logs), *outbox.rows[1].errors, *outbox.rows[2].errors, repr(connector)])
    assert "delivery_failed" in text
    for hidden in (SECRET, SECRET.removeprefix("whsec_"), "a key of the tests", "hidden-in-query"):
        assert hidden not in text


async def test_a_proxy_in_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await deliver_one(receiver.url)).error is None


async def test_a_receiver_of_our_own_authority_is_trusted(tmp_path: Path) -> None:
    ours = make_authority(tmp_path, "ours")
    with Receiver(tls=ours.server) as receiver:
        assert (await deliver_one(receiver.url, ca_file=ours.ca_file)).error is None


async def test_an_authority_that_takes_over_is_trusted_without_a_restart(tmp_path: Path) -> None:
    """Once it is in the file; a copy under way takes nothing away, and is logged once."""
    old, new = make_authority(tmp_path, "old"), make_authority(tmp_path, "new")
    file = tmp_path / "trusted.pem"
    file.write_bytes(old.ca_file.read_bytes())
    with Receiver(tls=old.server) as before, Receiver(tls=new.server) as after:
        async with opened(before.url, ca_file=file) as webhook_connector, opened(after.url, ca_file=file) as other:
            (refused,) = await other.deliver([alarm_message(1)])
            assert "CERTIFICATE_VERIFY_FAILED" in (refused.error or "")
            file.write_text("a copy under way")
            with capture_logs() as logs:
                for _ in range(2):
                    assert (await other.deliver([alarm_message(1)]))[0].error is not None
                assert (await webhook_connector.deliver([alarm_message(1)]))[0].error is None
            assert [entry["event"] for entry in logs] == ["authorities_unusable"] * 2, "once a connector"
            file.write_bytes(old.ca_file.read_bytes() + new.ca_file.read_bytes())
            assert (await other.deliver([alarm_message(1)]))[0].error is None
            assert (await webhook_connector.deliver([alarm_message(2)]))[0].error is None


@pytest.mark.parametrize("trusted", ["theirs", "the system's", "ours, for another host"])
async def test_a_receiver_that_cannot_prove_itself_gets_nothing(tmp_path: Path, trusted: str) -> None:
    ours, theirs = make_authority(tmp_path, "ours"), make_authority(tmp_path, "theirs")
    ca_file: Path | None = ours.ca_file
    if trusted == "theirs":
        ca_file = theirs.ca_file
    elif trusted == "the system's":
        ca_file = None
    else:
        ours = make_authority(tmp_path, "ours", address="127.0.0.2")
        ca_file = ours.ca_file
    with Receiver(tls=ours.server) as receiver:
        outcome = await deliver_one(receiver.url, ca_file=ca_file)
    assert outcome.error is not None
    assert outcome.error.startswith("no connection: ")
    assert receiver.requests == []
