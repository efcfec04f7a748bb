"""The connector of a group chat's robot: bundles lines, posts them, and reads whether they were taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from ingest.base.backoff import RetrySchedule
from ingest.base.config import Secret
from ingest.base.telemetry import emit
from ingest.delivery.channels.bundling import Bundler, Refusal, Waiting
from ingest.delivery.channels.choosing import chosen, outcome_of
from ingest.delivery.channels.config import RobotConfig
from ingest.delivery.channels.events import TextCut
from ingest.delivery.channels.rate import PostLimit
from ingest.delivery.channels.texts import CUT, line_of
from ingest.delivery.connector import Outcome
from ingest.delivery.credentials import header_value, reveal
from ingest.delivery.errors import Unreachable
from ingest.delivery.https import Answer, open_client, post
from ingest.delivery.posting import Posting
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.fault import all_of
from ingest.domain.model.outbox import Message

_IN_FLIGHT: Final = 64
"""Deliveries that may wait for their turn at once, so that they can share a post."""


@dataclass(frozen=True, slots=True)
class Request:
    """A post: its address and JSON body."""

    url: str
    body: Mapping[str, Any]


class Robot(Protocol):
    """What the robots of one provider have in common. No method quotes a secret.

    Attributes:
        most: bytes of a post's text in UTF-8.
    """

    most: int

    def request(self, text: str, called: Sequence[str], now: int) -> Request:
        """Return the post of this text, which calls these members; `now`: ns since the epoch."""

    def called(self, line: Waiting, name: str) -> str:
        """Return a line's text with what makes the member it calls be called."""

    def harmless(self, text: str) -> str:
        """Return a text in which nothing is a mention: texts are partly written by people."""

    def refusal(self, reply: Mapping[str, Any]) -> Refusal | None:
        """Return why a post was not taken, by the answer's JSON; None: it was."""


class RobotConnector:
    """Delivers to one robot."""

    batch = 20
    in_flight = _IN_FLIGHT
    schedule = RetrySchedule()

    def __init__(
        self,
        config: RobotConfig,
        client: Posting,
        robot: Robot,
        now: Callable[[], int],
        *,
        limit: PostLimit | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect to nothing yet. `limit`: by the settings, with half of it spent: a restart may have used it up."""
        self.name = config.name
        self._config = config
        self._client = client
        self._robot = robot
        self._now = now
        most = config.posts_a_minute
        limit = limit or PostLimit(most, min(config.reserve, most - 1), steady(), spent=most // 2)
        self.bundler = Bundler(self._post, limit, robot.most, steady)

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Post the lines of these messages, with those of others that wait; see `Connector`."""
        wanted = chosen(self._config, messages)
        found = await self.bundler.deliver([self._waiting(message) for message in wanted])
        refused = {message.seq: each for message, each in zip(wanted, found, strict=True) if each is not None}
        return [outcome_of(message, refused.get(message.seq)) for message in messages]

    async def close(self) -> None:
        """Close all connections."""
        await self.bundler.close()
        await self._client.close()

    def _waiting(self, message: Message) -> Waiting:
        line = line_of(message)
        waiting = Waiting("", str(message.id), line.grave, line.address, line.before_grave)
        text = self._robot.harmless(line.fitted(self._robot.most, self._config.language))
        waiting.text = self._robot.called(waiting, line.name or "") + text
        over = len(waiting.text.encode()) - self._robot.most
        if over > 0:  # a mention, or what was made harmless, takes room
            text = self._robot.harmless(line.fitted(self._robot.most - over, self._config.language))
            waiting.text = self._robot.called(waiting, line.name or "") + text
        if (CUT.zh if self._config.language == "zh" else CUT.en) in waiting.text:
            emit(TextCut(self.name))
        return waiting

    async def _post(self, lines: Sequence[Waiting]) -> Refusal | None:
        called = [line.address for line in lines if line.address is not None]
        request = self._robot.request("\n".join(line.text for line in lines), called, self._now())
        headers = {
            "content-type": "application/json; charset=utf-8",
            "idempotency-key": ",".join(line.id for line in lines),
        }
        body = msgspec.json.encode(request.body)
        try:
            answer = await post(self._client, request.url, body, headers, timeout_s=self._config.timeout_s)
        except Unreachable as error:
            return Refusal(str(error))
        return self._refusal(answer)

    def _refusal(self, answer: Answer) -> Refusal | None:
        requested_s = answer.requested_delay_s(self._now()) or 0.0
        try:
            reply = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Refusal(answer.refusal or Failure("no-json"), requested_s)
        refusal = self._robot.refusal(reply)
        return Refusal(answer.refusal, requested_s) if refusal is None and answer.refusal is not None else refusal


def open_robot(
    config: RobotConfig,
    kind: str,
    make: Callable[[str, str, str | None], Robot],
    now: Callable[[], int],
    secret: Secret | None = None,
) -> RobotConnector:
    """Create a connector.

    Args:
        config: its settings.
        kind: the table that they stand in.
        make: returns a robot by its address, its token and the secret that it signs with.
        now: ns since the epoch.
        secret: what it signs with; None: it does not sign.

    Raises:
        InvalidConfig: it lists every fault of its secrets and files.
    """
    key = f"connectors.{kind}.{config.name}"

    def robot() -> Robot:
        token = reveal(config.token, f"{key}.token", header_value)
        revealed = None if secret is None else reveal(secret, f"{key}.secret", header_value)
        return make(config.url, token, revealed)

    def client() -> Posting:
        return open_client(config.ca_file, f"{key}.ca_file", allowed=config.allow_networks)

    all_of(robot, client)
    return RobotConnector(config, client(), robot(), now)
