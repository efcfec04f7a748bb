"""After an outage the backlog drains several times faster than readings come in, into a real InfluxDB."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from ingest.storage.history import writer as module
from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.influx_v1 import InfluxV1Store
from ingest.storage.history.writer import READER, HistoryWriter
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from tests.ingest.storage.history.made_up import NOON, SECOND, configuration, steady, until
from tests.ingest.storage.history.writing import MemoryAlarms, as_it_is
from tests.servers import influxd_server

COMMIT = 1_000
BACKLOG = 200  # commits
LIVE_PER_S = 10  # commits: 10 000 readings a second


@dataclass
class Live:
    """A plant that goes on sending while the backlog drains; use as a context manager."""

    journal: Journal
    sent: int = BACKLOG

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live")
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.rate = (self.sent - BACKLOG) * COMMIT / (time.monotonic() - self._began)

    def _run(self) -> None:
        while not self._over.wait(1 / LIVE_PER_S):
            commit(self.journal, self.sent)
            self.sent += 1


def commit(journal: Journal, number: int) -> None:
    """One commit, every reading with a time of its own."""
    journal.append(Commit(steady(COMMIT, start=NOON + number * COMMIT * SECOND), COMMIT))


def test_a_backlog_drains_five_times_as_fast_as_readings_come_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server was away for long; it comes back while the plant goes on: nothing is lost, and the lag ends."""
    monkeypatch.setattr(module, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(module, "LONGEST_DELAY_S", 0.01)
    journal = Journal(tmp_path / "journal.db")
    server = influxd_server(tmp_path)
    with server:
        store = InfluxV1Store(InfluxV1Config(url=server.url))
        store.create_database()
    for number in range(BACKLOG):
        commit(journal, number)
    writer = HistoryWriter(store, journal, MemoryAlarms(), configuration=configuration, add_flags=as_it_is)
    writer.start()
    until(lambda: writer.lag()[1] is not None)
    assert writer.lag()[0] == BACKLOG
    with server:
        began = time.monotonic()
        with Live(journal) as live:
            until(lambda: journal.cursor(READER) >= live.sent - 1, timeout_s=60)
            drained = journal.cursor(READER) * COMMIT / (time.monotonic() - began)
        until(lambda: writer.lag() == (0, None))
        assert store.count_readings() == live.sent * COMMIT
        assert writer.stop(5)
        store.close()
    journal.close()
    assert drained >= 5 * live.rate
