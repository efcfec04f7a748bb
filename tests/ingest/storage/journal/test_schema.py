"""A journal of an earlier version is migrated; one of a later version is left unchanged."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import apsw
import pytest
import zstandard
from structlog.testing import capture_logs

from ingest.domain.quality.clock import keep_time
from ingest.storage.journal.commit import Commit, Progress
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.recent_frames import RecentFrames
from ingest.storage.journal.schema import VERSION
from ingest.storage.journal.sequence_state import Gap, SequenceState
from tests.ingest.storage.journal.entries import batch, damage, filled

OLD = """
PRAGMA journal_mode = wal;
CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL,
    readings INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE position (plant TEXT NOT NULL, gateway TEXT NOT NULL, boot TEXT NOT NULL,
    committed INTEGER NOT NULL, missing TEXT NOT NULL, received INTEGER NOT NULL, frames INTEGER NOT NULL,
    duplicates INTEGER NOT NULL, PRIMARY KEY (plant, gateway, boot)) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL,
    topic TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, readings INTEGER NOT NULL,
    payload BLOB NOT NULL, digest BLOB NOT NULL, UNIQUE (topic, digest)) STRICT;
"""


def test_a_file_of_the_first_version_keeps_everything_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    old = apsw.Connection(str(path))
    old.execute(OLD).fetchall()  # to the end: the first statement says something
    columns = b"".join(getattr(batch(3), name).tobytes() for name in ("point", "time", "value", "flags", "received"))
    body = struct.pack("<BI", 1, 3) + zstandard.ZstdCompressor(write_checksum=True).compress(columns)
    old.execute("INSERT INTO entry VALUES (1, 9, 3, 3, ?)", (body,))
    old.execute("INSERT INTO position VALUES ('p', 'g', 'b', 4, ?, 7, 3, 1)", (json.dumps([[2, 2]]),))
    old.execute("INSERT INTO quarantine VALUES (1, 5, 't', 'schema', 'd', 0, x'00', x'00')")
    old.close()
    journal = Journal(path)
    assert journal.append(Commit(batch(2), 2)) == 2
    assert [len(entry.batch) for entry in journal.read(0, 100)] == [3, 2]
    assert journal.sequence_states() == {("p", "g", "b"): SequenceState(4, (Gap(2, 2),))}
    (gateway,) = journal.gateways()
    assert (gateway.committed, gateway.frames, gateway.received) == (4, 3, 7)
    assert [quarantined.reason for quarantined in journal.quarantined(limit=9)] == ["schema"]
    assert journal.to_retry(9) == []
    journal.close()
    Journal(path).close()


def test_marks_that_an_earlier_version_kept_of_frames_are_dropped_and_the_newest_time_stays_known(
    tmp_path: Path,
) -> None:
    """They were of another kind: by them every frame that is sent again would be another's."""
    path = tmp_path / "j.db"
    journal = filled(path, 1)
    clock = keep_time(None, 10**18, 10**18, 10**18, 60 * 10**9)
    at = Progress(SequenceState(4), 10**18, 4, 0, clock, recent=RecentFrames("b", 10**12))
    journal.append(Commit(batch(2), 2, {("p", "g", "b"): at}))
    journal.close()
    damage(path, "UPDATE position SET recent = zeroblob(521)")
    damage(path, "PRAGMA user_version = 4")
    with capture_logs() as log:
        journal = Journal(path)
        assert journal.recent() == {("p", "g"): RecentFrames("b", 10**12)}
    assert log == []
    journal.close()


def test_a_file_of_a_later_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    filled(path, 1).close()
    damage(path, f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(JournalUnavailable, match=rf"version {VERSION + 1}; this yujing reads up to {VERSION}"):
        Journal(path)
    assert path.read_bytes() == before
