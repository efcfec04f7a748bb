"""One go of the engine, as its stages hand it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from detectors import Findings
from detectors.readings import nothing
from ingest.model.alarm import AlarmEvent
from ingest.model.batch import Batch
from ingest.model.outbox import Message, MessageKind
from ingest.plants.roster import Roster


@dataclass(frozen=True, slots=True)
class Terms:
    """What the stages are told once.

    Attributes:
        recipients: the connectors that want a message of this kind, from this plant, at this level (None: readings).
        report_every: interval of the readings report, ns; None = nobody wants one.
    """

    recipients: Callable[[MessageKind, str, int | None], Sequence[str]] = lambda _kind, _plant, _level: ()
    report_every: int | None = None


@dataclass(slots=True)
class Turn:
    """One go of the engine: a batch, the moment it is judged at, and what comes of it.

    `seen` matters while the batch is empty: everything that arrived before it (ns) was judged.
    """

    now: int
    batch: Batch
    roster: Roster
    terms: Terms
    seen: int = 0
    findings: Findings = field(default_factory=nothing)
    events: list[AlarmEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
