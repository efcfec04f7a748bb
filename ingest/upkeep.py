"""Looking after what the data leaves: files that belong together, messages nobody sends, a journal that ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from ingest.history.writer import READER
from ingest.journal.errors import JournalUnavailable
from ingest.journal.journal import Journal
from ingest.state.store import EngineStore, OutboxStore
from ingest.telemetry import Event, emit

_TRIM_EVERY_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class JournalTrimmed(Event, amount="entries"):
    """Old entries that every reader has passed were deleted."""

    entries: int


@dataclass(frozen=True, slots=True)
class OutboxOrphaned(Event, level="warning"):
    """Messages wait for a connector that the settings no longer name; they are kept until it comes back."""

    connector: str
    messages: int


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
    for connector, totals in outbox.totals().items():
        waiting = totals.messages - totals.delivered
        if waiting and connector not in connectors:
            emit(OutboxOrphaned(connector, waiting))


async def trim(journal: Journal, store: EngineStore, retention_h: float) -> None:
    """Delete, again and again, what every reader has passed and nobody needs for a restart, once it is old enough."""
    keep = int(retention_h * 3600e9)
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        passed = min(store.load().snapshot_cursor, journal.cursor(READER))
        emit(JournalTrimmed(await asyncio.to_thread(journal.trim, passed, time.time_ns() - keep)))
