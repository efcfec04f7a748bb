"""The composition root: builds every part, starts them from engine to source, stops them from source to engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final

from ingest.base import build
from ingest.base.telemetry import REGISTRY, Event, emit
from ingest.delivery.config import open_connectors
from ingest.delivery.sender import OutboxSender
from ingest.domain.model.outbox import Message
from ingest.engine.engine import Engine
from ingest.intake.sources.clock import Clock
from ingest.plants.file_watcher import configurations
from ingest.runtime.audit_trail import Recorder, audit_folder, of_plant_file, settle_trail, spool_folder
from ingest.runtime.automations import build_automations
from ingest.runtime.call_automation import CallAutomation, build_desk
from ingest.runtime.case_books import open_case_books
from ingest.runtime.counters import expose_counters
from ingest.runtime.engine_policy import engine_policy
from ingest.runtime.failure import Failure
from ingest.runtime.garbage_collection import settle_heap
from ingest.runtime.heap import keep_trimmed, share_heap
from ingest.runtime.history_flags import HistoryFlags
from ingest.runtime.live import CommitNotifier, LiveService, ServiceMetrics
from ingest.runtime.maintenance import (
    check_files,
    every_second,
    name_orphans,
    pack,
    require_same_moment,
    trim,
    trim_events,
    trim_outbox,
)
from ingest.runtime.monitored_parts import monitored_parts
from ingest.runtime.opening import first_configuration, next_configuration, open_data, open_history, plant_files
from ingest.runtime.outbox_gauges import OutboxGauges
from ingest.runtime.receiving import receiving
from ingest.runtime.refused_settings import Refusals, recheck_refused
from ingest.runtime.resources import require_memory
from ingest.runtime.self_monitoring import SelfMonitor, probes
from ingest.runtime.serving import ServedApi, ports_of
from ingest.runtime.settings import InForce, Settings
from ingest.runtime.settings.certificates import CertificateMonitor
from ingest.runtime.supervisor import Supervisor
from ingest.runtime.watchdog import Watchdog
from ingest.storage.history.bounded_reads import BoundedReads
from ingest.storage.history.slots import SlotCarrier
from ingest.storage.history.writer import HistoryWriter
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.audit_heads import AuditHeads
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.event_retention import EventRetention
from ingest.storage.state.installation import InstallationStore
from ingest.storage.state.outbox_store import OutboxStore
from ingest.storage.state.warning_store import WarningStore

_STOP_S: Final = 1.5
"""Time each thread has to finish its present work; all of it is on disk or repeated after the next start."""


@dataclass(frozen=True, slots=True)
class ServiceStarted(Event):
    """Every part runs."""

    version: str
    url: str
    plants: int
    points: int


@dataclass(frozen=True, slots=True)
class ServiceStopped(Event):
    """Every part has stopped."""

    cursor: int


class Service:
    """The running service. Build it inside a running event loop, then await `run`."""

    def __init__(self, in_force: InForce, *, new: bool = False) -> None:
        """Open files and read secrets; connect to nothing yet. If that fails, everything opened so far is closed.

        Args:
            in_force: the settings in force.
            new: whether missing data may be created.

        Raises:
            DataMissing: data of this installation is not where the settings say.
            InvalidConfig: no plant can be monitored.
            JournalUnavailable, JournalBroken, StateUnavailable, StateBroken: a file cannot be opened.
            StateAway: the server of the state database does not answer.
            HistoryUnavailable: neither can the history, at a first start.
            NotEnoughMemory: the process may not have the memory for so many points.
            CannotListen: the API's address is taken, at a first start.
        """
        with ExitStack() as opened:
            self._build(in_force, opened, new=new)
            self._opened = opened.pop_all()

    def _build(self, in_force: InForce, opened: ExitStack, *, new: bool) -> None:
        """Build every part; `opened` closes what each of them holds, the newest first."""
        self._in_force, settings = in_force, in_force.settings
        share_heap()  # before the first thread begins: a history in DuckDB has some of its own
        loop = asyncio.get_running_loop()
        self._failure = Failure()
        self.guard, self.journal, self._database = open_data(settings, opened, new=new)
        self.alarms, self.outbox = AlarmStore(self._database), OutboxStore(self._database)
        self.warnings = WarningStore(self._database)
        heads = AuditHeads(audit_folder(settings))
        self._trail = AuditStore(self._database.rows, heads.all)
        self._recorder = Recorder(self._database, spool_folder(settings))
        self._check_files = partial(check_files, self.guard, self.journal, self._failure.report)
        self._settle_trail = partial(settle_trail, self._recorder, self._trail, heads)
        self.files = plant_files(settings, lambda *file: self._recorder.note(of_plant_file(time.time_ns(), *file)))
        self._configurations = configurations(
            settings.plants, partial(next_configuration, self.files, self.journal), due=lambda: self.files.due
        )
        configuration = first_configuration(self.files, self.journal)
        require_memory(sum(len(plant.points) for plant in configuration.enterprises()))
        self.store = open_history(settings, new=new)
        opened.callback(self.store.close)
        self.refusals = Refusals(in_force.faults, in_force.held)
        self._sender = OutboxSender(
            self.outbox,
            open_connectors(settings.connectors, refused=self.refusals, waiting=in_force.waiting),
            escalate_after=settings.connectors.escalate_after,
        )
        news = CommitNotifier(loop)

        def committed(messages: Sequence[Message] | None) -> None:
            self._sender.wake(messages)
            news.notify()

        cases = open_case_books(self._database, settings.cases)
        policy = engine_policy(settings, self.refusals, self.outbox, cases.works.of)
        self._engine_store = EngineStore(self._database)
        require_same_moment(self.journal, self._engine_store)
        orphans = name_orphans(self.outbox, settings.connectors.names())
        self._deliveries = OutboxGauges(self._sender, self.outbox, [*settings.connectors.names(), *orphans])
        self.engine = Engine(
            self.journal,
            self._engine_store,
            self.alarms,
            configuration,
            policy,
            settings.engine,
            on_commit=committed,
            on_failure=self._failure.report,
            pace=settings.pace.cycles(),
        )
        self.load = AlarmLoad(
            self.alarms,
            settings.alarms,
            lambda: self.engine.configuration.plants,
            lambda: self.engine.configuration.renamed,
        )
        self._writer = HistoryWriter(
            self.store,
            self.journal,
            self.alarms,
            self.warnings,
            configuration=lambda: self.engine.configuration,
            add_flags=HistoryFlags(lambda: self.engine.engine_state),
            after_cycle=SlotCarrier(self.store, self.alarms, self.load),
            pace=settings.pace.writes(),
        )
        clock = Clock()
        self._source, self._intake = receiving(
            settings,
            self.journal,
            self.guard,
            lambda: self.engine.configuration,
            self._failure.report,
            caught_up=lambda: self.engine.lag() == 0,
            follow=self.engine.follow,
            clock=clock,
        )
        self._certificates = CertificateMonitor(settings, lambda: self._source.certificate, settings.source.address)
        probed = probes(
            self.journal,
            self.guard,
            self._database,
            clock,
            self._source,
            self._intake,
            self._writer,
            self.outbox,
            settings.connectors.names(),
            self.files,
            self.refusals.faults,
            self._certificates,
        )
        self._self_monitor = SelfMonitor(probed, lambda: self.engine.configuration, self._intake.observe)
        self._supervisor = Supervisor()
        parts = monitored_parts(self._intake, self.engine, self._writer, self.journal, self._sender)
        self._watchdog = Watchdog(parts, heartbeat=settings.log.heartbeat, supervisor=self._supervisor)
        reads = BoundedReads(self.store, settings.history.query_timeout_s)
        self.live = LiveService(
            self.engine,
            self._source,
            self._writer,
            self.alarms,
            self.warnings,
            news,
            self._part_states,
            self.guard,
            self.files,
            reads,
        )
        self._automations = build_automations(
            cases,
            self._database,
            self.alarms,
            self.warnings,
            self.engine,
            self.live,
            self._intake.observe,
            settings,
            self._sender.wake,
        )
        self.calls = build_desk(self._database, settings, lambda: self.engine.configuration, self._sender)
        self._call_automation = CallAutomation(
            self.calls,
            self.alarms,
            self.warnings,
            news.next,
            time.time_ns,
            lambda: self.engine.configuration.enterprises(),  # noqa: PLW0108  of the configuration in force then
            InstallationStore(self._database).read,
        )
        self.ports = ports_of(
            settings,
            self._database,
            self.live,
            alarms=self.alarms,
            warnings=self.warnings,
            audit=self._trail,
            history=reads,
            journal=self.journal,
            guard=self.guard,
            cases=cases,
            calls=self.calls,
            load=self.load,
            lanes=self._sender,
            record=self._recorder.note,
        )
        self._api = ServedApi(self.ports, settings, self.refusals, new=new)
        opened.callback(self._api.close)

    @property
    def url(self) -> str:
        """The console's address; none yet while that is taken by another process."""
        return self._api.url

    def history_lag(self) -> int:
        """Return the number of journal entries the history does not have yet."""
        return self._writer.lag()[0]

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set. Raises the error that ended a part of the service."""
        async with AsyncExitStack() as stack:
            stack.callback(self._opened.close)
            stack.callback(self._settle_trail)
            metrics = ServiceMetrics(
                self.engine,
                self._source,
                self._writer,
                self._deliveries,
                self._intake,
                self.journal,
                self.guard,
                self.load,
                self.files,
                self._certificates,
                lambda: chain(self._automations.gauges(), self._call_automation.gauges()),
                self.refusals.faults,
            )
            expose_counters(self._settings)
            REGISTRY.register(metrics)
            stack.callback(REGISTRY.unregister, metrics)
            threads = stack.enter_context(ExitStack())
            self._start(threads)
            self._in_force.keep()
            settle_heap()
            plants = self.engine.configuration.enterprises()
            points = sum(len(plant.points) for plant in plants)
            emit(ServiceStarted(build.version(), self.url, len(plants), points))
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._sender.run(), name="outbox")
                serving = group.create_task(self._api.serve(), name="api")
                background = [
                    group.create_task(self._follow_plant_files(), name="plants"),
                    group.create_task(
                        trim(self.journal, self._engine_store, self._settings.journal, self._recorder.note), name="trim"
                    ),
                    group.create_task(pack(self._engine_store), name="pack"),
                    group.create_task(trim_outbox(self.outbox, self._settings.connectors), name="trim-outbox"),
                    group.create_task(self._trim_events(), name="trim-events"),
                    group.create_task(keep_trimmed(), name="memory"),
                    group.create_task(recheck_refused(self._in_force, self.refusals), name="settings"),
                    group.create_task(every_second(self._check_files, self._settle_trail), name="every-second"),
                    group.create_task(self._watchdog.run(), name="watchdog"),
                    group.create_task(self._self_monitor.run(), name="selfwatch"),
                    group.create_task(self._automations.run(), name="automations"),
                    group.create_task(self._call_automation.run(), name="calls"),
                ]
                self._supervisor.ready(f"{self.url}, {len(plants)} plants, {points} points")
                await self._failure.awaited_beside(stop)
                self._supervisor.stopping()
                for task in background:
                    task.cancel()
                await asyncio.to_thread(threads.close)
                self._sender.stop()
                self._api.stop()
                await asyncio.gather(sending, serving)
        emit(ServiceStopped(self.engine.cursor))
        self._failure.reraise()

    async def _trim_events(self) -> None:
        alarms_d, warnings_d = self._settings.alarms.event_retention_d, self._settings.warnings.reason_retention_d
        await trim_events(EventRetention(self._database), self.alarms, alarms_d, warnings_d, self._recorder.note)

    def _part_states(self) -> dict[str, str]:
        """Return the state of parts by name: progress, state database, settings, deliveries."""
        return {
            **self._watchdog.state(),
            "state": self._database.trouble or "ok",
            "settings": str(self.refusals),
            "deliveries": "; ".join(f"{name}: {why}" for name, why in self._sender.down().items()) or "ok",
        }

    @property
    def _settings(self) -> Settings:
        return self._in_force.settings

    def _start(self, threads: ExitStack) -> None:
        """Start from the readers back to the source, so that nothing arrives before its consumer runs.

        `threads` stops those that were started, from the source on, so that each can finish its input.
        """
        self._writer.start()
        threads.callback(self._writer.stop, _STOP_S)
        self.engine.start()
        threads.callback(self.engine.stop, _STOP_S)
        self._intake.start()
        threads.callback(self._intake.stop, _STOP_S)
        self._source.start(self._intake.announce_all)
        threads.callback(self._source.stop)

    async def _follow_plant_files(self) -> None:
        async for configuration in self._configurations:
            self.engine.adopt(configuration)
            settle_heap()
