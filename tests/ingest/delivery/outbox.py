"""An outbox in memory, a manual clock, and messages as the service creates them."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from ingest.base.backoff import RetrySchedule
from ingest.delivery.connector import Outcome
from ingest.delivery.sender import OutboxSender
from ingest.domain.alarms.report import alarm_body, readings_body
from ingest.domain.cases.notice_report import notice_body
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmState, alarm_id, event_id
from ingest.domain.model.bypass import RegisteredBypass
from ingest.domain.model.contribution import Contribution
from ingest.domain.model.flags import Flag
from ingest.domain.model.notice import Matter, Notice, message_id
from ingest.domain.model.outbox import Attempt, Message, MessageKind, Urgency, Waiting
from ingest.domain.model.plant import Confidence, PhaseName, Plant, Point, Rationalization, Rule
from ingest.domain.model.text import Text
from ingest.domain.model.warning import (
    Asked,
    Colour,
    EarlyWarning,
    Fact,
    Feedback,
    Ground,
    Step,
    Trait,
    WarningEvent,
    WarningEventKind,
    WarningState,
    warning_event_id,
    warning_id,
)
from ingest.domain.warnings.report import warning_body

START = 1_763_884_800_000_000_000  # 2025-11-23T08:00:00Z
SECOND = 1_000_000_000


class Clock:
    """Stands still until moved; its steady side goes on from 0 and is not set with it."""

    def __init__(self, ns: int = START) -> None:
        self.ns = ns
        self._set = ns

    def __call__(self) -> int:
        return self.ns

    def steady(self) -> float:
        return (self.ns - self._set) / SECOND

    def set(self, by_s: float) -> None:
        """Somebody sets the wall clock."""
        self.ns += int(by_s * SECOND)
        self._set += int(by_s * SECOND)


@dataclass(slots=True)
class Row:
    message: Message
    first_attempt: int | None = None
    delivered: int | None = None
    rejected: int | None = None
    errors: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # of tries, ns

    @property
    def delays(self) -> list[int]:
        """Ns from each try to the next."""
        return [after - before for before, after in itertools.pairwise(self.starts)]


class MemoryOutbox:
    """Keeps the columns of the real table; `broken` makes every call of that name fail."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.queries = 0
        self.broken: set[str] = set()
        self._lock = threading.Lock()

    def put(self, *messages: Message, connector: str = "inspector") -> None:
        with self._lock:
            for message in messages:
                self.rows[message.seq] = Row(replace(message, connector=connector))

    def waiting(self, connector: str, kind: MessageKind, after: int, limit: int) -> Sequence[Waiting]:
        self.queries += kind == "alarm"
        self._check("waiting")
        kept = [row.message for row in self._open(connector)]
        found = [m for m in kept if m.kind == kind and m.seq > after]
        return [Waiting(m.seq, m.kind, m.plant, m.subject, m.urgency) for m in found[:limit]]

    def messages(self, connector: str, seqs: Sequence[int]) -> Sequence[Message]:
        self._check("messages")
        return [row.message for row in self._open(connector) if row.message.seq in seqs]

    def oldest(self, connector: str) -> int | None:
        return min((row.message.created for row in self._open(connector)), default=None)

    def record(self, connector: str, attempts: Sequence[Attempt]) -> None:
        self._check("record")
        for attempt in attempts:
            row = self.rows[attempt.seq]
            assert row.message.connector == connector
            row.message = replace(row.message, attempts=row.message.attempts + 1)
            row.first_attempt = row.first_attempt or attempt.started
            row.starts.append(attempt.started)
            row.delivered, row.rejected = attempt.delivered, attempt.rejected
            if attempt.error is not None:
                row.errors.append(attempt.error)

    def done(self) -> bool:
        return all(row.delivered is not None or row.rejected is not None for row in self.rows.values())

    def _open(self, connector: str) -> list[Row]:
        with self._lock:
            rows = sorted(self.rows.items())
        return [
            row
            for _, row in rows
            if row.message.connector == connector and row.delivered is None and row.rejected is None
        ]

    def _check(self, call: str) -> None:
        if call in self.broken:
            raise OSError("disk full")


class StandIn:
    """A connector that does as `answer` says; None = delivered."""

    def __init__(
        self, answer: Callable[[Message], Outcome], *, name: str = "inspector", batch: int = 1, in_flight: int = 4
    ) -> None:
        self.name = name
        self.batch, self.in_flight = batch, in_flight
        self.schedule = RetrySchedule()
        self.answer = answer
        self.tried: list[int] = []
        self.closed = False

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        self.tried += [message.seq for message in messages]
        return [self.answer(message) for message in messages]

    async def close(self) -> None:
        self.closed = True


def accept(message: Message) -> Outcome:
    return Outcome(message.seq)


def refuse(message: Message) -> Outcome:
    return Outcome(message.seq, "HTTP 500 Internal Server Error")


@asynccontextmanager
async def running(sender: OutboxSender) -> AsyncIterator[None]:
    task = asyncio.create_task(sender.run(), name="sender")
    try:
        yield
    finally:
        sender.stop()
        await asyncio.wait_for(task, 5)


async def until(true: Callable[[], bool], timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.002)


async def hurry(true: Callable[[], bool], clock: Clock, outbox: MemoryOutbox, sender: OutboxSender) -> None:
    """Move the clock from one try to the next until it is true."""

    def step() -> bool:
        due = sender.next_at()
        if due is not None and due > clock.steady() and not outbox.done():
            clock.ns += math.ceil((due - clock.steady()) * SECOND)
            sender.wake()
        return true()

    await until(step, 60)


PLANT = Plant(
    id="南安铝业",
    name=Text("南安铝业有限公司", "Nan'an Aluminium"),
    uscc="91350100M000100Y43",
    region="350583",
    kind="aluminium",
    workers=120,
    dust_workers=0,
    dust=None,
    equipment=(),
    gateways=(),
    points=(),
    connect_by=None,
    tier=Text("深井铸造", "deep well"),
)


def alarm_message(
    seq: int,
    kind: AlarmEventKind = AlarmEventKind.RAISED,
    *,
    point: str = "CW_IN_P-01",
    plant: str = PLANT.id,
    urgency: Urgency = Urgency.ROUTINE,
) -> Message:
    """The event of an alarm of that point; the same point is the same alarm."""
    time_ns = START + list(AlarmEventKind).index(kind) * 60 * SECOND
    returned = kind is not AlarmEventKind.RAISED
    acknowledged = kind is AlarmEventKind.ACKNOWLEDGED
    alarm = Alarm(
        id=alarm_id(plant, point, "LL", START),
        plant=plant,
        point=point,
        rule="LL",
        level=2,
        state=AlarmState.RETURNED if returned else AlarmState.UNACKNOWLEDGED,
        title=Text("结晶器冷却水进水压力 低低报", "Mould cooling water pressure very low"),
        value=0.118,
        limit=0.15,
        unit="MPa",
        onset=START - 2 * SECOND,
        raised=START,
        annunciated=START,
        raises=1,
        returned=time_ns if returned else None,
        acked=time_ns if acknowledged else None,
        phase=PhaseName("steady", Text("稳定铸造", "steady")),
        contributions=(Contribution("CW_FLOW-01", Text("冷却水流量", "Cooling water flow"), 62.4),),
        bypass=RegisteredBypass(UUID(int=9), "张三", "李四", "换表", "专人监护", START + 3600 * SECOND),
        acked_by="王工" if acknowledged else None,
    )
    event = AlarmEvent(seq, event_id(alarm.id, kind, time_ns), kind, time_ns, time_ns, alarm)
    body = alarm_body(event, PLANT, RULE)
    name, subject = event_id(alarm.id, kind, time_ns), str(alarm.id)
    return Message(seq, "inspector", name, "alarm", plant, body, START, START, 0, urgency, subject)


RULE = Rule(
    plant=PLANT.id,
    point="CW_IN_P-01",
    code="LL",
    kind="limit",
    level=2,
    limit=0.15,
    unit="MPa",
    title=Text("结晶器冷却水进水压力 低低报", "Mould cooling water pressure very low"),
    gate=None,
    source="engineering default",
    confidence=Confidence.ENGINEERING_DEFAULT,
    reason=Text("压力低于限值", "pressure is below its limit"),
    rationalization=Rationalization(
        Text("水泵跳停。", "The pump tripped."),
        Text("铸锭拉漏。", "Ingots bleed out."),
        Text("停止浇铸，撤离。", "Stop casting, leave."),
        60.0,
        "engineering default",
        Confidence.ENGINEERING_DEFAULT,
    ),
)


def readings_message(seq: int, *, plant: str = PLANT.id, uscc: str = PLANT.uscc) -> Message:
    """The newest readings of two points; the second has no value."""
    points = (outbox_point(0, "CW_IN_P-01", "ALC_CW_IN_P", "MPa"), outbox_point(1, "CAST_LEN-01", "ALC_CAST_LEN", "mm"))
    latest = [(points[0], START, 0.351, 0), (points[1], START - SECOND, None, int(Flag.NO_VALUE))]
    body: dict[str, Any] = readings_body(replace(PLANT, id=plant, uscc=uscc), START + seq * SECOND, latest)
    return Message(
        seq, "platform", uuid5(UUID(int=0), f"readings/{seq}"), "readings", plant, body, START, START, 0, Urgency.BULK
    )


def outbox_point(index: int, point: str, signal: str, unit: str) -> Point:
    return Point(
        index=index,
        plant=PLANT.id,
        id=point,
        signal=signal,
        name=Text(point, point),
        unit=unit,
        equipment=None,
        gateway="gw-01",
        low=0.0,
        high=1.0,
        silence_s=60.0,
        setpoint=None,
        rules=(),
        not_evaluated=(),
    )


def warning_message(
    seq: int,
    kind: WarningEventKind = WarningEventKind.RAISED,
    *,
    colour: Colour | None = Colour.RED,
    step: Step = Step.ENTERPRISE,
) -> Message:
    """An event of the plant's warning; every one of the same warning."""
    time_ns = START + list(WarningEventKind).index(kind) * 60 * SECOND
    answered = kind in {WarningEventKind.FEEDBACK, WarningEventKind.CLOSED}
    warning = early_warning(time_ns, colour, step, answered=answered)
    event = WarningEvent(seq, warning_event_id(warning.id, seq, kind), kind, time_ns, warning)
    body = warning_body(event, PLANT)
    return Message(seq, "inspector", event.id, "warning", PLANT.id, body, time_ns, time_ns, 0, subject=str(warning.id))


def notice_message(seq: int, *, ended: bool = False) -> Message:
    """An event of a notice; both are of the same one."""
    notice = Notice(
        uuid5(UUID(int=0), "notice"),
        PLANT.id,
        Matter.CHECK_DUE,
        f"{UUID(int=7)}/calibration",
        START + 30 * 86_400 * SECOND,
        "仪表检定（校准）到期：1号探头（HEAD-1），出厂编号 K-101，有效至 2025-12-23",
        "calibration due: Head 1 (HEAD-1), serial number K-101, valid through 2025-12-23",
        START,
        ("inspector",),
        START + 3600 * SECOND if ended else None,
    )
    number, time_ns = message_id(notice.id, notice.event), notice.ended or START
    body, subject = notice_body(notice, PLANT), f"{notice.matter}/{notice.subject}"
    return Message(seq, "inspector", number, "notice", PLANT.id, body, time_ns, time_ns, 0, Urgency.BULK, subject)


def early_warning(
    time_ns: int = START, colour: Colour | None = Colour.RED, step: Step = Step.ENTERPRISE, *, answered: bool = False
) -> EarlyWarning:
    """The plant's warning as it stands at a time."""
    return EarlyWarning(
        id=warning_id(PLANT.id, START),
        plant=PLANT.id,
        colour=colour,
        peak=Colour.RED,
        since=START,
        raised=START,
        state=WarningState.OPEN if colour else WarningState.CLOSED if answered else WarningState.OVER,
        step=step,
        asking=None if answered else Asked.ACKNOWLEDGEMENT,
        asked=START,
        until=None if answered else START + 300 * SECOND,
        who=("南安市应急管理局",),
        reminded=0,
        risk=91.5,
        rules="1+0123abcd",
        inputs=(
            Ground(
                "RED",
                Colour.RED,
                Text("红色标记规则的二级报警", "An alarm of level 2 by a rule marked red"),
                "engineering default",
                Confidence.ENGINEERING_DEFAULT,
                (
                    Fact(
                        alarm_id(PLANT.id, "CW_IN_P-01", "LL", START),
                        "CW_IN_P-01",
                        "LL",
                        "ALC_CW_IN_P",
                        "CAST-01",
                        2,
                        Trait.LEVEL_2 | Trait.RED,
                        START,
                        0.118,
                        0.15,
                        "MPa",
                    ),
                ),
            ),
        ),
        feedback=Feedback("水泵跳停", "切换备用泵", "王工", time_ns) if answered else None,
        ended=None if colour else time_ns,
    )


def sender_of(outbox: MemoryOutbox, *connectors: StandIn, clock: Clock, escalate_after: int = 10) -> OutboxSender:
    """A sender to these connectors, by that clock."""
    return OutboxSender(
        outbox, connectors, record_s=0, now=clock, steady=clock.steady, jitter=float, escalate_after=escalate_after
    )
