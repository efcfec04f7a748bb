"""What one cycle of the engine costs: the processor's time of its thread, from the journal to the commit.

    python -m benchmarks.cycle [--json] [--points 2000 20000] [--frames 1 20 200] [--cycles 400] [--rest-ms 0]

A real journal and a real state database hold a park of gateways of 20 points each under the default rules, none of
which speaks. Each journal entry holds a frame of so many gateways, which take turns; one cycle judges one entry. Prints
microseconds a cycle by the points known and the frames an entry, and of a cycle in which nothing came (`idle`): the
mean of a block of cycles, the least of several blocks. `ratio` is the dearest of the largest park against the smallest:
what a cycle costs must not depend on who else is known.

With `--rest-ms` nothing happens for so long before each cycle, and something else then sweeps the processor's caches:
what a cycle costs on an ordinary day, on which others have the processor between two of them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.load import COLUMNS, USUAL, write_plants
from ingest.base.telemetry import configure_logging
from ingest.domain.model.batch import Batch
from ingest.engine.engine import Engine, EngineConfig
from ingest.engine.order import Policy
from ingest.plants.load import load_configuration
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore

SECOND: Final = 10**9
BLOCKS: Final = 8
SWEPT: Final = 4_000_000  # numbers of 8 bytes: more than most processors' caches hold
WARM_S: Final = 5  # seconds of every gateway before anything is measured


class Park:
    """An engine with that many gateways, each of which sends a frame a second by a manually advanced clock."""

    def __init__(self, folder: Path, gateways: int, began: int | None = None) -> None:
        """Every gateway has sent for some seconds, since `began` (ns; None: now)."""
        write_plants(folder / "plants", gateways)
        self._journal, self._database = Journal(folder / "journal.db"), Database(folder / "state.db")
        configuration = load_configuration(folder / "plants", self._journal.number_points, 1)
        self.now = self._began = time.time_ns() if began is None else began
        self._engine = Engine(
            self._journal, EngineStore(self._database), AlarmStore(self._database), configuration, Policy(),
            EngineConfig(snapshot_every_s=86_400), on_commit=lambda _posted: None, on_failure=lambda _error: None,
            wall=lambda: self.now, steady=lambda: self.now,
        )  # fmt: skip
        self._engine.begin()
        sending = [gateway for gateway in configuration.gateways.values() if gateway.columns]
        self._frames = np.array([[gateway.device, *gateway.columns.values()] for gateway in sending], np.int32)
        self._usual = np.array([1.0, *USUAL])
        self._random, self._next = np.random.default_rng(1), 0
        for _ in range(WARM_S):
            self.send(gateways)
            self.run_cycle()

    @property
    def alarms(self) -> int:
        """Number of active alarms; must be 0, else the measurement is invalid."""
        return len(self._engine.engine_state.alarms)

    def send(self, frames: int) -> None:
        """Append an entry with a frame of each of the next gateways; the clock advances as if each sent at 1 Hz."""
        which = self._next + np.arange(frames)
        self._next += frames
        when = self._began + (which + 1) * SECOND // len(self._frames)
        self.now = int(when[-1])
        frame = self._frames[which % len(self._frames)]
        point, time_ns = frame.ravel(), when.repeat(frame.shape[1])
        value = self._usual * self._random.uniform(0.99, 1.01, frame.shape)
        value[:, 0] = 1.0  # it is there
        self._journal.append(
            Commit(Batch(point, time_ns, value.ravel(), np.zeros(len(point), np.uint16), time_ns), len(point))
        )

    def run_cycle(self) -> float:
        """Run one cycle; returns its CPU time, s."""
        began = time.thread_time()
        self._engine.process()
        return time.thread_time() - began

    def close(self) -> None:
        """Close its files."""
        self._journal.close()
        self._database.close()


def least_us(cycle: Callable[[], float], cycles: int) -> float:
    """Microseconds a cycle, of the cheapest block."""
    each = max(1, cycles // BLOCKS)
    return round(min(sum(cycle() for _ in range(each)) / each for _ in range(BLOCKS)) * 1e6, 1)


def measure(points: int, frames: Sequence[int], cycles: int, rest_s: float = 0.0) -> dict[str, float]:
    """Microseconds a cycle by frames an entry, and of one in which nothing came; each after a rest of so long."""
    others = np.ones(SWEPT if rest_s else 0)
    with tempfile.TemporaryDirectory() as folder:
        park = Park(Path(folder), max(1, points // COLUMNS))

        def rest() -> None:
            if rest_s:
                time.sleep(rest_s)
                others.sum()

        def evaluate(many: int) -> float:
            park.send(many)
            rest()
            return park.run_cycle()

        def idle() -> float:
            park.now += SECOND // 1000
            rest()
            return park.run_cycle()

        try:
            figures = {str(many): least_us(lambda many=many: evaluate(many), cycles) for many in frames}  # type: ignore[misc]
            figures["idle"] = least_us(idle, cycles)
            if park.alarms:
                raise RuntimeError(f"{park.alarms} alarms stand; expected none")
        finally:
            park.close()
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--points", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--frames", type=int, nargs="+", default=[1, 20, 200], help="an entry")
    parser.add_argument("--cycles", type=int, default=400, help="of each kind")
    parser.add_argument("--rest-ms", type=float, default=0.0, help="before each cycle, and the caches are swept")
    options = parser.parse_args()
    configure_logging(level="warning")
    found = {
        str(points): measure(points, options.frames, options.cycles, options.rest_ms / 1e3) for points in options.points
    }
    small, large = found[str(min(options.points))], found[str(max(options.points))]
    ratio = round(max(large[kind] / small[kind] for kind in small), 2)
    if options.json:
        print(json.dumps({"engine_cycle_us": found, "ratio": ratio}))
        return
    for points, figures in found.items():
        for kind, cost in figures.items():
            sys.stdout.write(f"{points:>8} points {kind:>6} {'' if kind == 'idle' else 'frames':6} {cost:8.0f} us\n")
    sys.stdout.write(f"the largest park against the smallest: {ratio}\n")


if __name__ == "__main__":
    main()
