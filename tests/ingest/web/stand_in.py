"""The ports filled with made-up plants in memory: realistic enough to look at, small enough to reason about."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import math
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar
from uuid import UUID

import numpy as np

from detectors.detector import Reason
from ingest.base.config import Secret
from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.lifecycle import OUTSTANDING
from ingest.domain.alarms.suppressions import Suppressions
from ingest.domain.alarms.urgency import Order, place
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmFilter, AlarmState, alarm_id, event_id
from ingest.domain.model.annunciations import OPEN, Annunciations
from ingest.domain.model.audit import Act, ActKind
from ingest.domain.model.batch import empty_batch
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import (
    GATEWAY_SIGNAL,
    Confidence,
    Equipment,
    Gate,
    Gateway,
    GatewayPoint,
    Plant,
    PlantKind,
    Point,
    Rationalization,
    Rule,
)
from ingest.domain.model.suppression import Suppression, SuppressionState
from ingest.domain.model.text import Text
from ingest.domain.model.warning import EarlyWarning, Fact, Step, WarningEvent, WarningFilter
from ingest.domain.warnings.config import DutyConfig, WarningsConfig
from ingest.engine.commands import Command
from ingest.engine.cycle import Cycle, Policy
from ingest.engine.engine_state import EngineState
from ingest.engine.plant_warnings import PlantWarnings
from ingest.plants.configuration import GatewayConfiguration, PlantConfiguration
from ingest.plants.in_force import HeldBack
from ingest.plants.view import Latest, PlantView
from ingest.services.config import ApiConfig, Role, TokenConfig
from ingest.services.exports.request import ExportRequest
from ingest.services.exports.sheets import SheetBuilder
from ingest.services.ports import Health, Ports
from ingest.storage.history.bounded_reads import BoundedReads
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.store import Trend, TrendQuery
from ingest.storage.journal.records import GatewaySequence, Quarantined
from ingest.storage.journal.sequence_state import Gap
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.audit import AuditRow, Verification
from ingest.storage.state.rows import act_of
from ingest.storage.state.warning_rows import warning_act
from tests.ingest.web.case_books import books_for

T = TypeVar("T")

SECOND = 1_000_000_000
DUTY = (
    DutyConfig(step=Step.ENTERPRISE, name="企业安全负责人"),
    DutyConfig(step=Step.TOWNSHIP, name="水头镇应急管理站", regions=frozenset({"350583"})),
    DutyConfig(step=Step.COUNTY, name="南安市应急管理局", regions=frozenset({"350583"})),
)
MINUTE = 60 * SECOND
NOON = int(dt.datetime(2026, 11, 23, 6, 12, 30, tzinfo=dt.UTC).timestamp()) * SECOND
"""14:12:30 in the control room."""

OPERATOR = "operator-token-0123456789"
INSPECTOR = "inspector-token-0123456789"
ADMIN = "admin-token-0123456789"
DISPLAY = "display-token-0123456789"
ELSEWHERE = "elsewhere-token-0123456789"
ALUMINIUM, STEEL, WOOD = "nanan-aluminium", "hongyuan-steel", "chenguang-wood"

_LABELS = {
    "LL": Text("低低报", "low-low"),
    "L": Text("低报", "low"),
    "H": Text("高报", "high"),
    "HH": Text("高高报", "high-high"),
    "STUCK": Text("数值卡死", "stuck"),
    "SILENT": Text("数据中断", "silent"),
    "OFFLINE": Text("网关离线", "gateway offline"),
    "AHEAD": Text("超前", "ahead"),
    "BEHIND": Text("滞后", "behind"),
}
_DEFAULT = "工程默认值，须按设计文件核定"


def config(home: Path, **settings: object) -> ApiConfig:
    """Settings with one token of each role; ELSEWHERE is an operator of the wood plant only."""
    tokens: list[tuple[str, Role, tuple[str, ...] | None, str]] = [
        ("中控室 王建国", "operator", None, OPERATOR),
        ("南安市应急管理局", "inspector", None, INSPECTOR),
        ("admin", "admin", None, ADMIN),
        ("晨光木业", "operator", (WOOD,), ELSEWHERE),
        ("中控室大屏", "display", None, DISPLAY),
    ]
    made = []
    for number, (name, role, plants, secret) in enumerate(tokens):
        file = home / f"token-{number}"
        file.write_text(secret + "\n", encoding="utf-8")
        made.append(TokenConfig(name=name, role=role, plants=plants, token=Secret(file=file)))
    return ApiConfig.model_validate({"tokens": made, "port": 0, **settings})


class StandIn:
    """Every port at once. What a test changes, the API sees."""

    def __init__(self, now: int = NOON) -> None:
        self.time = now
        self.known = configuration()
        self.book: dict[UUID, Alarm] = {}
        self.log: list[AlarmEvent] = []
        self.values: dict[int, Latest] = {}
        self.silent: dict[tuple[str, str, str], Reason] = {}  # (plant, point, code)
        self.positions: list[GatewaySequence] = []
        self.quarantine: list[Quarantined] = []
        self.deleted = 0
        self.parts = {"journal": "ok", "engine": "ok", "history": "ok"}
        self.held: list[HeldBack] = []
        self.history_away = False
        self.history_refusing: str | None = None
        self.history_answers = threading.Event()  # cleared: the history store hangs
        self.history_answers.set()
        self.queries: list[Sequence[TrendQuery]] = []
        self.reads = BoundedReads(self, 60)
        self.engine_away = False
        self.hidden: dict[UUID, Suppression] = {}
        self.load = AlarmLoad(self, AlarmsConfig(), lambda: self.known.plants)
        self.trail: list[AuditRow] = []
        self.warned: list[WarningEvent] = []
        self.memory, self.watches = EngineState(self.known), PlantWarnings()
        self.watches.resume([], self.memory, 0, WarningsConfig(duty=DUTY).policy())
        self.cases, self.database = books_for(self)
        self._changed = asyncio.Event()
        for point in self.known.points:
            if point is not None:
                self.values[point.index] = Latest(now - 2 * SECOND, _sample(point, now), 0, stale=False)

    @property
    def ports(self) -> Ports:
        return Ports(
            live=self,
            alarms=self,
            warnings=self,
            suppressions=self,
            audit=self,
            history=self.reads,
            journal=self,
            cases=self.cases,
            exports=self,
            load=self.load,
            record=self.record,
            now=lambda: self.time,
        )

    def raise_alarm(self, plant: str, point: str, code: str, value: float | None, ago_s: float = 0) -> Alarm:
        """Let a rule trip."""
        found = self.known.find(plant, point)
        assert found is not None
        rule = next(rule for rule in found.rules if rule.code == code)
        raised = self.time - int(ago_s * SECOND)
        onset = raised - 5 * SECOND
        alarm = Alarm(
            alarm_id(plant, point, code, onset),
            plant,
            point,
            code,
            rule.level,
            AlarmState.UNACKNOWLEDGED,
            rule.title,
            value,
            rule.limit,
            rule.unit,
            onset,
            raised,
            annunciated=raised,
            raises=1,
        )
        return self._commit(alarm, AlarmEventKind.RAISED, raised)

    def record_alarm(self, plant: str, point: str, code: str, value: float, ago_s: float, lasted_s: float) -> Alarm:
        """Learn of an excursion that was over by then."""
        stood = self.raise_alarm(plant, point, code, value, ago_s)
        self.log.pop()
        del self.book[stood.id]
        end = stood.onset + int(lasted_s * SECOND)
        past = replace(stood, state=AlarmState.NORMAL, returned=end, historical=True)
        return self._commit(past, AlarmEventKind.RECORDED, end)

    def sign(self, plant: str, point: str) -> None:
        """Have the rules of a point want a signed inspection."""
        known = self.known.plants[plant]
        points = tuple(
            replace(p, rules=[replace(rule, signed=True) for rule in p.rules]) if p.id == point else p
            for p in known.points
        )
        self.known = replace(self.known, plants={**self.known.plants, plant: replace(known, points=points)})

    def return_alarm(self, alarm: Alarm, ago_s: float = 0) -> Alarm:
        """Let its condition end."""
        now = self.time - int(ago_s * SECOND)
        state = AlarmState.NORMAL if alarm.acked else AlarmState.RETURNED
        return self._commit(replace(alarm, state=state, returned=now), AlarmEventKind.RETURNED, now)

    def put(self, plant: str, point: str, latest: Latest) -> None:
        """Set a point's newest reading."""
        found = self.known.find(plant, point)
        assert found is not None
        self.values[found.index] = latest

    def _commit(self, alarm: Alarm, kind: AlarmEventKind, time: int) -> Alarm:
        self._keep(AlarmEvent(0, event_id(alarm.id, kind, time), kind, time, time + SECOND // 5, alarm))
        return alarm

    def _keep(self, event: AlarmEvent) -> None:
        self.book[event.alarm.id] = event.alarm
        self.log.append(replace(event, seq=len(self.log) + 1))
        self._tell(self.watches.advance([event], [], self.memory, event.received))
        self._news()

    def _tell(self, events: Sequence[WarningEvent]) -> None:
        self.warned += [replace(event, seq=len(self.warned) + at) for at, event in enumerate(events, 1)]
        self.trail += [
            AuditRow(len(self.trail) + at, warning_act(event), "0" * 64) for at, event in enumerate(events, 1)
        ]
        self._news()

    def _news(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def pass_time(self, seconds: float) -> None:
        """Let time go by for warnings."""
        self.time += int(seconds * SECOND)
        self._tell(self.watches.advance([], [], self.memory, self.time))

    # WarningBook

    def warnings(
        self, which: WarningFilter, *, limit: int, before: tuple[int, UUID] | None = None
    ) -> Sequence[EarlyWarning]:
        found = [
            warning
            for warning in {event.warning.id: event.warning for event in self.warned}.values()
            if (which.plants is None or warning.plant in which.plants)
            and (which.colours is None or warning.colour in which.colours)
            and (which.peaks is None or warning.peak in which.peaks)
            and (which.states is None or warning.state in which.states)
            and (which.since is None or warning.raised >= which.since)
            and (which.until is None or warning.raised < which.until)
            and (before is None or (warning.raised, warning.id) < before)
        ]
        return sorted(found, key=lambda warning: (warning.raised, warning.id), reverse=True)[:limit]

    def warning(self, warning: UUID) -> EarlyWarning | None:
        return next((event.warning for event in reversed(self.warned) if event.warning.id == warning), None)

    def warning_history(self, warning: UUID) -> Sequence[WarningEvent]:
        return [event for event in self.warned if event.warning.id == warning]

    def warnings_after(self, seq: int, *, limit: int) -> Sequence[WarningEvent]:
        return self.warned[seq : seq + limit]

    def last_warning(self) -> int:
        return len(self.warned)

    def facts(self, plant: str) -> Sequence[Fact]:
        watch = self.watches.by_plant.get(plant)
        return list(watch.facts.values()) if watch else []

    def fall_after(self) -> int:
        return self.watches.fall_after

    async def wait_warning(self, seq: int, timeout_s: float) -> None:
        await self._wait(len(self.warned), seq, timeout_s)

    # AlarmBook

    def alarms(
        self,
        which: AlarmFilter,
        *,
        limit: int,
        before: tuple[int, UUID] | None = None,
        order: Order = Order.RAISED,
    ) -> Sequence[Alarm]:
        found = [
            alarm
            for alarm in self.book.values()
            if (which.plants is None or alarm.plant in which.plants)
            and (which.states is None or alarm.state in which.states)
            and (which.level is None or alarm.level == which.level)
            and (which.point is None or alarm.point == which.point)
            and (which.historical is None or alarm.historical == which.historical)
            and (which.cleared is None or which.cleared == (alarm.cleared is not None))
            and which.assigned in {None, alarm.assigned}
            and (which.since is None or alarm.raised >= which.since)
            and (which.until is None or alarm.raised < which.until)
            and (before is None or place(alarm, order) < before)
            and (order is Order.RAISED or alarm.state in OUTSTANDING)
        ]
        return sorted(found, key=lambda alarm: place(alarm, order), reverse=True)[:limit]

    def counts(self, which: AlarmFilter) -> Mapping[tuple[str, int, AlarmState], int]:
        return Counter((alarm.plant, alarm.level, alarm.state) for alarm in self.alarms(which, limit=10**9))

    def alarm(self, alarm: UUID) -> Alarm | None:
        return self.book.get(alarm)

    def alarm_history(self, alarm: UUID) -> Sequence[AlarmEvent]:
        return [event for event in self.log if event.alarm.id == alarm]

    def events_after(self, seq: int, *, limit: int) -> Sequence[AlarmEvent]:
        return self.log[seq : seq + limit]

    def annunciations(self, start: int, end: int, plants: Collection[str] | None = None) -> Annunciations:
        raises = [event for event in self.log if event.kind is AlarmEventKind.RAISED and start <= event.received < end]
        raises = sorted(raises, key=lambda event: event.received)
        found = [self.book[event.alarm.id] for event in raises if plants is None or event.alarm.plant in plants]
        raises = [event for event in raises if plants is None or event.alarm.plant in plants]
        rules = tuple(dict.fromkeys((alarm.plant, alarm.point, alarm.rule) for alarm in found))
        return Annunciations(
            rules,
            np.array([rules.index((alarm.plant, alarm.point, alarm.rule)) for alarm in found], np.int32),
            np.array([alarm.level for alarm in found], np.int8),
            np.array([event.time for event in raises], np.int64),
            np.array([event.received for event in raises], np.int64),
            np.array([alarm.acked or OPEN for alarm in found], np.int64),
            np.array([alarm.returned or OPEN for alarm in found], np.int64),
            np.zeros(len(found), np.bool_),
        )

    def last_event(self) -> int:
        return len(self.log)

    # Readings

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """A history store's, asked in threads by `BoundedReads`."""
        self.queries.append(queries)
        self.history_answers.wait()
        if self.history_away:
            raise HistoryUnavailable("http://10.0.0.7:8086: the store restarts", retry_after_s=7)
        return [self._trend(query) for query in queries]

    def _trend(self, query: TrendQuery) -> Trend:
        found = self.known.find(query.plant, query.point)
        assert found is not None
        latest = self.values.get(found.index)
        last = latest.time if latest else 0
        width = query.width
        times = range(query.first, query.end, width)
        kept = [t for t in times if t <= min(last, self.time) and not self._silent(found, t)]
        mean = np.array([_sample(found, t) for t in kept])
        spread = np.array([abs(_sample(found, t + SECOND) - _sample(found, t)) for t in kept])
        spread += (found.high - found.low) * 0.003
        count = np.full(len(kept), max(1, int(width // (5 * SECOND))), np.int64)
        return Trend(np.array(kept, np.int64), mean - spread, mean, mean + spread, count)

    def _silent(self, point: Point, time: int) -> bool:
        """The hopper temperature's cable was loose for some minutes."""
        return point.id == "HOPPER_T-01" and 14 * MINUTE < self.time - time < 20 * MINUTE

    # Journal

    def gateways(self) -> Sequence[GatewaySequence]:
        return self.positions

    def quarantined(self, *, limit: int, before: int | None = None) -> Sequence[Quarantined]:
        found = [record for record in self.quarantine if before is None or record.id < before]
        return sorted(found, key=lambda record: -record.id)[:limit]

    def overflowed(self) -> int:
        return self.deleted

    # Live

    def configuration(self) -> PlantConfiguration:
        return self.known

    def latest(self, index: int) -> Latest:
        return self.values.get(index, Latest(0, None, 0, stale=True))

    def view(self) -> PlantView:
        return PlantView(self.known, self.latest)

    def not_evaluated(self, rules: Sequence[Rule]) -> Mapping[str, Reason]:
        silent = {rule.code: self.silent.get((rule.plant, rule.point, rule.code)) for rule in rules}
        return {code: reason for code, reason in silent.items() if reason}

    def history_refuses(self) -> str | None:
        return self.history_refusing

    def held_back(self) -> Sequence[HeldBack]:
        return self.held

    def health(self) -> Health:
        return Health(all(state == "ok" for state in self.parts.values()), self.parts)

    async def order(self, command: Command[T]) -> T:
        """Carry out the real command on a memory of what stands here."""
        if self.engine_away:
            raise TimeoutError
        memory, turn = EngineState(self.known), Cycle(self.time, empty_batch(), self.known, Policy())
        memory.add_active(alarm for alarm in self.book.values() if alarm.state is not AlarmState.NORMAL)
        memory.load_alarm = self.book.get
        memory.suppressions, memory.warnings = Suppressions(self.hidden.values()), self.watches
        answer = command(turn, memory, self.time)
        self.hidden |= {suppression.id: suppression for suppression in turn.suppressions}
        self._tell(turn.warnings)
        acts = [*map(act_of, turn.events), *turn.acts]
        self.trail += [AuditRow(len(self.trail) + at, act, "0" * 64) for at, act in enumerate(acts, 1)]
        for event in turn.events:
            self._keep(event)
        return answer

    # SuppressionBook

    def suppression(self, suppression: UUID) -> Suppression | None:
        return self.hidden.get(suppression)

    def suppressions(
        self,
        *,
        limit: int,
        plants: Collection[str] | None = None,
        point: str | None = None,
        states: Collection[SuppressionState] | None = None,
        before: tuple[int, UUID] | None = None,
    ) -> Sequence[Suppression]:
        found = [
            suppression
            for suppression in self.hidden.values()
            if (plants is None or suppression.plant in plants)
            and point in {None, suppression.point}
            and (states is None or suppression.state in states)
            and (before is None or (suppression.applied, suppression.id) < before)
        ]
        return sorted(found, key=lambda suppression: (suppression.applied, suppression.id), reverse=True)[:limit]

    # AuditTrail

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
        found = [
            row
            for row in self.trail
            if (before is None or row.seq < before)
            and (plants is None or row.act.plant in plants)
            and kind in {None, row.act.kind}
            and subject in {None, row.act.subject}
            and actor in {None, row.act.actor}
            and (since is None or row.act.time >= since)
            and (until is None or row.act.time < until)
        ]
        return found[::-1][:limit]

    def record(self, act: Act) -> None:
        self.trail.append(AuditRow(len(self.trail) + 1, act, "0" * 64))

    def verify(self) -> Verification:
        return Verification(len(self.trail), "0" * 64, None)

    async def make(self, request: ExportRequest) -> BinaryIO:
        return io.BytesIO(SheetBuilder(self.cases.store, self.cases.figures).build(request))

    async def wait_event(self, seq: int, timeout_s: float) -> None:
        await self._wait(len(self.log), seq, timeout_s)

    async def _wait(self, last: int, seq: int, timeout_s: float) -> None:
        if last > seq:
            return
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return


def busy(now: int = NOON) -> StandIn:
    """A county's afternoon: a few alarms, a stale point, a bad one, a gateway that is away."""
    hall = StandIn(now)
    past = hall.raise_alarm(STEEL, "CO-02", "H", 26.0, ago_s=9_400)
    _acknowledged(hall, past, "赵敏", "检修吹扫，已撤人")
    hall.return_alarm(hall.book[past.id], ago_s=8_900)
    older = hall.raise_alarm(WOOD, "DP-01", "HH", 1523, ago_s=30_400)
    _acknowledged(hall, older, "陈立", None)
    hall.return_alarm(hall.book[older.id], ago_s=29_000)
    known = hall.raise_alarm(STEEL, "CO-01", "H", 27.0, ago_s=1_260)
    _acknowledged(hall, known, "赵敏", "便携仪复测 25 ppm，已通风")
    hall.return_alarm(hall.raise_alarm(WOOD, "HOPPER_T-01", "H", 61.4, ago_s=2_700), ago_s=2_100)
    hall.raise_alarm(WOOD, "GW-01", "OFFLINE", 0.0, ago_s=640)
    hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "L", 0.311, ago_s=75)
    hall.put(ALUMINIUM, "CW_IN_T-01", Latest(now - 400 * SECOND, 31.0, 0, stale=True))
    hall.put(ALUMINIUM, "CW_OUT_T-01", Latest(now - 2 * SECOND, 44.0, Flag.BAD, stale=False))
    hall.put(ALUMINIUM, "PIT_LVL-01", Latest(0, None, 0, stale=True))
    hall.put(STEEL, "GH_LVL-01", Latest(now - 2 * SECOND, 101.2, Flag.OUT_OF_RANGE, stale=False))
    hall.put(WOOD, "GW-01", Latest(now - 640 * SECOND, 0.0, 0, stale=False))
    hall.put(STEEL, "GW-01.clock", Latest(now - SECOND, -0.21, 0, stale=False))
    hall.put(ALUMINIUM, "GW-01.clock", Latest(now - SECOND, 75.0, 0, stale=False))
    hall.put(WOOD, "GW-01.clock", Latest(now - 640 * SECOND, -0.2, 0, stale=True))
    hall.silent = {
        (ALUMINIUM, "CW_IN_P-01", "L"): Reason.WARMING_UP,
        (ALUMINIUM, "CW_OUT_T-01", "HH"): Reason.NO_VALUE,
    }
    for point in hall.known.plants[WOOD].points:
        if not point.is_device:
            hall.put(WOOD, point.id, Latest(now - 640 * SECOND, _sample(point, now), 0, stale=True))
    hall.positions = [
        GatewaySequence(ALUMINIUM, "GW-01", "01JDA4Q2", 184_220, (), (), True, now - 2 * SECOND, 402_118, 31),
        GatewaySequence(
            STEEL,
            "GW-01",
            "01JD7T9K",
            90_412,
            (Gap(90_120, 90_131), Gap(90_388, 90_388)),
            (Gap(81_002, 81_003),),
            True,
            now - SECOND,
            733_005,
            12,
        ),
        GatewaySequence(WOOD, "GW-01", "01JCZZ01", 5_204, (), (), False, now - 640 * SECOND, 99_871, 4),
    ]
    hall.quarantine = [
        Quarantined(
            17,
            now - 380 * SECOND,
            f"yujing/v1/{STEEL}/GW-01/frame",
            "time-not-increasing",
            "time[3] = 1763884799000 after 1763884800000; expected strictly increasing",
            40,
            b'{"boot": "01JD7T9K", "seq": 90131, "time": [1763884798000, 1763884799500]}',
        ),
        Quarantined(
            16,
            now - 5_000 * SECOND,
            "yujing/v1/unknown-plant/GW-09/frame",
            "unknown-gateway",
            "unknown-plant/GW-09 is in no plant file",
            0,
            b'<script>alert("x")</script>\x00\xff',
        ),
    ]
    return hall


def configuration() -> PlantConfiguration:
    """Three plants: deep-well aluminium casting, steel, wood dust."""
    points: list[Point] = []
    water = Gate("CAST_LEN-01", ">=", 500.0)
    aluminium = _plant(
        points,
        ALUMINIUM,
        Text("南安市示范铝业有限公司", "Nan'an Demo Aluminium Co."),
        "aluminium",
        Equipment("CAST-01", Text("1号深井铸造机", "Casting machine 1")),
        [
            ("CW_IN_P-01", "ALC_CW_IN_P", Text("结晶器冷却水进水压力", "Mould cooling water inlet pressure"), "MPa",
             0.0, 0.6, (("L", 1, 0.315, water), ("LL", 2, 0.28, water)), ()),
            ("CW_IN_F-01", "ALC_CW_IN_F", Text("结晶器冷却水进水流量", "Mould cooling water inlet flow"), "m³/h",
             0.0, 500.0, (("L", 1, 288.0, water), ("LL", 2, 256.0, water)), ()),
            ("CW_IN_T-01", "ALC_CW_IN_T", Text("进水温度", "Inlet water temperature"), "℃",
             0.0, 60.0, (("H", 1, 35.0, None), ("HH", 2, 40.0, None)), ()),
            ("CW_OUT_T-01", "ALC_CW_OUT_T", Text("出水温度", "Outlet water temperature"), "℃",
             0.0, 100.0, (("HH", 2, 60.0, None),), ()),
            ("LVL_MOLD-01", "ALC_LAUNDER_LVL_MOLD", Text("模盘入口流槽液位", "Launder level at mould inlet"), "mm",
             0.0, 300.0, (("LL", 2, 135.0, water), ("L", 1, 142.0, water), ("H", 1, 158.0, water),
                          ("HH", 2, 165.0, water)), ()),
            ("CAST_LEN-01", "ALC_CAST_LEN", Text("铸造长度", "Cast length"), "mm", 0.0, 8000.0, (), ()),
            ("PIT_LVL-01", "ALC_PIT_LVL", Text("铸井水位", "Pit water level"), "m",
             0.0, 12.0, (), ("L: needs setpoint", "H: needs setpoint")),
        ],
        dt.date(2025, 12, 31), Text("深井铸造：2025 年底前全部接入", "see the enrolment rule"),
    )  # fmt: skip
    steel = _plant(
        points,
        STEEL,
        Text("泉州宏远钢铁有限公司", "Quanzhou Hongyuan Steel Co."),
        "steel",
        Equipment("BF-02", Text("2号高炉", "Blast furnace 2")),
        [
            ("CO-01", "STL_CO", Text("炉前平台一氧化碳", "CO on the casting floor"), "ppm",
             0.0, 1000.0, (("H", 1, 24.0, None), ("HH", 2, 160.0, None)), ()),
            ("CO-02", "STL_CO", Text("热风炉区一氧化碳", "CO at the hot stoves"), "ppm",
             0.0, 1000.0, (("H", 1, 24.0, None), ("HH", 2, 160.0, None)), ()),
            ("GH_LVL-01", "STL_GH_LEVEL", Text("煤气柜柜位", "Gas holder level"), "%",
             0.0, 100.0, (("LL", 2, 10.0, None), ("L", 1, 15.0, None), ("H", 1, 85.0, None),
                          ("HH", 2, 90.0, None)), ()),
            ("CW_DT-01", "STL_CW_DT", Text("炉体冷却水进出水温差", "Cooling water temperature rise"), "K",
             0.0, 40.0, (("H", 1, 15.0, None), ("HH", 2, 20.0, None)), ()),
        ],
        dt.date(2025, 12, 31), Text("钢铁：2025 年底前全部接入", "see the enrolment rule"),
    )  # fmt: skip
    wood = _plant(
        points,
        WOOD,
        Text("晨光木业有限公司", "Chenguang Wood Co."),
        "dust",
        Equipment("DC-01", Text("1号除尘器", "Dust collector 1")),
        [
            ("HOPPER_T-01", "DUST_HOPPER_TEMP", Text("灰斗内部温度", "Hopper temperature"), "℃",
             -20.0, 150.0, (("H", 1, 60.0, None), ("HH", 2, 70.0, None)), ()),
            ("DP-01", "DUST_DP", Text("除尘器进出风口压差", "Differential pressure"), "Pa",
             0.0, 3000.0, (("LL", 1, 200.0, Gate("FAN-01", "==", 1.0)), ("HH", 1, 1500.0, None)), ()),
            ("FAN-01", "DUST_FAN_RUN", Text("风机运行", "Fan running"), "", 0.0, 1.0, (), ()),
        ],
        dt.date(2024, 12, 31), Text("木质粉尘，涉粉 30 人以上：2024 年底前接入", "see the enrolment rule"),
    )  # fmt: skip
    plants = (aluminium, steel, wood)
    low, high = (np.array([getattr(point, edge) for point in points]) for edge in ("low", "high"))
    gateways = {}
    carrier = np.zeros(len(points), np.int32)
    for plant in plants:
        device, clock = (point.index for point in plant.points if point.is_device)
        measured = dict.fromkeys(GatewayPoint, clock)
        columns = {point.id: point.index for point in plant.points if not point.is_device}
        gateways[plant.id, "GW-01"] = GatewayConfiguration(columns, device, measured)
        carrier[[point.index for point in plant.points]] = device
    rules = tuple(rule for point in points for rule in point.rules)
    return PlantConfiguration(
        1, {plant.id: plant for plant in plants}, tuple(points), rules, gateways, low, high, carrier, {}
    )


_Limits = tuple[tuple[str, Literal[1, 2], float, Gate | None], ...]


def _plant(
    points: list[Point],
    key: str,
    name: Text,
    kind: PlantKind,
    machine: Equipment,
    made: Sequence[tuple[str, str, Text, str, float, float, _Limits, tuple[str, ...]]],
    connect_by: dt.date,
    tier: Text,
) -> Plant:
    own: list[Point] = []
    for ident, signal, title, unit, low, high, limits, unjudged in made:
        rules = [
            _rule(key, ident, title, code, level, "limit", limit, unit, gate) for code, level, limit, gate in limits
        ]
        rules.append(_rule(key, ident, title, "SILENT", 1, "silence", 15.0, "s", None))
        own.append(
            Point(len(points) + len(own), key, ident, signal, title, unit, machine.id, "GW-01", low, high, 15.0, None,
                  tuple(rules), unjudged, states=_STATES.get(signal))
        )  # fmt: skip
    gateway = Text("车间网关", "Hall gateway")
    offline = _rule(key, "GW-01", gateway, "OFFLINE", 2, "limit", 0.5, "", None)
    own.append(
        Point(len(points) + len(own), key, "GW-01", GATEWAY_SIGNAL, gateway, "", None, "GW-01", 0.0, 1.0, 90.0, None,
              (offline,), ())
    )  # fmt: skip
    clock = Text(f"{gateway.zh} 时钟", f"{gateway.en} clock")
    ahead = _rule(key, "GW-01.clock", clock, "AHEAD", 1, "limit", 60.0, "s", None)
    behind = _rule(key, "GW-01.clock", clock, "BEHIND", 1, "limit", -60.0, "s", None)
    own.append(
        Point(len(points) + len(own), key, "GW-01.clock", GatewayPoint.CLOCK.signal, clock, "s", None, "GW-01",
              -1e9, 1e9, 90.0, None, (ahead, behind), ())
    )  # fmt: skip
    points.extend(own)
    return Plant(
        key, name, "91350100M000100Y43", "350583", kind, 260, 42 if kind == "dust" else 0,
        "wood" if kind == "dust" else None, (machine,), (Gateway(key, "GW-01", gateway),), tuple(own), connect_by, tier,
    )  # fmt: skip


_ASKED = Rationalization(
    Text("水泵跳停。", "The pump tripped."),
    Text("铸锭拉漏，铝液入井爆炸。", "Ingots bleed out and metal explodes in the pit."),
    Text("停止浇铸，切断铝液，撤到铸造间外。", "Stop casting, cut off the metal, leave the hall."),
    60.0,
    _DEFAULT,
    Confidence.ENGINEERING_DEFAULT,
)


def _rule(
    plant: str,
    point: str,
    name: Text,
    code: str,
    level: Literal[1, 2],
    kind: str,
    limit: float,
    unit: str,
    gate: Gate | None,
) -> Rule:
    label = _LABELS[code]
    title = Text(f"{name.zh} {label.zh}", f"{name.en} {label.en}")
    reason = Text(f"数值越过 {limit:g} {unit}：{label.zh}", f"The value is beyond {limit:g} {unit}: {label.en}")
    when = f"{gate.point} {gate.op} {gate.value:g}" if gate else ""
    confidence = Confidence.ENGINEERING_DEFAULT
    asked = _ASKED if code in {"L", "LL"} else None
    return Rule(
        plant, point, code, kind, level, limit, unit, title, gate, _DEFAULT, confidence, reason, when,
        rationalization=asked,
    )  # fmt: skip


_STATES = {"DUST_FAN_RUN": (Text("停止", "stopped"), Text("运行", "running"))}
_STEADY = {
    "CW_IN_P-01": (0.345, 0.012),
    "CW_IN_F-01": (322, 6),
    "CW_IN_T-01": (29.5, 0.8),
    "CW_OUT_T-01": (41, 1.5),
    "LVL_MOLD-01": (150, 3),
    "CAST_LEN-01": (3650, 40),
    "PIT_LVL-01": (6.2, 0.1),
    "CO-01": (22, 3),
    "CO-02": (6, 2),
    "GH_LVL-01": (62, 9),
    "CW_DT-01": (9.4, 0.9),
    "HOPPER_T-01": (56, 5),
    "DP-01": (980, 70),
    "FAN-01": (1, 0),
    "GW-01": (1, 0),
    "GW-01.clock": (-0.2, 0),
}


def _sample(point: Point, time: int) -> float:
    """What the point reads: slow swings and a little noise, the same at every call; the pressure sags at the end."""
    level, swing = _STEADY.get(point.id, (0.0, 0.0))
    minutes = time / MINUTE
    value = level + swing * (0.6 * math.sin(minutes / 7 + point.index) + 0.25 * math.sin(minutes * 1.7))
    value += swing * 0.15 * math.sin(time / SECOND * 12.9898 + point.index)
    if point.id == "CW_IN_P-01":
        value -= 0.03 * math.exp(-(((NOON - time) / (3 * MINUTE)) ** 2))
    return value


def _acknowledged(hall: StandIn, alarm: Alarm, by: str, comment: str | None) -> None:
    time = alarm.raised + 40 * SECOND
    changed = replace(alarm, state=AlarmState.ACKNOWLEDGED, acked=time, acked_by=by, comment=comment)
    hall._commit(changed, AlarmEventKind.ACKNOWLEDGED, time)
