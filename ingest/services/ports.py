"""Protocols of the parts of the service that the API calls; tests implement them with stand-ins."""

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
from ingest.domain.model.budget import RuleBudget
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.plant import Rule
from ingest.domain.model.suppression import Suppression, SuppressionState
from ingest.domain.model.warning import EarlyWarning, Fact, WarningEvent, WarningFilter
from ingest.engine.commands import Command
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.in_force import HeldBack
from ingest.plants.view import Latest, PlantView
from ingest.services.allowances import Allowances
from ingest.services.calls.desk import CallDesk
from ingest.services.cases.instrument_board import InstrumentBoard
from ingest.services.deliveries import Deliveries
from ingest.services.exports.request import ExportRequest
from ingest.storage.history.store import PhaseQuery, Trend, TrendQuery
from ingest.storage.journal.records import GatewaySequence, Quarantined
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.audit import AuditRow, Verification
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.cleaning_board import CleaningBoard
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.evidence_files import EvidenceFiles
from ingest.storage.state.notice_store import NoticeStore

T = TypeVar("T")


class AlarmBook(Protocol):
    """Queries committed alarms. Blocking: call from a worker thread."""

    def alarms(
        self,
        which: AlarmFilter,
        *,
        limit: int,
        before: tuple[int, UUID] | None = None,
        order: Order = Order.RAISED,
    ) -> Sequence[Alarm]:
        """Return a page of alarms in that order; `before` = `place` of the last alarm of the page before."""

    def counts(self, which: AlarmFilter) -> Mapping[tuple[str, int, AlarmState], int]:
        """Count alarms by plant, level and state; counts of zero are left out."""

    def alarm(self, alarm: UUID) -> Alarm | None:
        """Return an alarm by its id, or None."""

    def alarm_history(self, alarm: UUID) -> Sequence[AlarmEvent]:
        """Return every event of an alarm, oldest first."""

    def events_after(self, seq: int, *, limit: int) -> Sequence[AlarmEvent]:
        """Return events with a greater sequence number, oldest first."""

    def last_event(self) -> int:
        """Return the newest event's sequence number, 0 if there is none."""


class WarningBook(Protocol):
    """Queries committed early warnings. Blocking."""

    def warnings(
        self, which: WarningFilter, *, limit: int, before: tuple[int, UUID] | None = None
    ) -> Sequence[EarlyWarning]:
        """Return a page of warnings, newest raised first; `before` = (raised, id) of the last warning seen."""

    def warning(self, warning: UUID) -> EarlyWarning | None:
        """Return a warning by its id, or None."""

    def warning_history(self, warning: UUID) -> Sequence[WarningEvent]:
        """Return every event of a warning, oldest first."""

    def warnings_after(self, seq: int, *, limit: int) -> Sequence[WarningEvent]:
        """Return events with a greater sequence number, oldest first."""

    def last_warning(self) -> int:
        """Return the newest event's sequence number, 0 if there is none."""


class SuppressionBook(Protocol):
    """Queries committed suppressions. Blocking."""

    def suppression(self, suppression: UUID) -> Suppression | None:
        """Return a suppression by its id, or None."""

    def suppressions(
        self,
        *,
        limit: int,
        plants: Collection[str] | None = None,
        point: str | None = None,
        states: Collection[SuppressionState] | None = None,
        before: tuple[int, UUID] | None = None,
    ) -> Sequence[Suppression]:
        """Return a page, newest first; `before` = (applied, id) of the last suppression seen. None: any."""


class AuditTrail(Protocol):
    """Queries the audit trail. Blocking."""

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
        """Return a page, newest first; `before` = seq of the last row. None: any. Times are ns; `until` is excluded."""

    def verify(self) -> Verification:
        """Read the whole trail and check its hash chain."""


class Readings(Protocol):
    """Queries the history store. Never blocks, and answers within a deadline."""

    async def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """Return the trend of each query, in that order. Raises HistoryError."""

    async def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        """Return records of the phases of one equipment, by time. Raises HistoryError."""


class Journal(Protocol):
    """Queries the journal. Blocking."""

    def gateways(self) -> Sequence[GatewaySequence]:
        """Return the sequence state of every gateway."""

    def quarantined(self, *, limit: int, before: int | None = None) -> Sequence[Quarantined]:
        """Return a page of quarantined messages, newest first; `before` = id of the last message seen."""

    def overflowed(self) -> int:
        """Return how many messages were deleted from quarantine for want of room since the start."""


@dataclass(frozen=True, slots=True)
class Health:
    """State of the service's parts; `ready` is false as soon as a part does not work."""

    ready: bool
    parts: dict[str, str]  # part -> "ok" or what is wrong


class Live(Protocol):
    """Queries and commands to the running service."""

    def configuration(self) -> PlantConfiguration:
        """Return the configuration in force."""

    def latest(self, index: int) -> Latest:
        """Return the newest reading of a point by its configuration index. Never blocks."""

    def view(self) -> PlantView:
        """Return the current state of the plants: trusted values, and equipment in production. Never blocks."""

    def not_evaluated(self, rules: Sequence[Rule]) -> Mapping[str, Reason]:
        """Return the reason by rule code for those of a point's rules that cannot be evaluated now."""

    def budgets(self, rules: Sequence[Rule]) -> Mapping[str, RuleBudget]:
        """Return the budgets of findings of those of a point's rules that have one, by rule code."""

    def health(self) -> Health:
        """Return the health of every part. Never blocks."""

    def not_judging(self) -> str | None:
        """Return why nothing is judged at present: the state database's error; None: it answers. Never blocks."""

    def history_refuses(self) -> str | None:
        """Return the history store's reason for refusing every write; None: it accepts them. Never blocks."""

    def held_back(self) -> Sequence[HeldBack]:
        """Return the plant files whose present content is not in force. Never blocks."""

    async def order(self, command: Command[T]) -> T:
        """Have the engine execute a command; return its committed result.

        Raises:
            KeyError: what it names is not known.
            ValueError: it cannot be done in the present state; the message says why.
            TimeoutError: the engine did not answer; it may still do it.
            StateUnavailable: what it names could not be read; nothing was done.
        """

    def facts(self, plant: str) -> Sequence[Fact]:
        """Return the facts of a plant that count for its warnings and its risk. Never blocks."""

    def fall_after(self) -> int:
        """Return how long a lower colour must hold before a warning falls to it, ns. Never blocks."""

    async def wait_warning(self, seq: int, timeout_s: float) -> None:
        """Return as soon as a warning's event newer than `seq` may be committed, or after the timeout."""

    async def wait_event(self, seq: int, timeout_s: float) -> None:
        """Return as soon as an alarm event newer than `seq` may be committed, or after the timeout."""


class Exporter(Protocol):
    """Makes lists and summaries as files."""

    async def make(self, request: ExportRequest) -> BinaryIO:
        """Return a list as a file to read. Raises ExportFailed."""


@dataclass(frozen=True, slots=True)
class Cases:
    """What use cases of the closed loop need: records, registers, figures of alarms, evidence files, settings."""

    store: CaseStore
    daily: DailyStore
    cleaned: CleaningBoard
    notices: NoticeStore
    instruments: InstrumentBoard
    figures: CaseFigures
    files: EvidenceFiles
    config: CasesConfig
    allowances: Allowances


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the API needs from the rest of the service."""

    live: Live
    alarms: AlarmBook
    warnings: WarningBook
    suppressions: SuppressionBook
    audit: AuditTrail
    history: Readings
    journal: Journal
    cases: Cases
    calls: CallDesk
    exports: Exporter
    load: AlarmLoad
    deliveries: Deliveries
    record: Callable[[Act], None]  # into the audit trail; never blocks
    now: Callable[[], int]  # ns since the epoch
