"""The service watches itself: what its parts know of themselves becomes readings of its own points, and so alarms.

The points and their rules are in the catalogue (`service.toml`); their readings go the way of all, from the journal on.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import SERVICE, ServicePoint
from ingest.intake.intake import Intake
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.source import Source
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.in_force import PlantFiles
from ingest.runtime.settings.certificates import CertificateWatch
from ingest.storage.history.writer import HistoryWriter
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.reserve import DiskGuard
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.outbox_store import OutboxStore

EVERY_S: Final = 5.0
"""So often the service looks at itself; what changed is told at once."""

AGAIN_S: Final = 30.0
"""What has not changed is told again after so long. Points count as stale after three times that (`service.toml`)."""

_SLIGHT: Final[Mapping[ServicePoint, float]] = {ServicePoint.DISK: 0.01}
"""Of points that are never still: a change of less than this part waits for the next time it is told anyway."""

LASTING_S: Final = 600.0
"""A thing of a moment (a session lost, a clock set) is told for so long: long enough to be seen and acknowledged."""

MISSING_S: Final = 60.0
"""Frames that have been missing for longer than this are told; most gaps are only frames on other ways."""

Look = Callable[[], float]


@dataclass(frozen=True, slots=True)
class LookFailed(Event, level="warning", labels=("point",)):
    """The service could not see how one of its own parts stands; its point grows stale."""

    point: str
    error: str


class Change:
    """How much a total has changed within the last ten minutes; it counts from 0."""

    def __init__(self, total: Look, now: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._now = now
        self._last = 0.0
        self._steps: deque[tuple[float, float]] = deque()

    def __call__(self) -> float:
        """Look."""
        now, total = self._now(), self._total()
        if total != self._last:
            self._steps.append((now, total - self._last))
            self._last = total
        while self._steps and self._steps[0][0] <= now - LASTING_S:
            self._steps.popleft()
        return sum(step for _, step in self._steps)


class SelfMonitor:
    """Looks every few seconds and hands on what is new."""

    def __init__(
        self,
        looks: Mapping[ServicePoint, Look],
        configuration: Callable[[], PlantConfiguration],
        observe: Callable[[Sequence[tuple[int, float]]], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`looks` may block: they are called on a worker thread."""
        self._looks = looks
        self._configuration = configuration
        self._observe = observe
        self._now = now
        self._told: dict[ServicePoint, tuple[float, float]] = {}  # value, and when

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        """Look once at everything, and hand on what has changed or was not told for a while."""
        configuration, now = self._configuration(), self._now()
        fresh = []
        for name, look in self._looks.items():
            try:
                value = look()
            except (JournalUnavailable, StateUnavailable, OSError) as error:
                emit(LookFailed(name, str(error)))
                continue
            told = self._told.get(name)
            if told is None or _is_news(name, value, told[0]) or now - told[1] >= AGAIN_S:
                self._told[name] = (value, now)
                point = configuration.find(SERVICE, name)
                fresh += [(point.index, value)] if point is not None else []
        if fresh:
            self._observe(fresh)


def _is_news(name: ServicePoint, value: float, told: float) -> bool:
    return value != told and (name not in _SLIGHT or abs(value - told) >= _SLIGHT[name] * told)


def looks(
    journal: Journal,
    guard: DiskGuard,
    clock: Clock,
    source: Source,
    intake: Intake,
    writer: HistoryWriter,
    outbox: OutboxStore,
    connectors: Collection[str],
    files: PlantFiles,
    refused: Sequence[Fault],
    certificates: CertificateWatch,
) -> dict[ServicePoint, Look]:
    """What there is to see, by point; `connectors` are those that deliver, `refused` faults of what is off."""

    def history() -> float:
        behind, _ = writer.lag()
        return _age_s(journal.received_after(journal.last() - behind) if behind else None)

    def undelivered() -> float:
        created = (outbox.oldest(connector) for connector in connectors)
        return _age_s(min((at for at in created if at is not None), default=None))

    return {
        ServicePoint.DISK: lambda: float(round(guard.free_mb())),
        ServicePoint.BROKER: lambda: float(source.reading),
        ServicePoint.HISTORY: history,
        ServicePoint.HISTORY_REFUSED: lambda: float(journal.refused()),
        ServicePoint.HISTORY_EXPIRED: lambda: float(writer.expired()),
        ServicePoint.HISTORY_DROPPED: lambda: float(writer.dropped_days()),
        ServicePoint.OUTBOX: undelivered,
        ServicePoint.CLOCK: Change(lambda: clock.read()[1] / 1e9),
        ServicePoint.TIME: lambda: float(round(intake.clock_ahead_s)),
        ServicePoint.SESSION: Change(lambda: source.sessions_lost),
        ServicePoint.MISSING: lambda: float(intake.missing(MISSING_S)),
        ServicePoint.JOURNAL_DAMAGE: lambda: float(journal.damaged()),
        ServicePoint.QUARANTINE: Change(lambda: float(journal.overflowed())),
        ServicePoint.PLANT_FILES: lambda: float(len(files.refused)),
        ServicePoint.UNWATCHED: lambda: float(len(files.unwatched)),
        ServicePoint.SETTINGS: lambda: float(len(refused)),
        ServicePoint.CERTIFICATES: certificates.fewest,
        ServicePoint.BROKER_NEEDS: lambda: float(source.unmet),
    }


def _age_s(at: int | None) -> float:
    """Whole seconds since then; 0 if there is nothing."""
    return 0.0 if at is None else float(max(time.time_ns() - at, 0) // 10**9)
