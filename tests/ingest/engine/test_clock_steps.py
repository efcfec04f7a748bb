"""Whoever sets the service's clock, by a second or by ten years: the same alarms stand at every moment.

`check_clock_steps` runs the same hour of readings and silences twice, with and without steps of the clock.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from detectors.kinds.silence import GRACE_S
from ingest.domain.model.batch import Batch
from ingest.engine.engine import Engine
from ingest.engine.order import Policy
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.state.alarm_store import AlarmStore
from tests import migrated
from tests.ingest.engine.bench import begun
from tests.ingest.engine.clock import Clock
from tests.small_plant import PLANT, TEXT, small_configuration

SECOND = 10**9
YEAR = 365 * 86_400 * SECOND
START = 1_763_884_800 * SECOND
SILENCE_S = 5
POINTS = ("CO-01", "CO-02")
QUICK = "".join(
    part.replace("\n", f"\nsilence_s = {SILENCE_S}\n", 1) if part.startswith(("CO-", "GW-")) else part
    for part in TEXT.replace('id = "CO-0', 'id = "\0CO-0').replace('id = "GW-0', 'id = "\0GW-0').split("\0")
)

Outstanding = frozenset[tuple[str, str]]
"""(point, rule) of the alarms whose condition holds"""


@dataclass(frozen=True, slots=True)
class Second:
    """What happens in it: readings by point (none: it is silent), and by how much the clock is set before."""

    values: dict[str, float]
    step: int = 0


class Bench:
    """An engine that is driven second by second, with a clock that can be set."""

    def __init__(self, folder: Path, text: str = QUICK) -> None:
        self.clock = Clock(START)
        self.journal = Journal(folder / "journal.db")
        self.database = migrated.opened(folder / "state.db")
        self.configuration = small_configuration(folder, self.journal.number_points, text)
        self.pending = 0
        self.engine = self.begin()

    def begin(self) -> Engine:
        """A fresh engine on the same files."""
        self.engine = begun(self.clock, self.journal, self.database, self.configuration, Policy())
        return self.engine

    def arrive(self, second: Second) -> None:
        """A second goes by, somebody sets the clock, readings are journaled."""
        self.clock.time += SECOND
        self.clock.set_by += second.step
        self.pending += second.step
        indices = [self._index(point) for point in second.values]
        if indices:
            n = len(indices)
            time, received = np.full(n, self.clock.time), np.full(n, self.clock.wall())
            values = np.array([*second.values.values()])
            batch = Batch(np.array(indices, np.int32), time, values, np.zeros(n, np.uint16), received)
            self.journal.append(Commit(batch, n, step=self.pending))
            self.pending = 0

    def judge(self) -> Outstanding:
        """The outstanding alarms after a cycle."""
        self.engine.process()
        return frozenset((a.point, a.rule) for a in self.engine.engine_state.alarms.values() if a.active)

    def _index(self, point: str) -> int:
        known = self.configuration.find(PLANT, point)
        assert known is not None
        return known.index


@contextmanager
def bench(text: str = QUICK) -> Iterator[Bench]:
    """A bench on files that are thrown away."""
    with TemporaryDirectory() as folder:
        made = Bench(Path(folder), text)
        yield made
        made.journal.close()
        made.database.close()


def hour(count: int, draw: random.Random) -> list[Second]:
    """Readings and silences with as many steps of the clock in between."""
    seconds: list[Second] = []
    silent = dict.fromkeys(POINTS, 0)
    steps = set(draw.sample(range(6 * count), count))
    for number in range(6 * count):
        for point in POINTS:
            if silent[point] > 0:
                silent[point] -= 1
            elif draw.random() < 0.02:
                silent[point] = draw.randint(2, 4 * SILENCE_S)
        values = {point: draw.choice((5.0, 5.0, 5.0, 22.0, 30.0, 170.0)) for point in POINTS if not silent[point]}
        size = int(draw.choice((1, 60, 3600, 86_400)) * SECOND if draw.random() < 0.5 else draw.random() * 10 * YEAR)
        step = draw.choice((-1, 1)) * size
        seconds.append(Second(values, step if number in steps else 0))
    return seconds


def judged(seconds: Sequence[Second], *, steps: bool) -> tuple[list[Outstanding], list[tuple[str, str, int]]]:
    """What stands after each second, and every limit alarm with its onset."""
    with bench() as made:
        trace = []
        for second in seconds:
            made.arrive(second if steps else Second(second.values))
            trace.append(made.judge())
        alarms = AlarmStore(made.database).events_after(0, limit=1 << 30)
        return trace, [
            (event.kind, str(event.alarm.id), event.time) for event in alarms if event.alarm.rule != "SILENT"
        ]


def check_clock_steps(count: int, seed: int) -> None:
    """So many steps of the clock change no alarm. Raises AssertionError."""
    seconds = hour(count, random.Random(seed))  # noqa: S311  the same steps every time
    plain, alarms = judged(seconds, steps=False)
    stepped, same = judged(seconds, steps=True)
    for number, (expected, found) in enumerate(zip(plain, stepped, strict=True)):
        assert found == expected, f"seed {seed}, second {number}, after {seconds[: number + 1][-3:]}"
    assert same == alarms
    assert any(("CO-01", "SILENT") in outstanding for outstanding in plain)
    assert len(alarms) > count / 2


def test_a_hundred_steps_of_the_clock_change_no_alarm() -> None:
    check_clock_steps(100, 1)


def test_a_step_in_the_backlog_of_a_restart_makes_nobody_silent_and_hides_nobody() -> None:
    healthy = dict.fromkeys(POINTS, 5.0)
    for step in (-YEAR, -3600 * SECOND, 3600 * SECOND, YEAR):
        with bench() as made:
            for number in range(10):
                made.arrive(Second(healthy, step if number == 5 else 0))
            made.begin()
            assert made.judge() == frozenset()
            for _ in range(2 * SILENCE_S):
                made.arrive(Second(healthy))
                assert made.judge() == frozenset()
            for _ in range(SILENCE_S + 1):
                made.arrive(Second({"CO-01": 5.0}))
                outstanding = made.judge()
            assert ("CO-02", "SILENT") in outstanding
            assert ("CO-01", "SILENT") not in outstanding


def test_a_clock_that_was_right_only_after_the_restart_keeps_nobody_from_being_missed() -> None:
    """The readings before the restart seem to come from the future; no entry records a step."""
    with bench() as made:
        made.clock.set_by = YEAR
        made.begin()
        made.arrive(Second(dict.fromkeys(POINTS, 5.0)))
        made.judge()
        made.arrive(Second(dict.fromkeys(POINTS, 5.0)))
        made.clock.set_by = 0
        made.begin()
        made.judge()
        for _ in range(round(GRACE_S)):
            made.arrive(Second({}))
            outstanding = made.judge()
        assert {("CO-01", "SILENT"), ("CO-02", "SILENT")} <= outstanding
