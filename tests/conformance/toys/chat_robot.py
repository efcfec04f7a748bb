"""A toy connector, as `docs/extending.md` has it: alarms and warnings as lines in a chat, by its robot's webhook."""

from collections.abc import Callable, Sequence

import msgspec
from pydantic import Field

from ingest.base.backoff import RetrySchedule
from ingest.base.config import Secret
from ingest.delivery.connector import Outcome, Scheduled
from ingest.delivery.credentials import header_value, reveal
from ingest.delivery.errors import Unreachable
from ingest.delivery.https import Url, open_client, post
from ingest.delivery.posting import Posting
from ingest.delivery.receiver import ReceiverConfig, ReceiverName
from ingest.domain.model.outbox import Message, MessageKind


class ChatRobotConfig(ReceiverConfig):
    name: ReceiverName
    url: Url
    token: Secret
    timeout_s: float = Field(default=15.0, ge=1, le=60)

    def wants(self, kind: MessageKind, plant: str, level: int | None) -> bool:
        return kind == "alarm"

    def open_connector(self, now: Callable[[], int]) -> Scheduled:
        token = reveal(self.token, f"connectors.chat_robots.{self.name}.token", header_value)
        return ChatRobot(self, open_client(None, "ca_file", allowed=self.allow_networks), token, now)


class ChatRobot:
    batch = 1
    in_flight = 2
    schedule = RetrySchedule()

    def __init__(self, config: ChatRobotConfig, client: Posting, token: str, now: Callable[[], int]) -> None:
        self.name = config.name
        self._config = config
        self._client = client
        self._token = token
        self._now = now

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        return [await self._post(message) for message in messages]

    async def close(self) -> None:
        await self._client.close()

    async def _post(self, message: Message) -> Outcome:
        headers = {"authorization": f"Bearer {self._token}", "idempotency-key": str(message.id)}
        try:
            body = msgspec.json.encode({"text": _line(message)})
            answer = await post(self._client, self._config.url, body, headers, timeout_s=self._config.timeout_s)
        except UnicodeEncodeError:
            return Outcome(message.seq, "a text in the message is not Unicode")
        except Unreachable as error:
            return Outcome(message.seq, str(error))
        return Outcome(message.seq, answer.refusal, answer.requested_delay_s(self._now()))


def _line(message: Message) -> str:
    body = message.body
    if message.kind == "warning":
        return f"{message.plant} 预警 {body['title']['zh']}"
    return f"{message.plant} {body['alarm']['point']} {body['alarm']['title']['zh']} {body['alarm']['comment'] or ''}"
