"""The journal keeps what was appended, numbers it without gaps, and returns it to every reader."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.plants.numbering import Numbered
from ingest.storage.journal import body
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.sequence_state import SequenceState
from tests.conformance.journal import JournalPromises, Opened, batch


class TestJournal(JournalPromises):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> Opened:
        return lambda: Journal(tmp_path / "j.db")


def test_damaged_bytes_are_noticed() -> None:
    packed = bytearray(body.pack(batch(100)))
    packed[-6] ^= 0xFF
    with pytest.raises(ValueError, match="damaged"):
        body.unpack(bytes(packed), size=100)


def test_a_points_number_is_for_ever(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    assert journal.number_points([("p", "a"), ("p", "b")]).index == [0, 1]
    journal.close()
    assert Journal(tmp_path / "j.db").number_points([("p", "c"), ("p", "b")]).index == [2, 1]


def test_a_renamed_point_keeps_its_number_however_often_it_is_declared(tmp_path: Path) -> None:
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


def test_a_former_id_that_never_existed_is_reported_when_the_point_is_new(tmp_path: Path) -> None:
    """A slip of the pen. In a journal that begins anew nobody is known, and the line means nothing."""
    journal, was = Journal(tmp_path / "j.db"), {("p", "new"): "aa"}
    journal.number_points([("p", "a"), ("q", "x")])
    assert journal.number_points([("p", "new")], was) == Numbered([2], {})
    assert journal.number_points([("r", "new")], {("r", "new"): "aa"}) == Numbered([3], {("r", "new"): "aa"})


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "j.db").mkdir()
    with pytest.raises(JournalUnavailable, match=r"j\.db"):
        Journal(tmp_path / "j.db")


@given(st.permutations(range(1, 12)))
def test_every_frame_is_taken_once_whatever_the_order(order: list[int]) -> None:
    """The position after any order of arrival is the same: all committed, nothing missing."""
    position = SequenceState()
    for seq in order:
        after = position.accept(seq)
        assert after is not None
        assert after.accept(seq) is None, "the second time it is a duplicate"
        position = after
    assert position == SequenceState(11, ())


@given(st.lists(st.integers(1, 30), max_size=30))
def test_missing_is_exactly_what_did_not_come(seqs: list[int]) -> None:
    position = SequenceState()
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
