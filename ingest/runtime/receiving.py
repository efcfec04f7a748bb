"""Builds the parts that receive readings into the journal, and runs them alone while the state database is down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.intake.announcer import Announcer
from ingest.intake.intake import Intake
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.feed import Feed
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.registry import open_source
from ingest.intake.sources.shares import Shares
from ingest.intake.sources.source import Source
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime.opening import first_configuration, plant_files
from ingest.runtime.settings import Settings
from ingest.runtime.supervisor import Supervisor
from ingest.runtime.watchdog import Part, Watchdog
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.reserve import DiskGuard
from ingest.storage.state.errors import StateAway, StateUnavailable
from ingest.storage.state.read_only import engine_at

ASK_EVERY_S: Final = 2.0
REPORT_EVERY_S: Final = 60.0

STUCK_S: Final = 15.0
"""Intake, or the engine, that shows no progress for this long hangs."""

_STOP_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class StateAwaited(Event, level="error"):
    """The service was started while its state database is away: readings are taken in, and nothing is judged."""

    error: str
    entries: int  # in the journal so far
    expected: str = "a state database that answers: start its server, or mend [state] in the settings and restart"


@dataclass(frozen=True, slots=True)
class StateAnswers(Event):
    """The state database answers at last; what was taken in meanwhile is judged now."""

    entries: int


def receiving(
    settings: Settings,
    journal: Journal,
    guard: DiskGuard,
    configuration: Callable[[], PlantConfiguration],
    failed: Callable[[BaseException], None],
    *,
    caught_up: Callable[[], bool],
    follow: Callable[[bool], None] = lambda _at_once: None,
    clock: Clock,
) -> tuple[Source, Intake]:
    """Build the source, which receives from the broker, and intake, which writes the journal; neither is started.

    Args:
        settings: of the broker, of intake, and what a gateway may send.
        journal: where readings go.
        guard: tells whether the disk has room.
        configuration: the one in force.
        failed: called with the error that ends one of them.
        caught_up: as `Intake`.
        follow: as `Intake`.
        clock: the time of day of arrivals.
    """
    handover = Handover(4 * settings.source.most_unacknowledged)  # a restarted broker resends what still waits here
    shares = Shares(
        settings.intake.gateway_mb_per_s, settings.intake.gateway_burst_mb, lambda: configuration().gateways
    )
    known = bool(journal.gateways())
    feed = Feed(handover, clock, known, shares.admit, failed, settings.pace.reads())
    source = open_source(settings.source, feed)
    announcer = Announcer(source.announce, refuse=source.refuse)
    intake = Intake(
        handover,
        journal,
        configuration,
        source.acknowledge,
        announcer,
        guard,
        settings.intake,
        clock,
        failed,
        flush=source.flush,
        caught_up=caught_up,
        follow=follow,
        shares=shares,
    )
    return source, intake


async def receive_until_state_answers(settings: Settings, away: StateAway, stop: asyncio.Event) -> None:
    """Receive readings while the state database is unavailable, until it answers or `stop` is set.

    Nothing is evaluated and there is no API: both need the state database. What arrives is committed to disk,
    announced to its gateways as committed, and evaluated once the whole service runs.

    Args:
        settings: those in force.
        away: the error of the state database.
        stop: set when the service is to end.

    Raises:
        StateAway: the journal belongs to no installation yet, so it may be the wrong one.
        InvalidConfig: no plant can be monitored.
        JournalUnavailable, JournalBroken: the journal cannot be opened.
    """
    loop = asyncio.get_running_loop()
    failure: asyncio.Future[None] = loop.create_future()

    def fail(error: BaseException) -> None:
        if not failure.done():
            failure.set_exception(error)

    def failed(error: BaseException) -> None:
        loop.call_soon_threadsafe(fail, error)

    guard = DiskGuard([settings.journal.path.parent], settings.journal.reserve_mb)
    with closing(Journal(settings.journal.path, settings.journal.quota())) as journal:
        if journal.installation() is None:
            raise away
        configuration = first_configuration(plant_files(settings), journal)
        source, intake = receiving(
            settings, journal, guard, lambda: configuration, failed, caught_up=lambda: False, clock=Clock()
        )
        supervisor = Supervisor()
        parts = [Part("intake", lambda: intake.progressed, STUCK_S, vital=True)]
        watching = asyncio.create_task(
            Watchdog(parts, heartbeat=settings.log.heartbeat, supervisor=supervisor).run(), name="watchdog"
        )
        try:
            intake.start()
            source.start(intake.announce_all)
            supervisor.ready(f"taking in readings, judging nothing: {away}")
            await _wait_for_state(settings, away, stop, failure, journal)
        finally:
            watching.cancel()
            await asyncio.to_thread(source.stop)
            await asyncio.to_thread(intake.stop, _STOP_S)
        if not stop.is_set():
            emit(StateAnswers(journal.last()))


async def _wait_for_state(
    settings: Settings, away: StateUnavailable, stop: asyncio.Event, failure: asyncio.Future[None], journal: Journal
) -> None:
    """Return once the state database answers, or `stop` is set. Raises the error that ended intake."""
    reported_at = -REPORT_EVERY_S
    while not stop.is_set():
        if failure.done():
            failure.result()
        if time.monotonic() - reported_at >= REPORT_EVERY_S:
            reported_at = time.monotonic()
            emit(StateAwaited(str(away), journal.last()))
        try:
            async with asyncio.timeout(ASK_EVERY_S):
                await stop.wait()
        except TimeoutError:
            pass
        try:
            await asyncio.to_thread(engine_at, settings.state)
        except StateUnavailable as error:
            away = error
        else:
            return
