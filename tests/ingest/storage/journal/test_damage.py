"""No change of an entry goes unnoticed; a damaged one is reported once, counted, and stops no reader."""

from __future__ import annotations

import struct
from pathlib import Path

import apsw
import numpy as np
import pytest
import zstandard
from structlog.testing import capture_logs

from ingest.domain.model.batch import empty_batch
from ingest.storage.journal import body
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.records import Staged
from tests.ingest.storage.journal.entries import batch, damage, filled, flip

ROW = {"received": 12, "readings": 7, "step": -3}


def test_every_bit_of_a_body_is_under_its_checksum() -> None:
    packed = body.pack(batch(20), **ROW)
    assert body.unpack(packed, size=20, **ROW).time.tolist() == batch(20).time.tolist()
    for at in range(len(packed) * 8):
        changed = bytearray(packed)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(ValueError, match="damaged"):
            body.unpack(bytes(changed), size=20, **ROW)


@pytest.mark.parametrize("column", ["received", "readings", "step", "size"])
def test_every_bit_of_the_other_columns_is_under_it_too(column: str) -> None:
    row = {"size": 20, **ROW}
    packed = body.pack(batch(20), **ROW)
    for bit in range(63):
        with pytest.raises(ValueError, match="damaged"):
            body.unpack(packed, **(row | {column: row[column] ^ 1 << bit}))


def test_a_body_cut_short_or_of_another_type_is_damaged() -> None:
    packed = body.pack(batch(20))
    for cut in (b"", packed[:3], packed[:-1]):
        with pytest.raises(ValueError, match="damaged"):
            body.unpack(cut, size=20)
    with pytest.raises(ValueError, match="damaged"):
        body.unpack("text", size=20)  # type: ignore[arg-type]


def test_entries_of_the_version_before_are_still_read() -> None:
    columns = b"".join(getattr(batch(5), name).tobytes() for name in ("point", "time", "value", "flags", "received"))
    packed = struct.pack("<BI", 1, 5) + zstandard.ZstdCompressor(level=1, write_checksum=True).compress(columns)
    assert body.unpack(packed, size=5).value.tolist() == batch(5).value.tolist()
    with pytest.raises(ValueError, match="damaged"):
        body.unpack(packed[:-1] + b"x", size=5)


def test_a_damaged_entry_is_reported_once_and_skipped_by_every_reader(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j.db", 3)
    flip(tmp_path / "j.db", 2)
    with capture_logs() as logs:
        for _reader in ("engine", "history"):
            entries = journal.read(0, 1000)
            assert [(entry.id, len(entry.batch)) for entry in entries] == [(1, 10), (2, 0), (3, 10)]
    damaged = [(log["event"], log["entry"], log["received"], log["readings"]) for log in logs]
    assert damaged == [("journal_damaged", 2, 2009, 10)]
    assert journal.damaged() == 1


def test_a_damaged_newest_entry_does_not_hold_a_reader(tmp_path: Path) -> None:
    """The cursor moves past it, or the reader would read it again and again."""
    journal = filled(tmp_path / "j.db", 2)
    damage(tmp_path / "j.db", "UPDATE entry SET size = 1 << 40 WHERE id = 2")
    assert [entry.id for entry in journal.read(0, 10)] == [1]
    assert [(entry.id, len(entry.batch)) for entry in journal.read(1, 10)] == [(2, 0)]
    assert not journal.wait(2, 0)


def overwrite(path: Path, table: str, kind: str) -> None:
    """Fill a page in the middle of a table with ones."""
    found = apsw.Connection(str(path))
    page = found.pragma("page_size")
    query = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path"
    pages = found.execute(query, (table, kind)).fetchall()
    found.close()
    (victim,) = pages[len(pages) // 2]
    with path.open("r+b") as file:
        file.seek((int(str(victim)) - 1) * page)
        file.write(bytes([0xFF]) * page)


def test_a_page_that_sqlite_cannot_read_costs_only_what_lies_on_it(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = Journal(path)
    noise = np.random.default_rng(1)
    for number in range(1, 41):
        readings = batch(500, number * 1000)
        readings.value[:] = noise.random(500)
        journal.append(Commit(readings, 500))
    journal.close()
    overwrite(path, "entry", "leaf")
    journal, at, whole = Journal(path), 0, 0
    with capture_logs() as logs:
        while at < 40:
            entries = journal.read(at, 10_000)
            at = entries[-1].id
            whole += sum(len(entry.batch) == 500 for entry in entries)
    damaged = [log for log in logs if log["event"] == "journal_damaged"]
    assert whole + len(damaged) == 40
    assert 0 < len(damaged) == journal.damaged() < 20


@pytest.mark.parametrize(("kind", "bytes_each"), [("leaf", 300), ("leaf", 9000), ("overflow", 9000)])
def test_a_page_of_back_fill_that_sqlite_cannot_read_costs_only_what_lies_on_it(
    tmp_path: Path, kind: str, bytes_each: int
) -> None:
    """Nothing ends over it, now or at later starts; what can be read is handed on once, in its order."""
    path = tmp_path / "j.db"
    journal = Journal(path)
    pieces = [Staged(0, number, 10, bytes([number]) * bytes_each) for number in range(200)]
    for at in range(0, 200, 20):
        journal.append(Commit(empty_batch(), 0, backfill=pieces[at : at + 20]))
    journal.close()
    overwrite(path, "backfill", kind)
    came: list[int] = []
    with capture_logs() as logs:
        for _start in range(40):
            journal = Journal(path)
            fed = journal.staged(100)
            journal.append(Commit(empty_batch(), 0, fed=fed))
            came += [piece.received for piece in fed]
            journal.close()
    (damaged,) = [log for log in logs if log["event"] == "backfill_damaged"]
    lost = set(range(200)) - set(came)
    assert came == sorted(set(came))
    assert 0 < len(lost) <= damaged["pieces"] < 60
    journal = Journal(path)
    assert (journal.staged(100), journal.waiting()) == ([], 0)
    journal.append(Commit(empty_batch(), 0, backfill=pieces[:1]))
    assert [piece.received for piece in journal.staged(100)] == [0]
