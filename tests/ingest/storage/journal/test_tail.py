"""The newest entries come from memory: equal to those on disk, bounded and read-only."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.storage.journal import body
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.records import Entry
from ingest.storage.journal.tail import KEPT, Tail
from tests.ingest.storage.journal.entries import batch


def plain(entries: Sequence[Entry]) -> list[tuple[int, bytes, int]]:
    """The entries, to the bit."""
    return [(entry.id, body.pack(entry.batch), entry.step) for entry in entries]


@pytest.mark.parametrize("seed", range(3))
def test_every_reader_gets_what_is_on_disk_however_far_it_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Also once entries left memory, were trimmed, or were there before the start."""
    chance = random.Random(seed)  # noqa: S311  not a secret
    journal = Journal(tmp_path / "j.db")
    disk = Journal(tmp_path / "j.db")  # wrote nothing, so it reads everything from the file
    monkeypatch.setattr("ingest.storage.journal.tail.KEPT", 40_000)  # bytes: some ten entries of a hundred readings
    large = 100
    for number in range(1, 40):
        journal.append(Commit(batch(chance.choice((1, 20, large)), number * 1000), 1, step=chance.choice((0, 0, -5))))
        if chance.random() < 0.1:
            journal.close()
            journal = Journal(tmp_path / "j.db")
        if chance.random() < 0.1:
            journal.trim(chance.randrange(number + 1), 1 << 62)
        for after in {0, number, chance.randrange(number + 1), chance.randrange(number + 1)}:
            limit = chance.choice((1, 21, large + 1, 1 << 40))
            assert plain(journal.read(after, limit)) == plain(disk.read(after, limit)), (after, limit)
    assert journal.read(journal.last() + 5, 100) == []


def test_the_memory_is_bounded_whatever_an_entry_holds() -> None:
    for readings in (1, 20_000):
        tail, number = Tail(0), 0
        while not number or tail.after(0, 1) is not None:
            number += 1
            tail.append(Entry(number, batch(readings)))
            assert number < KEPT
        held = tail.after(number - len(tail), 1 << 40)
        assert held is not None
        assert [entry.id for entry in held] == list(range(number - len(tail) + 1, number + 1))
        assert sum(column.nbytes for entry in held for column in entry.batch.columns()) <= KEPT
        assert len(tail) <= 5_000


def test_no_reader_can_change_what_another_one_reads(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.append(Commit(batch(20), 20))
    (entry,) = journal.read(0, 100)
    for column in entry.batch.columns():
        with pytest.raises(ValueError, match="read-only"):
            column[:1] = 1
