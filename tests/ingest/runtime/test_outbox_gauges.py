"""What /metrics shows of the outbox is what waits in it, and what the sender holds is not counted in the database."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.delivery.sender import OutboxSender
from ingest.domain.model.outbox import Message, MessageKind
from ingest.runtime.outbox_gauges import OutboxGauges
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.outbox_store import KINDS, OutboxStore
from tests.ingest.delivery.outbox import StandIn, accept, alarm_message, readings_message, refuse, running, until


class CountedOutbox(OutboxStore):
    """Notes what is counted in the database."""

    counts: int = 0

    def count(self, connector: str, most: int, kinds: Sequence[MessageKind] = KINDS, after: int = 0) -> int:
        self.counts += 1
        return super().count(connector, most, kinds, after)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "state.db")
    yield opened
    opened.close()


def shown(gauges: OutboxGauges) -> Mapping[tuple[str, str], float]:
    """By the metric's name without its prefix, and the connector."""
    return {
        (sample.name.removeprefix("yujing_"), sample.labels["connector"]): sample.value
        for family in gauges()
        for sample in family.samples
    }


def put(database: Database, connector: str, numbers: range) -> None:
    messages: list[Message] = []
    for number in numbers:
        message = alarm_message(0, point=f"P-{number}") if number % 2 else readings_message(number)
        messages.append(replace(message, seq=0, connector=connector, created=time.time_ns() - 60 * 10**9))
    EngineStore(database).commit(numbers.stop, [], messages)


async def test_the_gauges_are_what_waits_and_the_database_counts_only_what_nobody_holds(database: Database) -> None:
    outbox = CountedOutbox(database)
    put(database, "well", range(4))
    put(database, "away", range(6))
    put(database, "gone", range(2))
    connectors = StandIn(accept, name="well"), StandIn(refuse, name="away")
    sender = OutboxSender(outbox, connectors, record_s=0)
    gauges = OutboxGauges(sender, outbox, ["well", "away", "gone", "empty"])
    before = shown(gauges)
    waiting = {name: before["outbox_messages_waiting", name] for name in ("well", "away", "gone", "empty")}
    assert waiting == {"well": 4, "away": 6, "gone": 2, "empty": 0}
    assert before["outbox_oldest_seconds", "away"] >= 60
    assert before["outbox_oldest_seconds", "empty"] == 0
    async with running(sender):
        await until(lambda: outbox.oldest("well") is None and bool(sender.standing()["away"].down))
        outbox.counts = 0
        found = shown(gauges)
        assert outbox.counts == 2, "of the two that no sender holds"
    assert [found["outbox_messages_waiting", name] for name in waiting] == [0, 6, 2, 0]
    assert (found["receiver_down", "well"], found["receiver_down", "away"]) == (0, 1)
    assert ("receiver_down", "gone") not in found


async def test_readings_beyond_what_the_sender_holds_are_counted_along(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.delivery.outbox_access.PAGE", 3)
    outbox = OutboxStore(database)
    put(database, "away", range(20))
    sender = OutboxSender(outbox, [StandIn(refuse, name="away")], record_s=0)
    async with running(sender):
        await until(lambda: sender.standing()["away"].down)
        assert sender.standing()["away"].queued < 20
        assert shown(OutboxGauges(sender, outbox, ["away"]))["outbox_messages_waiting", "away"] == 20
