"""What people read of a message in a chat, a mail or on a phone: a line whose level and id are never cut (pure)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ingest.domain.model.call import Cause
from ingest.domain.model.outbox import Message
from ingest.domain.model.payload import PLANT_TIME
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour

Language = Literal["zh", "en"]

CALL: Final = "call"
"""The kind of a message that calls one person, and the name of its only event."""

CUT: Final = Text("…（已截短）", "… (cut)")
"""Stands where the end of a text was left out."""

EVENTS: Final[Mapping[str, Text]] = {
    "raised": Text("发生", "raised"),
    "returned": Text("恢复", "returned"),
    "acknowledged": Text("已确认", "acknowledged"),
    "recorded": Text("补录", "recorded"),
    "removed": Text("已移除", "removed"),
    "cleared": Text("销警", "cleared"),
    "bypass-unregistered": Text("旁路未登记", "bypass not registered"),
    "colour-changed": Text("变色", "colour changed"),
    "reminded": Text("催办", "reminder"),
    "escalated": Text("升级", "escalated"),
    "feedback": Text("已反馈", "feedback"),
    "ended": Text("解除", "over"),
    "reopened": Text("再次发生", "again"),
    "closed": Text("关闭", "closed"),
    "given": Text("提醒", "notice"),
}
"""The events that people can be sent, in words."""


_CALL: Final = Text("叫应", "CALL")
_ROLL_CALL: Final = Text("在线抽查", "ROLL CALL")


@dataclass(frozen=True, slots=True)
class Line:
    """What people read of one message.

    Attributes:
        head: what it is and how grave; never cut.
        body: what happened, where, since when.
        tail: its id; never cut.
        grave: sent ahead of others, from the reserve of a channel's limit.
        before_grave: a later event of the same alarm or warning may be grave, and is sent only after this one.
        address: of the person it calls; None: it is for everybody.
        name: of that person.
    """

    head: Text
    body: Text
    tail: Text
    grave: bool = False
    before_grave: bool = False
    address: str | None = None
    name: str | None = None

    def fitted(self, most: int, language: Language = "zh") -> str:
        """Return the text in at most so many bytes of UTF-8; what had to go from its body is told."""
        head, body, tail = (_in(text, language) for text in (self.head, self.body, self.tail))
        head += " " if language == "en" else ""
        whole = f"{head}{body} {tail}"
        if len(whole.encode()) <= most:
            return whole
        cut = _in(CUT, language)
        room = most - len(f"{head}{cut} {tail}".encode())
        return f"{head}{body.encode()[: max(room, 0)].decode(errors='ignore')}{cut} {tail}"


def line_of(message: Message) -> Line:
    """Return what people read of an alarm, a warning, a notice or a call."""
    kind = message.kind
    if kind == CALL:
        return _call(message.body)
    if kind == "warning":
        return _warning(message)
    if kind == "notice":
        return _notice(message)
    return _alarm(message)


def event_of(message: Message) -> str:
    """Return the kind of its event; of a call, which is told in any case, `CALL`."""
    return CALL if message.kind == CALL else str(message.body["event"])


def printable(text: object) -> str:
    """Return a text as one line of characters that UTF-8 can encode."""
    one_line = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else "�" for letter in one_line)


def _in(text: Text, language: Language) -> str:
    return printable(text.zh if language == "zh" else text.en)


def _alarm(message: Message) -> Line:
    body, alarm = message.body, message.body["alarm"]
    event, level = event_of(message), alarm["level"]
    word, title, reaction = EVENTS.get(event, Text(event, event)), alarm["title"], body.get("rationalization")
    value = "" if alarm["value"] is None else f" {alarm['value']:g}{alarm['unit'] or ''}"
    limit = "" if alarm["limit"] is None else f"{alarm['limit']:g}"
    zh = f"{_plant(message)} {alarm['point']} {title['zh']}{value}{f'（限值 {limit}）' if limit else ''}"
    en = f"{_plant(message)} {alarm['point']} {title['en']}{value}{f' (limit {limit})' if limit else ''}"
    if reaction is not None and event == "raised":
        zh, en = f"{zh}，处置：{reaction['action']['zh']}", f"{en}, do: {reaction['action']['en']}"
    return Line(
        Text(f"【报警 {level}级 {word.zh}】", f"[ALARM level {level} {word.en}]"),
        Text(f"{zh}，{_clock(body['time'])}", f"{en}, {_clock(body['time'])}"),
        _id(alarm["id"]),
        grave=level == 2 and event in {"raised", "bypass-unregistered"},
        before_grave=level == 2,
    )


def _warning(message: Message) -> Line:
    body, warning = message.body, message.body["warning"]
    event, title = event_of(message), body["title"]
    colour = Colour(warning["colour"]) if warning["colour"] else None
    word, name = EVENTS.get(event, Text(event, event)), colour.text if colour else Text("无色", "no colour")
    who, until = "、".join(warning["who"]), _clock(warning["until"])
    zh = f"，请{who or '值班人员'}在 {until} 前答复" if until else ""
    en = f", {who or 'whoever is on duty'} to answer by {until}" if until else ""
    return Line(
        Text(f"【预警 {name.zh} {word.zh}】", f"[WARNING {name.en} {word.en}]"),
        Text(f"{title['zh']}，{_clock(body['time'])}{zh}", f"{title['en']}, {_clock(body['time'])}{en}"),
        _id(warning["id"]),
        grave=colour is Colour.RED and event not in {"acknowledged", "feedback"},
        before_grave=colour in {Colour.RED, Colour.ORANGE},
    )


def _notice(message: Message) -> Line:
    notice = message.body["notice"]
    ended = event_of(message) == "ended"
    due = _clock(notice["due"])
    return Line(
        Text(f"【{'撤回' if ended else '提醒'} {notice['title']['zh']}】", f"[{'WITHDRAWN' if ended else 'NOTICE'}]"),
        Text(
            f"{_plant(message)} {notice['text']['zh']}{f'，期限 {due}' if due else ''}",
            f"{_plant(message)} {notice['text']['en']}{f', due {due}' if due else ''}",
        ),
        _id(notice["id"]),
    )


def _call(body: Mapping[str, Any]) -> Line:
    colour = Colour(body["colour"]) if body["colour"] else None
    roll, person = body["cause"] == Cause.ROLL_CALL, body["person"]
    title, name = _ROLL_CALL if roll else _CALL, colour.text if colour else Text("", "")
    number = str(body["call"])[:8]  # as its own words name it
    return Line(
        Text(f"【{title.zh} {name.zh}".rstrip() + "】", f"[{title.en} {name.en}".rstrip() + "]"),
        Text(body["text"]["zh"], body["text"]["en"]),
        _id(number),
        grave=not roll and colour in {None, Colour.RED},  # without a colour it is for an alarm
        address=person["address"],
        name=person["name"],
    )


def _plant(message: Message) -> str:
    return str((message.body.get("enterprise") or {}).get("name") or message.plant)


def _clock(time: str | None) -> str:
    """The time of day at the plant; empty where there is none."""
    return "" if time is None else dt.datetime.fromisoformat(time).astimezone(PLANT_TIME).strftime("%m-%d %H:%M:%S")


def _id(name: object) -> Text:
    return Text(f"编号 {name}", f"id {name}")
