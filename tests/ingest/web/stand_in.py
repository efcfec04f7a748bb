"""The ports filled with made-up plants in memory: realistic enough to show, small enough to reason about."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from detectors.detector import Reason
from ingest.base.config import Secret
from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.suppressions import Suppressions
from ingest.domain.cases.bypass_register import BypassRegister
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmState, alarm_id, event_id
from ingest.domain.model.batch import empty_batch
from ingest.domain.model.budget import RuleBudget
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import LaneState, Waiting
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.plant import (
    Point,
    Rule,
)
from ingest.domain.model.warning import Fact, Step, WarningEvent
from ingest.domain.warnings.config import DutyConfig, WarningsConfig
from ingest.engine.commands import Command
from ingest.engine.cycle import Cycle, Policy
from ingest.engine.engine_state import EngineState
from ingest.engine.plant_warnings import PlantWarnings
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.in_force import HeldBack
from ingest.plants.view import Latest, PlantView
from ingest.services.config import ApiConfig, Role, TokenConfig
from ingest.services.deliveries import Deliveries
from ingest.services.exports.request import ExportRequest
from ingest.services.exports.sheets import SheetBuilder
from ingest.services.ports import Health, Ports
from ingest.storage.history.bounded_reads import BoundedReads
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.store import PhaseQuery, Trend, TrendQuery
from ingest.storage.journal.records import GatewaySequence, Quarantined
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.audit import AuditRow
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.rows import act_of
from ingest.storage.state.warning_rows import warning_act
from tests.ingest.web.called_people import VOICE, desk_of
from tests.ingest.web.case_books import books_for, save_bypasses
from tests.ingest.web.made_up_plants import MINUTE, NOON, SECOND, WOOD, configuration, sample_of
from tests.ingest.web.memory_books import MemoryBooks

T = TypeVar("T")
DUTY = (
    DutyConfig(step=Step.ENTERPRISE, name="企业安全负责人"),
    DutyConfig(step=Step.TOWNSHIP, name="水头镇应急管理站", regions=frozenset({"350583"})),
    DutyConfig(step=Step.COUNTY, name="南安市应急管理局", regions=frozenset({"350583"})),
)

OPERATOR = "operator-token-0123456789"
INSPECTOR = "inspector-token-0123456789"
ADMIN = "admin-token-0123456789"
DISPLAY = "display-token-0123456789"
ELSEWHERE = "elsewhere-token-0123456789"


def config(home: Path, **settings: object) -> ApiConfig:
    """Settings with one token of each role; ELSEWHERE is an operator of the wood plant only."""
    tokens: list[tuple[str, Role, tuple[str, ...] | None, str]] = [
        ("中控室 王建国", "operator", None, OPERATOR),
        ("南安市应急管理局", "inspector", None, INSPECTOR),
        ("admin", "admin", None, ADMIN),
        ("晨光木业", "operator", (WOOD,), ELSEWHERE),
        ("中控室大屏", "display", None, DISPLAY),
        ("voice", "channel", None, VOICE),
    ]
    made = []
    for number, (name, role, plants, secret) in enumerate(tokens):
        file = home / f"token-{number}"
        file.write_text(secret + "\n", encoding="utf-8")
        made.append(TokenConfig(name=name, role=role, plants=plants, token=Secret(file=file)))
    return ApiConfig.model_validate({"tokens": made, "port": 0, **settings})


class StandIn(MemoryBooks):
    """Every port at once. What a test changes, the API sees."""

    def __init__(self, now: int = NOON) -> None:
        super().__init__()
        self.time = now
        self.known = configuration()
        self.values: dict[int, Latest] = {}
        self.silent: dict[tuple[str, str, str], Reason] = {}  # (plant, point, code)
        self.spending: dict[tuple[str, str, str], RuleBudget] = {}
        self.positions: list[GatewaySequence] = []
        self.quarantine: list[Quarantined] = []
        self.deleted = 0
        self.parts = {"journal": "ok", "engine": "ok", "history": "ok"}
        self.held: list[HeldBack] = []
        self.history_away = False
        self.phase_records: list[PhaseRecord] = []
        self.history_refusing: str | None = None
        self.state_away: str | None = None
        self.history_answers = threading.Event()  # cleared: the history store hangs
        self.history_answers.set()
        self.queries: list[Sequence[TrendQuery]] = []
        self.reads = BoundedReads(self, 60)
        self.engine_away = False
        self.load = AlarmLoad(self, AlarmsConfig(), lambda: self.known.plants)
        self.memory, self.watches = EngineState(self.known), PlantWarnings()
        self.watches.resume([], self.memory, 0, WarningsConfig(duty=DUTY).policy())
        self.cases, self.database = books_for(self)
        self.calls = desk_of(self.database, lambda: self.known)
        self.lanes = {"county": LaneState(down=False, failures=0, error=Failure("other", text=""))}
        self.retried: list[str] = []
        self.resumed: list[int] = []
        self.withdrawn: list[int] = []
        self._changed = asyncio.Event()
        for point in self.known.points:
            if point is not None:
                self.values[point.index] = Latest(now - 2 * SECOND, sample_of(point, now), 0, stale=False)

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
            calls=self.calls,
            exports=self,
            load=self.load,
            deliveries=Deliveries(self.database, self, ("county", "town")),
            record=self.record,
            now=lambda: self.time,
        )

    def lane_states(self) -> Mapping[str, LaneState]:
        return self.lanes

    def retry(self, connector: str) -> None:
        self.retried.append(connector)

    def resume(self, messages: Mapping[str, Sequence[Waiting]]) -> None:
        self.resumed += [message.seq for of in messages.values() for message in of]

    def withdraw(self, messages: Mapping[str, Sequence[Waiting]]) -> None:
        self.withdrawn += [message.seq for of in messages.values() for message in of]

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
        self._publish(self.watches.advance([event], [], self.memory, event.received))
        self._news()

    def _publish(self, events: Sequence[WarningEvent]) -> None:
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
        self._publish(self.watches.advance([], [], self.memory, self.time))

    # WarningBook, beside what was committed

    def facts(self, plant: str) -> Sequence[Fact]:
        episodes = self.watches.by_plant.get(plant)
        return list(episodes.facts.values()) if episodes else []

    def fall_after(self) -> int:
        return self.watches.fall_after

    async def wait_warning(self, seq: int, timeout_s: float) -> None:
        await self._wait(len(self.warned), seq, timeout_s)

    # Readings

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """A history store's, asked in threads by `BoundedReads`."""
        self.queries.append(queries)
        self.history_answers.wait()
        if self.history_away:
            raise HistoryUnavailable("http://10.0.0.7:8086: the store restarts", retry_after_s=7)
        return [self._trend(query) for query in queries]

    def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        """The same for phases of equipment."""
        self.history_answers.wait()
        if self.history_away:
            raise HistoryUnavailable("http://10.0.0.7:8086: the store restarts", retry_after_s=7)
        return [
            record
            for record in self.phase_records
            if (record.plant, record.equipment) == (query.plant, query.equipment)
            and query.start <= record.time < query.end
        ]

    def _trend(self, query: TrendQuery) -> Trend:
        found = self.known.find(query.plant, query.point)
        assert found is not None
        latest = self.values.get(found.index)
        last = latest.time if latest else 0
        width = query.width
        times = range(query.first, query.end, width)
        kept = [t for t in times if t <= min(last, self.time) and not self._silent(found, t)]
        mean = np.array([sample_of(found, t) for t in kept])
        spread = np.array([abs(sample_of(found, t + SECOND) - sample_of(found, t)) for t in kept])
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

    def budgets(self, rules: Sequence[Rule]) -> Mapping[str, RuleBudget]:
        return {
            rule.code: budget for rule in rules if (budget := self.spending.get((rule.plant, rule.point, rule.code)))
        }

    def not_judging(self) -> str | None:
        return self.state_away

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
        memory, cycle = EngineState(self.known), Cycle(self.time, empty_batch(), self.known, Policy())
        memory.add_active(alarm for alarm in self.book.values() if alarm.state is not AlarmState.NORMAL)
        memory.load_alarm = self.book.get
        memory.suppressions, memory.warnings = Suppressions(self.hidden.values()), self.watches
        memory.bypasses = BypassRegister(EngineStore(self.database).open_bypasses())
        answer = command(cycle, memory, self.time)
        save_bypasses(self.database, cycle.bypasses)
        self.hidden |= {suppression.id: suppression for suppression in cycle.suppressions}
        self._publish(cycle.warnings)
        acts = [*map(act_of, cycle.events), *cycle.acts]
        self.trail += [AuditRow(len(self.trail) + at, act, "0" * 64) for at, act in enumerate(acts, 1)]
        for event in cycle.events:
            self._keep(event)
        return answer

    # Exports, event streams

    async def make(self, request: ExportRequest) -> BinaryIO:
        out = io.BytesIO()
        SheetBuilder(self.cases.store, self.cases.daily, self.cases.figures).build(request, out)
        out.seek(0)
        return out

    async def wait_event(self, seq: int, timeout_s: float) -> None:
        await self._wait(len(self.log), seq, timeout_s)

    async def _wait(self, last: int, seq: int, timeout_s: float) -> None:
        if last > seq:
            return
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return
