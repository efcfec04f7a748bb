"""The protocol between platform connector and province: how a report is wrapped and how an answer is judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from ingest.delivery.errors import Unmappable
from ingest.delivery.platform.cipher import Sm4Cbc
from ingest.delivery.platform.mapping import FieldMapping
from ingest.domain.model.outbox import Message, MessageKind

MAX_MESSAGE = 200
"""Characters kept of the platform's own message."""


@dataclass(frozen=True, slots=True)
class Post:
    """One request to a platform."""

    headers: Mapping[str, str]
    body: bytes


class Profile(Protocol):
    """One province's protocol over HTTP. Pure: no network, no clock."""

    def wrap(self, kind: MessageKind, messages: Sequence[Message]) -> Post:
        """Build the request for messages of one kind and one enterprise.

        Raises:
            Unmappable: a value in them cannot be mapped to the province's report.
        """

    def refusal(self, answer: bytes) -> str | None:
        """Why the platform did not accept, in its own words, or None if it did."""


class Sm4JsonProfile:
    """POST JSON {appid, data}, data = hex of SM4-CBC of the report: the dust platform of a published implementation."""

    def __init__(self, mapping: FieldMapping, cipher: Sm4Cbc, appid: str, appsecret: str) -> None:
        self._mapping = mapping
        self._cipher = cipher
        self._appid = appid
        self._appsecret = appsecret

    def wrap(self, kind: MessageKind, messages: Sequence[Message]) -> Post:
        """See `Profile.wrap`."""
        envelope = self._mapping.envelope
        try:
            plaintext = msgspec.json.encode(self._mapping.report(kind, messages))
        except UnicodeEncodeError as error:
            raise Unmappable("a text in the message is not Unicode") from error
        digits = self._cipher.encrypt(plaintext).hex()
        body = {envelope.appid: self._appid, envelope.data: digits.upper() if envelope.hex == "upper" else digits}
        headers = {"content-type": "application/json", envelope.secret_header: self._appsecret}
        return Post(headers, msgspec.json.encode(body))

    def refusal(self, answer: bytes) -> str | None:
        """See `Profile.refusal`."""
        keys = self._mapping.answer
        try:
            reply: Any = json.loads(answer)
        except (ValueError, RecursionError):
            reply = None
        if not isinstance(reply, dict):
            return "the platform's answer is not a JSON object"
        code = reply.get(keys.key)
        if type(code) is type(keys.success) and code == keys.success:
            return None
        return f"the platform refused: {keys.key} = {self._quote(code)}, {self._quote(reply.get(keys.message))}"

    def _quote(self, value: object) -> str:
        return str(value).replace(self._appsecret, "***").replace(self._appid, "***")[:MAX_MESSAGE]
