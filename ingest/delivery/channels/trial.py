"""Tries a channel: its address, then one test message that says it is one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from ingest.delivery.channels.addressed import EmailConfig
from ingest.delivery.channels.config import ChannelConfig
from ingest.delivery.connecting import connect
from ingest.delivery.connector import Scheduled
from ingest.delivery.destinations import AddressRefused
from ingest.delivery.errors import Unreachable
from ingest.delivery.findings import Finding
from ingest.domain.model.call import Cause
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Message, Urgency
from ingest.domain.model.payload import iso, localized
from ingest.domain.model.text import Text

TITLE: Final = Text("联调测试", "connection test")
TEXT: Final = Text("这是一条测试消息，不是报警，不需处置", "this is a test, no alarm: nothing has to be done")

_WITHIN_S: Final = 300  # of the deadline that a test call names

_ADVICE: Final = (
    (
        "allow_networks",
        Text("按上文写 allow_networks，或核对域名解析", "write allow_networks as above, or look at the name"),
    ),
    ("certificate verify failed", Text("核对 ca_file：证书由谁签发", "look at ca_file: who issued its certificate")),
    ("WRONG_VERSION", Text("该端口不是 TLS：核对网址，或端口与 tls", "no TLS there: look at url, or port and tls")),
    ("no connection", Text("核对网址或 host、端口、防火墙", "look at url or host, port and firewall")),
    ("no complete answer", Text("对方应答慢：加大 timeout_s", "it is slow: raise timeout_s")),
    ("connection broken", Text("核对网址，或 host、端口与 tls", "look at url, or host, port and tls")),
    ("HTTP 429", Text("对方限流：稍后再试", "it takes no more for now: try later")),
    ("HTTP 404", Text("核对 url", "look at url")),
    ("HTTP 5", Text("对方内部错误：稍后再试", "an error of theirs: try later")),
    ("errcode", Text("按上文核对", "as it says")),
    ("SMTP", Text("按上文核对，或把代码告诉邮件管理员", "as it says, or ask whoever runs the mail server")),
)
_OTHERWISE: Final = Text("按上文核对", "as it says")


async def trial(
    config: ChannelConfig, address: str | None, now: Callable[[], int] = time.time_ns
) -> AsyncIterator[Finding]:
    """Yield what each step finds; sends one message.

    Args:
        config: of the channel.
        address: call this person; None: tell everybody whom the channel tells.
        now: ns since the epoch.

    Raises:
        InvalidConfig: a secret or file cannot be used.
    """
    connector = config.model_copy(update={"events": None}).open_connector(now)  # a test is told in any case
    try:
        reached = await _reached(config)
        yield reached
        if reached.good:
            yield await _sent(connector, trial_message(address, now()))
    finally:
        await connector.close()


def trial_message(address: str | None, now: int) -> Message:
    """Return a message that says that it is a test: the call of one person, or a notice to everybody."""
    name = uuid4()
    body: dict[str, Any]
    if address is not None:
        body = {
            "event": "ring",
            "call": str(name),
            "attempt": str(name),
            "plant": "yujing",
            "cause": str(Cause.ROLL_CALL),
            "colour": None,
            "person": {"name": TITLE.zh, "address": address},
            "text": localized(Text(f"{TITLE.zh}：{TEXT.zh}", f"{TITLE.en}: {TEXT.en}")),
            "time": iso(now),
            "deadline": iso(now + _WITHIN_S * 1_000_000_000),
        }
        return Message(0, "test", name, "call", "yujing", body, now, now, 0, Urgency.FIRST)
    notice = {"id": str(name), "title": localized(TITLE), "text": localized(TEXT), "due": None}
    body = {"event": "given", "time": iso(now), "notice": notice, "enterprise": None}
    return Message(0, "test", name, "notice", "yujing", body, now, now, 0, Urgency.ROUTINE)


async def _reached(config: ChannelConfig) -> Finding:
    """Whether its host is where it may be, and takes connections."""
    step = Text("网址", "address")
    if isinstance(config, EmailConfig):
        host, port = config.host, config.tcp_port
    else:
        parts = urlsplit(getattr(config, "url", ""))
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        (await connect(host, port, config.allow_networks)).close()
    except AddressRefused as error:
        return Finding(step, good=False, detail=error.text, advice=_advice(str(error)))
    except Unreachable as error:
        why = Failure.of(str(error)).text
        return Finding(step, good=False, detail=Text(f"{host}：{why.zh}", f"{host}: {why.en}"), advice=_advice(why.en))
    return Finding(step, good=True, detail=Text(f"{host} 可以连接", f"{host} takes connections"))


async def _sent(connector: Scheduled, message: Message) -> Finding:
    step = Text("测试消息", "test message")
    (outcome,) = await connector.deliver([message])
    if outcome.error is None:
        return Finding(step, good=True, detail=Text("对方已接收：请到对方那里看到它", "it was taken: now look there"))
    why = Failure.of(outcome.error).text
    return Finding(step, False, Text(f"未被接收：{why.zh}", why.en), _advice(why.en))


def _advice(why: str) -> Text:
    return next((advice for part, advice in _ADVICE if part in why), _OTHERWISE)
