"""What was withdrawn from the outbox is kept there as withdrawn, and is not sent, wherever its sender holds it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from ingest.delivery.connector import Outcome
from ingest.delivery.delivery_queue import DeliveryQueue
from ingest.delivery.sender import OutboxSender
from ingest.domain.model.outbox import Attempt, Message, Waiting
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.outbox_store import OutboxStore
from ingest.storage.state.tables import outbox as table
from tests.ingest.delivery.outbox import StandIn, accept, alarm_message, refuse, running, until
from tests.ingest.delivery.test_delivery_queue import SCHEDULE, about


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "state.db")
    yield opened
    opened.close()


def put(database: Database, *messages: Message) -> Sequence[Message]:
    committed = EngineStore(database).commit(1, [], messages)
    assert committed is not None
    return committed


def fresh(point: str, connector: str = "inspector", id_: UUID | None = None) -> Message:
    return replace(alarm_message(0, point=point), connector=connector, id=id_ or uuid4(), subject=point)


def test_what_waits_ends_for_every_receiver_and_stays_as_withdrawn(tmp_path: Path, database: Database) -> None:
    """Also over a restart; what was accepted stays accepted, and long after it is let go of like that."""
    outbox, both = OutboxStore(database), uuid4()
    first, _, accepted, left = put(
        database, fresh("A", id_=both), fresh("A", "town", both), fresh("B"), replace(fresh("C"), kind="notice")
    )
    outbox.record("inspector", [Attempt(accepted.seq, 1, 2, None)])
    ended = outbox.withdraw([both, accepted.id, uuid4()], "answered by 王工", 50)
    assert {name: [message.seq for message in found] for name, found in ended.items()} == {
        "inspector": [1],
        "town": [2],
    }
    assert ended["inspector"] == [Waiting(first.seq, "alarm", first.plant, first.subject, first.urgency)]
    assert outbox.withdraw([both], "again", 60) == {}
    database.close()
    again = Database(tmp_path / "state.db")
    outbox = OutboxStore(again)
    assert outbox.undelivered() == {"inspector": 1}
    assert outbox.oldest("town") is None
    assert [waiting.seq for waiting in outbox.waiting("inspector", "notice", 0, 9)] == [left.seq]
    rows = again.rows(sa.select(table).where(table.c.ended.is_not(None)))
    assert [(row["seq"], row["ended"], row["ending"], row["reason"]) for row in rows] == [
        (1, 50, "withdrawn", "answered by 王工"),
        (2, 50, "withdrawn", "answered by 王工"),
    ]
    assert [outbox.empty(50, 9), outbox.empty(51, 2), outbox.forget(50, 9)] == [1, 2, 1]
    assert [outbox.forget(51, 9), outbox.undelivered()] == [2, {"inspector": 1}]
    again.close()


class Held(StandIn):
    """Ends no delivery before `go` is set."""

    def __init__(self) -> None:
        super().__init__(refuse, in_flight=2)
        self.go = asyncio.Event()

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        self.tried += [message.seq for message in messages]
        await self.go.wait()
        return [self.answer(message) for message in messages]


async def test_a_lane_sends_nothing_that_was_withdrawn(database: Database) -> None:
    """Queued, in flight or not heard of yet: a try under way is recorded, and nothing of them is tried again."""
    connector, outbox = Held(), OutboxStore(database)
    messages = put(database, *(fresh(f"P-{at}") for at in range(6)))
    sender = OutboxSender(outbox, [connector], record_s=0)
    async with running(sender):
        await until(lambda: len(connector.tried) == 2)
        under_way = sorted(connector.tried)
        *late, last = put(database, fresh("late"), fresh("later"), fresh("last"))
        gone = [*messages[:4], *late]
        sender.withdraw(outbox.withdraw([message.id for message in gone], "over", 50))
        sender.wake([*late, last])  # heard of after the withdrawal
        connector.go.set()
        await until(lambda: sender.standing()["inspector"].queued == 3)
        connector.answer = accept
        await until(lambda: outbox.undelivered() == {})
    kept = {message.seq for message in [*messages[4:], last]}
    assert under_way == [1, 2]
    assert {seq: connector.tried.count(seq) for seq in under_way} == {1: 1, 2: 1}
    assert {*connector.tried} == kept | {1, 2}
    rows = database.rows(sa.select(table.c.seq, table.c.attempts, table.c.delivered, table.c.ending))
    for row in rows:
        assert (row["delivered"] is not None) is (row["seq"] in kept)
        assert row["ending"] == (None if row["seq"] in kept else "withdrawn")
        assert row["attempts"] == (1 if row["seq"] in under_way else row["attempts"])


@pytest.mark.parametrize("seed", range(6))
def test_a_queue_with_withdrawals_is_that_of_a_plain_model(seed: int) -> None:
    """Whatever fails meanwhile: the rest is accepted once, each subject in order; what is in flight ends by itself."""
    rng = random.Random(seed)  # noqa: S311
    queue = DeliveryQueue(SCHEDULE, in_flight=3, batch=3)
    left: dict[int, Waiting] = {}
    flying: list[list[Waiting]] = []
    accepted: list[Waiting] = []
    now, seq = 0.0, 0
    for step in range(3000):
        now += rng.choice((0.0, 0.5, 40.0))
        while taken := queue.take(now):
            assert all(message.seq in left for message in taken)
            flying.append(taken)
        if step < 2500 and rng.random() < 0.5:
            seq += 1
            left[seq] = about(seq, rng.choice(("A", "B", "C", "D", None)))
            queue.add([left[seq]])
        if left and rng.random() < 0.2:
            chosen = rng.sample([*left.values()], min(len(left), rng.randint(1, 3)))
            assert queue.withdraw(chosen) == chosen
            for message in chosen:
                del left[message.seq]
        if flying and rng.random() < 0.7:
            delivery = flying.pop(rng.randrange(len(flying)))
            fails = rng.random() < 0.5 and step < 2500
            failed = {message.seq: None for message in delivery if fails and rng.random() < 0.8}
            queue.settle(delivery, failed, now, 0.0)
            came = [message for message in delivery if message.seq not in failed and message.seq in left]
            accepted += came
            for message in came:
                del left[message.seq]
        held = {message.seq for delivery in flying for message in delivery}
        assert queue.waiting == len({*left} | held)
        assert queue.readings == sum(message.subject is None for message in [*left.values()]) + sum(
            message.subject is None and message.seq not in left for delivery in flying for message in delivery
        )
    assert (left, flying, queue.waiting) == ({}, [], 0)
    for subject in "ABCD":
        order = [message.seq for message in accepted if message.subject == subject]
        assert order == sorted(order)
    assert len({message.seq for message in accepted}) == len(accepted) > 100
