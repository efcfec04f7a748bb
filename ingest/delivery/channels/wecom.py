"""Robots of WeCom groups: 20 posts a minute, texts of 2,048 bytes; the key stands in the address.

Source: WeCom's developer documentation 91770, 群机器人配置说明. Texts mention members, markdown does not: so texts
are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from ingest.delivery.channels.bundling import Refusal, Waiting
from ingest.delivery.channels.codes import domestic, is_phone, refused_by_code
from ingest.delivery.channels.config import WeComConfig
from ingest.delivery.channels.robot import Request, RobotConnector, open_robot

_WORDS: Final[Mapping[int, str]] = {
    45009: "too many posts 发送过快",
    45002: "the text is too long 内容超长",
    93000: "the key is not valid, or the robot was removed 密钥无效或机器人已移除：核对 token",
    93008: "the robot is not in the group 机器人不在群中",
}


class WeCom:
    """Makes and reads posts."""

    most = 2048

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url}?{urlencode({'key': key})}"

    def request(self, text: str, called: Sequence[str], now: int) -> Request:  # noqa: ARG002  nothing is signed
        """See `Robot`."""
        content: dict[str, Any] = {"content": text}
        called = [domestic(each) for each in called]
        phones = [each for each in called if is_phone(each)]
        if called:
            content["mentioned_list"] = [each for each in called if each not in phones]
            content["mentioned_mobile_list"] = phones
        return Request(self._url, {"msgtype": "text", "text": content})

    def called(self, line: Waiting, name: str) -> str:  # noqa: ARG002  the post's list calls
        """See `Robot`."""
        return ""

    def harmless(self, text: str) -> str:
        """See `Robot`."""
        return text.replace("<@", "＜@")

    def refusal(self, reply: Mapping[str, Any]) -> Refusal | None:
        """See `Robot`."""
        return refused_by_code(reply, "errcode", _WORDS, {45009: 60.0})


def open_wecom(config: WeComConfig, now: Callable[[], int]) -> RobotConnector:
    """Create the connector. Raises InvalidConfig if a secret or file cannot be used."""
    return open_robot(config, "wecom", lambda url, token, _: WeCom(url, token), now)
