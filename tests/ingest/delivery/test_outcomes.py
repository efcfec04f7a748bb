"""Outcomes are recorded in rounds, bodies read many at a time; a kill repeats what has no record, under its id."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence

from ingest.delivery.bodies import AHEAD
from ingest.delivery.outcomes import MOST
from ingest.delivery.sender import OutboxSender
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.outbox import Attempt, Message
from tests.ingest.delivery.outbox import (
    MemoryOutbox,
    StandIn,
    accept,
    alarm_message,
    refuse,
    running,
    until,
)

LATE_S = 3600.0
"""No test waits for it: what is recorded before then is so for another reason."""


class Counted(MemoryOutbox):
    """Counts its transactions."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[int] = []
        self.reads = 0

    def record(self, connector: str, attempts: Sequence[Attempt]) -> None:
        super().record(connector, attempts)
        self.records.append(len(attempts))

    def messages(self, connector: str, seqs: Sequence[int]) -> Sequence[Message]:
        self.reads += 1
        return super().messages(connector, seqs)


async def test_a_crowd_is_read_and_recorded_in_few_transactions() -> None:
    outbox, connector = Counted(), StandIn(accept, in_flight=8)
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in range(1, 1001)))
    async with running(OutboxSender(outbox, [connector], record_s=LATE_S)):
        await until(lambda: len(connector.tried) == 1000)
    assert outbox.done()
    assert Counter(connector.tried) == dict.fromkeys(range(1, 1001), 1)
    assert sum(outbox.records) == 1000
    assert len(outbox.records) <= 1000 / 16
    assert outbox.reads <= 2 * 1000 / AHEAD


async def test_lone_messages_share_a_record_and_a_stop_makes_it() -> None:
    """What was accepted waits for others, but for no stop."""
    outbox, connector = Counted(), StandIn(accept)
    async with running(sender := OutboxSender(outbox, [connector], record_s=LATE_S)):
        for seq in (1, 2, 3):
            outbox.put(alarm_message(seq, point=f"P-{seq}"))
            sender.wake()
            await until(lambda: len(connector.tried) == seq)  # noqa: B023  awaited here
        assert outbox.records == []
    assert outbox.records == [3]


async def test_a_record_is_made_in_time_without_others() -> None:
    outbox, connector = Counted(), StandIn(accept)
    outbox.put(alarm_message(1))
    async with running(OutboxSender(outbox, [connector], record_s=0.05)):
        await until(outbox.done)
    assert outbox.records == [1]


async def test_what_a_kill_left_without_a_record_is_sent_again_in_its_order() -> None:
    """Two events of one alarm: the second needs no record of the first, and both come again, the first first."""
    outbox, connector = Counted(), StandIn(accept)
    outbox.put(alarm_message(1), alarm_message(2, AlarmEventKind.RETURNED))
    killed = asyncio.create_task(OutboxSender(outbox, [connector], record_s=LATE_S).run())
    await until(lambda: connector.tried == [1, 2])
    killed.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await killed
    assert not outbox.records
    async with running(OutboxSender(outbox, [connector], record_s=0)):
        await until(outbox.done)
    assert connector.tried == [1, 2, 1, 2]


async def test_while_nothing_can_be_recorded_only_so_much_is_sent() -> None:
    outbox, connector = Counted(), StandIn(accept, in_flight=8)
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in range(1, 3 * MOST)))
    outbox.broken = {"record"}
    async with running(OutboxSender(outbox, [connector], record_s=0)):
        await until(lambda: len(connector.tried) >= MOST)
        sent = len(connector.tried)
        assert sent <= MOST + connector.in_flight
        outbox.broken = set()
        await until(outbox.done)
    assert Counter(connector.tried) == dict.fromkeys(range(1, 3 * MOST), 1)


async def test_a_failure_is_recorded_at_once_with_every_success_before_it() -> None:
    outbox = Counted()
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in (1, 2, 3)))
    connector = StandIn(lambda m: refuse(m) if m.seq == 3 else accept(m), in_flight=1)
    async with running(OutboxSender(outbox, [connector], record_s=LATE_S)):
        await until(lambda: bool(outbox.rows[3].errors))
        assert outbox.rows[1].delivered is not None
        assert outbox.rows[2].delivered is not None
        assert outbox.records == [3]
