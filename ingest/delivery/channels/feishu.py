"""Robots of Feishu groups: 100 posts a minute and 5 a second by its documentation; we keep to what the settings say.

Source: Feishu's open documentation, 自定义机器人使用指南: the signature's key is timestamp and secret, what it signs is
empty.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from ingest.delivery.channels.bundling import Refusal, Waiting
from ingest.delivery.channels.codes import refused_by_code
from ingest.delivery.channels.config import FeishuConfig
from ingest.delivery.channels.robot import Request, RobotConnector, open_robot

_WORDS: Final[Mapping[int, str]] = {
    11232: "too many posts 发送过快",
    9499: "the post is malformed or too many 格式错误或发送过快",
    19001: "the token is not valid 令牌无效：核对 token",
    19021: "the signature is not valid, or the clock is wrong 签名不通过或时钟不准：核对 secret 与本机时间",
    19022: "the address is not on the robot's white list IP 不在白名单",
    19024: "a keyword of the robot's is not in the text 未含关键词：在机器人设置中加“编号”",
}


class Feishu:
    """Makes and reads posts."""

    most = 2048  # the service's own: Feishu takes 20 KB, a chat is read by people

    def __init__(self, url: str, token: str, secret: str | None) -> None:
        self._url = f"{url}/{quote(token, safe='')}"
        self._secret = secret

    def request(self, text: str, called: Sequence[str], now: int) -> Request:  # noqa: ARG002  the text calls
        """See `Robot`."""
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if self._secret is not None:
            timestamp_s = now // 1_000_000_000
            body |= {"timestamp": str(timestamp_s), "sign": signature(self._secret, timestamp_s)}
        return Request(self._url, body)

    def called(self, line: Waiting, name: str) -> str:
        """See `Robot`."""
        if line.address is None:
            return ""
        member = line.address.replace('"', "")
        return f'<at user_id="{self.harmless(member)}">{self.harmless(name)}</at> '

    def harmless(self, text: str) -> str:
        """See `Robot`."""
        return text.replace("<", "＜").replace(">", "＞")

    def refusal(self, reply: Mapping[str, Any]) -> Refusal | None:
        """See `Robot`."""
        return refused_by_code(reply, "code", _WORDS, {11232: 60.0})


def signature(secret: str, timestamp_s: int) -> str:
    """Return the signature of a post: base64 of HMAC-SHA256, keyed by timestamp and secret, over nothing."""
    key = f"{timestamp_s}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode("ascii")


def open_feishu(config: FeishuConfig, now: Callable[[], int]) -> RobotConnector:
    """Create the connector. Raises InvalidConfig if a secret or file cannot be used."""
    return open_robot(config, "feishu", Feishu, now, config.secret)
