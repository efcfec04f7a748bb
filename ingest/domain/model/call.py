"""Calls (叫应): those on duty are called, one after another, until somebody answers. Times are ns since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, Step

_CALLS: Final = UUID("0d7c9b52-6a53-5d1f-9f3e-7c2b8a4e6d10")


class Cause(StrEnum):
    """What people are called for."""

    WARNING = "warning"
    ALARM = "alarm"  # of level 2, at a plant
    SYSTEM = "system"  # of level 2, of the service itself
    ROLL_CALL = "roll-call"  # 在线抽查: to see who answers


class CallState(StrEnum):
    """The state of a call."""

    RINGING = "ringing"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"  # nobody of the whole ladder answered
    WITHDRAWN = "withdrawn"  # what it was for is over, or is called for anew


OVER: Final = frozenset({CallState.ANSWERED, CallState.WITHDRAWN})
"""States in which nobody's answer is awaited."""


class Receipt(StrEnum):
    """What is known of one attempt to reach a person, by its channel."""

    CALLED = "called"  # handed to the channel; nothing is known yet
    DELIVERED = "delivered"
    ANSWERED = "answered"  # picked up
    NOT_ANSWERED = "not-answered"
    FAILED = "failed"
    REFUSED = "refused"  # the person cannot come
    ACKNOWLEDGED = "acknowledged"  # pressed 1

    @property
    def rank(self) -> int:
        """Receipts may come twice and in any order: only one of a greater rank changes what is known."""
        return _RANKS[self]


_RANKS: Final = {
    Receipt.CALLED: 0,
    Receipt.DELIVERED: 1,
    Receipt.ANSWERED: 2,
    Receipt.NOT_ANSWERED: 3,
    Receipt.FAILED: 3,
    Receipt.REFUSED: 4,
    Receipt.ACKNOWLEDGED: 5,
}

MISSED: Final = frozenset({Receipt.NOT_ANSWERED, Receipt.FAILED})
"""Receipts by which an attempt has ended without an answer."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach a person: the connector that takes the message, and the person's address there."""

    connector: str
    address: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be called, by these channels in this order."""

    name: str
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A step of a ladder: who is called, before the next step is.

    Attributes:
        position: those on duty at this position are called; None: `people` alone.
        people: these are called after them, whether on duty or not.
        tier: the tier of escalation that they are of; None: not given.
        ring: how long a try waits for an answer, ns.
        tries: how often a person is tried.
        parallel: whether all of them are called at once, not one after another.
    """

    ring: int
    tries: int
    position: str | None = None
    people: tuple[str, ...] = ()
    tier: Step | None = None
    parallel: bool = False

    @property
    def title(self) -> str:
        """Whom it calls, for people."""
        return "、".join(filter(None, [self.position, *self.people]))


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who is to be called by a step at a moment.

    Attributes:
        people: in their order; empty: nobody is planned.
        gap: nobody signed in, so that those planned count.
    """

    people: tuple[Person, ...] = ()
    gap: bool = False


@dataclass(frozen=True, slots=True)
class CallAttempt:
    """One message to one person by one channel. Its id is the message's, and the one that receipts name.

    Attributes:
        step: number of the step, from 0.
        ring: the how many-eth ring of the call: one try of one person, by all of the person's channels.
        attempt: the how many-eth try of that person in that step, from 1.
        until: how long the person is waited for.
        changed: when the receipt came.
    """

    id: UUID
    step: int
    ring: int
    attempt: int
    person: str
    connector: str
    address: str
    sent: int
    until: int
    receipt: Receipt = Receipt.CALLED
    changed: int | None = None


@dataclass(frozen=True, slots=True)
class Ringing:
    """A person whose answer is awaited, and until when."""

    person: str
    ring: int
    attempt: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call in its present state.

    Attributes:
        subject: id of the warning or alarm; of a roll call its own.
        colour: of the warning; None: it is for something else.
        level: of the alarm; None: it is for something else.
        facts: what the message says of it, by language and field.
        since: since when there is what it is for.
        began: when it began.
        deadline: somebody should have answered by then.
        ladder: the steps, as the settings had them when it began.
        state: see `CallState`.
        step: number of the present step, from 0; -1: before the first.
        called: people who were called in the present step.
        ringing: who is rung now.
        attempts: every message to a person so far.
        rings: how many tries there were.
        overdue: whether the deadline passed without an answer.
        answered_by, answered: who answered first, and when.
        by_way: of what: a connector, or `console`, `api`, `warning`, `alarm`.
        ended: when it was answered or withdrawn.
        errand: since when somebody has to go there (有人到场), open until somebody arrived; None: nobody has to.
        under_way_by, under_way: who went there first, and when.
        arrived_by, arrived: who was there first, and when.
        changed: time of its last change.
        events: how many there have been.
    """

    id: UUID
    plant: str
    cause: Cause
    subject: str
    colour: Colour | None
    level: int | None
    facts: Mapping[str, Mapping[str, str]]
    since: int
    began: int
    deadline: int
    ladder: tuple[LadderStep, ...]
    state: CallState = CallState.RINGING
    step: int = -1
    called: tuple[str, ...] = ()
    ringing: tuple[Ringing, ...] = ()
    attempts: tuple[CallAttempt, ...] = ()
    rings: int = 0
    overdue: bool = False
    answered_by: str | None = None
    answered: int | None = None
    by_way: str | None = None
    ended: int | None = None
    errand: int | None = None
    under_way_by: str | None = None
    under_way: int | None = None
    arrived_by: str | None = None
    arrived: int | None = None
    changed: int = 0
    events: int = 0

    @property
    def open(self) -> bool:
        """Whether an answer or somebody's arrival is awaited; a roll call awaits none once everybody was rung."""
        if self.cause is Cause.ROLL_CALL:
            return self.state is CallState.RINGING
        return self.state not in OVER or self.errand_open

    @property
    def errand_open(self) -> bool:
        """Whether somebody has to go there and nobody has arrived."""
        return self.errand is not None and self.arrived is None

    @property
    def people_called(self) -> tuple[str, ...]:
        """Everybody who was called, in that order."""
        return tuple(dict.fromkeys(attempt.person for attempt in self.attempts))


class CallEventKind(StrEnum):
    """The kinds of event in a call."""

    BEGAN = "began"
    STEP = "step"  # the next step is called
    GAP = "gap"  # nobody signed in: those planned are called
    NOBODY = "nobody"  # nobody is planned or can be called: the next step is, at once
    UNREACHABLE = "unreachable"  # the person has no channel
    RANG = "rang"
    RECEIPT = "receipt"
    REFUSED = "refused"
    PASSED_ON = "passed-on"  # the person did not answer any try
    OVERDUE = "overdue"
    EXHAUSTED = "exhausted"  # nobody of the whole ladder answered
    SEND_SOMEBODY = "send-somebody"
    ANSWERED = "answered"
    UNDER_WAY = "under-way"
    ARRIVED = "arrived"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One event of a call; `number` counts them from 1.

    Attributes:
        person: whom it is about; None: nobody.
        detail: words and values, JSON-ready.
    """

    call: UUID
    number: int
    kind: CallEventKind
    time: int
    person: str | None = None
    detail: Mapping[str, str | int] = field(default_factory=dict)


EVENT_TEXTS: Final[Mapping[CallEventKind, Text]] = {
    CallEventKind.BEGAN: Text("开始叫应", "call began"),
    CallEventKind.STEP: Text("进入下一级", "next step"),
    CallEventKind.GAP: Text("无人签到，按排班叫应", "nobody signed in: those planned are called"),
    CallEventKind.NOBODY: Text("无人可叫，立即转下一级", "nobody to be called: next step at once"),
    CallEventKind.UNREACHABLE: Text("没有联系方式", "no way to reach"),
    CallEventKind.RANG: Text("呼叫", "rang"),
    CallEventKind.RECEIPT: Text("回执", "receipt"),
    CallEventKind.REFUSED: Text("表示不能来", "refused"),
    CallEventKind.PASSED_ON: Text("未应答，转下一人", "no answer: passed on"),
    CallEventKind.OVERDUE: Text("超过时限无人应答", "nobody answered by the deadline"),
    CallEventKind.EXHAUSTED: Text("全部叫过，无人应答", "everybody was called, nobody answered"),
    CallEventKind.SEND_SOMEBODY: Text("须派人到场", "somebody has to go there"),
    CallEventKind.ANSWERED: Text("已应答", "answered"),
    CallEventKind.UNDER_WAY: Text("已出发", "on the way"),
    CallEventKind.ARRIVED: Text("已到场", "arrived"),
    CallEventKind.WITHDRAWN: Text("撤销", "withdrawn"),
}
"""What the events are called."""


def call_id(cause: Cause, subject: str, colour: Colour | None) -> UUID:
    """Return the call's id: what calls for it again gives the same, so nobody is called twice for one thing."""
    return uuid5(_CALLS, f"{cause}/{subject}/{colour or ''}")


def attempt_id(call: UUID, number: int) -> UUID:
    """Return the id of a call's n-th attempt."""
    return uuid5(call, f"attempt/{number}")
