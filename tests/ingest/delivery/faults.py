"""A receiver that fails in every way, and senders that are killed: for a test of some messages, a benchmark of many."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.base.backoff import RetrySchedule
from ingest.base.config import Secret
from ingest.delivery.sender import OutboxSender
from ingest.delivery.webhook.config import WebhookConfig
from ingest.delivery.webhook.connector import WebhookConnector
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.outbox import Message
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.outbox_store import OutboxStore
from tests.ingest.delivery.outbox import alarm_message
from tests.ingest.delivery.receiver import Receiver, Reply, Request
from tests.servers import free_port

KILLS: Final = 6
SECRET: Final = "whsec_" + "YSBrZXkgb2YgdGhlIHRlc3RzIG9mIHllYXJseSB1c2U="
_FAULTS: Final = (
    *[Reply(status) for status in (500, 502, 503, 429, 404, 301)],
    *[Reply(reset=True), Reply(raw=b"no HTTP at all"), Reply(raw=b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal")],
    *[Reply(503, {"retry-after": "0"})],
)


class Moody:
    """Fails every other request somehow, and keeps silent three times."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  which request meets which fault
        self._silences = 3
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            if self._silences and self._random.random() < 0.01:
                self._silences -= 1
                return Reply(hold=True)
            return self._random.choice(_FAULTS) if self._random.random() < 0.5 else Reply()


def fill(database: Database, alarms: int) -> OutboxStore:
    """Events of so many alarms for two destinations, in a database as the service has it."""
    EngineStore(database).commit(1, [], [*events("moody", alarms), *events("dead", alarms)])
    return OutboxStore(database)


def events(connector: str, alarms: int) -> Iterator[Message]:
    """All raises, then all returns."""
    for kind, number in itertools.product((AlarmEventKind.RAISED, AlarmEventKind.RETURNED), range(alarms)):
        message = alarm_message(0, kind, point=f"P-{number}")
        yield Message(
            *(0, connector, message.id, message.kind, message.plant, message.body, 1, 1, 0),
            urgency=message.urgency,
            subject=message.subject,
        )


def webhook(name: str, url: str) -> WebhookConnector:
    """A connector that tries again soon."""
    opened = WebhookConfig(name=name, url=url, secret=Secret(env="HOOK_SECRET"), timeout_s=1).open_connector(
        time.time_ns
    )
    assert isinstance(opened, WebhookConnector)
    opened.schedule = RetrySchedule(first_s=0.01, cap_s=0.05)
    return opened


async def deliver_with_kills(outbox: OutboxStore, receiver: Receiver, rng: random.Random, alarms: int) -> None:
    """Run senders, each of which is killed at a moment of its own but the last, until the one destination has all."""
    for life in range(KILLS + 1):
        enough = math.inf if life == KILLS else len(receiver.accepted) + rng.randint(5, 2 * alarms // (KILLS + 1))
        connectors = [webhook("moody", receiver.url), webhook("dead", f"http://127.0.0.1:{free_port()}/")]
        sender = asyncio.create_task(OutboxSender(outbox, connectors, record_s=0.3).run())
        while len(receiver.accepted) < enough and await asyncio.to_thread(outbox.oldest, "moody") is not None:
            assert not sender.done()
            await asyncio.sleep(0.005)
        sender.cancel()  # what was accepted and not recorded yet stays without a record
        with contextlib.suppress(asyncio.CancelledError):
            await sender


@dataclass(frozen=True, slots=True)
class Judged:
    """What a plain model finds in what a receiver saw; all but `repeated` must be nought.

    Attributes:
        missing: messages that never came.
        strange: ids that came and nobody had sent.
        altered: ids whose body was another one at a later try.
        disordered: alarms that returned before they were raised.
        repeated: acceptances more than there are messages: kills between a delivery and its record.
    """

    missing: int
    strange: int
    altered: int
    disordered: int
    repeated: int


def judge(receiver: Receiver, alarms: int) -> Judged:
    """Compare what came with what was sent."""
    sent = list(events("moody", alarms))
    names, came = {str(message.id) for message in sent}, first_times(receiver.accepted)
    bodies = defaultdict[str, set[bytes]](set)
    for request in receiver.requests:
        bodies[request.headers["webhook-id"]].add(request.body)
    place = {number: at for at, number in enumerate(came)}
    late = len(sent)
    pairs = zip(sent[:alarms], sent[alarms:], strict=True)
    return Judged(
        missing=len(names - {*came}),
        strange=len({*bodies} - names),
        altered=sum(len(each) > 1 for each in bodies.values()),
        disordered=sum(place.get(str(back.id), late) < place.get(str(raised.id), late) for raised, back in pairs),
        repeated=len(receiver.accepted) - len(sent),
    )


def first_times(requests: Sequence[Request]) -> list[str]:
    """The ids in the order in which they came first."""
    return list(dict.fromkeys(request.headers["webhook-id"] for request in requests))
