"""The outbox sender with many messages: so many under way, pages of readings, and what is handed over to it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ingest.delivery import outbox_access
from ingest.delivery.connector import Outcome
from ingest.domain.model.outbox import Message, MessageKind, Waiting
from tests.ingest.delivery.outbox import (
    Clock,
    MemoryOutbox,
    StandIn,
    accept,
    alarm_message,
    hurry,
    readings_message,
    running,
    sender_of,
    until,
)


class Slow(StandIn):
    """Answers the requests that the test releases."""

    def __init__(self) -> None:
        super().__init__(accept, in_flight=4)
        self.held: set[int] = set()
        self.let_go = asyncio.Event()

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        self.tried += [message.seq for message in messages]
        if messages[0].seq in self.held:
            await self.let_go.wait()
        return [Outcome(message.seq) for message in messages]


async def test_the_stated_number_is_under_way_and_nobody_waits_for_the_slowest() -> None:
    outbox, clock, connector = MemoryOutbox(), Clock(), Slow()
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in range(1, 31)))
    connector.held = {1, 2, 3}
    async with running(sender_of(outbox, connector, clock=clock)):
        await until(lambda: sum(row.delivered is not None for row in outbox.rows.values()) == 27)
        assert all(outbox.rows[seq].delivered is None for seq in connector.held)
        connector.held = set(range(31, 40))
        outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in range(31, 40)))
        assert connector.tried[-1] == 30
        connector.let_go.set()
        await until(lambda: all(outbox.rows[seq].delivered is not None for seq in (1, 2, 3)))


async def test_readings_beyond_a_page_are_all_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long outage's readings only so many are in memory; none is forgotten, and no alarm waits for them."""
    monkeypatch.setattr(outbox_access, "PAGE", 5)
    outbox, clock, connector = MemoryOutbox(), Clock(), StandIn(accept, batch=3, in_flight=1)
    outbox.put(*(readings_message(seq) for seq in range(1, 42)))
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in range(42, 60)))
    async with running(sender_of(outbox, connector, clock=clock)):
        await until(outbox.done)
    assert sorted(connector.tried) == list(range(1, 60))
    assert set(connector.tried[:18]) == set(range(42, 60))


async def test_what_is_handed_over_as_it_is_committed_is_sent_without_a_question_to_the_outbox() -> None:
    outbox, clock, connector = MemoryOutbox(), Clock(), StandIn(accept)
    sender = sender_of(outbox, connector, clock=clock)
    async with running(sender):
        await until(lambda: outbox.queries == 1)
        outbox.broken = {"waiting", "messages"}
        for seq in range(1, 4):
            message = alarm_message(seq, point=f"P-{seq}")
            outbox.put(message)
            sender.wake([replace(message, connector="somebody else", seq=100 + seq), message])
            await until(outbox.done)
    assert connector.tried == [1, 2, 3]


class Held(MemoryOutbox):
    """Answers a question when it may, by what was there when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()

    def waiting(self, connector: str, kind: MessageKind, after: int, limit: int) -> Sequence[Waiting]:
        found = super().waiting(connector, kind, after, limit)
        assert self.may.wait(60)
        return found


@pytest.mark.parametrize("handed", range(16))
async def test_messages_handed_over_during_a_query_of_the_outbox_are_sent_once_in_order(handed: int) -> None:
    """Of four commits some are handed over, and of the others only their existence is signalled."""
    outbox, clock, connector = Held(), Clock(), StandIn(accept, in_flight=1)
    sender = sender_of(outbox, connector, clock=clock)
    async with running(sender):
        for number in range(4):
            message = alarm_message(number + 1, point=f"P-{number % 2}")
            outbox.put(message)
            sender.wake([message] if handed >> number & 1 else None)
            await until(lambda: outbox.queries > 0)
        outbox.may.set()
        await until(outbox.done)
    assert connector.tried == [1, 2, 3, 4]


async def test_readings_handed_over_beyond_a_page_are_all_sent_and_no_alarm_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox_access, "PAGE", 5)
    outbox, clock, connector = Held(), Clock(), StandIn(accept, batch=3, in_flight=1)
    sender = sender_of(outbox, connector, clock=clock)
    async with running(sender):
        await until(lambda: outbox.queries == 1)
        for seq in range(1, 42):
            message = alarm_message(seq, point=f"P-{seq}") if seq > 30 else readings_message(seq)
            message = replace(message, connector="inspector")
            outbox.put(message)
            sender.wake([message])
        outbox.may.set()
        await until(outbox.done)
    assert sorted(connector.tried) == list(range(1, 42))
    assert set(connector.tried[:11]) == set(range(31, 42))


async def test_what_is_tried_again_is_read_again_and_a_crowd_is_read_as_it_is_sent() -> None:
    """What a message says is kept in memory for its first try alone, and of a few."""
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in range(1, 2 * outbox_access.FRESH)))
    connector = StandIn(lambda message: Outcome(message.seq, "HTTP 500" if message.attempts < 2 else None))
    sender = sender_of(outbox, connector, clock=clock)
    async with running(sender):
        await hurry(outbox.done, clock, outbox, sender)
        outbox.put(alarm_message(100, point="NEW"))
        sender.wake()
        await hurry(outbox.done, clock, outbox, sender)
    assert Counter(connector.tried) == dict.fromkeys([*range(1, 2 * outbox_access.FRESH), 100], 3)
