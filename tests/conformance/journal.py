"""What every journal promises intake, engine and readers. A new one subclasses the suite and gives `opened`.

That a process may be killed at any moment is put to the test for the whole service (`tests/reliability/`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ingest.domain.model.batch import Batch, empty_batch
from ingest.storage.history.feeds import JournalFeed
from ingest.storage.journal import body
from ingest.storage.journal.commit import Commit, Progress
from ingest.storage.journal.journal import Totals
from ingest.storage.journal.records import Quarantined, Staged
from ingest.storage.journal.roles import EngineJournal, IntakeJournal
from ingest.storage.journal.sequence_state import Gap, SequenceState


class WholeJournal(EngineJournal, IntakeJournal, JournalFeed, Protocol):
    """All parts of one, and what keeps it small."""

    def to_retry(self, limit: int, *, history: bool = False) -> Sequence[Quarantined]: ...

    def quarantined(self, *, limit: int) -> Sequence[Quarantined]: ...

    def totals(self) -> Totals: ...

    def trim(self, upto: int, older_than: int) -> int: ...

    def close(self) -> None: ...


Opened = Callable[[], WholeJournal]
"""Opens the same place; anew each time."""


def batch(n: int, received: int = 9) -> Batch:
    """`n` readings, one without a value."""
    value = np.arange(n, dtype=np.float64)
    value[:1] = np.nan
    times = np.arange(n, dtype=np.int64)
    return Batch(np.arange(n, dtype=np.int32), times, value, np.zeros(n, np.uint16), np.full(n, received))


def staged(n: int) -> Staged:
    """So many readings of back-fill, as intake stages them."""
    return Staged(0, 9, n, body.pack(batch(n), received=9))


def same(batch: Batch, other: Batch) -> bool:
    """Whether two batches are equal to the bit."""
    return body.pack(batch) == body.pack(other)


class JournalPromises:
    """What is appended is there, in one order for all readers, whoever dies when."""

    def test_what_was_appended_is_read_back_after_reopening(self, opened: Opened) -> None:
        journal = opened()
        ids = [journal.append(Commit(batch(n), n)) for n in (1, 3)]
        journal.close()
        entries = opened().read(0, 100)
        assert [e.id for e in entries] == ids == [1, 2]
        assert same(entries[1].batch, batch(3))

    def test_a_reader_gets_about_as_much_as_it_asks_for_and_never_nothing(self, opened: Opened) -> None:
        journal = opened()
        for n in (10, 10, 10):
            journal.append(Commit(batch(n), n))
        assert [e.id for e in journal.read(0, 20)] == [1, 2]
        assert [e.id for e in journal.read(1, 1)] == [2]
        assert journal.read(3, 100) == []

    def test_a_waiting_reader_is_woken_by_an_append(self, opened: Opened) -> None:
        journal = opened()
        woken: list[bool] = []
        reader = threading.Thread(target=lambda: woken.append(journal.wait(0, 30)))
        reader.start()
        journal.append(Commit(batch(1), 1))
        reader.join(10)
        assert woken == [True]

    def test_positions_and_counts_add_up_over_commits(self, opened: Opened) -> None:
        journal = opened()
        key = ("p", "g", "boot")
        journal.append(
            Commit(batch(1), 1, {key: Progress(SequenceState(4, (Gap(2, 3),)), 5, 2, 0)}, {("p", "g"): (True, 5)})
        )
        journal.append(Commit(empty_batch(), 0, {key: Progress(SequenceState(4, (Gap(3, 3),), (Gap(1, 1),)), 6, 1, 3)}))
        (gateway,) = journal.gateways()
        assert (gateway.committed, gateway.missing, gateway.online) == (4, (Gap(3, 3),), True)
        assert (gateway.frames, gateway.duplicates, gateway.received) == (3, 3, 6)
        assert journal.sequence_states() == {key: SequenceState(4, (Gap(3, 3),), (Gap(1, 1),))}
        assert journal.totals().readings == 1

    def test_the_same_bytes_are_quarantined_once(self, opened: Opened) -> None:
        journal = opened()
        bad = Quarantined(0, 1, "topic", "schema", "seq is missing", 2, b"{}")
        journal.append(Commit(empty_batch(), 0, quarantined=[bad, bad]))
        journal.append(Commit(empty_batch(), 0, quarantined=[bad]))
        (kept,) = journal.quarantined(limit=10)
        assert (kept.reason, kept.detail, kept.payload) == ("schema", "seq is missing", b"{}")
        assert journal.totals().quarantined == 1

    def test_trimming_keeps_what_a_reader_needs_and_never_reuses_a_number(self, opened: Opened) -> None:
        journal = opened()
        for received in (10, 20, 30):
            journal.append(Commit(batch(1, received), 1))
        assert journal.trim(upto=2, older_than=15) == 1
        assert [e.id for e in journal.read(0, 100)] == [2, 3]
        assert journal.trim(upto=3, older_than=100) == 2
        journal.close()
        again = opened()
        assert again.last() == 3, "also when nothing is left"
        assert again.append(Commit(batch(1), 1)) == 4

    def test_a_cursor_is_remembered(self, opened: Opened) -> None:
        journal = opened()
        assert journal.cursor("history") == 0
        journal.save_cursor("history", 7)
        journal.close()
        assert opened().cursor("history") == 7

    def test_what_was_appended_is_there_though_it_was_never_closed(self, opened: Opened) -> None:
        """As after a crash: what `append` returned from is on disk, with sequence states and quarantine."""
        key = ("p", "g", "boot")
        bad = Quarantined(0, 1, "topic", "schema", "seq is missing", 2, b"{}")
        dead = opened()
        dead.append(Commit(batch(2), 2, {key: Progress(SequenceState(4), 5, 2, 0)}, quarantined=[bad]))
        journal = opened()
        assert [same(entry.batch, batch(2)) for entry in journal.read(0, 100)] == [True]
        assert (journal.last(), journal.newest(), [*journal.sequence_states()]) == (1, 9, [key])
        assert [kept.payload for kept in journal.quarantined(limit=10)] == [b"{}"]
        journal.close()
        dead.close()

    def test_readers_are_where_they_were_whatever_the_others_do(self, opened: Opened) -> None:
        journal = opened()
        for _ in range(3):
            journal.append(Commit(batch(1), 1))
        journal.save_cursor("history", 1)
        journal.save_cursor("other", 3)
        assert (journal.cursor("history"), journal.cursor("other"), journal.cursor("new")) == (1, 3, 0)
        assert [entry.id for entry in journal.read(journal.cursor("history"), 100)] == [2, 3]

    def test_a_wake_ends_a_wait_and_reports_no_entry(self, opened: Opened) -> None:
        journal = opened()
        answers: list[bool] = []
        reader = threading.Thread(target=lambda: answers.append(journal.wait(0, 30)))
        reader.start()
        while reader.is_alive():
            journal.wake()
            reader.join(0.01)
        assert answers == [False]

    def test_steps_of_the_clock_add_up_after_an_entry(self, opened: Opened) -> None:
        """So that a replay counts silences as the engine did."""
        journal = opened()
        for step in (0, 5, -2):
            journal.append(Commit(batch(1), 1, step=step))
        assert [journal.steps(after) for after in (0, 1, 2, 3)] == [3, 3, -2, 0]

    def test_back_fill_waits_beside_the_entries_and_joins_them_once(self, opened: Opened) -> None:
        journal = opened()
        journal.append(Commit(empty_batch(), 0, backfill=[staged(5), staged(3)]))
        assert (journal.last(), journal.waiting()) == (0, 8)
        first = journal.staged(1)
        assert [(piece.size, piece.body) for piece in first] == [(5, staged(5).body)]
        journal.append(Commit(batch(5), 5, fed=first))
        journal.close()
        journal = opened()
        assert (journal.last(), journal.waiting()) == (1, 3)
        assert [(piece.size, piece.body) for piece in journal.staged(100)] == [(3, staged(3).body)]

    def test_a_position_may_be_changed_and_forgotten(self, opened: Opened) -> None:
        journal = opened()
        kept, gone = ("p", "g", "new"), ("p", "g", "old")
        journal.append(
            Commit(batch(1), 1, {gone: Progress(SequenceState(9), 1, 1, 0), kept: Progress(SequenceState(2), 5, 2, 0)})
        )
        journal.save_sequence_state(kept, SequenceState(2, (), (Gap(1, 1),)))
        journal.forget([gone])
        journal.close()
        assert opened().sequence_states() == {kept: SequenceState(2, (), (Gap(1, 1),))}
        assert opened().boots().keys() == {("p", "g")}
