"""The journal keeps what it was given, numbers it without gaps, and hands it to every reader."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.journal import body
from ingest.journal.errors import JournalUnavailable
from ingest.journal.journal import Commit, Journal, Progress
from ingest.journal.position import Gap, Position
from ingest.journal.records import Quarantined
from ingest.model.batch import Batch, empty_batch
from ingest.plants.numbering import Numbered


def batch(n: int, received: int = 9) -> Batch:
    """`n` readings, one without a value."""
    value = np.arange(n, dtype=np.float64)
    value[:1] = np.nan
    times = np.arange(n, dtype=np.int64)
    return Batch(np.arange(n, dtype=np.int32), times, value, np.zeros(n, np.uint16), np.full(n, received))


def same(one: Batch, other: Batch) -> bool:
    """Whether two batches are equal to the bit."""
    return body.pack(one) == body.pack(other)


def test_what_was_appended_is_read_back_after_reopening(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    ids = [journal.append(Commit(batch(n), n)) for n in (1, 3)]
    journal.close()
    entries = Journal(tmp_path / "j.db").read(0, 100)
    assert [e.id for e in entries] == ids == [1, 2]
    assert same(entries[1].batch, batch(3))


def test_a_reader_gets_about_as_much_as_it_asks_for_and_never_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    for n in (10, 10, 10):
        journal.append(Commit(batch(n), n))
    assert [e.id for e in journal.read(0, 20)] == [1, 2]
    assert [e.id for e in journal.read(1, 1)] == [2]
    assert journal.read(3, 100) == []


def test_a_waiting_reader_is_woken_by_an_append(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    woken: list[bool] = []
    reader = threading.Thread(target=lambda: woken.append(journal.wait(0, 30)))
    reader.start()
    journal.append(Commit(batch(1), 1))
    reader.join(10)
    assert woken == [True]


def test_damaged_bytes_are_noticed() -> None:
    packed = bytearray(body.pack(batch(100)))
    packed[-6] ^= 0xFF
    with pytest.raises(ValueError, match="damaged"):
        body.unpack(bytes(packed), size=100)


def test_positions_and_counts_add_up_over_commits(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    key = ("p", "g", "boot")
    journal.append(Commit(batch(1), 1, {key: Progress(Position(4, (Gap(2, 3),)), 5, 2, 0)}, {("p", "g"): (True, 5)}))
    journal.append(Commit(empty_batch(), 0, {key: Progress(Position(4, (Gap(3, 3),), (Gap(1, 1),)), 6, 1, 3)}))
    (gateway,) = journal.gateways()
    assert (gateway.committed, gateway.missing, gateway.online) == (4, (Gap(3, 3),), True)
    assert (gateway.frames, gateway.duplicates, gateway.received) == (3, 3, 6)
    assert journal.positions() == {key: Position(4, (Gap(3, 3),), (Gap(1, 1),))}
    assert journal.totals().readings == 1


def test_the_same_bytes_are_put_aside_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    bad = Quarantined(0, 1, "topic", "schema", "seq is missing", 2, b"{}")
    journal.append(Commit(empty_batch(), 0, quarantined=[bad, bad]))
    journal.append(Commit(empty_batch(), 0, quarantined=[bad]))
    (kept,) = journal.quarantined(limit=10)
    assert (kept.reason, kept.detail, kept.payload) == ("schema", "seq is missing", b"{}")
    assert journal.totals().quarantined == 1


def test_a_points_number_is_for_ever(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    assert journal.number_points([("p", "a"), ("p", "b")]).index == [0, 1]
    journal.close()
    assert Journal(tmp_path / "j.db").number_points([("p", "c"), ("p", "b")]).index == [2, 1]


def test_a_renamed_point_keeps_its_number_as_often_as_it_is_said(tmp_path: Path) -> None:
    journal, points, was = Journal(tmp_path / "j.db"), [("p", "new"), ("p", "b")], {("p", "new"): "a"}
    journal.number_points([("p", "a"), ("p", "b"), ("q", "a")])
    for _ in range(2):
        assert journal.number_points(points, was) == Numbered([0, 1], was)
        journal.close()
        journal = Journal(tmp_path / "j.db")
    assert journal.number_points([("p", "a")]).index == [3], "a new point under an id that is free again"
    assert journal.number_points(points, was) == Numbered([0, 1], {}), "two points since then"


def test_a_point_that_has_a_number_takes_over_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.number_points([("p", "a"), ("p", "b")])
    assert journal.number_points([("p", "b")], {("p", "b"): "a"}) == Numbered([1], {})


def test_a_former_id_that_nobody_had_is_told_when_the_point_is_new(tmp_path: Path) -> None:
    """A slip of the pen. In a journal that begins anew nobody is known, and the line means nothing."""
    journal, was = Journal(tmp_path / "j.db"), {("p", "new"): "aa"}
    journal.number_points([("p", "a"), ("q", "x")])
    assert journal.number_points([("p", "new")], was) == Numbered([2], {})
    assert journal.number_points([("r", "new")], {("r", "new"): "aa"}) == Numbered([3], {("r", "new"): "aa"})


def test_trimming_keeps_what_a_reader_needs_and_never_reuses_a_number(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    for received in (10, 20, 30):
        journal.append(Commit(batch(1, received), 1))
    assert journal.trim(upto=2, older_than=15) == 1
    assert [e.id for e in journal.read(0, 100)] == [2, 3]
    assert journal.trim(upto=3, older_than=100) == 2
    journal.close()
    again = Journal(tmp_path / "j.db")
    assert again.last() == 3, "also when nothing is left"
    assert again.append(Commit(batch(1), 1)) == 4


def test_a_cursor_is_remembered(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    assert journal.cursor("history") == 0
    journal.save_cursor("history", 7)
    journal.close()
    assert Journal(tmp_path / "j.db").cursor("history") == 7


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "j.db").mkdir()
    with pytest.raises(JournalUnavailable, match=r"j\.db"):
        Journal(tmp_path / "j.db")


@given(st.permutations(range(1, 12)))
def test_every_frame_is_taken_once_whatever_the_order(order: list[int]) -> None:
    """The position after any order of arrival is the same: all committed, nothing missing."""
    position = Position()
    for seq in order:
        after = position.accept(seq)
        assert after is not None
        assert after.accept(seq) is None, "the second time it is a duplicate"
        position = after
    assert position == Position(11, ())


@given(st.lists(st.integers(1, 30), max_size=30))
def test_missing_is_exactly_what_did_not_come(seqs: list[int]) -> None:
    position = Position()
    for seq in seqs:
        position = position.accept(seq) or position
    missing = {seq for first, last, _ in position.missing for seq in range(first, last + 1)}
    assert missing == set(range(1, max(seqs, default=0) + 1)) - set(seqs)


def test_a_thread_that_ended_leaves_no_connection_behind(tmp_path: Path) -> None:
    """The pool that answers people ends its threads when they have nothing to do, and begins others."""
    journal = Journal(tmp_path / "j.db")
    asking = [threading.Thread(target=journal.read, args=(0, 100)) for _ in range(5)]
    before = len(apsw.connections())
    for thread in asking:
        thread.start()
        thread.join()
    assert len(apsw.connections()) == before
    journal.close()
