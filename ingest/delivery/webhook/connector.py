"""The webhook connector: sends each event of an alarm, a warning or a notice, and each call, as one CloudEvent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingest.base.backoff import RetrySchedule
from ingest.base.telemetry import emit
from ingest.delivery.connector import Outcome
from ingest.delivery.credentials import reveal
from ingest.delivery.errors import Unreachable
from ingest.delivery.events import EventNotChosen
from ingest.delivery.https import MAX_ANSWER, open_client, post
from ingest.delivery.posting import Posting
from ingest.delivery.webhook.config import WebhookConfig
from ingest.delivery.webhook.signature import decode_secret, decode_signing_key, signed_headers
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.fault import all_of
from ingest.domain.model.outbox import Message

CONCURRENT = 8
"""Messages in flight at once: enough to drain a backlog, few enough for a small receiver."""

MAX_WORDS = 200
"""Characters kept of a receiver's own words."""


class WebhookConnector:
    """Delivers events of alarms, warnings and notices to one inspector's endpoint."""

    batch = 1
    in_flight = CONCURRENT
    schedule = RetrySchedule(slow_after_s=86_400, slow_s=3600)  # after a day without success: hourly

    def __init__(
        self,
        config: WebhookConfig,
        client: Posting,
        keys: Sequence[bytes],
        now: Callable[[], int],
        signing_key: Ed25519PrivateKey | None = None,
    ) -> None:
        self.name = config.name
        self._config = config
        self._client = client
        self._keys = keys
        self._signing_key = signing_key
        self._now = now

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Post every message by itself, all concurrently."""
        if len(messages) == 1:  # always so from the sender; saves a task
            return [await self._post(messages[0])]
        return await asyncio.gather(*(self._post(message) for message in messages))

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _post(self, message: Message) -> Outcome:
        if not self._config.tells(str(message.body["event"])):
            emit(EventNotChosen(self.name, 1))
            return Outcome(message.seq)
        try:
            body = cloud_event(message)
        except UnicodeEncodeError:  # one such message must not block the others
            return Outcome(message.seq, Failure("not-unicode"), rejected=True)
        at_s = self._now() // 1_000_000_000
        headers = signed_headers(self._keys, str(message.id), at_s, body, self._signing_key)
        headers["content-type"] = "application/cloudevents+json; charset=utf-8"
        try:
            answer = await post(self._client, self._config.url, body, headers, timeout_s=self._config.timeout_s)
        except Unreachable as error:
            return Outcome(message.seq, str(error))
        if answer.rejects and (words := quoted(answer.body, headers)):
            return Outcome(message.seq, Failure("http-words", status=answer.status_line, words=words), rejected=True)
        return Outcome(message.seq, answer.refusal, answer.requested_delay_s(self._now()), rejected=answer.rejects)


def cloud_event(message: Message) -> bytes:
    """The message as a CloudEvents 1.0 JSON envelope: the same bytes on every retry."""
    envelope = {
        "specversion": "1.0",
        "id": str(message.id),
        "source": f"/yujing/{quote(message.plant, safe='')}",
        "type": f"cn.yujing.{message.kind}.{message.body['event']}",
        "subject": _subject(message),
        "time": message.body["time"],
        "datacontenttype": "application/json",
        "data": message.body,
    }
    return msgspec.json.encode(envelope, order="sorted")


def _subject(message: Message) -> str:
    about = message.body[message.kind]
    return str(about if message.kind == "call" else about["point" if message.kind == "alarm" else "id"])


def quoted(answer: bytes, headers: Mapping[str, str]) -> str:
    """The beginning of a receiver's own words, without headers that it repeats."""
    text = " ".join(answer[:MAX_ANSWER].decode("utf-8", "replace").split())
    for value in headers.values():
        text = text.replace(value, "***")
    return text[:MAX_WORDS]


def open_webhook(config: WebhookConfig, now: Callable[[], int]) -> WebhookConnector:
    """Create the connector. Raises InvalidConfig if a secret or the CA file cannot be used."""
    where = f"connectors.webhooks.{config.name}"

    def key() -> bytes:
        return reveal(config.secret, f"{where}.secret", decode_secret)

    def client() -> Posting:
        return open_client(config.ca_file, f"{where}.ca_file", allowed=config.allow_networks)

    def second() -> list[bytes]:
        if config.second_secret is None:
            return []
        return [reveal(config.second_secret, f"{where}.second_secret", decode_secret)]

    def signing_key() -> Ed25519PrivateKey | None:
        if config.signing_key is None:
            return None
        return reveal(config.signing_key, f"{where}.signing_key", decode_signing_key)

    all_of(key, second, signing_key, client)
    return WebhookConnector(config, client(), [key(), *second()], now, signing_key())
