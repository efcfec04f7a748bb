"""The running service for the API: newest readings, health, commands, metrics and waiting for new events."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from detectors.calibration import Spending
from detectors.detector import Reason
from ingest.base.build import version
from ingest.domain.model.budget import RuleBudget
from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import Rule
from ingest.domain.model.warning import Fact
from ingest.engine.commands import Command
from ingest.engine.engine import Engine
from ingest.engine.engine_state import EngineState
from ingest.intake.intake import Intake
from ingest.intake.sources.source import Source
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.in_force import HeldBack, PlantFiles
from ingest.plants.view import Latest, PlantView
from ingest.runtime.settings.certificates import CertificateMonitor
from ingest.services.ports import Health
from ingest.storage.history.bounded_reads import BoundedReads
from ingest.storage.history.writer import HistoryWriter
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.reserve import DiskGuard, DiskState
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.warning_store import WarningStore

T = TypeVar("T")

_ANSWER_S = 5.0
_REFRESH_S = 1.0


class CommitNotifier:
    """Lets coroutines wait until a thread reports a commit."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._awaited = False

    def notify(self) -> None:
        """Wake all waiting coroutines. From any thread, after the commit."""
        if self._awaited:  # else the loop sleeps on
            self._loop.call_soon_threadsafe(self._wake)

    def next(self) -> asyncio.Event:
        """Return the event that is set at the next commit: of one that came before, a query knows from now on."""
        self._awaited = True
        return self._event

    def _wake(self) -> None:
        self._awaited = False
        self._event.set()
        self._event = asyncio.Event()


class ServiceMetrics(Collector):
    """Collects gauges from the running parts at each scrape."""

    def __init__(
        self,
        engine: Engine,
        source: Source,
        writer: HistoryWriter,
        deliveries: Callable[[], Iterator[GaugeMetricFamily]],
        intake: Intake,
        journal: Journal,
        guard: DiskGuard,
        load: AlarmLoad,
        files: PlantFiles,
        certificates: CertificateMonitor,
        registers: Callable[[], Iterator[GaugeMetricFamily]],
        refused: Sequence[Fault] = (),
    ) -> None:
        """Collect from these parts.

        `deliveries`: gauges of the outbox; `registers`: of the closed loop; `refused`: faults of settings that are off.
        """
        self._refused = refused
        self._files = files
        self._certificates = certificates
        self._registers = registers
        self._engine = engine
        self._source = source
        self._writer = writer
        self._deliveries = deliveries
        self._intake = intake
        self._journal = journal
        self._guard = guard
        self._load = load

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges of all parts and queues."""
        build = GaugeMetricFamily("yujing_build_info", "1; the label says which version runs", labels=["version"])
        build.add_metric([version()], 1.0)
        yield build
        yield GaugeMetricFamily(
            "yujing_broker_connected", "1 while the broker has accepted us", value=float(self._source.connected)
        )
        yield GaugeMetricFamily(
            "yujing_engine_idle_seconds",
            "Since the engine last ended a turn",
            value=time.monotonic() - self._engine.progressed,
        )
        yield GaugeMetricFamily(
            "yujing_intake_idle_seconds",
            "Since intake last looked for messages",
            value=time.monotonic() - self._intake.progressed,
        )
        yield GaugeMetricFamily("yujing_disk_free_bytes", "On the fullest disk", value=self._guard.free_mb() * 2**20)
        yield GaugeMetricFamily("yujing_disk_state", "0 ok, 1 low, 2 full: intake waits", value=self._guard.state())
        yield GaugeMetricFamily(
            "yujing_journal_entries_damaged", "Found since the start", value=self._journal.damaged()
        )
        yield GaugeMetricFamily(
            "yujing_settings_refused", "Faults of parts of the settings that are off", value=len(self._refused)
        )
        yield GaugeMetricFamily("yujing_plant_files_refused", "They have faults", value=len(self._files.refused))
        yield GaugeMetricFamily(
            "yujing_plants_unwatched",
            "Their files have faults, and no good one is kept",
            value=len(self._files.unwatched),
        )
        days = GaugeMetricFamily(
            "yujing_certificate_days_left",
            "Whole days until it ends, negative those since, by the setting that names it",
            labels=["key"],
        )
        for key, left in self._certificates.days_left().items():
            days.add_metric([key], left)
        yield days
        entries = GaugeMetricFamily("yujing_journal_entries_waiting", "Not yet read, by reader", labels=["reader"])
        entries.add_metric(["engine"], self._engine.lag())
        entries.add_metric(["history"], self._writer.lag()[0])
        yield entries
        yield GaugeMetricFamily(
            "yujing_backfill_readings_waiting",
            "On disk, and not judged before what is live",
            value=self._journal.waiting(),
        )
        warnings = GaugeMetricFamily("yujing_warnings_open", "Plants with an open warning", labels=["colour"])
        for colour, count in self._engine.engine_state.warnings.open_colours().items():
            warnings.add_metric([str(colour)], count)
        yield warnings
        not_evaluated = self._engine.engine_state.bank.not_evaluated(time.time_ns())
        counts = np.bincount(not_evaluated.reason, minlength=max(Reason) + 1)
        rules = GaugeMetricFamily("yujing_rules_not_evaluated", "Rules that say nothing now, by why", labels=["reason"])
        for reason in Reason:
            rules.add_metric([reason.name.lower()], int(counts[reason]))
        yield rules
        yield from self._registers()
        with suppress(StateUnavailable):  # all other gauges were yielded before
            yield from self._deliveries()
            yield from alarm_gauges(self._load, time.time_ns())


def alarm_gauges(load: AlarmLoad, now: int) -> Iterator[GaugeMetricFamily]:
    """Yield the gauges of each operator position's load."""
    present = load.present(load.positions(), now)
    outstanding = GaugeMetricFamily("yujing_alarms_standing", "Standing alarms", labels=["position", "level"])
    for position, position_load in present.items():
        for level, count in position_load.levels.items():
            outstanding.add_metric([position, str(level)], count)
    yield outstanding
    for name, text, value in (
        ("yujing_alarms_unacknowledged", "Standing alarms nobody has seen", lambda of: of.unacknowledged),
        ("yujing_alarms_stale", "Alarms that stand for too long", lambda of: of.stale),
        ("yujing_alarms_hidden", "Alarms shelved, suppressed or out of service", lambda of: of.hidden),
        ("yujing_alarms_chattering", "Rules raised too often, in the last 10 min", lambda of: of.chattering),
        ("yujing_alarms_raised_10min", "Times an alarm called in the last 10 min", lambda of: of.raised),
        ("yujing_alarms_flood", "1 while alarms come faster than a person follows", lambda of: float(of.flood)),
    ):
        gauge = GaugeMetricFamily(name, text, labels=["position"])
        for position, position_load in present.items():
            gauge.add_metric([position], value(position_load))
        yield gauge


class NotEvaluatedRules:
    """Why rules are not evaluated, with the budgets; refreshed at most once a second, as that scans every rule."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()  # pages are drawn on several threads
        self._memory: EngineState | None = None
        self._reasons: NDArray[np.int64] = np.empty(0, np.int64)  # by the rule's number in the memory's configuration
        self._budgets: Mapping[int, RuleBudget] = {}  # by the rule's number
        self._due = 0.0

    def budgets(self, rules: Sequence[Rule]) -> Mapping[str, RuleBudget]:
        """Return the budgets of those of a point's rules that have one, by code."""
        with self._lock:
            self._refresh()
            found = {rule.code: self._budgets.get(self._number(rule)) for rule in rules}
        return {code: budget for code, budget in found.items() if budget is not None}

    def by_rule(self, rules: Sequence[Rule]) -> Mapping[str, Reason]:
        """Return those of a point's rules that are not evaluated, by code."""
        with self._lock:
            self._refresh()
            found = {rule.code: self._reason(rule) for rule in rules}
        return {code: Reason(reason) for code, reason in found.items() if reason}

    def _number(self, rule: Rule) -> int:
        return self._memory.configuration.number(rule) if self._memory is not None else -1

    def _reason(self, rule: Rule) -> int:
        number = self._number(rule)
        return int(self._reasons[number]) if number >= 0 else 0

    def _refresh(self) -> None:
        # The engine replaces its state and its configuration one after the other: only the state's own configuration
        # numbers the rules as the state does.
        engine_state = self._engine.engine_state
        if engine_state is self._memory and time.monotonic() < self._due:
            return
        found = engine_state.bank.not_evaluated(time.time_ns())
        self._reasons = np.zeros(len(engine_state.configuration.rules), np.int64)
        self._reasons[found.rule] = found.reason
        self._budgets = _budgets(engine_state.bank.spending())
        self._memory, self._due = engine_state, time.monotonic() + _REFRESH_S


def _budgets(spending: Spending) -> dict[int, RuleBudget]:
    """Return the budget of each rule that has one, by its number."""
    columns = (spending.rule, spending.budget, spending.spent, spending.expected, spending.needed_s, spending.limit)
    return {
        rule: RuleBudget(budget, spent, expected, needed_s, limit if math.isfinite(limit) else None)
        for rule, budget, spent, expected, needed_s, limit in zip(*(c.tolist() for c in columns), strict=True)
    }


class LiveService:
    """Implements `ingest.services.ports.Live`."""

    def __init__(
        self,
        engine: Engine,
        source: Source,
        writer: HistoryWriter,
        alarms: AlarmStore,
        warnings: WarningStore,
        news: CommitNotifier,
        progress: Callable[[], Mapping[str, str]],
        guard: DiskGuard,
        files: PlantFiles,
        reads: BoundedReads,
    ) -> None:
        """`progress`: part -> "ok" or what is wrong; `reads`: reads the history."""
        self._engine = engine
        self._source = source
        self._writer = writer
        self._alarms = alarms
        self._warnings = warnings
        self._news = news
        self._progress = progress
        self._guard = guard
        self._files = files
        self._reads = reads
        self._evaluation = NotEvaluatedRules(engine)

    def configuration(self) -> PlantConfiguration:
        """Return the configuration in force."""
        return self._engine.configuration

    def latest(self, index: int) -> Latest:
        """Return the newest reading of a point by configuration index."""
        return self._engine.engine_state.latest(index, time.time_ns())

    def view(self) -> PlantView:
        """Return a view of the plants' present state."""
        return self._engine.engine_state.view(time.time_ns())

    def not_evaluated(self, rules: Sequence[Rule]) -> Mapping[str, Reason]:
        """Return the reason by rule code for those of a point's rules that cannot be evaluated now."""
        return self._evaluation.by_rule(rules)

    def budgets(self, rules: Sequence[Rule]) -> Mapping[str, RuleBudget]:
        """Return the budgets of findings of those of a point's rules that have one, by rule code."""
        return self._evaluation.budgets(rules)

    def health(self) -> Health:
        """Return the health of every part."""
        behind, history = self._writer.lag()
        disk = self._guard.state()
        parts = {
            "broker": self._source.trouble or "ok",
            **self._progress(),
            "disk": "ok",
            "plants": "ok",
        }
        if self._engine.trouble is not None:
            waiting = f"{self._engine.lag()} journal entries wait"
            parts["engine"] = f"nothing is judged until the state database answers ({waiting}): {self._engine.trouble}"
        if history is not None:
            parts["history"] = f"{history} ({behind} journal entries wait)"
        elif refusing := self._writer.refusing():
            parts["history"] = f"it refuses all it is sent, which is kept in quarantine: {refusing}"
        elif (away_s := self._reads.suspended_s) is not None:
            parts["history"] = f"trends are missing, it answered no query for {away_s:.0f} s: history_query_failed"
        if disk is not DiskState.OK:
            parts["disk"] = f"{disk.name.lower()}: {self._guard.free_mb():.0f} MiB free; nothing is taken in"
        if refused := len(self._files.refused):
            unwatched = len(self._files.unwatched)
            parts["plants"] = f"{refused} plant files refused, {unwatched} plants not watched: /api/v1/plant-files"
        return Health(all(text == "ok" for text in parts.values()), parts)

    def not_judging(self) -> str | None:
        """Return why nothing is judged at present: the state database's error; None: it answers."""
        return self._engine.trouble

    def history_refuses(self) -> str | None:
        """Return why the history refuses everything written, in its own words; None: it accepts."""
        return self._writer.refusing()

    def held_back(self) -> Sequence[HeldBack]:
        """Return the plant files whose present version is not in force."""
        return self._files.held

    async def order(self, command: Command[T]) -> T:
        """Submit a command to the engine and await its result; see `ingest.services.ports.Live`."""
        answer = self._engine.submit(command)
        async with asyncio.timeout(_ANSWER_S):
            return await asyncio.wrap_future(answer)

    def facts(self, plant: str) -> Sequence[Fact]:
        """Return the facts of a plant that count for warnings and risk."""
        episodes = self._engine.engine_state.warnings.by_plant.get(plant)
        return list(episodes.facts.values()) if episodes is not None else []

    def fall_after(self) -> int:
        """Return how long a lower colour of a warning must hold before the higher one falls, ns."""
        return self._engine.engine_state.warnings.fall_after

    async def wait_event(self, seq: int, timeout_s: float) -> None:
        """Return as soon as an alarm event newer than `seq` may be committed, or after the timeout."""
        await self._wait(self._alarms.last_event, seq, timeout_s)

    async def wait_warning(self, seq: int, timeout_s: float) -> None:
        """Return as soon as a warning's event newer than `seq` may be committed, or after the timeout."""
        await self._wait(self._warnings.last_warning, seq, timeout_s)

    async def _wait(self, last: Callable[[], int], seq: int, timeout_s: float) -> None:
        news = self._news.next()  # before the query, so that none is missed between query and wait
        if await asyncio.to_thread(last) > seq:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await news.wait()
        except TimeoutError:
            return
