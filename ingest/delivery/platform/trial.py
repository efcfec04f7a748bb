"""Tries a connection to a platform step by step: address, clock, token, codes, a record of each kind."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from email.utils import parsedate_to_datetime
from typing import Final

from ingest.delivery.errors import ConnectorError, Unmappable, Unreachable
from ingest.delivery.findings import Finding
from ingest.delivery.platform.code_doubts import names_of, uncoded_points
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.platform.connector import PlatformConnector
from ingest.delivery.platform.links import FrameLink
from ingest.delivery.platform.opening import Opened, connector_of
from ingest.delivery.platform.report import report_of
from ingest.delivery.platform.sign_in import SignedIn
from ingest.delivery.platform.trial_messages import trial_messages
from ingest.delivery.posting import Reply
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.plant import Plant, Point
from ingest.domain.model.text import Text

MOST_CLOCK_S: Final = 60.0
"""Difference between the platform's clock and ours from which its times are wrong: our own choice."""

KIND_NAMES: Final = {
    "alarm": Text("报警", "alarm"),
    "warning": Text("预警", "warning"),
    "readings": Text("实时数据", "readings"),
}

_HUNG_UP: Final = Text(
    "平台断开：核对网址开头（有无 TLS）和端口", "it hung up: look at the port, and with or without TLS"
)
_ADVICE: Final = (
    ("speaks no TLS", _HUNG_UP),
    (
        "certificate verify failed",
        Text("核对 ca_file：平台证书由谁签发", "look at ca_file: its authority"),
    ),
    (
        "allow_networks",
        Text(
            "核对域名解析；确在内网时写 allow_networks",
            "look at how the name resolves; write allow_networks if it is right",
        ),
    ),
    ("no connection", Text("核对网址、端口、防火墙和平台白名单", "look at address, port, firewall and its white list")),
    (
        "wrong form, length or check",
        Text("请平台核对应答帧的长度和 CRC16", "they must look at length and CRC16 of their answers"),
    ),
    (
        "answers to other frames",
        Text("请平台核对应答中的 QN 和 PNO", "they must look at QN and PNO of their answers"),
    ),
    ("no complete answer", Text("平台应答慢：加大 timeout_s，或联系平台", "it is slow: raise timeout_s, or call them")),
    ("connection broken", _HUNG_UP),
    ("HTTP 404", Text("核对 url：协议文件另加各类上报的路径", "look at url: the profile adds a path for each kind")),
    ("no token", Text("核对 appid 与 appsecret", "look at appid and appsecret")),
    ("settings, not the report", Text("核对密钥、备案和网址", "look at secrets, registration and address")),
    ("the file of codes", Text("在编码文件中写上编码，或写 false", "write its code into the file of codes, or false")),
    ("the mapping has no code", Text("在协议文件的 values 中补上", "add it to the profile's values")),
    ("HTTP 5", Text("平台内部错误：稍后再试，或联系平台", "an error of the platform: try later, or call them")),
)
_OTHERWISE: Final = Text(
    "按平台原话改：密钥不对时常报解密或格式错误",
    "do as it says: a wrong key is often told as a fault of decryption or form",
)


async def trial(
    config: PlatformConfig, opened: Opened, plants: Sequence[Plant], *, send: bool
) -> AsyncIterator[Finding]:
    """Yield what each step finds; ends at the first without which the next cannot be tried.

    Args:
        config: the settings.
        opened: made of them; is closed at the end.
        plants: the enterprises in the plant files.
        send: send a test record of each kind; without it each is only shown.
    """
    connector = connector_of(config, opened, time.time_ns)
    try:
        for finding in _coded(config, opened, plants):
            yield finding
        reached = [finding async for finding in _reached(config, opened)]
        for finding in reached:
            yield finding
        if not reached[0].good:
            return
        signed_in = await _signed_in(config, opened)
        if signed_in is not None:
            yield signed_in
        place = _place(config, opened, plants)
        if place is None:
            missing = Text(
                "没有测点可用：没有企业，或都没有编码", "no point can be used: no plant, or none with a code"
            )
            yield Finding(Text("记录", "records"), None, missing, Text("填写编码文件", "fill in the file of codes"))
            return
        for kind in opened.form.sections:
            yield await _sent(connector, opened, kind, *place) if send else _shown(opened, kind, *place)
    finally:
        await connector.close()


def _coded(config: PlatformConfig, opened: Opened, plants: Sequence[Plant]) -> Iterator[Finding]:
    """Whether every point has its code, or a `false`."""
    if "point" not in opened.form.codes:
        return
    lacking = [f"{plant} {point}" for plant, point in uncoded_points(config, opened.form, opened.codes, plants)]
    step = Text("编码", "codes")
    if not lacking:
        yield Finding(step, good=True, detail=Text("每个测点都有编码或 false", "each point has a code or false"))
        return
    names = names_of(lacking)
    detail = Text(f"{len(lacking)} 个测点没有编码：{names}", f"{len(lacking)} points have none: {names}")
    yield Finding(step, good=False, detail=detail, advice=_advice("the file of codes"))


async def _reached(config: PlatformConfig, opened: Opened) -> AsyncIterator[Finding]:
    """Whether the address answers, and what time it is there; what is posted is an empty object, no report."""
    address, clock = Text("网址", "address"), Text("时钟", "clock")
    if isinstance(opened.link, FrameLink):
        try:
            await opened.link.reach()
        except Unreachable as error:
            yield Finding(address, False, _because("连接不上", error), _advice(str(error)))
            return
        yield Finding(address, good=True, detail=Text("已连接", "connected"))
        yield Finding(clock, None, Text("平台不给时间", "the platform does not tell its time"))
        return
    path = next(iter(opened.form.sections.values())).path
    headers = {"content-type": opened.form.envelope.content_type, "user-agent": "yujing"}
    try:
        async with asyncio.timeout(config.timeout_s):
            reply = await opened.client.post(config.url + path, b"{}", headers, most=1024)
    except (Unreachable, TimeoutError) as error:
        why = Failure("timeout", seconds=f"{config.timeout_s:g}") if isinstance(error, TimeoutError) else str(error)
        yield Finding(address, good=False, detail=_because("没有应答", why), advice=_advice(why))
        return
    status = f"HTTP {reply.status}"
    wrong = reply.status in {404, 405}
    yield Finding(
        address, not wrong, Text(f"有应答，{status}", f"it answers, {status}"), _advice("HTTP 404") if wrong else None
    )
    ahead_s = _clock_s(reply)
    if ahead_s is None:
        yield Finding(clock, None, Text("平台不给时间", "the platform does not tell its time"))
    elif abs(ahead_s) <= MOST_CLOCK_S:
        yield Finding(clock, good=True, detail=Text(f"相差 {ahead_s:.0f} 秒", f"{ahead_s:.0f} s apart"))
    else:
        detail = Text(
            f"本机比平台快 {ahead_s:.0f} 秒（负数为慢）", f"{ahead_s:.0f} s ahead of the platform (negative: behind)"
        )
        yield Finding(
            clock, good=False, detail=detail, advice=Text("本机对时（NTP）", "set this machine's clock (NTP)")
        )


def _clock_s(reply: Reply) -> float | None:
    """Seconds that our clock is ahead of the platform's; None if it does not tell."""
    try:
        return time.time() - parsedate_to_datetime(reply.headers[b"date"].decode("latin-1")).timestamp()
    except (KeyError, ValueError):
        return None


async def _signed_in(config: PlatformConfig, opened: Opened) -> Finding | None:
    """Whether the platform gives us a token; None: it gives out none."""
    if opened.profile.sign_in() is None:
        return None
    step = Text("令牌", "token")
    tokens = SignedIn(opened.client, opened.profile, config.url, timeout_s=config.timeout_s, now=time.time_ns)
    try:
        await tokens.headers()
    except ConnectorError as error:
        return Finding(step, good=False, detail=Failure.of(str(error)).text, advice=_advice(str(error)))
    return Finding(step, good=True, detail=Text("已得到", "given"))


def _place(config: PlatformConfig, opened: Opened, plants: Sequence[Plant]) -> tuple[Plant, Point] | None:
    """A plant and a point that can be reported."""
    needed = "point" in opened.form.codes
    for plant in plants:
        for point in plant.points:
            coded = isinstance(opened.codes.of(plant.id, point.id).get("point"), str)
            if config.wants("readings", plant.id, None) and not point.is_device and (coded or not needed):
                return plant, point
    return None


def _shown(opened: Opened, kind: MessageKind, plant: Plant, point: Point) -> Finding:
    """What would be sent, before it is sealed."""
    section, step = opened.form.sections[kind], KIND_NAMES[kind]
    messages = trial_messages(kind, section, plant, point, time.time_ns())
    try:
        report = report_of(section, opened.codes, kind, messages)
    except Unmappable as error:
        return Finding(step, good=False, detail=_because("无法映射", error), advice=_advice(str(error)))
    text = json.dumps(report.content, ensure_ascii=False)
    return Finding(step, None, Text(f"未发送，明文为 {text}", f"not sent; before it is sealed: {text}"))


async def _sent(connector: PlatformConnector, opened: Opened, kind: MessageKind, plant: Plant, point: Point) -> Finding:
    """Send a test record, and its end, as the service would."""
    step = KIND_NAMES[kind]
    messages = trial_messages(kind, opened.form.sections[kind], plant, point, time.time_ns())
    for message in messages:
        (outcome,) = await connector.deliver([message])
        if outcome.error is not None:
            detail = _because("未被接收", outcome.error)
            return Finding(step, good=False, detail=detail, advice=_advice(outcome.error))
    return Finding(step, good=True, detail=Text(f"已接收 {len(messages)} 条", f"{len(messages)} accepted"))


def _because(what: str, why: Exception | str) -> Text:
    """What failed, in Chinese, and why in both languages."""
    reason = Failure.of(str(why)).text
    return Text(f"{what}：{reason.zh}", reason.en)


def _advice(why: str) -> Text:
    return next((advice for part, advice in _ADVICE if part in why), _OTHERWISE)
