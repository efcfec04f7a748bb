"""An engine with warnings on real files, driven second by second with a clock that can be set."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import numpy as np

from ingest.domain.model.batch import Batch
from ingest.domain.model.warning import EarlyWarning, Step, WarningEvent, WarningFilter
from ingest.domain.warnings.config import DutyConfig, WarningsConfig
from ingest.engine.commands import Command, Person
from ingest.engine.engine import Engine
from ingest.engine.order import Policy
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.outbox_store import OutboxStore
from ingest.storage.state.warning_store import WarningStore
from tests import migrated
from tests.ingest.engine.bench import begun
from tests.ingest.engine.clock import Clock
from tests.small_plant import PLANT, TEXT, small_configuration

T = TypeVar("T")

SECOND = 10**9
START = 1_763_884_800 * SECOND
CALM = {"CO-01": 5.0, "CO-02": 5.0}
LOW = {"CO-01": 30.0, "CO-02": 5.0}
HIGH = {"CO-01": 170.0, "CO-02": 5.0}
OPERATOR, INSPECTOR = Person("中控室", "operator"), Person("南安市应急管理局", "inspector")
DUTY = tuple(DutyConfig(step=step, name=f"{step} office") for step in (Step.ENTERPRISE, Step.COUNTY, Step.PROVINCE))
QUIET = TEXT.replace(
    'disabled_rules = ["STUCK"]', 'disabled_rules = ["STUCK", "FORECAST", "NEIGHBOUR", "PINNED", "PINNED_HH"]'
)


class Bench:
    """The small plant with early warnings; time passes only when the test says so."""

    def __init__(self, folder: Path, text: str = QUIET, config: WarningsConfig | None = None) -> None:
        self.clock = Clock(START)
        self.journal = Journal(folder / "journal.db")
        self.database = migrated.opened(folder / "state.db")
        self.configuration = small_configuration(folder, self.journal.number_points, text)
        self.config = config or WarningsConfig(duty=DUTY)
        self.book, self.alarms = WarningStore(self.database), AlarmStore(self.database)
        self.outbox, self.audit = OutboxStore(self.database), AuditStore(self.database.rows)
        self.pending = 0
        self.engine = self.start()

    def start(self) -> Engine:
        """A fresh engine on the same files, as after a crash."""
        terms = Policy(
            lambda kind, _plant, _level: ("town",) if kind == "alarm" else (),
            warnings=self.config.policy(),
            warned=lambda _warning: ("inspector",),
        )
        self.engine = begun(self.clock, self.journal, self.database, self.configuration, terms)
        return self.engine

    def set_clock(self, seconds: int) -> None:
        """Somebody sets the service's clock; the next entry of the journal records it."""
        self.clock.set_by += seconds * SECOND
        self.pending += seconds * SECOND

    def read(self, values: Mapping[str, float], flags: int = 0) -> None:
        """A second goes by, readings with these flags arrive and are judged."""
        self.clock.time += SECOND
        points = [self.configuration.find(PLANT, name) for name in values]
        n = len(points)
        index = np.array([point.index for point in points if point is not None], np.int32)
        time, received = np.full(n, self.clock.time), np.full(n, self.clock.wall())
        batch = Batch(index, time, np.array([*values.values()], float), np.full(n, flags, np.uint16), received)
        self.journal.append(Commit(batch, n, step=self.pending))
        self.pending = 0
        self.engine.process()

    def wait(self, seconds: float, *, engine_runs: bool = True) -> None:
        """Nothing arrives for a while; without `engine_runs` the engine has no cycle meanwhile."""
        left = int(seconds * SECOND)
        while engine_runs and left > 0:
            self.clock.time += min(left, 9 * SECOND)
            left -= 9 * SECOND
            self.engine.process()
        self.clock.time += max(left, 0)

    def submit(self, command: Command[T]) -> Future[T]:
        """Something is asked of the engine, and done."""
        answer = self.engine.submit(command)
        self.engine.process()
        return answer

    def warnings(self) -> list[EarlyWarning]:
        """Every warning, oldest first."""
        return self.book.warnings(WarningFilter(), limit=100)[::-1]

    def events(self) -> list[WarningEvent]:
        """Every event so far."""
        return self.book.warnings_after(0, limit=1000)

    def history(self) -> list[tuple[str, float]]:
        """What happened, and how many seconds after the start."""
        return [(str(event.kind), (event.time - START) / SECOND) for event in self.events()]

    def close(self) -> None:
        """Close the files."""
        self.journal.close()
        self.database.close()
