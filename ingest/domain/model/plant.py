"""Plant, equipment, gateway, point and rule: the read-only configuration records of a plant."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from ingest.domain.model.daily import CleaningArea, PledgeDuty
from ingest.domain.model.display_value import at
from ingest.domain.model.text import Text

PlantKind = Literal["dust", "steel", "aluminium"]

SERVICE: Final = "service"
"""Id and kind of the service itself as a plant: what it monitors of itself are points with rules and alarms."""

GateOp = Literal["==", "!=", "<", "<=", ">", ">="]

_OPERATORS: Final[Mapping[GateOp, Callable[[float, float], bool]]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Confidence(StrEnum):
    """How far a number can be trusted. A default is never presented as regulation."""

    REGULATION = "regulation"
    PUBLISHED = "published"
    ENGINEERING_DEFAULT = "engineering default"


@dataclass(frozen=True, slots=True)
class Gate:
    """`when`: the rule is evaluated only while another point of the same plant satisfies this condition."""

    point: str
    op: GateOp
    value: float

    def holds(self, value: float) -> bool:
        """Whether a value of that point satisfies it, as far as single precision tells."""
        return _OPERATORS[self.op](at(value, self.value), self.value)


@dataclass(frozen=True, slots=True)
class Rationalization:
    """What an alarm of a rule asks of people, after ISA-18.2: why it comes, what follows, what to do, and how soon.

    Attributes:
        respond_s: the time within which the action must have begun, in s.
        source: where the texts and the time are from.
    """

    cause: Text
    consequence: Text
    action: Text
    respond_s: float
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by which a point is evaluated. `(plant, point, code)` is its identity, whatever its numbers."""

    plant: str
    point: str
    code: str  # "LL" "L" "H" "HH" "RATE" "STUCK" "RANGE" "BAD" "SILENT" "OFFLINE" ...
    kind: str  # the detector's name in `detectors.registry`
    level: Literal[1, 2]
    limit: float  # as a person would write it: the value at which the rule trips, in `unit`
    unit: str
    title: Text  # "结晶器冷却水进水压力 低低报"
    gate: Gate | None  # None too where the condition is an expression: `when` says it
    source: str
    confidence: Confidence
    reason: Text  # one sentence: what a trip says, with its numbers, and why it matters
    when: str = ""  # the condition under which it is evaluated, with points for names; "" = always
    of: str = ""  # the expression evaluated instead of the point's own value
    inputs: tuple[str, ...] = ()  # further points it reads
    latch: bool = False  # an alarm of it stays until somebody resets it, also when the condition is gone
    red: bool = False  # alone calls for a red warning of its plant
    rationalization: Rationalization | None = None  # None: there is no instruction on file
    signed: bool = False  # resetting its alarm needs a signed inspection
    phases: tuple[Text, ...] = ()  # of its equipment, in which it is evaluated; `when` says by what they are known


def rule_key(plant: str, point: str, code: str) -> str:
    """Return the key of a rule in the state of detectors and excursions."""
    return f"{plant}/{point}/{code}"


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Numbers by which a gateway reports the state of a channel; they are never values, though they look like such."""

    not_connected: tuple[float, ...] = ()  # a spare channel
    failure: tuple[float, ...] = ()

    def values(self) -> tuple[float, ...]:
        """Return all of them."""
        return self.not_connected + self.failure


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """A default rule that is not evaluated, and what it needs of its plant; as a text the API has it so."""

    code: str
    needs: Text

    def __str__(self) -> str:
        return f"{self.code}: needs {self.needs.en}"


@dataclass(frozen=True, slots=True)
class Point:
    """A measuring point (测点)."""

    index: int  # in the configuration's arrays, for ever
    plant: str
    id: str
    signal: str  # catalogue code, e.g. "ALC_CW_IN_P"
    name: Text
    unit: str
    equipment: str | None
    gateway: str
    low: float  # instrument range
    high: float
    silence_s: float
    setpoint: float | None
    rules: Sequence[Rule]
    not_evaluated: tuple[NotEvaluated, ...]  # default rules that wait for something of this plant (a set-point)
    mandatory: bool = False  # a duty asks for it: out of action it is a hazard
    basis: str | None = None  # that duty, or where the signal is from
    red: bool = False  # one of its rules alone calls for a red warning
    states: tuple[Text, Text] | None = None  # what 0 and 1 mean; None: it has numbers
    interlock: bool = False  # the state of an interlock: 1 says that it is bypassed
    was: str | None = None  # its id before it was renamed, under which its readings of then are kept
    sentinels: Sentinels | None = None  # None: it has none

    def word(self, value: float | None) -> Text | None:
        """Return the state a value stands for, or None if the point has none or the value is neither 0 nor 1."""
        return self.states[int(value)] if self.states is not None and value in {0.0, 1.0} else None

    @property
    def is_device(self) -> bool:
        """Whether no instrument measures this: a point of a gateway, of the service, or of an instrument's checks."""
        return self.signal in DEVICE_SIGNALS


GATEWAY_SIGNAL: Final = "GATEWAY_ONLINE"
"""The signal of a gateway's own point: 1 online, 0 offline. Its point id is the gateway's id."""


class GatewayPoint(StrEnum):
    """What the service monitors of every gateway, each a point of that gateway.

    The point's id is the gateway's, a dot and this; its signal is `GATEWAY_` and this in capitals.
    """

    CLOCK = "clock"  # seconds its clock is ahead of the service's
    REFUSED = "refused"  # percent of what it sent lately that could not be taken
    REUSED = "reused"  # frames lately with a number that another frame of the same boot has
    THROTTLED = "throttled"  # messages lately that were beyond its share and were not read

    @property
    def signal(self) -> str:
        """Its signal."""
        return f"GATEWAY_{self.upper()}"

    def of(self, gateway: str) -> str:
        """Return the id of this point of that gateway."""
        return f"{gateway}.{self}"


def gateway_point_of(point: str) -> tuple[str, GatewayPoint] | None:
    """Return the gateway a point with this id belongs to and what it monitors, or None.

    >>> gateway_point_of("GW-01.clock")
    ('GW-01', <GatewayPoint.CLOCK: 'clock'>)
    """
    gateway, dot, name = point.rpartition(".")
    return (gateway, GatewayPoint(name)) if dot and name in _GATEWAY_POINTS else None


_GATEWAY_POINTS: Final = frozenset(map(str, GatewayPoint))


class ServicePoint(StrEnum):
    """What the service monitors of itself: the ids of its points; their signals are `SERVICE_` and the id."""

    DISK = "DISK"
    STATE = "STATE"
    BROKER = "BROKER"
    HISTORY = "HISTORY"
    HISTORY_REFUSED = "HISTORY_REFUSED"
    HISTORY_EXPIRED = "HISTORY_EXPIRED"
    HISTORY_DROPPED = "HISTORY_DROPPED"
    OUTBOX = "OUTBOX"
    DEAD_LETTERS = "DEAD_LETTERS"
    CLOCK = "CLOCK"
    TIME = "TIME"
    SESSION = "SESSION"
    MISSING = "MISSING"
    JOURNAL_DAMAGE = "JOURNAL_DAMAGE"
    QUARANTINE = "QUARANTINE"
    PLANT_FILES = "PLANT_FILES"
    UNWATCHED = "UNWATCHED"
    SETTINGS = "SETTINGS"
    CERTIFICATES = "CERTIFICATES"
    BROKER_NEEDS = "BROKER_NEEDS"

    @property
    def signal(self) -> str:
        """Its signal."""
        return f"SERVICE_{self}"


class InstrumentPoint(StrEnum):
    """What the service watches of an instrument's checks: for how many days each is overdue.

    The point's id is the instrument's, a dot and this; its signal is `INSTRUMENT_` and this in capitals.
    """

    CALIBRATION = "calibration"
    FUNCTION_TEST = "function-test"
    PROOF_TEST = "proof-test"

    @property
    def signal(self) -> str:
        """Its signal."""
        return f"INSTRUMENT_{self.upper().replace('-', '_')}"

    def of(self, instrument: str) -> str:
        """Return the id of this point of that instrument."""
        return f"{instrument}.{self}"


DEVICE_SIGNALS: Final = frozenset(
    {
        GATEWAY_SIGNAL,
        *(point.signal for point in GatewayPoint),
        *(point.signal for point in ServicePoint),
        *(point.signal for point in InstrumentPoint),
    }
)
"""Signals that no instrument of a plant measures."""


@dataclass(frozen=True, slots=True)
class PhaseName:
    """What a phase is called, as it was when that was recorded."""

    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of an equipment.

    Attributes:
        when: an expression that holds once the phase is reached, through all later ones; "" for the first.
        points: the ids of the points that its names stand for, in their order.
        shown: the same for people.
        critical: most goes wrong in it, so that alarms of level 2 weigh more.
    """

    code: str
    name: Text
    when: str = ""
    points: tuple[str, ...] = ()
    shown: str = ""
    critical: bool = False

    @property
    def called(self) -> PhaseName:
        """Its code and name."""
        return PhaseName(self.code, self.name)


UNKNOWN_PHASE: Final = Phase("unknown", Text("未知", "unknown"))
"""What shows the phase is bad, stale or missing."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """A machine or place that points belong to."""

    id: str
    name: Text
    running: Gate | None = None  # in production while this holds; None: always taken to be
    phases: tuple[Phase, ...] = ()  # of its process, in their order


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway as registered by its plant."""

    plant: str
    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class Plant:
    """An enterprise with its connected equipment, or the service itself, which is none."""

    id: str
    name: Text
    uscc: str
    region: str
    kind: PlantKind | Literal["service"]
    workers: int
    dust_workers: int
    dust: str | None
    equipment: tuple[Equipment, ...]
    gateways: tuple[Gateway, ...]
    points: tuple[Point, ...]
    connect_by: dt.date | None  # enrolment deadline; None = not mandatory
    tier: Text  # which clause of the enrolment rule it falls under
    cleaning: tuple[CleaningArea, ...] = ()  # areas that are cleaned of dust by plan
    pledge: PledgeDuty | None = None  # that it gives a pledge each day; None: its file asks for none
