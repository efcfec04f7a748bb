"""Self-monitoring: the state of the service's parts becomes readings of its own points, and so alarms.

The points and their rules are in the catalogue (`service.toml`); their readings pass through the journal like others.
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
from ingest.runtime.settings.certificates import CertificateMonitor
from ingest.storage.history.writer import HistoryWriter
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.reserve import DiskGuard
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.outbox_store import OutboxStore

EVERY_S: Final = 5.0
"""Interval of sampling; changed values are passed on at once."""

AGAIN_S: Final = 30.0
"""Interval of repeating unchanged values. Points count as stale after three times that (`service.toml`)."""

_SLIGHT: Final[Mapping[ServicePoint, float]] = {ServicePoint.DISK: 0.01}
"""For points that always change: a smaller relative change waits for the next repetition."""

LASTING_S: Final = 600.0
"""A momentary event (a lost session, a clock set) is shown this long: long enough to be seen and acknowledged."""

MISSING_S: Final = 60.0
"""Only frames missing for longer than this are counted; most gaps are frames still on their way."""

Probe = Callable[[], float]


@dataclass(frozen=True, slots=True)
class LookFailed(Event, level="warning", labels=("point",)):
    """The state of one of the service's own parts could not be read; its point grows stale."""

    point: str
    error: str


class RecentChange:
    """A probe for how much a total has changed within the last ten minutes, counted from 0."""

    def __init__(self, total: Probe, now: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._now = now
        self._last = 0.0
        self._steps: deque[tuple[float, float]] = deque()

    def __call__(self) -> float:
        """Return the change within the last ten minutes."""
        now, total = self._now(), self._total()
        if total != self._last:
            self._steps.append((now, total - self._last))
            self._last = total
        while self._steps and self._steps[0][0] <= now - LASTING_S:
            self._steps.popleft()
        return sum(step for _, step in self._steps)


class SelfMonitor:
    """Samples the probes every few seconds and passes on new values."""

    def __init__(
        self,
        probes: Mapping[ServicePoint, Probe],
        configuration: Callable[[], PlantConfiguration],
        observe: Callable[[Sequence[tuple[int, float]]], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`probes` may block: they run on a worker thread."""
        self._probes = probes
        self._configuration = configuration
        self._observe = observe
        self._now = now
        self._reported: dict[ServicePoint, tuple[float, float]] = {}  # value, and when

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            await asyncio.to_thread(self.sample)
            await asyncio.sleep(EVERY_S)

    def sample(self) -> None:
        """Sample every probe once, and pass on what has changed or was not passed on for a while."""
        configuration, now = self._configuration(), self._now()
        fresh = []
        for name, probe in self._probes.items():
            try:
                value = probe()
            except (JournalUnavailable, StateUnavailable, OSError) as error:
                emit(LookFailed(name, str(error)))
                continue
            reported = self._reported.get(name)
            if reported is None or _is_news(name, value, reported[0]) or now - reported[1] >= AGAIN_S:
                self._reported[name] = (value, now)
                point = configuration.find(SERVICE, name)
                fresh += [(point.index, value)] if point is not None else []
        if fresh:
            self._observe(fresh)


def _is_news(name: ServicePoint, value: float, reported: float) -> bool:
    return value != reported and (name not in _SLIGHT or abs(value - reported) >= _SLIGHT[name] * reported)


def probes(
    journal: Journal,
    guard: DiskGuard,
    database: Database,
    clock: Clock,
    source: Source,
    intake: Intake,
    writer: HistoryWriter,
    outbox: OutboxStore,
    connectors: Collection[str],
    files: PlantFiles,
    refused: Sequence[Fault],
    certificates: CertificateMonitor,
) -> dict[ServicePoint, Probe]:
    """Return the probe of each point; `connectors`: those in use, `refused`: faults of settings that are off."""

    def history() -> float:
        behind, _ = writer.lag()
        return _age_s(journal.received_after(journal.last() - behind) if behind else None)

    def undelivered() -> float:
        created = (outbox.oldest(connector) for connector in connectors)
        return _age_s(min((at for at in created if at is not None), default=None))

    return {
        ServicePoint.DISK: lambda: float(round(guard.free_mb())),
        ServicePoint.STATE: lambda: float(int(database.unusable_s())),
        ServicePoint.BROKER: lambda: float(source.reading),
        ServicePoint.HISTORY: history,
        ServicePoint.HISTORY_REFUSED: lambda: float(journal.refused()),
        ServicePoint.HISTORY_EXPIRED: lambda: float(writer.expired()),
        ServicePoint.HISTORY_DROPPED: lambda: float(writer.dropped_days()),
        ServicePoint.OUTBOX: undelivered,
        ServicePoint.DEAD_LETTERS: lambda: float(sum(outbox.rejected().values())),
        ServicePoint.CLOCK: RecentChange(lambda: clock.read()[1] / 1e9),
        ServicePoint.TIME: lambda: float(round(intake.clock_ahead_s)),
        ServicePoint.SESSION: RecentChange(lambda: source.sessions_lost),
        ServicePoint.MISSING: lambda: float(intake.missing(MISSING_S)),
        ServicePoint.JOURNAL_DAMAGE: lambda: float(journal.damaged()),
        ServicePoint.QUARANTINE: RecentChange(lambda: float(journal.overflowed())),
        ServicePoint.PLANT_FILES: lambda: float(len(files.refused)),
        ServicePoint.UNWATCHED: lambda: float(len(files.unwatched)),
        ServicePoint.SETTINGS: lambda: float(len(refused)),
        ServicePoint.CERTIFICATES: certificates.fewest,
        ServicePoint.BROKER_NEEDS: lambda: float(source.unmet),
    }


def _age_s(at: int | None) -> float:
    """Return whole seconds since `at`; 0 for None."""
    return 0.0 if at is None else float(max(time.time_ns() - at, 0) // 10**9)
