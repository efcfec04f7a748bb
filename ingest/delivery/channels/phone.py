"""Short messages and calls: each recipient of a message by a request of its own, with the variables of a template."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ingest.base.backoff import RetrySchedule
from ingest.base.telemetry import emit
from ingest.delivery.channels.addressed import PHONE, AliyunConfig, SmsConfig, VoiceConfig
from ingest.delivery.channels.aliyun import Key, refusal_in, signed
from ingest.delivery.channels.bundling import Refusal
from ingest.delivery.channels.choosing import Recipients, chosen, of_recipient, outcome_of
from ingest.delivery.channels.codes import domestic
from ingest.delivery.channels.events import TextCut
from ingest.delivery.channels.texts import Line, line_of, printable
from ingest.delivery.connector import Outcome
from ingest.delivery.credentials import header_value, reveal
from ingest.delivery.errors import Unreachable
from ingest.delivery.https import open_client, post
from ingest.delivery.posting import Posting
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.fault import all_of
from ingest.domain.model.outbox import Message

VERSION: Final = "2017-05-25"
"""Of both interfaces."""

_OUT_ID: Final = 15  # characters a call's own name may have (SingleCallByTts, OutId)

Ask = Callable[[str, Mapping[str, str], str], tuple[str, Mapping[str, str]]]
"""From a phone number, a template's variables and a message's id to an action and its parameters."""


class PhoneConnector:
    """Delivers by one service of the provider. That it took a request is all that is known then."""

    batch = 1
    in_flight = 4
    schedule = RetrySchedule()

    def __init__(self, config: AliyunConfig, variables: Sequence[str], client: Posting, key: Key, url: str, ask: Ask,
                 now: Callable[[], int]) -> None:  # fmt: skip
        self.name = config.name
        self._config = config
        self._variables = variables
        self._client = client
        self._key = key
        self._url = url
        self._ask = ask
        self._now = now
        self._recipients = Recipients()

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """See `Connector`."""
        found = {message.seq: await self._to_everybody(message) for message in chosen(self._config, messages)}
        return [found.get(message.seq) or outcome_of(message, None) for message in messages]

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _to_everybody(self, message: Message) -> Outcome:
        line, refusals = line_of(message), list[Refusal]()
        everybody = self._config.to if line.address is None else (line.address,)
        for number in self._recipients.left(message, everybody):
            refusal = await self._to(number, line, message)
            if refusal is None:
                self._recipients.reached(message, number)
            else:
                refusals.append(of_recipient(refusal, self._config.to, number) if refusal.final else refusal)
        return self._recipients.outcome(message, refusals)

    async def _to(self, number: str, line: Line, message: Message) -> Refusal | None:
        if not PHONE.fullmatch(number):
            return Refusal("the address is no phone number 地址不是电话号码", final=True)
        action, parameters = self._ask(domestic(number), self._values(line), str(message.id))
        request = signed(
            self._key, self._url, action, VERSION, parameters, nonce=secrets.token_hex(16), now=self._now()
        )
        headers = {**request.headers, "idempotency-key": str(message.id)}
        try:
            answer = await post(self._client, request.url, b"", headers, timeout_s=self._config.timeout_s)
        except Unreachable as error:
            return Refusal(str(error))
        try:
            reply = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Refusal(answer.refusal or Failure("no-json"), answer.requested_delay_s(self._now()) or 0)
        refusal = refusal_in(reply, self._key)
        return Refusal(answer.refusal) if refusal is None and answer.refusal is not None else refusal

    def _values(self, line: Line) -> dict[str, str]:
        zh, most = self._config.language == "zh", self._config.text_chars
        head, text, tail = (printable(each.zh if zh else each.en) for each in (line.head, line.body, line.tail))
        if len(text) > most:
            emit(TextCut(self.name))
            text = f"{text[: most - 1]}…"
        values = {
            "level": head.strip("【】[]"),
            "text": text,
            "id": tail.rpartition(" ")[2].replace("-", ""),
            "name": printable(line.name or "值班人员")[:most],
        }
        return {name: values[name] for name in self._variables}


def open_sms(config: SmsConfig, now: Callable[[], int]) -> PhoneConnector:
    """Create the connector. Raises InvalidConfig if a secret or file cannot be used."""

    def ask(number: str, values: Mapping[str, str], name: str) -> tuple[str, Mapping[str, str]]:
        return "SendSms", {
            "PhoneNumbers": number,
            "SignName": config.sign_name,
            "TemplateCode": config.template,
            "TemplateParam": _json(values),
            "OutId": name,
        }

    return _opened(config, config.variables, config.url, f"connectors.sms.{config.name}", ask, now)


def open_voice(config: VoiceConfig, now: Callable[[], int]) -> PhoneConnector:
    """Create the connector. Raises InvalidConfig if a secret or file cannot be used."""

    def ask(number: str, values: Mapping[str, str], name: str) -> tuple[str, Mapping[str, str]]:
        shown = {} if config.show_number is None else {"CalledShowNumber": config.show_number}
        return "SingleCallByTts", shown | {
            "CalledNumber": number,
            "TtsCode": config.template,
            "TtsParam": _json(values),
            "PlayTimes": str(config.play_times),
            "OutId": name.replace("-", "")[:_OUT_ID],
        }

    return _opened(config, config.variables, config.url, f"connectors.voice.{config.name}", ask, now)


def _opened(
    config: AliyunConfig, variables: Sequence[str], url: str, where: str, ask: Ask, now: Callable[[], int]
) -> PhoneConnector:
    def key() -> Key:
        return Key(config.access_key_id, reveal(config.access_key_secret, f"{where}.access_key_secret", header_value))

    def client() -> Posting:
        return open_client(config.ca_file, f"{where}.ca_file", allowed=config.allow_networks)

    all_of(key, client)
    return PhoneConnector(config, variables, client(), key(), url, ask, now)


def _json(values: Mapping[str, str]) -> str:
    return msgspec.json.encode(values).decode()
