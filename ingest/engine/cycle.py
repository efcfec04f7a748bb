"""One cycle of the engine, passed from stage to stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from detectors import Findings
from detectors.readings import nothing
from ingest.base.telemetry import Event
from ingest.domain.cases.bypass import Bypass
from ingest.domain.model.alarm import Alarm, AlarmEvent
from ingest.domain.model.audit import Act
from ingest.domain.model.batch import Batch, empty_batch
from ingest.domain.model.outbox import Message, MessageKind
from ingest.domain.model.plant import Plant
from ingest.domain.model.suppression import Suppression
from ingest.domain.model.warning import EarlyWarning, WarningEvent
from ingest.domain.warnings.policy import WarningPolicy
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.numbering import Rename


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the stages.

    Attributes:
        recipients: the connectors that want a message of this kind, from this plant, at this level (None: readings).
        report_every: interval of the readings report, ns; None = nobody wants one.
        reports_late: whether reports have gone undelivered for so long that fewer suffice.
        reopen: an alarm that comes back within this time (ns) is the same alarm.
        shelve_max: the longest time an alarm may be shelved, ns.
        function_check_max: how long a function check may last, ns, until its readings are judged again.
        bypass_max: the longest time an interlock may be bypassed without a new approval, ns.
        suppress_level_2: whether shelving and suppression by design cover alarms of the highest level too.
        warnings: how plants' colours are derived and who answers for them; None: no warnings.
        warned: the connectors that want an event of this warning.
        work: the declared work an alarm on that equipment was raised during, JSON-ready; None: not known any more.
    """

    recipients: Callable[[MessageKind, str, int | None], Sequence[str]] = lambda _kind, _plant, _level: ()
    report_every: int | None = None
    reports_late: Callable[[], bool] = lambda: False
    reopen: int = 600 * 10**9
    shelve_max: int = 28_800 * 10**9
    function_check_max: int = 3600 * 10**9
    bypass_max: int = 24 * 3600 * 10**9
    suppress_level_2: bool = False
    warnings: WarningPolicy | None = None
    warned: Callable[[EarlyWarning], Sequence[str]] = lambda _warning: ()
    work: Callable[[Alarm, str | None], Sequence[Mapping[str, Any]] | None] = lambda _alarm, _equipment: ()


@dataclass(frozen=True, slots=True)
class LateUnjudged(Event, level="warning", labels=("reason",), amount="readings"):
    """So many readings beyond a limit came so late that nobody can judge them: kept, and not judged.

    Rule and time (ns) are those of the first.
    """

    reason: str
    gateway: str  # empty if its rule is gone
    rule: str
    time: int
    readings: int = 1


@dataclass(slots=True)
class Cycle:
    """One cycle of the engine: a batch, the time of its evaluation (ns), and its results.

    `passed`: how many stages it has passed. `live`: the live readings of the batch, once its quality was checked.
    `arrived_until`: everything that arrived before it (ns) was evaluated; given only with an empty batch. `former`: the
    plants that were known before this cycle, by id, if their files have changed. `renamed`: points that have another id
    from this cycle on, in the order in which they got it.
    """

    now: int
    batch: Batch
    configuration: PlantConfiguration
    policy: Policy
    arrived_until: int = 0
    passed: int = 0
    live: Batch = field(default_factory=empty_batch)
    findings: Findings = field(default_factory=nothing)
    events: list[AlarmEvent] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)  # as they stand now
    bypasses: list[Bypass] = field(default_factory=list)  # registrations as they stand now
    warnings: list[WarningEvent] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)  # for the audit trail, besides the events
    messages: list[Message] = field(default_factory=list)
    not_evaluated: list[LateUnjudged] = field(default_factory=list)
    former: Mapping[str, Plant] = field(default_factory=dict)
    renamed: list[Rename] = field(default_factory=list)

    def plant(self, name: str) -> Plant | None:
        """The plant as configured now, or until this cycle: messages about a removed plant still name it."""
        return self.configuration.plants.get(name) or self.former.get(name)

    @property
    def has_results(self) -> bool:
        """Whether the cycle led to anything that has to be committed at once."""
        return bool(self.events or self.suppressions or self.bypasses or self.warnings or self.acts or self.messages)
