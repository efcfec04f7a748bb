"""What a receiver rejects for good is set aside with its words, and holds back nothing; all else is tried for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from string import Formatter
from uuid import uuid4

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from ingest.base.backoff import RetrySchedule
from ingest.delivery.connector import Outcome
from ingest.delivery.rejections import MOST, TRIES, Rejections
from ingest.delivery.sender import OutboxSender
from ingest.domain.model.delivery_failure import TEXTS, Failure, failure_text
from ingest.domain.model.outbox import Attempt, Message
from ingest.domain.model.text import Text
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.outbox_acts import By, revive
from ingest.storage.state.outbox_store import OutboxStore
from ingest.storage.state.tables import outbox as table
from tests.ingest.delivery.outbox import StandIn, accept, alarm_message, readings_message, refuse, running, until


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "state.db")
    yield opened
    opened.close()


def put(database: Database, *points: str) -> list[Message]:
    messages = [replace(alarm_message(0, point=point), id=uuid4(), subject=point) for point in points]
    return list(EngineStore(database).commit(1, [], messages) or ())


def reject(message: Message) -> Outcome:
    """As a receiver does that dislikes the very message."""
    return Outcome(
        message.seq, Failure("http-words", status="422 Unprocessable Entity", words="未知测点"), rejected=True
    )


def soon(connector: StandIn) -> StandIn:
    connector.schedule = RetrySchedule(first_s=0.01, cap_s=0.02)
    return connector


async def test_a_rejected_message_lets_the_next_of_its_alarm_go_and_stays_with_the_receivers_words(
    tmp_path: Path, database: Database
) -> None:
    """At its third try; the next start does not send it either."""
    bad, *_ = put(database, "A", "B", "A", "C")
    outbox = OutboxStore(database)
    connector = soon(StandIn(lambda message: reject(message) if message.seq == bad.seq else accept(message)))
    with capture_logs() as logs:
        async with running(OutboxSender(outbox, [connector], record_s=0)):
            await until(lambda: outbox.undelivered() == {})
    assert [connector.tried.count(seq) for seq in (1, 2, 3, 4)] == [TRIES, 1, 1, 1]
    assert connector.tried.index(3) > len(connector.tried) - connector.tried[::-1].index(1) - 1
    assert [log["seq"] for log in logs if log["event"] == "message_rejected"] == [bad.seq]
    database.close()
    again = Database(tmp_path / "state.db")
    (row,) = again.rows(sa.select(table).where(table.c.ended.is_not(None)))
    assert (row["seq"], row["ending"], row["delivered"], row["attempts"]) == (bad.seq, "rejected", None, TRIES)
    assert row["body"] == bad.body
    assert failure_text(row["failure"], row["last_error"]) == Text(
        "接收方应答 HTTP 422 Unprocessable Entity：未知测点", "HTTP 422 Unprocessable Entity: 未知测点"
    )
    assert OutboxStore(again).rejected() == {"inspector": 1}
    assert OutboxStore(again).waiting("inspector", "alarm", 0, 9) == []
    again.close()


def test_of_the_rejected_readings_of_a_plant_the_newest_report_stays(database: Database) -> None:
    """A platform that takes alarms and rejects every report of readings fills no disk; alarms all stay."""
    reports = [replace(readings_message(at, plant=plant), seq=0) for at, plant in enumerate(("p", "q", "p", "p"))]
    alarm = replace(alarm_message(0, plant="p"), connector="platform")
    EngineStore(database).commit(1, [], [alarm, *reports])
    outbox, why = OutboxStore(database), Failure("platform-refused", words="code = 7")
    for seqs in ((1, 2, 3), (4,), (5,)):
        outbox.record("platform", [Attempt(seq, 1, None, why, 2) for seq in seqs])
    rows = database.rows(sa.select(table.c.seq, table.c.kind, table.c.plant).order_by(table.c.seq))
    assert [(row["seq"], row["kind"], row["plant"]) for row in rows] == [
        (1, "alarm", "p"),
        (3, "readings", "q"),
        (5, "readings", "p"),
    ]
    assert outbox.rejected() == {"platform": 3}


async def test_a_receiver_that_rejects_everything_is_broken_and_gets_all_the_rest_later(database: Database) -> None:
    """A proxy that answers 400 to all costs `MOST` dead letters, not the alarms of a night."""
    put(database, *(f"P-{at}" for at in range(3 * MOST)))
    outbox, connector = OutboxStore(database), soon(StandIn(reject))
    async with running(OutboxSender(outbox, [connector], record_s=0)):
        await until(lambda: len(connector.tried) > 8 * MOST)
        assert outbox.rejected() == {"inspector": MOST}
        connector.answer = accept
        await until(lambda: outbox.undelivered() == {})
    assert outbox.rejected() == {"inspector": MOST}
    assert outbox.totals()["inspector"].delivered == 2 * MOST


async def test_what_is_not_rejected_by_name_is_tried_on(database: Database) -> None:
    """401, 403, 410 and the like concern who sends and where: nobody is cut off for them."""
    put(database, "A")
    outbox, connector = OutboxStore(database), soon(StandIn(refuse))
    async with running(OutboxSender(outbox, [connector], record_s=0)):
        await until(lambda: len(connector.tried) > 5 * TRIES)
    assert (outbox.rejected(), outbox.undelivered()) == ({}, {"inspector": 1})


def test_an_acceptance_shows_that_a_receiver_works() -> None:
    """By a plain count of what was rejected since: each message is one of its third try."""
    rejections, message = Rejections(), replace(alarm_message(1), attempts=TRIES - 1)
    believed = [bool(rejections.final([message], [reject(message)])) for _ in range(MOST + 2)]
    assert believed == [True] * MOST + [False] * 2
    both = rejections.final([message, replace(message, seq=2)], [reject(message), Outcome(2)])
    assert both == {1}
    assert rejections.final([alarm_message(3)], [reject(alarm_message(3))]) == set(), "its first try"


def test_every_failure_is_said_in_both_languages_from_its_code_and_values() -> None:
    for code, text in TEXTS.items():
        names = {name for _, name, *_ in Formatter().parse(text.en) if name}
        failure = Failure(code, **dict.fromkeys(names, "…"))
        stored = failure_text(failure.row, str(failure))
        assert stored == Text(text.zh.format_map(dict.fromkeys(names, "…")), failure)
        assert str(ValueError(failure)) is failure
    assert failure_text(None, "written by an earlier version") == Text(*["written by an earlier version"] * 2)
    assert failure_text({"code": "newer", "values": {}}, "by a newer one") == Text(*["by a newer one"] * 2)
    assert failure_text(None, None) is None
    assert Failure.of("plain").row == {"code": "other", "values": {"text": "plain"}}


async def test_what_is_resent_while_its_sender_runs_is_sent_once_more(database: Database) -> None:
    """Also what is resent before the sender has looked into the outbox, and twice the same."""
    put(database, "A", "B", "C")
    outbox, connector = OutboxStore(database), soon(StandIn(lambda m: accept(m) if m.seq == 3 else reject(m)))
    by = By("王工", "admin", 1)
    async with running(sender := OutboxSender(outbox, [connector], record_s=0)):
        await until(lambda: outbox.rejected() == {"inspector": 2})
        connector.answer, before = accept, len(connector.tried)
        rows = revive(database, by, seqs=[1, 3])
        assert [row.seq for row in rows] == [1], "what is delivered is no dead letter"
        for _ in range(2):
            sender.resume({"inspector": [row.waiting for row in rows]})
        await until(lambda: outbox.undelivered() == {})
        assert connector.tried[before:] == [1]
    sender, rows = OutboxSender(outbox, [connector], record_s=0), revive(database, by, connector="inspector")
    async with running(sender):
        sender.resume({"inspector": [row.waiting for row in rows]})
        await until(lambda: outbox.undelivered() == {})
    assert connector.tried[before:] == [1, 2]


async def test_what_is_resent_in_the_moment_of_its_rejection_is_sent(database: Database) -> None:
    """Between the record of the rejection and what the sender makes of it."""
    put(database, "A")

    class Hasty(OutboxStore):
        def record(self, connector: str, attempts: Sequence[Attempt]) -> None:
            super().record(connector, attempts)
            if any(attempt.rejected for attempt in attempts):
                far.answer = accept
                sender.resume({connector: [row.waiting for row in revive(database, By("x", "admin", 1), seqs=[1])]})

    far, outbox = soon(StandIn(reject)), Hasty(database)
    async with running(sender := OutboxSender(outbox, [far], record_s=0)):
        await until(lambda: outbox.totals()["inspector"].delivered == 1)
    assert far.tried == [1] * (TRIES + 1)


async def test_a_person_need_not_wait_for_a_back_off(database: Database) -> None:
    """Neither for that of a message, nor for that of a receiver that is down."""
    put(database, "A", "B")
    outbox, connector = OutboxStore(database), StandIn(refuse)
    connector.schedule = RetrySchedule(first_s=3600, cap_s=3600)
    async with running(sender := OutboxSender(outbox, [connector], record_s=0)):
        await until(lambda: sender.lane_states()["inspector"].failures == 1 and len(connector.tried) == 2)
        sender.retry("inspector")
        await until(lambda: sender.lane_states()["inspector"].failures == 2)
        connector.answer = accept
        sender.retry("inspector")
        await until(lambda: outbox.undelivered() == {})
        state = sender.lane_states()["inspector"]
    assert (state.down, state.failures) == (False, 0)
