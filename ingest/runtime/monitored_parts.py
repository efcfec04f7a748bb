"""Names the parts of the service that the watchdog monitors, and how long each may show no progress."""

from __future__ import annotations

from typing import Final

from ingest.delivery.sender import OutboxSender
from ingest.engine.engine import Engine
from ingest.intake.intake import Intake
from ingest.runtime.receiving import STUCK_S
from ingest.runtime.watchdog import Part, ProgressBeat
from ingest.storage.history.writer import HistoryWriter
from ingest.storage.journal.journal import Journal

_SLOW_S: Final = 120.0
"""For parts that wait for other systems, each of which may take its full timeout."""


def monitored_parts(
    intake: Intake, engine: Engine, writer: HistoryWriter, journal: Journal, sender: OutboxSender
) -> list[Part]:
    """Return the parts of a whole service; intake and engine are vital."""

    def carried() -> tuple[int, bool]:
        behind, error = writer.lag()  # an unavailable history reports itself; the writer does not hang
        return journal.last() - behind, bool(behind) and error is None

    return [
        Part("intake", lambda: intake.progressed, STUCK_S, vital=True),
        Part("engine", lambda: engine.alive_at, STUCK_S, vital=True),
        Part("history", ProgressBeat(carried), _SLOW_S),
        Part("outbox", lambda: sender.progressed, _SLOW_S),
    ]
