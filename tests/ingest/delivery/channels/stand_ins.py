"""Stand-ins for robots of group chats, strict by what their providers publish, not by the connectors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.ingest.delivery.receiver import Reply, Request

TOKEN = "a-token-that-nobody-may-read"
SECRET = "SEC-a-secret-that-nobody-may-read"
HOUR_S = 3600.0


def mac(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


class Group:
    """A group with a robot in it; `texts` are what its members read. At most `most` posts a minute by `clock` (s)."""

    code = "errcode"
    too_many = 0

    def __init__(self, clock: Callable[[], float], most: int = 20) -> None:
        self.texts = list[str]()
        self.mentioned = list[list[str]]()
        self.posts = list[float]()
        self.fault: Reply | None = None
        self._clock = clock
        self._most = most

    def __call__(self, request: Request) -> Reply:
        self.posts.append(self._clock())
        if self.fault is not None:
            return self.fault
        if sum(at > self._clock() - 60 for at in self.posts) > self._most:
            return self.answer(self.too_many, "send too fast")
        body = json.loads(request.body.decode("utf-8"))
        if not request.headers["content-type"].startswith("application/json"):
            return Reply(415)
        return self.take(urlsplit(request.path).path, parse_qs(urlsplit(request.path).query), body)

    def answer(self, code: int, text: str = "ok") -> Reply:
        return Reply(body=json.dumps({self.code: code, "errmsg": text}).encode())

    def take(self, path: str, query: Mapping[str, list[str]], body: Mapping[str, Any]) -> Reply:
        raise NotImplementedError

    def read(self, text: str, mentioned: list[str]) -> Reply:
        self.texts.append(text)
        self.mentioned.append(mentioned)
        return self.answer(0)


class DingTalkGroup(Group):
    too_many = 130101

    def take(self, path: str, query: Mapping[str, list[str]], body: Mapping[str, Any]) -> Reply:
        (timestamp,), (sign,) = query["timestamp"], query["sign"]
        if path != "/hook" or query["access_token"] != [TOKEN]:
            return self.answer(300001, "token is not exist")
        stale = abs(int(timestamp) / 1000 - self._clock()) > HOUR_S
        if stale or sign != mac(SECRET, f"{timestamp}\n{SECRET}"):
            return self.answer(310000, f"sign not match, more: {query}")
        text, at = body["text"]["content"], body["at"]
        if set(body) != {"msgtype", "text", "at"} or body["msgtype"] != "text" or len(text.encode()) > 20_000:
            return self.answer(400002, "param error")
        members = [*at["atUserIds"], *at["atMobiles"]]
        return self.read(text, [member for member in members if f"@{member}" in text])


class WeComGroup(Group):
    too_many = 45009

    def take(self, path: str, query: Mapping[str, list[str]], body: Mapping[str, Any]) -> Reply:
        if path != "/hook" or query["key"] != [TOKEN]:
            return self.answer(93000, f"invalid webhook url {query}")
        if set(body) != {"msgtype", "text"} or body["msgtype"] != "text":
            return self.answer(40008, "invalid message type")
        text = body["text"]
        if not 0 < len(text["content"].encode()) <= 2048:
            return self.answer(45002, "content size out of limit")
        return self.read(text["content"], [*text.get("mentioned_list", ()), *text.get("mentioned_mobile_list", ())])


class FeishuGroup(Group):
    code = "code"
    too_many = 11232

    def take(self, path: str, query: Mapping[str, list[str]], body: Mapping[str, Any]) -> Reply:
        if path != f"/hook/{TOKEN}" or query:
            return self.answer(19001, f"param invalid: incoming webhook access token invalid {path}")
        timestamp = body["timestamp"]
        stale = abs(int(timestamp) - self._clock()) > HOUR_S
        if stale or body["sign"] != mac(f"{timestamp}\n{SECRET}", ""):
            return self.answer(19021, "sign match fail or timestamp is not within one hour from current time")
        text = body["content"]["text"]
        if body["msg_type"] != "text" or len(request_bytes(body)) > 20 * 1024:
            return self.answer(9499, "Bad Request")
        return self.read(text, [part.partition('"')[0] for part in text.split('<at user_id="')[1:]])


def request_bytes(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
