"""How fast journaled readings reach a real InfluxDB 1.x, and what it costs both sides.

    python -m benchmarks.history [--json] [--readings 1000000] [--frame 200] [--lines 20000] [--gzip] [--points 2000]

A journal is filled first; the history writer then carries it into an `influxd` of its own on loopback, from the journal
on disk to readings that InfluxDB counts. CPU is of whole processes: ours reads, judges, writes lines and sends them.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from ingest.base.telemetry import configure_logging
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history import influx
from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.influx_v1 import InfluxV1Store
from ingest.storage.history.line_protocol import ReadingLines, precision_of
from ingest.storage.history.writer import HistoryWriter
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from tests.ingest.storage.history.made_up import NOON, configuration, point
from tests.servers import Server, influxd_server

_MS: Final = 1_000_000
_SECOND: Final = 1_000 * _MS
_COMMIT: Final = 10_000  # readings journaled together


def readings(count: int, points: int, frame: int) -> Batch:
    """Frames one after another, each with one time for all its points; every point once a second, three decimals."""
    frames = -(-count // frame)
    gateways = max(1, points // frame)
    number = np.arange(frames)
    time_ = NOON + number // gateways * _SECOND + number % gateways * 7 * _MS
    index = (number % gateways)[:, None] * frame + np.arange(frame)
    value = np.round(np.random.default_rng(1).normal(0.35, 0.05, frames * frame), 3)
    times = np.repeat(time_, frame)
    flags = np.where(np.arange(frames * frame) % 100 == 0, 2, 0).astype(np.uint16)
    return Batch(index.ravel().astype(np.int32) % points, times, value, flags, times + 5 * _MS).take(np.arange(count))


def measure(*, count: int, points: int, frame: int, lines: int, gzip: bool) -> dict[str, float]:
    """The figures of one run."""
    known = configuration(*(point(n, f"CW-{n:05d}") for n in range(points)))
    batch = readings(count, points, frame)
    with tempfile.TemporaryDirectory() as folder, influxd_server(Path(folder)) as server:
        journal = Journal(Path(folder) / "journal.db")
        for start in range(0, count, _COMMIT):
            part = batch.take(np.arange(start, min(start + _COMMIT, count)))
            journal.append(Commit(part, len(part)))
        store = InfluxV1Store(InfluxV1Config(url=server.url, gzip=gzip, timeout_s=60))
        store.create_database()
        influx.LINES = lines  # type: ignore[misc]  # the one thing the product does not let one choose
        writer = HistoryWriter(
            store, journal, _NoAlarms(), configuration=lambda: known, add_flags=lambda batch, of: of.checked(batch)
        )
        theirs, ours, began = _cpu_s(server), time.process_time(), time.perf_counter()
        writer.start()
        while writer.lag()[0]:
            time.sleep(0.01)
        took, ours, theirs = time.perf_counter() - began, time.process_time() - ours, _cpu_s(server) - theirs
        writer.stop(10)
        kept = store.count_readings()
        store.close()
        journal.close()
    if kept != count:
        raise RuntimeError(f"InfluxDB holds {kept} of {count} readings")
    return {
        "lines_per_s": round(_lines_per_s(batch, known)),
        "points_per_s_into_influxdb": round(count / took),
        "our_cpu_s_per_million": round(ours * 1e6 / count, 3),
        "influxd_cpu_s_per_million": round(theirs * 1e6 / count, 3),
    }


class _NoAlarms:
    """An alarm event log without events."""

    def events_after(self, seq: int, *, limit: int) -> list[AlarmEvent]:  # noqa: ARG002
        return []

    def reader_cursor(self, name: str) -> int:  # noqa: ARG002
        return 0

    def save_reader_cursor(self, name: str, position: int) -> None:
        """Nothing to keep."""


def _lines_per_s(batch: Batch, known: PlantConfiguration) -> float:
    """How many lines a second one core makes, without sending them."""
    lines = ReadingLines(known)
    parts = [batch.take(np.arange(at, min(at + influx.LINES, len(batch)))) for at in range(0, len(batch), influx.LINES)]
    lines(parts[0], "ms")
    began = time.process_time()
    for part in parts:
        lines(part, precision_of(part.time))
    return len(batch) / (time.process_time() - began)


def _cpu_s(server: Server) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--readings", type=int, default=1_000_000)
    parser.add_argument("--points", type=int, default=2_000)
    parser.add_argument("--frame", type=int, default=200, help="readings a frame")
    parser.add_argument("--lines", type=int, default=influx.LINES, help="lines a request at most")
    parser.add_argument("--gzip", action="store_true")
    options = parser.parse_args()
    configure_logging(level="warning")
    figures = measure(
        count=options.readings, points=options.points, frame=options.frame, lines=options.lines, gzip=options.gzip
    )
    if options.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:30} {figure:>14,}")


if __name__ == "__main__":
    main()
