"""Periodic maintenance: trims journal, outbox and event logs, packs annunciations, checks disks and journal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Final

from ingest.base.telemetry import emit
from ingest.delivery.config import REPORTS_LATE, ConnectorsConfig
from ingest.domain.model.audit import YUJING, Act
from ingest.runtime.maintenance_events import (
    AnnunciationsPacked,
    EventsTrimmed,
    JournalTrimmed,
    OutboxOrphaned,
    OutboxTrimmed,
    QuarantineTrimmed,
    TrimPutOff,
)
from ingest.storage.history.writer import READER, WARNINGS_READER
from ingest.storage.journal.config import JournalConfig
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.reserve import DiskGuard
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.event_retention import EventRetention
from ingest.storage.state.outbox_store import OutboxStore

_TRIM_EVERY_S: Final = 600.0
_CHUNK: Final = 500
_PACK: Final = 2000
_PAUSE_S: Final = 0.05
_CHECK_EVERY_S: Final = 1.0


def require_same_moment(journal: Journal, store: EngineStore) -> None:
    """Refuse a state that is ahead of its journal: new readings would not be evaluated until the journal caught up.

    Raises:
        JournalUnavailable: the files are from different moments.
    """
    cursor, last = store.load().cursor, journal.last()
    if cursor > last:
        raise JournalUnavailable(
            f"the state database has seen entry {cursor}, journal.db ends at {last}: they are not of the same moment."
            " Restore both from one backup, or move both away to begin anew"
        )


def name_orphans(outbox: OutboxStore, connectors: Collection[str]) -> list[str]:
    """Emit an event for undelivered messages of connectors not among `connectors`, which nothing sends.

    Returns:
        The names of these connectors.
    """
    orphans = {name: waiting for name, waiting in outbox.undelivered().items() if name not in connectors}
    for name, waiting in orphans.items():
        emit(OutboxOrphaned(name, waiting))
    return [*orphans]


def reports_late(outbox: OutboxStore, connector: str) -> bool:
    """Whether a readings report has waited for `REPORTS_LATE`; False while the state database does not answer."""
    try:
        oldest = outbox.oldest(connector, ["readings"])
    except StateUnavailable:
        return False
    return oldest is not None and time.time_ns() - oldest > REPORTS_LATE


async def trim_outbox(outbox: OutboxStore, config: ConnectorsConfig) -> None:
    """Periodically remove what was delivered long ago: first bodies, much later the records.

    In small chunks, so that no commit of the engine waits for it.
    """
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        now = time.time_ns()
        try:
            for what, remove, retention_d in (
                ("report", outbox.forget_reports, config.report_retention_h / 24),
                ("body", outbox.empty, config.body_retention_d),
                ("record", outbox.forget, config.delivery_retention_d),
            ):
                removed = _CHUNK
                while removed == _CHUNK:
                    removed = await asyncio.to_thread(remove, _before(now, retention_d * 86400), _CHUNK)
                    if removed:
                        emit(OutboxTrimmed(what, removed))
                    await asyncio.sleep(_PAUSE_S)
        except StateUnavailable as error:
            emit(TrimPutOff(str(error)))


async def trim_events(
    events: EventRetention, alarms: AlarmStore, alarms_d: float, warnings_d: float, record: Callable[[Act], None]
) -> None:
    """Periodically remove old events that the history has, in small chunks: see `EventRetention`."""
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        now = time.time_ns()
        try:
            for log, trimmed, retention_d, reader in (
                ("alarms", events.trim_alarms, alarms_d, READER),
                ("warnings", events.trim_warnings, warnings_d, WARNINGS_READER),
            ):
                upto, removed, total = await asyncio.to_thread(alarms.reader_cursor, reader), _CHUNK, 0
                while removed == _CHUNK:
                    removed = await asyncio.to_thread(trimmed, _before(now, retention_d * 86400), upto, _CHUNK)
                    total += removed
                    await asyncio.sleep(_PAUSE_S)
                if total:
                    emit(EventsTrimmed(log, total))
                    detail = {"events": total, "which": f"> {retention_d:g} d"}
                    record(Act(now, YUJING, "service", "trimmed", "events", log, "", detail))
        except StateUnavailable as error:
            emit(TrimPutOff(str(error)))


async def pack(store: EngineStore) -> None:
    """Periodically pack annunciations that cannot change any more; too few are left as they are."""
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        try:
            while packed := await asyncio.to_thread(store.pack, _PACK):
                emit(AnnunciationsPacked(packed))
                await asyncio.sleep(_PAUSE_S)
        except StateUnavailable as error:
            emit(TrimPutOff(str(error)))


async def trim(journal: Journal, store: EngineStore, config: JournalConfig, record: Callable[[Act], None]) -> None:
    """Periodically delete journal entries that every reader has passed and no restart needs, and old quarantine."""
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        try:
            await asyncio.to_thread(_trim, journal, store, config, record)
        except (JournalUnavailable, StateUnavailable) as error:
            emit(TrimPutOff(str(error)))


def _before(now: int, retention_s: float) -> int:
    """Return the time `retention_s` ago, ns; at least 0."""
    return max(0, now - int(retention_s * 1e9))


def _trim(journal: Journal, store: EngineStore, config: JournalConfig, record: Callable[[Act], None]) -> None:
    now = time.time_ns()
    passed = min(store.load().snapshot_cursor, journal.cursor(READER))
    emit(JournalTrimmed(journal.trim(passed, _before(now, config.retention_h * 3600))))
    dropped = journal.trim_quarantine(_before(now, config.quarantine_retention_d * 86400))
    if dropped:
        emit(QuarantineTrimmed(dropped))
        detail = {"messages": dropped, "which": f"> {config.quarantine_retention_d:g} d"}
        record(Act(now, YUJING, "service", "trimmed", "quarantine", "quarantine", "", detail))
    journal.give_back()


async def every_second(*checks: Callable[[], None]) -> None:
    """Run checks of what may change without notice every second, all on one worker thread."""

    def check_once() -> None:
        for check in checks:
            check()

    while True:
        await asyncio.to_thread(check_once)
        await asyncio.sleep(_CHECK_EVERY_S)


def check_files(guard: DiskGuard, journal: Journal, fail: Callable[[BaseException], None]) -> None:
    """Check the free space of the disks, also while nothing arrives, and end the service if its journal is broken.

    The part that met the broken journal may be one that retries for ever. `fail` is called from the calling thread.
    """
    guard.state()
    if journal.broken is not None:
        fail(journal.broken)
