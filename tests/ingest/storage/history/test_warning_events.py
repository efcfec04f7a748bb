"""Events of warnings in every history store: stored once, written by the writer, quarantined if refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from ingest.domain.model.warning import WarningEvent
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.line_protocol import warning_lines
from ingest.storage.history.quarantine import decode_warnings, encode_warnings
from ingest.storage.history.writer import WARNINGS_READER, HistoryWriter
from tests.ingest.storage.history.made_up import configuration, until, warning_events
from tests.ingest.storage.history.writing import MemoryAlarms, MemoryJournal, MemoryStore, as_it_is, running


def test_a_line_says_how_it_stood_then() -> None:
    lines = warning_lines(warning_events()).decode().splitlines()
    key = warning_events()[0].warning.id
    assert lines[0] == (
        "warnings,plant=small,event=raised,step=enterprise,colour=orange "
        f'id="{key}",state="open",peak="orange",asking="acknowledgement",rank=3i,risk=68.8 100000000000'
    )
    (escalated,) = [line for line in lines if "event=escalated" in line]
    assert escalated.startswith("warnings,plant=small,event=escalated,step=township,colour=orange ")
    assert lines[-1].startswith("warnings,plant=small,event=ended,step=township,colour=over ")
    assert "rank=0i" in lines[-1]


def test_duckdb_keeps_each_event_once(tmp_path: Path) -> None:
    store = DuckDBStore(DuckDBConfig(path=tmp_path / "h.duckdb"))
    for _ in range(2):
        store.write_warning_events(warning_events())
    store.close()
    with duckdb.connect(str(tmp_path / "h.duckdb")) as db:
        rows = db.execute("SELECT event, colour, rank, step FROM warnings ORDER BY time").fetchall()
    assert rows[0] == ("raised", "orange", 3, "enterprise")
    assert rows[-1] == ("ended", None, 0, "township")
    assert len(rows) == len(warning_events())


class Store(MemoryStore):
    """Keeps warnings' events, too."""

    def __init__(self) -> None:
        super().__init__()
        self.warned: list[WarningEvent] = []

    def write_warning_events(self, events: Sequence[WarningEvent]) -> int:
        self.warned += events
        return 0


class Log:
    """The warning event log, in memory."""

    def warnings_after(self, seq: int, *, limit: int) -> Sequence[WarningEvent]:
        return [event for event in warning_events() if event.seq > seq][:limit]


class Cursors(MemoryAlarms):
    """A place for every reader."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, int] = {}

    def reader_cursor(self, name: str) -> int:
        return self.places.get(name, 0)

    def save_reader_cursor(self, name: str, position: int) -> None:
        self.places[name] = position


def test_the_writer_carries_them_from_where_it_was() -> None:
    store, alarms = Store(), Cursors()
    alarms.places[WARNINGS_READER] = 1
    with running(HistoryWriter(store, MemoryJournal(), alarms, Log(), configuration=configuration, add_flags=as_it_is)):
        until(lambda: alarms.places[WARNINGS_READER] == len(warning_events()))
    assert store.warned == warning_events()[1:]


def test_refused_items_are_quarantined_whole() -> None:
    (quarantined,) = encode_warnings(warning_events(), [(1, "no such plant")])
    assert (quarantined.topic, quarantined.detail) == ("history/warnings", "no such plant")
    assert decode_warnings([quarantined]) == warning_events()[1:2]
