"""Why a message was not delivered: a code and its values, said in either language.

What a receiver said in its own words is a value, so it is the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

from ingest.domain.model.text import Text

Value = str | int | float

TEXTS: Final[Mapping[str, Text]] = {
    "http": Text("接收方应答 HTTP {status}", "HTTP {status}"),
    "http-words": Text("接收方应答 HTTP {status}：{words}", "HTTP {status}: {words}"),
    "redirect": Text(
        "接收方应答 HTTP {status}：不跟随重定向，请设最终网址",
        "HTTP {status}: redirects are not followed, set the final address",
    ),
    "gone": Text("接收方应答 HTTP 410：该网址永久停用", "HTTP 410: the receiver says this address is gone for good"),
    "no-connection": Text("无法连接：{why}", "no connection: {why}"),
    "broken": Text("应答完成前连接中断（{how}）", "connection broken before the answer was complete ({how})"),
    "timeout": Text("{seconds} 秒内没有完整应答", "no complete answer within {seconds} s"),
    "no-json": Text("应答不是 JSON 对象", "the answer is not a JSON object"),
    "no-number": Text("应答中没有数字 {field}", "the answer has no number {field}"),
    "recipient": Text("收件人 {key}：{why}", "recipient {key}: {why}"),
    "timeout-damaged": Text(
        "{seconds} 秒内没有完整应答；收到 {count} 帧，格式、长度或校验码不对",
        "no complete answer within {seconds} s, but {count} frames of wrong form, length or check",
    ),
    "timeout-others": Text(
        "{seconds} 秒内没有完整应答；收到 {count} 帧，是命令或对其他帧的应答",
        "no complete answer within {seconds} s, but {count} frames that are commands or answers to other frames",
    ),
    "not-unicode": Text("消息中有不是 Unicode 的文字", "a text in the message is not Unicode"),
    "frame-character": Text(
        "{name} 的值中有帧内不能写的字符（; , & = 或非 ASCII）",
        "the value of {name} has a character that a frame cannot hold (; , & = or not ASCII)",
    ),
    "frame-too-long": Text(
        "一项（{text}…）超过一帧的 {most} 字节", "one item ({text}...) is longer than the {most} bytes of a frame"
    ),
    "uncoded": Text("编码文件中没有 {place} 的 {name}", "the file of codes has no {name} for {place}"),
    "unmapped": Text("协议文件中没有 {path} = {value} 的代码", "the mapping has no code for {path} = {value}"),
    "platform-later": Text("平台要求稍后再报：{words}", "the platform wants it later: {words}"),
    "platform-refused": Text("平台拒收：{words}", "the platform refused: {words}"),
    "platform-refused-item": Text("平台拒收此条：{words}", "the platform refused it: {words}"),
    "platform-settings": Text(
        "平台拒绝的是设置，不是上报内容：{words}", "the platform refused the settings, not the report: {words}"
    ),
    "platform-settings-http": Text(
        "平台应答 HTTP {status}（问题在设置，不在上报内容）", "HTTP {status} (the settings, not the report)"
    ),
    "platform-settings-http-words": Text(
        "平台应答 HTTP {status}：{words}（问题在设置，不在上报内容）",
        "HTTP {status}: {words} (the settings, not the report)",
    ),
    "platform-no-json": Text("平台的应答不是 JSON 对象", "the platform's answer is not a JSON object"),
    "no-token": Text("没有得到令牌：{why}", "no token: {why}"),
    "token-missing": Text(
        "平台的应答在 {at} 处没有可作请求头的文本", "the platform's answer has no text for a header at {at}"
    ),
    "fault": Text("连接程序出错：{what}", "fault in the connector: {what}"),
    "unsaid": Text("连接程序没有说明结果", "the connector did not say what became of it"),
    "other": Text("{text}", "{text}"),
}
"""What each code says."""


class Failure(str):
    """Why a message was not delivered; as a text it is the English sentence, which logs and the outbox keep, too.

    Attributes:
        code: a key of `TEXTS`.
        values: what its sentence names.
    """

    __slots__ = ("code", "values")

    code: str
    values: Mapping[str, Value]

    def __new__(cls, code: str, /, **values: Value) -> Self:
        """A failure of this code; `values` are those its sentence names."""
        failure = super().__new__(cls, TEXTS[code].en.format_map(values))
        failure.code, failure.values = code, values
        return failure

    def __str__(self) -> Self:
        """Itself, so that an exception made of a failure gives it back by `str`."""
        return self

    @classmethod
    def of(cls, text: str) -> Failure:
        """The failure that a text is, or one that has it as its only value."""
        return text if isinstance(text, Failure) else cls("other", text=text)

    @property
    def text(self) -> Text:
        """Its sentence in both languages; a failure among its values is in the language of the sentence, too."""
        values = {name: value.text.zh if isinstance(value, Failure) else value for name, value in self.values.items()}
        return Text(TEXTS[self.code].zh.format_map(values), str(self))

    @property
    def row(self) -> dict[str, Any]:
        """JSON-ready, as it is stored."""
        return {"code": self.code, "values": dict(self.values)}


def failure_text(row: Mapping[str, Any] | None, last_error: str | None) -> Text | None:
    """What a stored failure says; rows of earlier versions, or of a newer one, have its English sentence alone.

    Args:
        row: as `Failure.row` has it, or None.
        last_error: the English sentence, or None if no attempt has failed.
    """
    if last_error is None:
        return None
    template = TEXTS.get(row["code"]) if row is not None else None
    if row is None or template is None:
        return Text(last_error, last_error)
    return Text(template.zh.format_map(row["values"]), last_error)
