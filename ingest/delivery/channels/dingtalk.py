"""Robots of DingTalk groups: 20 posts a minute, beyond which they are blocked for ten.

Source: DingTalk's open documentation, 自定义机器人接入 and 自定义机器人安全设置: HMAC-SHA256 over timestamp and
secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from ingest.delivery.channels.bundling import Refusal, Waiting
from ingest.delivery.channels.codes import domestic, is_phone, refused_by_code
from ingest.delivery.channels.config import DingTalkConfig
from ingest.delivery.channels.robot import Request, RobotConnector, open_robot

BLOCKED_S: Final = 600.0
"""How long a robot that posted too often is blocked."""

_WORDS: Final[Mapping[int, str]] = {
    130101: "too many posts, blocked for ten minutes 发送过快，限流十分钟",
    310000: "its security settings refuse it: look at secret (加签), keywords and white list of addresses"
    " 安全设置不通过：核对加签密钥、关键词、IP 白名单",
    300001: "the token is not valid 令牌无效：核对 token",
    400013: "the group was dissolved 群已解散",
    400101: "the token does not exist 令牌不存在：核对 token",
    400102: "the robot was stopped 机器人已停用",
}


class DingTalk:
    """Makes and reads posts."""

    most = 2048  # the service's own: DingTalk takes 20,000 bytes, a chat is read by people

    def __init__(self, url: str, token: str, secret: str | None) -> None:
        self._url = url
        self._token = token
        self._secret = secret

    def request(self, text: str, called: Sequence[str], now: int) -> Request:
        """See `Robot`."""
        query = {"access_token": self._token}
        if self._secret is not None:
            timestamp_ms = now // 1_000_000
            query |= {"timestamp": str(timestamp_ms), "sign": signature(self._secret, timestamp_ms)}
        called = [domestic(each) for each in called]
        phones = [each for each in called if is_phone(each)]
        at = {"atMobiles": phones, "atUserIds": [each for each in called if each not in phones], "isAtAll": False}
        return Request(f"{self._url}?{urlencode(query)}", {"msgtype": "text", "text": {"content": text}, "at": at})

    def called(self, line: Waiting, name: str) -> str:  # noqa: ARG002  a member is called by id or phone
        """See `Robot`."""
        return f"@{domestic(line.address)} " if line.address is not None else ""

    def harmless(self, text: str) -> str:
        """See `Robot`: only whom the post's `at` names is called, whatever its text says."""
        return text

    def refusal(self, reply: Mapping[str, Any]) -> Refusal | None:
        """See `Robot`."""
        return refused_by_code(reply, "errcode", _WORDS, {130101: BLOCKED_S})


def signature(secret: str, timestamp_ms: int) -> str:
    """Return the signature of a post: base64 of HMAC-SHA256, keyed by the secret, over timestamp and secret.

    >>> signature("this is secret", 1600000000000)
    'MYEtKC4/NfMR1l4prX++ai6oOf70X1xOf6UlnyUhJH4='
    """
    text = f"{timestamp_ms}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode("ascii")


def open_dingtalk(config: DingTalkConfig, now: Callable[[], int]) -> RobotConnector:
    """Create the connector. Raises InvalidConfig if a secret or file cannot be used."""
    return open_robot(config, "dingtalk", DingTalk, now, config.secret)
