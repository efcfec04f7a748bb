from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.delivery import outbox_access
from ingest.delivery.connector import Outcome
from ingest.delivery.sender import CLOSE_S, GRACE_S, OutboxSender
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.outbox import Message
from ingest.domain.model.warning import WarningEventKind
from tests.ingest.delivery.outbox import (
    SECOND,
    START,
    Clock,
    MemoryOutbox,
    StandIn,
    accept,
    alarm_message,
    hurry,
    readings_message,
    refuse,
    running,
    sender_of,
    until,
    warning_message,
)


async def test_due_messages_are_delivered_in_the_order_of_the_outbox() -> None:
    outbox, clock, connector = MemoryOutbox(), Clock(), StandIn(accept)
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in (5, 2, 9, 1, 7, 3)))
    async with running(sender_of(outbox, connector, clock=clock)):
        await until(outbox.done)
    assert connector.tried == [1, 2, 3, 5, 7, 9]


async def test_the_first_attempt_is_recorded_once_and_the_delivery_when_it_happened() -> None:
    outbox, clock = MemoryOutbox(), Clock()

    def slowly(message: Message) -> Outcome:
        clock.ns += SECOND // 4
        return Outcome(message.seq, "HTTP 500" if message.attempts < 2 else None)

    outbox.put(alarm_message(1))
    sender = sender_of(outbox, StandIn(slowly), clock=clock)
    async with running(sender):
        await hurry(outbox.done, clock, outbox, sender)
    assert outbox.rows[1].first_attempt == START
    assert outbox.rows[1].delivered == START + 3 * SECOND + 3 * SECOND // 4


async def test_a_delivery_at_the_first_try_began_before_it_ended() -> None:
    outbox, clock = MemoryOutbox(), Clock()

    def slowly(message: Message) -> Outcome:
        clock.ns += SECOND
        return Outcome(message.seq)

    outbox.put(alarm_message(1))
    async with running(sender_of(outbox, StandIn(slowly), clock=clock)):
        await until(outbox.done)
    assert (outbox.rows[1].first_attempt, outbox.rows[1].delivered) == (START, START + SECOND)


async def test_a_message_is_tried_for_ever_until_it_is_delivered() -> None:
    """Half a year of refusals, then the receiver is back: the alarm arrives."""
    outbox, clock, connector = MemoryOutbox(), Clock(), StandIn(refuse)
    outbox.put(alarm_message(1))
    sender = sender_of(outbox, connector, clock=clock)
    async with running(sender):
        assert sender.down() == {}
        await hurry(lambda: outbox.rows[1].message.attempts >= 600, clock, outbox, sender)
        ((name, why),) = sender.down().items()
        assert name == "inspector"
        assert why.endswith("tries in a row failed: HTTP 500 Internal Server Error")
        connector.answer = accept
        await hurry(outbox.done, clock, outbox, sender)
        assert sender.down() == {}
    delays = [delay // SECOND for delay in outbox.rows[1].delays]
    assert delays[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert set(delays[10:]) == {300}


async def test_a_failing_message_does_not_hold_up_the_others() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in range(1, 20)))
    connector = StandIn(lambda m: refuse(m) if m.seq == 1 else accept(m))
    async with running(sender_of(outbox, connector, clock=clock)):
        await until(lambda: all(row.delivered for seq, row in outbox.rows.items() if seq != 1))
    assert outbox.rows[1].delivered is None


async def test_a_receiver_that_is_stuck_holds_up_nobody_else() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1), connector="stuck")
    outbox.put(alarm_message(2), connector="well")
    async with running(sender_of(outbox, Stuck(accept, name="stuck"), StandIn(accept, name="well"), clock=clock)):
        await until(lambda: outbox.rows[2].delivered is not None)
    assert outbox.rows[1].delivered is None


async def test_an_alarm_never_returns_before_it_was_raised() -> None:
    """Events of one alarm keep their order over retries, and waiting behind another is not an attempt."""
    outbox, clock, connector = MemoryOutbox(), Clock(), StandIn(refuse)
    outbox.put(alarm_message(1, AlarmEventKind.RAISED))
    sender = sender_of(outbox, connector, clock=clock)
    async with running(sender):
        await until(lambda: bool(outbox.rows[1].errors))
        outbox.put(alarm_message(2, AlarmEventKind.RETURNED), alarm_message(3, AlarmEventKind.ACKNOWLEDGED))
        outbox.put(alarm_message(4, point="OTHER"))
        await hurry(lambda: outbox.rows[1].message.attempts == 5, clock, outbox, sender)
        connector.answer = accept
        await hurry(outbox.done, clock, outbox, sender)
    own = [seq for seq in connector.tried if seq != 4]
    assert own == [*([1] * outbox.rows[1].message.attempts), 2, 3]
    assert outbox.rows[2].message.attempts == outbox.rows[3].message.attempts == 1


async def test_a_warning_is_never_acknowledged_before_it_was_raised() -> None:
    """Events of one warning keep their order, too; those of an alarm beside it do not wait for them."""
    outbox, clock = MemoryOutbox(), Clock()
    seen = replace(warning_message(2, WarningEventKind.ACKNOWLEDGED), created=START)
    outbox.put(warning_message(1), seen, alarm_message(3))
    connector = StandIn(lambda m: refuse(m) if m.seq == 1 else accept(m))
    sender = sender_of(outbox, connector, clock=clock)
    async with running(sender):
        await hurry(lambda: outbox.rows[1].message.attempts == 3, clock, outbox, sender)
        assert outbox.rows[2].message.attempts == 0
        assert outbox.rows[3].delivered is not None
        connector.answer = accept
        await hurry(outbox.done, clock, outbox, sender)
    assert connector.tried[-2:] == [1, 2]


async def test_readings_wait_for_nobody() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(readings_message(1), readings_message(2), readings_message(3))
    connector = StandIn(lambda m: refuse(m) if m.seq == 1 else accept(m))
    async with running(sender_of(outbox, connector, clock=clock)):
        await until(lambda: outbox.rows[3].delivered is not None)
    assert connector.tried[:3] == [1, 2, 3]


async def test_a_wake_from_another_thread_sends_at_once() -> None:
    """The sender sleeps up to a minute: only the wake explains a delivery now, and it queries just once more for it."""
    outbox, clock, connector = MemoryOutbox(), Clock(), StandIn(accept)
    sender = sender_of(outbox, connector, clock=clock)
    sender.wake()  # before it runs: nothing to wake, nothing breaks
    async with running(sender):
        await until(lambda: outbox.queries == 1)
        await asyncio.to_thread(lambda: outbox.put(alarm_message(1)))
        threading.Thread(target=sender.wake, name="engine").start()
        await until(outbox.done)
    assert outbox.queries == 2  # the first and the wake's


async def test_a_fresh_alarm_changes_threads_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """To be found with what it says, and to be recorded."""
    outbox, clock, changes = MemoryOutbox(), Clock(), 0
    to_thread = asyncio.to_thread

    async def counted(*call: Any) -> Any:
        nonlocal changes
        changes += 1
        return await to_thread(*call)

    monkeypatch.setattr(asyncio, "to_thread", counted)
    outbox.put(alarm_message(1))
    async with running(sender_of(outbox, StandIn(accept), clock=clock)):
        await until(outbox.done)
    assert changes == 2


async def test_a_retry_comes_by_itself_when_it_is_due() -> None:
    outbox = MemoryOutbox()
    outbox.put(alarm_message(1))
    connector = StandIn(lambda m: refuse(m) if m.attempts == 0 else accept(m))
    async with running(OutboxSender(outbox, [connector], jitter=lambda: 0.9)):
        await until(outbox.done)


async def test_after_every_tenth_failure_a_person_is_called() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1))
    sender = sender_of(outbox, StandIn(refuse), clock=clock)
    with capture_logs() as logs:
        async with running(sender):
            await hurry(lambda: outbox.rows[1].message.attempts >= 21, clock, outbox, sender)
    calls = [log for log in logs if log["event"] == "delivery_overdue"]
    assert [call["failures"] for call in calls[:2]] == [10, 20]
    assert calls[0]["log_level"] == "error"
    assert calls[0]["connector"] == "inspector"
    assert calls[0]["oldest_s"] >= 1 + 2 + 4 + 8 + 16 + 32 + 64 + 128 + 256
    assert calls[0]["error"] == "HTTP 500 Internal Server Error"
    failures = [log for log in logs if log["event"] == "delivery_failed"]
    assert len(failures) == outbox.rows[1].message.attempts


class Stuck(StandIn):
    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        self.tried += [message.seq for message in messages]
        await asyncio.Event().wait()
        raise AssertionError


async def test_stopping_takes_less_than_two_seconds_even_with_a_stuck_receiver() -> None:
    outbox, clock, connector = MemoryOutbox(), Clock(), Stuck(accept)
    outbox.put(alarm_message(1))
    sender = sender_of(outbox, connector, clock=clock)
    task = asyncio.create_task(sender.run())
    await until(lambda: bool(connector.tried))
    sender.stop()
    async with asyncio.timeout(60):
        await task
    assert GRACE_S + CLOSE_S < 2, "which is all that it waits for"
    assert connector.closed
    assert outbox.rows[1].delivered is None  # still there for the next start


async def test_a_stop_lets_the_delivery_under_way_end_and_records_it() -> None:
    outbox, clock, delivering, go_on = MemoryOutbox(), Clock(), asyncio.Event(), asyncio.Event()

    class Slow(StandIn):
        async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
            delivering.set()
            await go_on.wait()
            return [Outcome(message.seq) for message in messages]

    outbox.put(alarm_message(1))
    sender = sender_of(outbox, Slow(accept), clock=clock)
    task = asyncio.create_task(sender.run())
    await delivering.wait()
    sender.stop()
    go_on.set()
    await task
    assert outbox.done()


async def test_a_cancelled_sender_closes_its_connectors() -> None:
    outbox, connector = MemoryOutbox(), StandIn(accept)
    task = asyncio.create_task(sender_of(outbox, connector, clock=Clock()).run())
    await until(lambda: outbox.queries == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connector.closed


async def test_a_wake_after_the_end_is_harmless() -> None:
    sender = sender_of(MemoryOutbox(), clock=Clock())
    thread = threading.Thread(target=lambda: asyncio.run(_run_and_stop(sender)))
    thread.start()
    await asyncio.to_thread(thread.join)
    sender.wake()


async def _run_and_stop(sender: OutboxSender) -> None:
    sender.stop()
    await sender.run()


@pytest.mark.parametrize("call", ["waiting", "messages", "record"])
async def test_a_database_that_fails_for_a_while_doubles_and_loses_nothing(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_access, "OUTBOX_PAUSE_S", 0.01)
    outbox, clock, connector = MemoryOutbox(), Clock(), StandIn(accept)
    outbox.broken = {call}
    outbox.put(alarm_message(1))
    with capture_logs() as logs:
        async with running(sender_of(outbox, connector, clock=clock)):
            await until(lambda: sum(log["event"] == "outbox_unavailable" for log in logs) >= 3)
            outbox.broken = set()
            await until(outbox.done)
    assert connector.tried == [1]
    assert {log["operation"] for log in logs if log["event"] == "outbox_unavailable"} == {call}


async def test_a_fault_in_a_connector_is_a_failed_try_that_quotes_nothing() -> None:
    def broken(message: Message) -> Outcome:
        if message.attempts == 0:
            raise KeyError("whsec_very-secret")
        return Outcome(message.seq)

    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1))
    sender = sender_of(outbox, StandIn(broken), clock=clock)
    async with running(sender):
        await hurry(outbox.done, clock, outbox, sender)
    (error,) = outbox.rows[1].errors
    assert error.startswith("fault in the connector: KeyError at broken:")
    assert "secret" not in error


async def test_a_message_the_connector_forgot_counts_as_failed() -> None:
    class Forgetful(StandIn):
        async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
            return [Outcome(messages[0].seq)]

    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1, point="A"), alarm_message(2, point="B"))
    async with running(sender_of(outbox, Forgetful(accept, batch=2), clock=clock)):
        await until(lambda: bool(outbox.rows[2].errors))
    assert outbox.rows[1].delivered is not None
    assert outbox.rows[2].delivered is None


async def test_unreadable_messages_are_reported_and_do_not_mark_their_receiver_down() -> None:
    """A damaged row is neither a delivery nor a failure, and holds up neither its alarm nor the receiver's back-off."""
    outbox, clock = Damaged({1, 2, 3}), Clock()
    connector = StandIn(refuse)
    outbox.put(*(alarm_message(seq, point=f"P-{seq}") for seq in (1, 2, 3, 4)), alarm_message(5, point="P-1"))
    sender = sender_of(outbox, connector, clock=clock)
    with capture_logs() as logs:
        async with running(sender):
            await hurry(lambda: len({*connector.tried}) == 2, clock, outbox, sender)
    assert {*connector.tried} == {4, 5}
    assert all(outbox.rows[seq].first_attempt is None for seq in (1, 2, 3))
    named = [log for log in logs if log["event"] == "messages_unreadable"]
    assert sum(log["messages"] for log in named) == 3
    assert not [log for log in logs if log["event"] == "messages_delivered"]


class Damaged(MemoryOutbox):
    """An outbox in which some rows cannot be read."""

    def __init__(self, rows: set[int]) -> None:
        super().__init__()
        self._damaged = rows

    def messages(self, connector: str, seqs: Sequence[int]) -> Sequence[Message]:
        return [message for message in super().messages(connector, seqs) if message.seq not in self._damaged]


async def test_an_error_text_is_short_and_fit_for_any_database() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1))
    connector = StandIn(lambda m: Outcome(m.seq, "失败\ud800\x00\n" + "x" * 5000))
    async with running(sender_of(outbox, connector, clock=clock)):
        await until(lambda: bool(outbox.rows[1].errors))
    assert outbox.rows[1].errors[0].startswith("失败   xxx")
    assert len(outbox.rows[1].errors[0]) == 500


async def test_the_delay_a_receiver_requests_is_kept() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1))
    connector = StandIn(lambda m: Outcome(m.seq, "HTTP 503", retry_after_s=120))
    async with running(sender := sender_of(outbox, connector, clock=clock)):
        await until(lambda: bool(outbox.rows[1].errors) and sender.next_at() is not None)
    assert sender.next_at() == 120


async def test_a_set_clock_neither_delays_nor_hurries_a_retry() -> None:
    """The host's clock runs ten years ahead while the receiver is away, and is set right: tries go on as planned."""
    outbox, clock, connector = MemoryOutbox(), Clock(), StandIn(refuse)
    outbox.put(alarm_message(1))
    sender = sender_of(outbox, connector, clock=clock)
    years = 10 * 365 * 86400.0
    async with running(sender):
        clock.set(years)
        await hurry(lambda: len(connector.tried) == 4 and sender.next_at() == 15, clock, outbox, sender)
        clock.set(-years)
        assert sender.next_at() == 15
        connector.answer = accept
        await hurry(outbox.done, clock, outbox, sender)
    assert len(connector.tried) == 5


async def test_after_a_restart_everything_is_tried_at_once_whatever_time_it_is() -> None:
    outbox, clock = MemoryOutbox(), Clock()
    outbox.put(alarm_message(1))
    first = sender_of(outbox, StandIn(refuse), clock=clock)
    async with running(first):
        await hurry(lambda: outbox.rows[1].message.attempts == 12, clock, outbox, first)
    clock.set(-8 * 3600)
    async with running(sender_of(outbox, StandIn(accept), clock=clock)):
        await until(outbox.done)
