"""Old data is deleted and compacted, and nothing that is still needed is lost."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.delivery.config import ConnectorsConfig
from ingest.domain.alarms.lifecycle import Cause, acknowledged, raised, returned
from ingest.domain.model.audit import Act
from ingest.domain.model.batch import Batch
from ingest.domain.model.outbox import Attempt, Message, MessageKind
from ingest.runtime import maintenance
from ingest.storage.history.writer import READER
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.config import JournalConfig
from ingest.storage.journal.errors import JournalBroken, JournalFull, JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.records import Quarantined
from ingest.storage.journal.reserve import DiskGuard
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.event_retention import EventRetention
from ingest.storage.state.outbox_store import OutboxStore
from tests import migrated
from tests.ingest.storage.state.test_annunciations import fresh
from tests.ingest.storage.state.test_event_retention import lived


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Three entries, all of long ago."""
    journal = Journal(tmp_path / "journal.db")
    for received in (1, 2, 3):
        arrival = np.array([received], np.int64)
        journal.append(Commit(Batch(np.zeros(1, np.int32), arrival, np.ones(1), np.zeros(1, np.uint16), arrival), 1))
    return journal


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return migrated.opened(tmp_path / "state.db")


def test_a_state_that_is_ahead_of_its_journal_is_refused(journal: Journal, database: Database) -> None:
    store = EngineStore(database)
    store.commit(3, [], [])
    maintenance.require_same_moment(journal, store)
    store.commit(4, [], [])
    with pytest.raises(JournalUnavailable, match=r"entry 4.*ends at 3"):
        maintenance.require_same_moment(journal, store)


def test_messages_that_nobody_sends_any_more_are_named(database: Database) -> None:
    messages = [Message(0, name, uuid4(), "alarm", "p", {}, 1, 1, 0) for name in ("county", "county", "town")]
    EngineStore(database).commit(1, [], messages)
    with capture_logs() as logs:
        maintenance.name_orphans(OutboxStore(database), ["town"])
    assert [(entry["connector"], entry["messages"]) for entry in logs] == [("county", 2)]


async def test_the_journal_keeps_what_a_reader_or_a_restart_still_needs(
    journal: Journal, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_TRIM_EVERY_S", 0.01)
    acts: list[Act] = []
    store = EngineStore(database)
    store.commit(2, [], [], b"a snapshot that holds two entries")
    store.commit(3, [], [])
    journal.save_cursor(READER, 1)
    trimming = asyncio.create_task(maintenance.trim(journal, store, JournalConfig(retention_h=1), acts.append))
    async with asyncio.timeout(60):
        while [entry.id for entry in journal.read(0, 100)] != [2, 3]:  # the history has not read the second
            await asyncio.sleep(0.01)
        journal.save_cursor(READER, 3)
        while [entry.id for entry in journal.read(0, 100)] != [3]:  # a restart begins after the snapshot
            await asyncio.sleep(0.01)
    trimming.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await trimming
    assert [entry.id for entry in journal.read(0, 100)] == [3]


async def test_quarantine_is_kept_for_its_time_and_its_deletion_is_reported(
    journal: Journal, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for a retry stays, however old; a database that is busy only puts it off."""
    monkeypatch.setattr(maintenance, "_TRIM_EVERY_S", 0.01)
    acts: list[Act] = []
    now = time.time_ns()
    ages_d = {"old": 181, "young": 179}
    journal.quarantine(
        [Quarantined(0, now - d * 86400 * 10**9, "t", "schema", n, 0, n.encode()) for n, d in ages_d.items()]
    )
    trim, busy = journal.trim, [JournalFull("full"), JournalUnavailable("busy")]

    def refuses(upto: int, older_than: int) -> int:
        if busy:
            raise busy.pop()
        return trim(upto, older_than)

    monkeypatch.setattr(journal, "trim", refuses)
    with capture_logs() as logs:
        trimming = asyncio.create_task(maintenance.trim(journal, EngineStore(database), JournalConfig(), acts.append))
        async with asyncio.timeout(60):
            while not acts:
                await asyncio.sleep(0.01)
        trimming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await trimming
    events = [log["event"] for log in logs if log["event"] != "journal_trimmed"]
    assert events == ["trim_put_off", "trim_put_off", "quarantine_trimmed"]
    assert [quarantined.detail for quarantined in journal.quarantined(limit=9)] == ["young"]
    assert [(act.kind, act.action, act.detail["messages"]) for act in acts] == [("quarantine", "trimmed", 1)]


async def test_what_was_delivered_long_ago_is_let_go_of_and_what_waits_never_is(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a week without its body, after a year without a record; in small pieces, each logged."""
    monkeypatch.setattr(maintenance, "_TRIM_EVERY_S", 0.01)
    monkeypatch.setattr(maintenance, "_PAUSE_S", 0.0)
    monkeypatch.setattr(maintenance, "_CHUNK", 2)
    outbox, day, now = OutboxStore(database), 86400 * 10**9, time.time_ns()
    ages_d = [500, 401, 399, 30, 8, 6, 0]
    messages = [Message(0, "town", uuid4(), "alarm", "p", {"event": n}, 1, 1, 0) for n in range(len(ages_d) + 1)]
    EngineStore(database).commit(1, [], messages)
    seqs = [waiting.seq for waiting in outbox.waiting("town", "alarm", 0, 100)]
    outbox.record("town", [Attempt(seq, 1, now - age * day, None) for seq, age in zip(seqs[1:], ages_d, strict=True)])
    with capture_logs() as logs:
        trimming = asyncio.create_task(maintenance.trim_outbox(outbox, ConnectorsConfig()))
        async with asyncio.timeout(60):
            while not any(log.get("what") == "record" for log in logs):  # told last, once it is done
                await asyncio.sleep(0.01)
        trimming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await trimming
    kept = {message.seq: message.body for message in outbox.messages("town", seqs)}
    assert kept == {seqs[0]: {"event": 0}, seqs[6]: {"event": 6}, seqs[7]: {"event": 7}} | {
        seq: {} for seq in seqs[3:6]
    }
    assert [waiting.seq for waiting in outbox.waiting("town", "alarm", 0, 100)] == seqs[:1]
    assert outbox.undelivered() == {"town": 1}
    trimmed = [(log["what"], log["messages"]) for log in logs if log["event"] == "outbox_trimmed"]
    assert trimmed == [("body", 2), ("body", 2), ("body", 1), ("record", 2)]


def test_delivered_reports_of_readings_are_let_go_of_whole_and_nothing_else_is(database: Database) -> None:
    """A day of a hundred plants is 144,000 of them; the history has what they say. What waits stays, however old."""
    kinds: list[MessageKind] = ["readings", "alarm", "warning"]
    messages = [Message(0, "province", uuid4(), kind, "p", {"n": 1}, 1, 1, 0) for kind in kinds * 4]
    EngineStore(database).commit(1, [], messages)
    outbox = OutboxStore(database)
    seqs = {kind: [waiting.seq for waiting in outbox.waiting("province", kind, 0, 100)] for kind in kinds}
    outbox.record("province", [Attempt(seq, 1, 100 + n, None) for of in seqs.values() for n, seq in enumerate(of[:3])])
    outbox.empty(101, 100)  # a message of each kind
    assert [outbox.forget_reports(102, 1) for _ in range(3)] == [1, 1, 0]
    left = {kind: [message.seq for message in outbox.messages("province", of)] for kind, of in seqs.items()}
    assert left == seqs | {"readings": seqs["readings"][2:]}
    assert outbox.oldest("province", ["readings"]) == 1


async def test_trimming_events_is_logged_and_recorded_in_the_trail(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once they are old and the history has them, in pieces; one act for all of them."""
    monkeypatch.setattr(maintenance, "_TRIM_EVERY_S", 0.01)
    monkeypatch.setattr(maintenance, "_PAUSE_S", 0.0)
    monkeypatch.setattr(maintenance, "_CHUNK", 2)
    store, book, acts = EngineStore(database), AlarmStore(database), list[Act]()
    for number in range(1, 6):
        store.commit(number, lived(f"P-{number}", number, over=True), [])
    book.save_reader_cursor(READER, 7)
    with capture_logs() as logs:
        trimming = asyncio.create_task(maintenance.trim_events(EventRetention(database), book, 400, 400, acts.append))
        async with asyncio.timeout(60):
            while not acts:
                await asyncio.sleep(0.01)
        trimming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await trimming
    assert [event.seq for event in book.events_after(0, limit=100)] == [*range(8, 16)]
    assert [(act.kind, act.action, act.subject, act.detail) for act in acts] == [
        ("events", "trimmed", "alarms", {"events": 7, "which": "> 400 d"})
    ]
    assert [(log["log"], log["events"]) for log in logs if log["event"] == "events_trimmed"] == [("alarms", 7)]


def test_reports_are_late_once_one_has_waited_for_an_hour(database: Database) -> None:
    outbox, hour = OutboxStore(database), 3600 * 10**9
    now = time.time_ns()

    def wait(kind: MessageKind, since: int) -> None:
        EngineStore(database).commit(1, [], [Message(0, "province", uuid4(), kind, "p", {}, since, since, 0)])

    wait("alarm", now - 2 * hour)
    wait("readings", now - hour // 2)
    assert not maintenance.reports_late(outbox, "province")
    wait("readings", now - 2 * hour)
    assert maintenance.reports_late(outbox, "province") is False, "the first that waits is the oldest"
    outbox.record(
        "province", [Attempt(waiting.seq, 1, 1, None) for waiting in outbox.waiting("province", "readings", 0, 1)]
    )
    assert maintenance.reports_late(outbox, "province")


async def test_old_annunciations_are_laid_together_piece_by_piece(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until fewer than a piece are left, each logged, and nothing of it is lost or counted twice."""
    monkeypatch.setattr(maintenance, "_TRIM_EVERY_S", 0.01)
    monkeypatch.setattr(maintenance, "_PAUSE_S", 0.0)
    monkeypatch.setattr(maintenance, "_PACK", 3)
    store, book = EngineStore(database), AlarmStore(database)
    for at in range(8):
        begun = raised(fresh("A", at), Cause(at, at), value=1.0)
        assert begun is not None
        over = returned(acknowledged(begun.alarm, Cause(at, at)).alarm, Cause(at, at))
        assert over is not None
        store.commit(1, [begun, over], [])
    before = book.annunciations(0, 100)
    with capture_logs() as logs:
        packing = asyncio.create_task(maintenance.pack(store))
        async with asyncio.timeout(60):
            while [log["event"] for log in logs].count("annunciations_packed") < 2:
                await asyncio.sleep(0.01)
        packing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await packing
    assert [log["annunciations"] for log in logs if log["event"] == "annunciations_packed"] == [3, 3]
    after = book.annunciations(0, 100)
    assert (
        (after.rules, after.raised.tolist())
        == (before.rules, before.raised.tolist())
        == ((("p", "A", "H"),), [*range(8)])
    )


async def test_a_broken_journal_ends_the_service_whoever_found_it(journal: Journal, tmp_path: Path) -> None:
    """The history writer, for one, would try again for ever."""
    ended: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def fail(error: BaseException) -> None:
        if not ended.done():
            ended.set_result(error)

    def failed(error: BaseException) -> None:
        ended.get_loop().call_soon_threadsafe(fail, error)

    check = partial(maintenance.check_files, DiskGuard([tmp_path], 0), journal, failed)
    looking = asyncio.create_task(maintenance.every_second(check))
    journal._file.broken = JournalBroken("a sync failed")
    async with asyncio.timeout(60):
        assert await ended is journal.broken
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking


def test_whoever_keeps_things_for_ever_is_trimmed_of_nothing(tmp_path: Path, journal: Journal) -> None:
    """However many hours that is: more than a clock of 64 bits has nanoseconds."""
    database = migrated.opened(tmp_path / "state.db")
    acts: list[Act] = []
    journal.save_cursor(READER, 3)
    for hours in (10.0**7, 10.0**12):
        config = JournalConfig(retention_h=hours, quarantine_retention_d=hours)
        maintenance._trim(journal, EngineStore(database), config, acts.append)
    assert acts == []
    assert journal.last() == 3
    database.close()
    journal.close()
