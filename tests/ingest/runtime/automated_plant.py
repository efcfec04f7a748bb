"""A plant over days and years: engine and an automation of the closed loop on real files, by a settable clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from ingest.domain.cases.days import begins, day_of
from ingest.domain.cases.hazard import Hazard, HazardFilter, HazardState
from ingest.domain.cases.hazard_steps import Close, Grade, HazardStep
from ingest.domain.cases.verbs import Form, VerbTable, advance
from ingest.domain.model.alarm import Alarm, AlarmFilter
from ingest.domain.model.audit import ActRole
from ingest.domain.model.batch import Batch
from ingest.engine.commands import Command
from ingest.engine.order import Policy
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.database import Database
from tests.ingest.engine.bench import begun
from tests.ingest.engine.clock import Clock

SECOND = 10**9
HOUR = 3600 * SECOND
DAY = 24 * HOUR


class Automation(Protocol):
    """What reads the records, passes on readings and opens hazards."""

    async def run_once(self) -> None: ...


A = TypeVar("A", bound=Automation)


class AutomatedPlant(Generic[A]):
    """Subclasses define the plant and its automation."""

    def __init__(self, folder: Path, database: Database, text: str, start: dt.date) -> None:
        """`text`: the plant file. It begins at nine in the morning of `start`."""
        self.folder, self.database = folder, database
        self.clock = Clock(begins(start) + 9 * HOUR)
        self.journal = Journal(folder / "journal.db")
        self.alarms = AlarmStore(database)
        self.observed = 0
        self.configuration = self.written(text)
        self.restart()

    def written(self, text: str) -> PlantConfiguration:
        """Return the plant file, compiled."""
        raise NotImplementedError

    def automated(self) -> tuple[CaseStore, A]:
        """Return store and automation as after a start."""
        raise NotImplementedError

    def restart(self) -> None:
        """As after a crash: nothing is remembered but what is on disk."""
        self.engine = begun(self.clock, self.journal, self.database, self.configuration, Policy())
        self.store, self.automation = self.automated()

    def observe(self, values: Sequence[tuple[int, float]]) -> None:
        """As intake does it: the values pass through the journal."""
        self.observed += len(values)
        n, now = len(values), self.clock.wall()
        index, value = np.array([point for point, _ in values], np.int32), np.array([value for _, value in values])
        at = np.full(n, now)
        self.journal.append(Commit(Batch(index, at, value, np.zeros(n, np.uint16), at), n))

    async def run_automations(self) -> None:
        """The automation runs, and the engine evaluates what it passed on."""
        await self.automation.run_once()
        self.clock.time += SECOND
        self.engine.process()

    @property
    def today(self) -> dt.date:
        """The plant's day."""
        return day_of(self.clock.wall())

    def submit(self, command: Command[Any]) -> Any:
        """Something is asked of the engine, and done."""
        answer: Future[Any] = self.engine.submit(command)
        self.engine.process()
        return answer.result(0)

    def step(self, hazard: Hazard, form: Form[Any]) -> Hazard:
        """Somebody takes a step of a hazard."""
        authority = isinstance(form, (Grade, Close))
        self.take(HazardStep, hazard, form, "局" if authority else "李工", "inspector" if authority else "operator")
        found = self.store.hazard(hazard.id)
        assert found is not None
        return found

    def take(self, table: type[VerbTable], record: Any, form: Form[Any], by: str, role: ActRole) -> None:
        """Somebody takes a step of a record."""
        now = self.clock.wall()
        after = advance(table, record, form, by=by, role=role, time=now)
        self.store.commit(added=table.history(after, form, by, role, now), saved=[after])

    def active(self, point: str) -> list[Alarm]:
        """The alarms of a point that are active."""
        return [alarm for alarm in self.alarms.alarms(AlarmFilter(point=point), limit=99) if alarm.active]

    def hazards(self, state: HazardState | None = None) -> list[Hazard]:
        """Those that rules opened, newest first."""
        which = HazardFilter(states=frozenset({state}) if state else None)
        return self.store.hazards(which, limit=99)
