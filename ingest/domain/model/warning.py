"""Early warning (预警): how things stand with one plant, in one colour. An alarm (报警) is another record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntFlag, StrEnum
from functools import cache
from typing import Any, Self
from uuid import UUID, uuid5

from ingest.domain.model.audit import ActRole
from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text

_WARNINGS = UUID("6b0a4f0e-1d55-5c0a-8a3e-52b1f7a0c9d4")


class _Ranked(Enum):
    """Words in an order, the least first; each is also said in both languages."""

    rank: int
    text: Text

    def __new__(cls, word: str, _zh: str = "", _en: str = "") -> Self:
        member = object.__new__(cls)
        member._value_ = word
        return member

    def __init__(self, _word: str, zh: str = "", en: str = "") -> None:
        self.rank = len(type(self).__members__)
        self.text = Text(zh, en)

    def __lt__(self, other: Self) -> bool:
        return self.rank < other.rank

    def __le__(self, other: Self) -> bool:
        return self.rank <= other.rank

    def __gt__(self, other: Self) -> bool:
        return self.rank > other.rank

    def __ge__(self, other: Self) -> bool:
        return self.rank >= other.rank

    def __str__(self) -> str:
        return str(self.value)


class Colour(_Ranked):
    """How grave it is."""

    BLUE = "blue", "蓝色", "blue"
    YELLOW = "yellow", "黄色", "yellow"
    ORANGE = "orange", "橙色", "orange"
    RED = "red", "红色", "red"


class Step(_Ranked):
    """Who is asked, from the enterprise up."""

    ENTERPRISE = "enterprise", "企业", "enterprise"
    TOWNSHIP = "township", "乡镇", "township"
    COUNTY = "county", "县级", "county"
    CITY = "city", "市级", "city"
    PROVINCE = "province", "省级", "province"


class Asked(StrEnum):
    """What the present step is asked for."""

    ACKNOWLEDGEMENT = "acknowledgement"
    FEEDBACK = "feedback"


class WarningState(StrEnum):
    """How far an episode has come."""

    OPEN = "open"
    OVER = "over-awaiting-feedback"  # nothing calls for it any more, and nobody has said what it was
    CLOSED = "closed"


class WarningEventKind(StrEnum):
    """What happens to a warning."""

    RAISED = "raised"
    COLOUR_CHANGED = "colour-changed"
    INPUTS_CHANGED = "inputs-changed"  # the colour stands, for other reasons
    REMINDED = "reminded"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    FEEDBACK = "feedback"
    ENDED = "ended"
    REOPENED = "reopened"
    RESUMED = "resumed"  # the service had reached nobody for a while; deadlines go on from where they stood
    CLOSED = "closed"


class Trait(IntFlag):
    """What rules ask of a fact."""

    LEVEL_1 = 1
    LEVEL_2 = 2
    RED = 4  # its rule alone calls for red
    UNACKNOWLEDGED = 8
    FORECAST = 16  # a limit will be reached, and is not yet
    LOST = 32  # offline, silent or bad: the device tells nothing
    MANDATORY = 64  # a duty asks for the point
    BYPASS = 128  # an interlock is bypassed
    OUT_OF_SERVICE = 256  # the point is taken out of service (停用)
    IN_PRODUCTION = 512  # its equipment runs, as far as is known

    @property
    def words(self) -> list[str]:
        """Its parts by name."""
        return list(_words(self))


@cache
def _words(traits: Trait) -> tuple[str, ...]:
    return tuple(str(trait.name).lower() for trait in Trait if trait in traits)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a plant that may call for a warning. Times are ns since the epoch, UTC.

    Attributes:
        alarm: the alarm that tells of it; None: a point that is out of service.
        rule: code of the alarm's rule; "" without an alarm.
        level: of the alarm; 0 without.
        since: when the service learnt of it.
        gone: when it was over; None while it stands.
        key: what names it among the facts of its plant.
    """

    alarm: UUID | None
    point: str
    rule: str
    signal: str
    equipment: str | None
    level: int
    traits: Trait
    since: int
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    gone: int | None = None
    key: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Name it."""
        key = str(self.alarm) if self.alarm is not None else f"out-of-service/{self.point}"
        object.__setattr__(self, "key", key)


@dataclass(frozen=True, slots=True)
class Ground:
    """One rule that holds, as its file said it then, and the facts it holds for.

    Attributes:
        facts: those that weigh most, at most `ingest.domain.warnings.derive.MOST`.
        more: how many further ones there were.
    """

    rule: str
    colour: Colour
    text: Text
    source: str
    confidence: Confidence
    facts: tuple[Fact, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Feedback:
    """What it was and what was done."""

    cause: str
    measure: str
    by: str
    time: int


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """One episode of one plant, as it stands. Times are ns since the epoch, UTC.

    Times that something is counted from or to (`asked`, `until`, `ended`, `fading`, `changed`) move along when the
    service's clock is set.

    Attributes:
        colour: now; None once it is over.
        peak: the highest colour so far; deadlines follow it.
        since: since when the colour is this.
        ended: when the colour was gone.
        step: who is asked now.
        asking: for what; None: nothing is missing.
        asked: since when; a deadline counts from here. It moves along over a time in which the service reached nobody.
        until: that deadline.
        who: the names of those who are asked; none while something is asked: everyone.
        reminded: reminders since then.
        acknowledged, acknowledged_by: when somebody had seen it, and who.
        risk: the plant's risk index at the last event.
        rules: version of the rules the colour was derived by.
        inputs: every rule that holds.
        fading: colours no longer called for, since when; each is shown for a while yet.
        changed: when the last event was.
        stepped: by how much the service's clock was set, as known then, ns.
        events: how many there were.
    """

    id: UUID
    plant: str
    colour: Colour | None
    peak: Colour
    since: int
    raised: int
    state: WarningState
    step: Step
    asking: Asked | None
    asked: int
    reminded: int
    risk: float
    rules: str
    inputs: tuple[Ground, ...]
    until: int | None = None
    who: tuple[str, ...] = ()
    ended: int | None = None
    acknowledged: int | None = None
    acknowledged_by: str | None = None
    feedback: Feedback | None = None
    fading: Mapping[Colour, int] = field(default_factory=dict)
    changed: int = 0
    stepped: int = 0
    events: int = 0

    @property
    def held(self) -> int | None:
        """Since when its colour is called for no more and only held, ns; None: it is called for, or there is none."""
        return self.fading.get(self.colour) if self.colour else None


@dataclass(frozen=True, slots=True)
class WarningEvent:
    """One step in a warning's life, with the warning as it stood right after it.

    Attributes:
        seq: position in the state database's event log; 0 before it is committed.
        time: when it was due or done, ns since the epoch.
        by, role: who did it; None: the service itself.
        detail: what was said with it, JSON-ready.
    """

    seq: int
    id: UUID
    kind: WarningEventKind
    time: int
    warning: EarlyWarning
    by: str | None = None
    role: ActRole | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WarningFilter:
    """Which warnings. None = any. Times are ns since the epoch on `raised`."""

    plants: frozenset[str] | None = None
    colours: frozenset[Colour] | None = None
    peaks: frozenset[Colour] | None = None
    states: frozenset[WarningState] | None = None
    since: int | None = None
    until: int | None = None


def warning_id(plant: str, begin: int) -> UUID:
    """The episode's id: the same beginning always gives the same id."""
    return uuid5(_WARNINGS, f"{plant}/{begin}")


def warning_event_id(warning: UUID, number: int, kind: WarningEventKind) -> UUID:
    """The id of an episode's n-th event, equally reproducible."""
    return uuid5(warning, f"{number}/{kind}")
