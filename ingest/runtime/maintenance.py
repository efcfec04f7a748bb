"""Looking after what the data leaves: files that belong together, messages nobody sends, a journal that ends."""

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
_A_LITTLE: Final = 500
_PACK: Final = 2000
_BREATH_S: Final = 0.05
_LOOK_EVERY_S: Final = 1.0


def require_same_moment(journal: Journal, store: EngineStore) -> None:
    """Refuse a state that is ahead of its journal: new readings would pass unjudged until the journal has caught up.

    Raises:
        JournalUnavailable: the files are of different moments.
    """
    cursor, last = store.load().cursor, journal.last()
    if cursor > last:
        raise JournalUnavailable(
            f"the state database has seen entry {cursor}, journal.db ends at {last}: they are not of the same moment."
            " Restore both from one backup, or move both away to begin anew"
        )


def name_orphans(outbox: OutboxStore, connectors: Collection[str]) -> None:
    """Tell of messages for connectors that are not among `connectors`: nobody sends them."""
    for connector, waiting in outbox.undelivered().items():
        if connector not in connectors:
            emit(OutboxOrphaned(connector, waiting))


def reports_late(outbox: OutboxStore, connector: str) -> bool:
    """Whether a readings report has waited for `REPORTS_LATE`; not while the state database does not answer."""
    try:
        oldest = outbox.oldest(connector, ["readings"])
    except StateUnavailable:
        return False
    return oldest is not None and time.time_ns() - oldest > REPORTS_LATE


async def trim_outbox(outbox: OutboxStore, config: ConnectorsConfig) -> None:
    """Let go of what was delivered long ago, again and again: first of bodies, much later of the record itself.

    A little at a time, so that no commit of the engine waits for it.
    """
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        now = time.time_ns()
        try:
            for what, letting_go, kept_d in (
                ("report", outbox.forget_reports, config.report_retention_h / 24),
                ("body", outbox.empty, config.body_retention_d),
                ("record", outbox.forget, config.delivery_retention_d),
            ):
                gone = _A_LITTLE
                while gone == _A_LITTLE:
                    gone = await asyncio.to_thread(letting_go, _before(now, kept_d * 86400), _A_LITTLE)
                    if gone:
                        emit(OutboxTrimmed(what, gone))
                    await asyncio.sleep(_BREATH_S)
        except StateUnavailable as error:
            emit(TrimPutOff(str(error)))


async def trim_events(
    events: EventRetention, alarms: AlarmStore, alarms_d: float, warnings_d: float, record: Callable[[Act], None]
) -> None:
    """Let go of old events that the history has, again and again, a little at a time: see `EventRetention`."""
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        now = time.time_ns()
        try:
            for log, trimmed, kept_d, reader in (
                ("alarms", events.trim_alarms, alarms_d, READER),
                ("warnings", events.trim_warnings, warnings_d, WARNINGS_READER),
            ):
                upto, gone, total = await asyncio.to_thread(alarms.reader_cursor, reader), _A_LITTLE, 0
                while gone == _A_LITTLE:
                    gone = await asyncio.to_thread(trimmed, _before(now, kept_d * 86400), upto, _A_LITTLE)
                    total += gone
                    await asyncio.sleep(_BREATH_S)
                if total:
                    emit(EventsTrimmed(log, total))
                    detail = {"events": total, "which": f"> {kept_d:g} d"}
                    record(Act(now, YUJING, "service", "trimmed", "events", log, "", detail))
        except StateUnavailable as error:
            emit(TrimPutOff(str(error)))


async def pack(store: EngineStore) -> None:
    """Let annunciations that cannot change any more lie together, again and again; what is few is left as it is."""
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        try:
            while packed := await asyncio.to_thread(store.pack, _PACK):
                emit(AnnunciationsPacked(packed))
                await asyncio.sleep(_BREATH_S)
        except StateUnavailable as error:
            emit(TrimPutOff(str(error)))


async def trim(journal: Journal, store: EngineStore, config: JournalConfig, record: Callable[[Act], None]) -> None:
    """Delete what is old enough, again and again: what every reader has passed and no restart needs, and quarantine."""
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        try:
            await asyncio.to_thread(_trim, journal, store, config, record)
        except (JournalUnavailable, StateUnavailable) as error:
            emit(TrimPutOff(str(error)))


def _before(now: int, kept_s: float) -> int:
    """The moment so long ago, in ns; the beginning of time for whoever keeps things for ever."""
    return max(0, now - int(kept_s * 1e9))


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


async def every_second(*looks: Callable[[], None]) -> None:
    """Look after what may change without notice, again and again: one thread is woken for all of it."""

    def look_once() -> None:
        for look in looks:
            look()

    while True:
        await asyncio.to_thread(look_once)
        await asyncio.sleep(_LOOK_EVERY_S)


def look_at_files(guard: DiskGuard, journal: Journal, fail: Callable[[BaseException], None]) -> None:
    """See how much room is on the disks, also while nothing arrives, and end the service once its journal is broken.

    Whoever ran into it first may be a part that tries again for ever. `fail` is called from whichever thread this is.
    """
    guard.state()
    if journal.broken is not None:
        fail(journal.broken)
