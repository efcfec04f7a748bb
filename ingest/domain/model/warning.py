"""Early warnings (预警), the state of a plant in one colour, and their events. Alarms (报警) are another record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntFlag, StrEnum
from functools import cache
from typing import Any, Self
from uuid import UUID, uuid5

from ingest.domain.model.audit import ActRole
from ingest.domain.model.plant import Confidence, PhaseName
from ingest.domain.model.text import Text

_WARNINGS = UUID("6b0a4f0e-1d55-5c0a-8a3e-52b1f7a0c9d4")


class _Ranked(Enum):
    """An ordered enumeration, the lowest first; each member has a text in both languages."""

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
    """The colour of a warning, the least grave first."""

    BLUE = "blue", "蓝色", "blue"
    YELLOW = "yellow", "黄色", "yellow"
    ORANGE = "orange", "橙色", "orange"
    RED = "red", "红色", "red"


class Step(_Ranked):
    """The tiers of escalation, from the enterprise up."""

    ENTERPRISE = "enterprise", "企业", "enterprise"
    TOWNSHIP = "township", "乡镇", "township"
    COUNTY = "county", "县级", "county"
    CITY = "city", "市级", "city"
    PROVINCE = "province", "省级", "province"


class Asked(StrEnum):
    """What the present tier is asked for."""

    ACKNOWLEDGEMENT = "acknowledgement"
    FEEDBACK = "feedback"


class WarningState(StrEnum):
    """The state of an episode."""

    OPEN = "open"
    OVER = "over-awaiting-feedback"  # nothing calls for it any more, and nobody has said what it was
    CLOSED = "closed"


class WarningEventKind(StrEnum):
    """The kinds of event in a warning episode."""

    RAISED = "raised"
    COLOUR_CHANGED = "colour-changed"
    INPUTS_CHANGED = "inputs-changed"  # the colour is the same, for other reasons
    REMINDED = "reminded"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    FEEDBACK = "feedback"
    ENDED = "ended"
    REOPENED = "reopened"
    RESUMED = "resumed"  # the service had reached nobody for a while; deadlines go on from where they stood
    CLOSED = "closed"


class Trait(IntFlag):
    """The properties of a fact that rules select by."""

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
    FUNCTION_CHECK = 1024  # the point is under a function check (功能检查) that a person began
    CRITICAL_PHASE = 2048  # its equipment is in a phase in which most goes wrong, or nobody knows in which

    @property
    def words(self) -> list[str]:
        """The names of the traits that are set."""
        return list(_words(self))


@cache
def _words(traits: Trait) -> tuple[str, ...]:
    return tuple(str(trait.name).lower() for trait in Trait if trait in traits)


@dataclass(frozen=True, slots=True)
class Fact:
    """An input of a plant's warning: an alarm, or a point out of service. Times are ns since the epoch, UTC.

    Attributes:
        alarm: the alarm it comes from; None: a point that is out of service.
        rule: code of the alarm's rule; "" without an alarm.
        level: of the alarm; 0 without.
        since: when the service learnt of it.
        gone: when it ended; None while it holds.
        phase: of its equipment, as it is or was at its end; None: it has none.
        key: identifies it among the facts of its plant.
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
    phase: PhaseName | None = None
    key: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Compute the key."""
        why = "function-check" if Trait.FUNCTION_CHECK in self.traits else "out-of-service"
        key = str(self.alarm) if self.alarm is not None else f"{why}/{self.point}"
        object.__setattr__(self, "key", key)


@dataclass(frozen=True, slots=True)
class Ground:
    """A rule that is met, as its file had it then, and the facts that meet it.

    Attributes:
        facts: those of most weight, at most `ingest.domain.warnings.derive.MOST`.
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
    """The cause a person found and the measure taken."""

    cause: str
    measure: str
    by: str
    time: int


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """One warning episode of a plant in its present state. Times are ns since the epoch, UTC.

    Times that durations are counted from or to (`asked`, `until`, `ended`, `fading`, `changed`) are shifted when the
    service's clock is set.

    Attributes:
        colour: the present one; None once it has ended.
        peak: the highest colour so far, which decides the deadlines.
        since: since when it has this colour.
        ended: when it lost its last colour.
        step: the tier that is asked now.
        asking: for what; None: nothing is asked for.
        asked: since when; the deadline counts from here. It is moved over a time in which the service reached nobody.
        until: that deadline.
        who: the names of those who are asked; empty while something is asked for: everyone.
        reminded: reminders since `asked`.
        acknowledged, acknowledged_by: when it was acknowledged, and by whom.
        risk: the plant's risk index at the last event.
        rules: version of the rules the colour was derived by.
        inputs: every rule that is met.
        fading: colours whose rules are no longer met, and since when; each is still shown for a while.
        changed: time of the last event.
        stepped: by how much the service's clock had been set by then, ns.
        events: how many there have been.
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
        """Since when its colour is only held while its rules are no longer met, ns; None: they are, or it has none."""
        return self.fading.get(self.colour) if self.colour else None


@dataclass(frozen=True, slots=True)
class WarningEvent:
    """One event of a warning episode, with the warning's state right after it.

    Attributes:
        seq: position in the state database's event log; 0 before it is committed.
        time: when it was due or done, ns since the epoch.
        by, role: who did it; None: the service itself.
        detail: comment, reason and the like, JSON-ready.
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
    """Selects warnings; None = any. Times are ns since the epoch on `raised`."""

    plants: frozenset[str] | None = None
    colours: frozenset[Colour] | None = None
    peaks: frozenset[Colour] | None = None
    states: frozenset[WarningState] | None = None
    since: int | None = None
    until: int | None = None


def warning_id(plant: str, begin: int) -> UUID:
    """Return the episode's id: the same beginning always gives the same id."""
    return uuid5(_WARNINGS, f"{plant}/{begin}")


def warning_event_id(warning: UUID, number: int, kind: WarningEventKind) -> UUID:
    """Return the reproducible id of an episode's n-th event."""
    return uuid5(warning, f"{number}/{kind}")
