"""What every connector promises the outbox sender. A new one subclasses the suite and gives its fixture `wired`.

A connector that speaks HTTP has its far end ready made: `HttpFarEnd`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import pytest
from structlog.testing import capture_logs

from ingest.delivery.connector import Outcome, Scheduled
from ingest.delivery.receiver import ReceiverConfig
from ingest.delivery.sender import OutboxSender
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.notice import Matter
from ingest.domain.model.outbox import Message
from tests.ingest.delivery.outbox import (
    PLANT,
    Clock,
    MemoryOutbox,
    alarm_message,
    early_warning,
    hurry,
    notice_message,
    readings_message,
    running,
    warning_message,
)
from tests.ingest.delivery.receiver import Receiver, Reply, Request

Manner = Literal["accept", "refuse", "silent", "reset", "nonsense"]
NONSENSE = b"\xffnonsense" * 20_000
"""An answer of no protocol, without an end that a reader could wait for."""
HANGS_S = 60.0
"""A connector under test gives up after a second or so; so long only one that hangs needs."""


class FarEnd(Protocol):
    """The receiver at the other end, as a test moves it. It runs, and accepts, from the start."""

    def behave(self, manner: Manner) -> None:
        """Do so from now on.

        `refuse` repeats everything it was sent in its refusal, `silent` takes what comes and never answers, `reset`
        breaks the connection instead, `nonsense` answers `NONSENSE`.
        """

    def stop(self) -> None:
        """Be there no longer."""

    def tries(self) -> Sequence[Sequence[str]]:
        """The ids of the messages in each try that came, in order."""

    def accepted(self) -> Sequence[str]:
        """The ids of the messages that were accepted, in order."""


@dataclass
class HttpFarEnd:
    """The far end of a connector that posts.

    Attributes:
        receiver: a real server on loopback.
        ids_in: the ids of the messages in a request.
        yes: how an acceptance is worded.
        no: a refusal that says this.
    """

    receiver: Receiver
    ids_in: Callable[[Request], Sequence[str]]
    yes: Reply = field(default_factory=Reply)
    no: Callable[[str], Reply] = lambda text: Reply(500, body=text.encode())
    manner: Manner = "accept"
    agreed: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.receiver.answer = self._answer

    def behave(self, manner: Manner) -> None:
        self.manner = manner

    def stop(self) -> None:
        self.receiver.stop()

    def tries(self) -> Sequence[Sequence[str]]:
        return [self.ids_in(request) for request in self.receiver.requests]

    def accepted(self) -> Sequence[str]:
        return [name for request in self.agreed for name in self.ids_in(request)]

    def _answer(self, request: Request) -> Reply:
        match self.manner:
            case "accept":
                self.agreed.append(request)
                return self.yes
            case "refuse":
                return self.no(" ".join([*reversed([*request.headers.values()]), request.path, str(request.body)]))
            case "silent":
                return Reply(hold=True)
            case "reset":
                return Reply(reset=True)
            case "nonsense":
                return Reply(raw=NONSENSE)


@dataclass(frozen=True, slots=True)
class Wired:
    """A connector and its far end.

    Attributes:
        config: its settings, with the shortest timeout they allow.
        connector: opened by them.
        secrets: what must not be read in a log or an error.
    """

    config: ReceiverConfig
    connector: Scheduled
    far: FarEnd
    secrets: Sequence[str] = ()


class ConnectorPromises:
    """A message is delivered, or its outcome says why not; it is tried again for ever, under the same id."""

    async def test_what_is_accepted_is_delivered_with_one_outcome_each(self, wired: Wired) -> None:
        async with closing(wired) as connector:
            messages = [alarm_message(seq, point=f"P-{seq}") for seq in range(1, min(3, connector.batch) + 1)]
            assert await delivered(connector, *messages) == [Outcome(message.seq) for message in messages]
        assert wired.far.accepted() == ids(*messages)

    async def test_every_kind_of_message_it_asks_for_is_delivered(self, wired: Wired) -> None:
        wants = wired.config.wants
        wanted = [
            message
            for message, asked in (
                (alarm_message(1), wants("alarm", PLANT.id, 2)),
                (warning_message(2), wired.config.wants_warning(early_warning())),
                (readings_message(3), wants("readings", PLANT.id, None)),
                (notice_message(4), any(wired.config.wants_notice(PLANT.id, matter) for matter in Matter)),
            )
            if asked
        ]
        async with closing(wired) as connector:
            for message in wanted:
                assert await delivered(connector, message) == [Outcome(message.seq)], message.kind
        assert wanted

    @pytest.mark.parametrize("manner", ["refuse", "silent", "reset", "nonsense"])
    async def test_what_is_not_accepted_is_an_outcome_and_is_tried_again_under_the_same_id(
        self, wired: Wired, manner: Manner
    ) -> None:
        """Never an exception, never without end: the receiver knows by the id what it has."""
        async with closing(wired) as connector:
            wired.far.behave(manner)
            (outcome,) = await delivered(connector, alarm_message(1))
            assert outcome.error
            wired.far.behave("accept")
            assert await delivered(connector, alarm_message(1)) == [Outcome(1)]
        assert [*wired.far.tries()] == [ids(alarm_message(1))] * 2
        assert wired.far.accepted() == ids(alarm_message(1))

    async def test_a_receiver_that_is_away_is_an_outcome(self, wired: Wired) -> None:
        async with closing(wired) as connector:
            wired.far.stop()
            (outcome,) = await delivered(connector, alarm_message(1))
        assert (outcome.seq, bool(outcome.error)) == (1, True)

    async def test_a_text_that_cannot_be_sent_breaks_nothing_and_holds_up_nobody(self, wired: Wired) -> None:
        """Half of a surrogate pair is in no encoding; whoever can spell it otherwise may."""
        broken = alarm_message(1)
        broken = replace(broken, body={**broken.body, "alarm": {**broken.body["alarm"], "comment": "\ud800"}})
        async with closing(wired) as connector:
            (outcome,) = await delivered(connector, broken)
            assert outcome.seq == 1
            assert await delivered(connector, alarm_message(2, point="OTHER")) == [Outcome(2)]

    async def test_the_events_of_an_alarm_arrive_in_their_order_whatever_fails_between(self, wired: Wired) -> None:
        kinds = [AlarmEventKind.RAISED, AlarmEventKind.ACKNOWLEDGED, AlarmEventKind.RETURNED]
        messages = [alarm_message(seq, kind) for seq, kind in enumerate(kinds, start=1)]
        outbox, clock = MemoryOutbox(), Clock()
        outbox.put(*messages, connector=wired.connector.name)
        wired.far.behave("refuse")
        async with closing(wired) as connector:
            sender = OutboxSender(outbox, [connector], now=clock, steady=clock.steady, jitter=lambda: 0.0)
            async with running(sender):
                await hurry(lambda: len(outbox.rows[1].errors) >= 2, clock, outbox, sender)
                wired.far.behave("accept")
                await hurry(outbox.done, clock, outbox, sender)
        assert wired.far.accepted() == ids(*messages)

    async def test_no_secret_is_in_a_log_or_an_error(self, wired: Wired, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        errors = list[str | None]()
        with capture_logs() as logs:
            async with closing(wired) as connector:
                for manner in ("accept", "refuse", "reset", "nonsense"):
                    wired.far.behave(manner)
                    errors += [outcome.error for outcome in await delivered(connector, alarm_message(1))]
                wired.far.stop()
                errors += [outcome.error for outcome in await delivered(connector, alarm_message(1))]
        text = "\n".join([caplog.text, repr(logs), repr(errors), repr(wired.connector)])
        assert len([error for error in errors if error]) == 4
        assert [secret for secret in wired.secrets if secret in text] == []

    async def test_it_is_retried_for_ever_and_may_be_closed_repeatedly(self, wired: Wired) -> None:
        connector = wired.connector
        assert connector.batch >= 1
        assert connector.in_flight >= 1
        delays = [connector.schedule.delay_s(failures, 1e6, 0.5) for failures in (1, 10, 10_000)]
        assert all(0 < delay <= 3600 for delay in delays)
        await connector.close()
        await connector.close()


@asynccontextmanager
async def closing(wired: Wired) -> AsyncIterator[Scheduled]:
    """The connector, closed at the end."""
    try:
        yield wired.connector
    finally:
        await wired.connector.close()


async def delivered(connector: Scheduled, *messages: Message) -> list[Outcome]:
    """The outcomes of one try, in the order of `seq`."""
    found = await asyncio.wait_for(connector.deliver(messages), HANGS_S)
    return sorted(found, key=lambda outcome: outcome.seq)


def ids(*messages: Message) -> list[str]:
    """What the receiver knows them by."""
    return [str(message.id) for message in messages]
