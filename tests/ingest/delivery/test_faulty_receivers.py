"""Alarms reach a receiver that fails in every way, through kills of the sender, whatever another destination does."""

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
from pathlib import Path
from typing import Final

import pytest

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

ALARMS: Final = 250  # each is raised and returns
KILLS: Final = 6
_SECRET: Final = "whsec_" + "YSBrZXkgb2YgdGhlIHRlc3RzIG9mIHllYXJseSB1c2U="
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


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[OutboxStore]:
    """Events of alarms for two destinations, in a database as the service has it."""
    database = Database(tmp_path / "state.db")
    EngineStore(database).commit(1, [], [*events("moody"), *events("dead")])
    yield OutboxStore(database)
    database.close()


def events(connector: str) -> Iterator[Message]:
    """All raises, then all returns."""
    for kind, number in itertools.product((AlarmEventKind.RAISED, AlarmEventKind.RETURNED), range(ALARMS)):
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


async def deliver_with_kills(outbox: OutboxStore, receiver: Receiver, rng: random.Random) -> None:
    """Run senders, each of which is killed at a moment of its own but the last, until the one destination has all."""
    for life in range(KILLS + 1):
        enough = math.inf if life == KILLS else len(receiver.accepted) + rng.randint(5, 2 * ALARMS // (KILLS + 1))
        connectors = [webhook("moody", receiver.url), webhook("dead", f"http://127.0.0.1:{free_port()}/")]
        sender = asyncio.create_task(OutboxSender(outbox, connectors, record_s=0.3).run())
        while len(receiver.accepted) < enough and await asyncio.to_thread(outbox.oldest, "moody") is not None:
            assert not sender.done()
            await asyncio.sleep(0.005)
        sender.cancel()  # what was accepted and not recorded yet stays without a record
        with contextlib.suppress(asyncio.CancelledError):
            await sender


def first_times(requests: Sequence[Request]) -> list[str]:
    """The ids in the order in which they came first."""
    return list(dict.fromkeys(request.headers["webhook-id"] for request in requests))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who is killed closes no connection
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_missing_whatever_fails_and_each_retry_is_the_same(
    outbox: OutboxStore, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """By a plain model: each event once or more, under one id with one body, those of an alarm in their order."""
    monkeypatch.setenv("HOOK_SECRET", _SECRET)
    with Receiver(Moody(seed)) as receiver:
        async with asyncio.timeout(100):
            await deliver_with_kills(outbox, receiver, random.Random(seed))  # noqa: S311  moments of kills
    sent = list(events("moody"))
    assert {request.headers["webhook-id"] for request in receiver.accepted} == {str(message.id) for message in sent}
    bodies = defaultdict[str, set[bytes]](set)
    for request in receiver.requests:
        bodies[request.headers["webhook-id"]].add(request.body)
    assert {len(each) for each in bodies.values()} == {1}
    place = {number: at for at, number in enumerate(first_times(receiver.accepted))}
    for raised, returned in zip(sent[:ALARMS], sent[ALARMS:], strict=True):
        assert place[str(raised.id)] < place[str(returned.id)]
    assert len(receiver.accepted) > len(sent), "no kill came between a delivery and its record"
    assert outbox.count("moody", 10_000) == 0
    assert outbox.count("dead", 10_000) == len(sent)
