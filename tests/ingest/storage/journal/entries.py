"""Journals with known entries, and ways to damage them."""

from __future__ import annotations

from pathlib import Path

import apsw
import numpy as np

from ingest.domain.model.batch import Batch
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal


def batch(n: int, received: int = 9, point: int = 0) -> Batch:
    """`n` readings of a point, one a nanosecond."""
    times = received + np.arange(n, dtype=np.int64)
    return Batch(np.full(n, point, np.int32), times, times.astype(float), np.zeros(n, np.uint16), times)


def filled(path: Path, entries: int, readings: int = 10) -> Journal:
    """A journal of that many entries, opened anew: all of them are read from disk."""
    journal = Journal(path)
    for number in range(1, entries + 1):
        journal.append(Commit(batch(readings, number * 1000), readings))
    journal.close()
    return Journal(path)


def damage(path: Path, statement: str, values: tuple[object, ...] = ()) -> None:
    """Change a journal's rows as no writer of ours would."""
    connection = apsw.Connection(str(path))
    connection.execute(statement, values)
    connection.close()


def flip(path: Path, entry: int, byte: int = -3, bit: int = 0) -> None:
    """Turn one bit of an entry's body over."""
    connection = apsw.Connection(str(path))
    ((body,),) = connection.execute("SELECT body FROM entry WHERE id = ?", (entry,)).fetchall()
    connection.close()
    assert isinstance(body, bytes)
    changed = bytearray(body)
    changed[byte] ^= 1 << bit
    damage(path, "UPDATE entry SET body = ? WHERE id = ?", (bytes(changed), entry))
