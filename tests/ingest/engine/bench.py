"""An engine on real files, to be fed, stopped and started again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import sqlalchemy as sa

from ingest.domain.model.alarm import Alarm, AlarmFilter
from ingest.domain.model.batch import Batch
from ingest.engine.commands import Person
from ingest.engine.engine import Engine, EngineConfig
from ingest.engine.order import Policy
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.state import tables as t
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.outbox_store import OutboxStore
from tests import migrated
from tests.small_plant import PLANT, TEXT, small_configuration

SECOND = 10**9
PATIENCE_S = 60.0
OPERATOR, INSPECTOR = Person("张三", "operator"), Person("李监察", "inspector")


class SettableClock(Protocol):
    """A clock of the test's own, ns."""

    def wall(self) -> int: ...
    def steady(self) -> int: ...


def begun(
    clock: SettableClock, journal: Journal, database: Database, configuration: PlantConfiguration, terms: Policy
) -> Engine:
    """A fresh engine on these files, as after a crash, that uses that clock and is driven cycle by cycle."""
    engine = Engine(
        journal, EngineStore(database), AlarmStore(database), configuration, terms, EngineConfig(),
        on_commit=lambda _posted: None, on_failure=lambda _error: None, wall=clock.wall, steady=clock.steady,
    )  # fmt: skip
    engine.begin()
    return engine


class Bench:
    """An engine on a real journal and a real state database."""

    def __init__(self, folder: Path, text: str = TEXT, state: StateConfig | None = None) -> None:
        self.folder = folder
        self.journal = Journal(folder / "journal.db")
        self.database = Database(state) if state else migrated.opened(folder / "state.db")
        self.alarms, self.outbox = AlarmStore(self.database), OutboxStore(self.database)
        self.store = EngineStore(self.database)
        self.failures: list[BaseException] = []
        self.t0 = time.time_ns() - 3600 * SECOND
        self.engine = self.build(small_configuration(folder, self.journal.number_points, text))

    def build(self, configuration: PlantConfiguration, snapshot_every_s: float = 3600) -> Engine:
        """A fresh engine on the same files, as after a restart."""
        terms = Policy(
            lambda kind, _plant, _level: ("inspector",) if kind == "alarm" else ("platform",), 10**7 * SECOND
        )
        config = EngineConfig(tick_s=0.01, snapshot_every_s=snapshot_every_s)
        return Engine(
            self.journal, self.store, self.alarms, configuration, terms, config,
            on_commit=lambda _posted: None, on_failure=self.failures.append,
        )  # fmt: skip

    def send(self, point: str, values: Sequence[float], start_s: int = 0) -> None:
        """Journal readings of a point, one a second."""
        known = self.engine.configuration.find(PLANT, point)
        assert known is not None
        n = len(values)
        at = self.t0 + (np.arange(n) + start_s) * SECOND
        batch = Batch(np.full(n, known.index, np.int32), at, np.array(values, float), np.zeros(n, np.uint16), at)
        self.journal.append(Commit(batch, n))

    def settle(self) -> None:
        """Wait until everything journaled is committed."""
        deadline = time.monotonic() + PATIENCE_S
        while self.engine.cursor < self.journal.last():
            assert not self.failures, self.failures
            assert time.monotonic() < deadline, "the engine does not get on"
            time.sleep(0.005)

    def restart(self, *, clean: bool = True) -> None:
        """Stop and start; not clean = what the engine had not committed on its own is gone."""
        state = self.store.load()
        assert self.engine.stop(PATIENCE_S)
        if not clean:
            self.store.commit(state.cursor, [], [], None)
            with self.database.write() as connection:
                former = {"snapshot_cursor": state.snapshot_cursor, "snapshot": state.snapshot}
                connection.execute(sa.update(t.engine_state), former)
        self.engine = self.build(self.engine.configuration)
        self.engine.start()

    def found(self) -> list[Alarm]:
        """Every alarm, oldest first."""
        return self.alarms.alarms(AlarmFilter(), limit=1000)[::-1]
