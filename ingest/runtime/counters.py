"""Exposes every event counter at 0 from the start, so that alerts see the first event as a rise.

The possible label values of each event with labels are listed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, get_args

from ingest.base.telemetry import Event, event_types, expose
from ingest.delivery import events
from ingest.delivery.channels.events import TextCut
from ingest.delivery.platform.events import REASONS as NOT_REPORTED
from ingest.delivery.platform.events import NotReported, PointsUncoded
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.call import CallEventKind, Cause
from ingest.domain.model.notice import Matter
from ingest.domain.model.plant import ServicePoint
from ingest.domain.model.warning import Colour, WarningEventKind
from ingest.engine.committing import AlarmStep
from ingest.engine.cycle import LateUnjudged
from ingest.engine.raise_warnings import WarningStep
from ingest.intake.events import MessageQuarantined
from ingest.intake.sources.broker_fit import BrokerUnfit, Unmet
from ingest.intake.sources.trust import BrokerNotTrusted
from ingest.intake.wire.trust import Distrust
from ingest.runtime.automatic_cases import CaseOpened
from ingest.runtime.call_automation import NobodyToCall
from ingest.runtime.maintenance_events import EventsTrimmed, OutboxTrimmed
from ingest.runtime.notice_automation import NoticeEnded, NoticeGiven
from ingest.runtime.self_monitoring import LookFailed
from ingest.runtime.settings import Settings
from ingest.runtime.settings.certificates import CertificateEnding, CertificateUnreadable, certificate_files
from ingest.runtime.watchdog import PartMoves, PartStuck
from ingest.services.allowances import AllowanceSpent
from ingest.services.calls.desk import CallAdvanced
from ingest.services.errors import Problem
from ingest.storage.history.events import HistoryDayDropped, HistoryItemsExpired
from ingest.storage.journal.sequence_rows import PositionDamaged
from ingest.storage.state.tables import METADATA
from ingest.storage.state.unreadable import RowUnreadable
from ingest.web.concurrency import ReadRefused
from ingest.web.connections import ConnectionsEnded, Reason
from ingest.web.console.forms import SignInRefused
from ingest.web.guard import AccessRefused
from ingest.web.texts.quarantine import REASONS

Values = Mapping[str, Iterable[object]]

_PARTS: Final = ("intake", "engine", "history", "outbox")


def expose_counters(settings: Settings) -> None:
    """Expose every event's counter at 0 for all its label values under these settings."""
    known = labels(settings)
    for kind in event_types():
        expose(kind, **known.get(kind, dict.fromkeys(kind.labels, ())))


def labels(settings: Settings) -> dict[type[Event], Values]:
    """Return the possible values of each event's labels. Values from other systems may differ: they count from 1."""
    parts: Values = {"part": _PARTS}
    certificates: Values = {"key": [key for key, _, _ in certificate_files(settings)]}
    connectors: Values = {"connector": settings.connectors.names()}
    return {
        PartStuck: parts,
        PartMoves: parts,
        CertificateEnding: certificates,
        CertificateUnreadable: certificates,
        PointsUncoded: connectors,
        NotReported: {**connectors, "reason": NOT_REPORTED},
        events.EventNotChosen: connectors,
        TextCut: connectors,
        events.MessagesDelivered: connectors,
        events.DeliveryFailed: connectors,
        events.MessageRejected: connectors,
        events.MessagesUnreadable: connectors,
        events.DeliveryOverdue: connectors,
        events.OutboxUnavailable: {**connectors, "operation": ("waiting", "messages", "record", "oldest")},
        AlarmStep: {"step": AlarmEventKind, "alarm_level": (1, 2)},
        WarningStep: {"what": WarningEventKind, "colour": Colour},
        CallAdvanced: {"kind": CallEventKind},
        NobodyToCall: {"cause": Cause},
        NoticeGiven: {"matter": Matter},
        NoticeEnded: {"matter": Matter},
        CaseOpened: {"kind": ("hazard", "lead")},
        MessageQuarantined: {"reason": REASONS},
        LateUnjudged: {"reason": ("before what is remembered", "its rule is gone")},
        PositionDamaged: {"column": ("missing", "lost", "clock", "recent")},
        RowUnreadable: {"table": METADATA.tables},
        LookFailed: {"point": ServicePoint},
        BrokerUnfit: {"what": [unmet.name.lower() for unmet in Unmet]},
        BrokerNotTrusted: {"why": Distrust},
        HistoryItemsExpired: {"what": ("readings", "alarm events", "warning events", "alarm metrics")},
        HistoryDayDropped: {"cause": ("age", "room")},
        EventsTrimmed: {"log": ("alarms", "warnings")},
        OutboxTrimmed: {"what": ("body", "record")},
        AllowanceSpent: {"what": ("acts on records", "MiB of evidence")},
        AccessRefused: {"reason": [kind.__name__ for kind in _below(Problem)]},
        SignInRefused: {"reason": ("wrong token", "too many attempts")},
        ReadRefused: {"what": ("lists", "event streams"), "limit": ("token", "service")},
        ConnectionsEnded: {"reason": get_args(Reason)},
    }


def _below(kind: type[Problem]) -> Iterator[type[Problem]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _below(subclass)
