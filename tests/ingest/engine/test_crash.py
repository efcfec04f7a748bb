"""An engine that dies anywhere and starts again has the state and the messages, to the byte, of one that never died.

The database refuses at random: before a commit, or right after it. Nothing of that engine is used any more; the next
one begins with what is on disk.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from ingest.domain.model.outbox import Message
from ingest.engine.commands import Acknowledge, Person
from ingest.engine.engine import Engine, EngineConfig
from ingest.engine.order import Policy
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.records import Entry
from ingest.storage.state import tables as t
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from tests import migrated
from tests.ingest.engine.clock import Clock
from tests.small_plant import PLANT, TEXT, small_configuration

SECOND = 10**9
START = 1_763_884_800 * SECOND
ENTRIES = 400
LATCHED = TEXT.replace("[points.rules.HH]\n", "[points.rules.HH]\nlatch = true\n")


class Killed(Exception):
    """The process is gone."""


class Fragile(EngineStore):
    """Dies at random in a commit: before it, or after it is on disk."""

    def __init__(self, database: Database, draw: random.Random | None) -> None:
        super().__init__(database)
        self._draw = draw

    def commit(
        self,
        cursor: int,
        events: Sequence[AlarmEvent],
        messages: Sequence[Message],
        snapshot: bytes | None = None,
        **more: Any,
    ) -> None:
        dies = self._draw.random() if self._draw else 1.0
        if dies < 0.2:
            raise Killed
        super().commit(cursor, events, messages, snapshot, **more)
        if dies < 0.4:
            raise Killed


def write_journal(
    path: Path, configuration: PlantConfiguration, draw: random.Random, *, apart: int = 3 * SECOND
) -> tuple[Paced, list[int]]:
    """Readings that raise many alarms, some late, some backfilled, now and then after a step of the clock.

    Returns with it when each entry arrived, by a clock that was never set: at most `apart` (ns) after the one before.
    """
    journal, arrived = Paced(path), []
    points = [point.index for point in configuration.plants[PLANT].points]
    received, clock = START, 0
    level = dict.fromkeys(points, 5.0)
    for number in range(ENTRIES):
        step = draw.choice((-1, 1)) * draw.randint(1, 10**6) * SECOND if number and draw.random() < 0.02 else 0
        clock += step
        received += draw.randint(1, apart)
        arrived.append(received)
        rows = []
        for point in draw.sample(points, draw.randint(1, len(points))):
            level[point] = draw.choice((5.0, level[point], 30.0, 170.0, float("nan")))
            behind = draw.choice((0, 0, 0, 0, 40, 300)) * SECOND
            rows.append((point, received - behind - draw.randint(0, SECOND), level[point], 64 if behind == 300 else 0))
        index, time, value, flags = (np.array(column) for column in zip(*rows, strict=True))
        flags = np.where(np.isnan(value), flags | Flag.NO_VALUE, flags).astype(np.uint16)
        batch = Batch(index.astype(np.int32), time, value, flags, np.full(len(rows), received + clock))
        journal.append(Commit(batch, len(rows), step=step))
    return journal, arrived


class Paced(Journal):
    """A journal of which nothing after `stop` is read: a cycle ends there in every run."""

    stop = 0

    def read(self, after: int, limit: int) -> list[Entry]:
        """Entries up to `stop`."""
        return [entry for entry in super().read(after, limit) if entry.id <= self.stop]


class Run:
    """Engines one after the other on one journal and one state database."""

    def __init__(
        self, folder: Path, journal: Paced, configuration: PlantConfiguration, draw: random.Random | None
    ) -> None:
        folder.mkdir()
        self.database = migrated.opened(folder / "state.db")
        self.journal, self.configuration, self.draw = journal, configuration, draw
        self.clock = Clock(START)
        self.clock.set_by = journal.steps(0)
        self.deaths = 0
        self.engine = self._fresh()

    def _fresh(self) -> Engine:
        terms = Policy(lambda kind, _plant, _level: ("inspector",) if kind == "alarm" else ())
        config = EngineConfig(snapshot_every_s=1e-9 if self.draw and self.draw.random() < 0.3 else 3600)
        store = Fragile(self.database, self.draw)
        return Engine(
            self.journal, store, AlarmStore(self.database), self.configuration, terms, config,
            on_commit=lambda _posted: None, on_failure=lambda _error: None,
            wall=self.clock.wall, steady=self.clock.steady,
        )  # fmt: skip

    def judge(self, until: int) -> None:
        """Judge the journal up to that entry, then acknowledge whatever waits for it; anew after every death."""
        while True:
            try:
                if self.deaths or not self.engine.cursor:
                    self.engine.begin()
                while self.engine.cursor < until:
                    self.engine.process(self.draw.randint(1, 60) if self.draw else 25)
                waiting = [a for a in self.engine.engine_state.alarms.values() if a.acked is None]
                for alarm in sorted(waiting, key=lambda alarm: alarm.id):
                    self.engine.submit(Acknowledge(alarm.id, Person("op", "operator")))
                self.engine.process()
            except Killed:
                self.deaths += 1
                self.engine = self._fresh()
            else:
                return

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """All rows of events and messages."""
        return {
            table.name: self.database.rows(sa.select(table).order_by(*table.primary_key))
            for table in (t.alarm, t.alarm_event, t.audit, t.outbox)
        }


@pytest.mark.parametrize("seed", [1, 2])
def test_a_crash_at_any_commit_changes_neither_state_nor_messages(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  the same deaths every time
    path = tmp_path / "journal.db"
    configuration = small_configuration(tmp_path, Journal(path).number_points, LATCHED)
    journal, arrived = write_journal(path, configuration, draw)
    whole, broken = (
        Run(tmp_path / name, journal, configuration, of) for name, of in (("whole", None), ("broken", draw))
    )
    for stop in range(40, ENTRIES + 1, 40):
        journal.stop = stop
        for run in (whole, broken):
            run.clock.time = arrived[stop - 1] + SECOND
            run.judge(stop)
        assert whole.engine.engine_state.dump() == broken.engine.engine_state.dump()
        assert whole.tables() == broken.tables()
    assert whole.deaths == 0
    assert broken.deaths >= 25
    alarms = whole.tables()["alarm"]
    assert len(alarms) > 40
    assert any(alarm["historical"] for alarm in alarms)
    assert any(alarm["acked"] for alarm in alarms)
    assert not any(alarm["rule"] == "SILENT" for alarm in alarms), "silence follows the clock and is not compared"


@pytest.mark.parametrize("seed", [3])
def test_at_whatever_pace_the_engine_works_state_and_messages_are_the_same(tmp_path: Path, seed: int) -> None:
    """Entry by entry, or all that came within 20, 50 or 500 ms together."""
    draw = random.Random(seed)  # noqa: S311  the same journal every time
    path = tmp_path / "journal.db"
    configuration = small_configuration(tmp_path, Journal(path).number_points, LATCHED)
    journal, arrived = write_journal(path, configuration, draw, apart=SECOND // 10)
    known, committed, cycles = [], [], []
    for pace_ms in (0, 20, 50, 500):
        run = Run(tmp_path / f"{pace_ms} ms", journal, configuration, None)
        pace = pace_ms * SECOND // 1000 or 1
        ends = sorted({-(-moment // pace) * pace for moment in arrived})
        journal.stop = 0
        run.engine.begin()
        for end in ends:
            run.clock.time, journal.stop = end, bisect_right(arrived, end)
            run.engine.process()
        run.clock.time = arrived[-1] + SECOND
        run.engine.process()
        known.append(run.engine.engine_state.dump())
        committed.append(run.tables())
        cycles.append(len(ends))
    assert cycles[0] > cycles[1] > 2 * cycles[3], "else nothing was compared"
    assert known == [known[0]] * 4
    assert committed == [committed[0]] * 4
    assert len(committed[0]["alarm_event"]) > 60
