"""What the API needs from the rest of the service. `app` fills it in; tests fill it with stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeVar
from uuid import UUID

from detectors.detector import Reason
from ingest.domain.alarms.urgency import Order
from ingest.domain.cases.config import CasesConfig
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmFilter, AlarmState
from ingest.domain.model.audit import Act, ActKind
from ingest.domain.model.plant import Rule
from ingest.domain.model.suppression import Suppression, SuppressionState
from ingest.domain.model.warning import EarlyWarning, Fact, WarningEvent, WarningFilter
from ingest.engine.commands import Command
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.in_force import HeldBack
from ingest.plants.view import Latest, PlantView
from ingest.services.allowances import Allowances
from ingest.services.exports.request import ExportRequest
from ingest.storage.history.store import Trend, TrendQuery
from ingest.storage.journal.records import GatewaySequence, Quarantined
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.audit import AuditRow, Verdict
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.evidence_files import EvidenceFiles

T = TypeVar("T")


class AlarmBook(Protocol):
    """Alarms as committed. Blocking: call from a worker thread."""

    def alarms(
        self,
        which: AlarmFilter,
        *,
        limit: int,
        before: tuple[int, UUID] | None = None,
        order: Order = Order.RAISED,
    ) -> Sequence[Alarm]:
        """In that order; `before` = `place` of the last one seen, for the next page."""

    def counts(self, which: AlarmFilter) -> Mapping[tuple[str, int, AlarmState], int]:
        """How many there are by plant, level and state; those without any are left out."""

    def alarm(self, alarm: UUID) -> Alarm | None:
        """One alarm, or None."""

    def alarm_history(self, alarm: UUID) -> Sequence[AlarmEvent]:
        """Every event of one alarm, oldest first."""

    def events_after(self, seq: int, *, limit: int) -> Sequence[AlarmEvent]:
        """Events with a greater sequence number, oldest first."""

    def last_event(self) -> int:
        """The newest sequence number, 0 if there is none."""


class WarningBook(Protocol):
    """Early warnings as committed. Blocking."""

    def warnings(
        self, which: WarningFilter, *, limit: int, before: tuple[int, UUID] | None = None
    ) -> Sequence[EarlyWarning]:
        """Newest raised first; `before` = (raised, id) of the last one seen, for the next page."""

    def warning(self, warning: UUID) -> EarlyWarning | None:
        """One warning, or None."""

    def warning_history(self, warning: UUID) -> Sequence[WarningEvent]:
        """Every event of one warning, oldest first."""

    def warnings_after(self, seq: int, *, limit: int) -> Sequence[WarningEvent]:
        """Events with a greater sequence number, oldest first."""

    def last_warning(self) -> int:
        """The newest event's sequence number, 0 if there is none."""


class SuppressionBook(Protocol):
    """Suppressions as committed. Blocking."""

    def suppression(self, suppression: UUID) -> Suppression | None:
        """One of them, or None."""

    def suppressions(
        self,
        *,
        limit: int,
        plants: Collection[str] | None = None,
        point: str | None = None,
        states: Collection[SuppressionState] | None = None,
        before: tuple[int, UUID] | None = None,
    ) -> Sequence[Suppression]:
        """Newest first; `before` = (applied, id) of the last one seen. None: any."""


class AuditTrail(Protocol):
    """The audit trail. Blocking."""

    def acts(
        self,
        *,
        limit: int,
        before: int | None = None,
        plants: frozenset[str] | None = None,
        kind: ActKind | None = None,
        subject: str | None = None,
        actor: str | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> Sequence[AuditRow]:
        """Newest first; `before` = seq of the last one seen. None: any. Times are ns; `until` itself is left out."""

    def verify(self) -> Verdict:
        """Read the whole trail and hash it anew."""


class Readings(Protocol):
    """History as far as the API asks. Never blocks, and answers within a deadline."""

    async def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """The trend of each query, in that order. Raises HistoryError."""


class Journal(Protocol):
    """The journal as far as the API asks. Blocking."""

    def gateways(self) -> Sequence[GatewaySequence]:
        """Where every gateway stands."""

    def quarantined(self, *, limit: int, before: int | None = None) -> Sequence[Quarantined]:
        """Newest first; `before` = id of the last one seen."""

    def overflowed(self) -> int:
        """Messages deleted from quarantine for want of room since the start."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service does its job. `ready` is false with a reason for every part that does not."""

    ready: bool
    parts: dict[str, str]  # part -> "ok" or what is wrong


class Live(Protocol):
    """The running service as far as the API asks."""

    def configuration(self) -> PlantConfiguration:
        """The configuration in force."""

    def latest(self, index: int) -> Latest:
        """The newest reading of a point by configuration index. Never blocks."""

    def view(self) -> PlantView:
        """Plants as they stand: what can be trusted, and which equipment is in production. Never blocks."""

    def unjudged(self, rules: Sequence[Rule]) -> Mapping[str, Reason]:
        """Those of a point's rules that say nothing now, by code, and why: silence must not be taken for health."""

    def health(self) -> Health:
        """Never blocks."""

    def history_refuses(self) -> str | None:
        """Why the history takes nothing of what is written, in its own words; None: it does take it. Never blocks."""

    def held_back(self) -> Sequence[HeldBack]:
        """The plant files that are not in force as they stand. Never blocks."""

    async def order(self, command: Command[T]) -> T:
        """Have the engine carry something out; returns what it led to, as committed.

        Raises:
            KeyError: what it names is not known.
            ValueError: it cannot be done as things stand; the message says why.
            TimeoutError: the engine did not answer; it may still do it.
        """

    def facts(self, plant: str) -> Sequence[Fact]:
        """What is known of a plant that counts for warnings and for its risk. Never blocks."""

    def fall_after(self) -> int:
        """How long a lower colour of a warning must hold before the higher one falls, ns. Never blocks."""

    async def wait_warning(self, seq: int, timeout_s: float) -> None:
        """Return as soon as a warning's event newer than `seq` may be committed, or after the timeout."""

    async def wait_event(self, seq: int, timeout_s: float) -> None:
        """Return as soon as an alarm event newer than `seq` may be committed, or after the timeout."""


class ListMaker(Protocol):
    """Where lists are made."""

    async def make(self, wish: ExportRequest) -> BinaryIO:
        """Return a list as a file to read. Raises NotMade."""


@dataclass(frozen=True, slots=True)
class Cases:
    """The closed loop: its records, what is counted of alarms and warnings, evidence files, settings."""

    books: CaseStore
    figures: CaseFigures
    files: EvidenceFiles
    config: CasesConfig
    allowances: Allowances


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the API stands on."""

    live: Live
    alarms: AlarmBook
    warnings: WarningBook
    suppressions: SuppressionBook
    audit: AuditTrail
    history: Readings
    journal: Journal
    cases: Cases
    sheets: ListMaker
    load: AlarmLoad
    record: Callable[[Act], None]  # into the audit trail; never blocks
    now: Callable[[], int]  # ns since the epoch
