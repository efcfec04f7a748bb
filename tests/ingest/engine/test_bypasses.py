"""A bypass that nobody registered is a level-2 alarm, a registered one level 1 until its time is over."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors import Findings
from ingest.domain.alarms.lifecycle import CALLS
from ingest.domain.cases.bypass import HOUR, Bypass, BypassState
from ingest.domain.cases.bypass_register import BypassRegister
from ingest.domain.cases.bypass_steps import Approve, Decline, Extend, Grant, Refuse, Restore, Withdraw
from ingest.domain.cases.errors import CaseError, NotTheirs, Stale
from ingest.domain.cases.verbs import Form
from ingest.domain.model.alarm import Alarm, AlarmEventKind, AlarmState
from ingest.domain.model.batch import empty_batch
from ingest.domain.model.changed import DoneBefore
from ingest.engine.advance_alarms import advance_alarms
from ingest.engine.bypasses import RequestBypass, TakeBypassStep, advance_bypasses
from ingest.engine.commands import Person
from ingest.engine.engine_state import EngineState
from ingest.engine.order import Cycle, Policy, address
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.case_rows import record_of, row_of
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.rows import alarm_of, alarm_row
from tests.ingest.engine.bench import PATIENCE_S, SECOND, Bench
from tests.small_plant import PLANT, TEXT

START = 1_763_884_800 * SECOND
INTERLOCKS = """
[[points]]
id = "LANCE"
signal = "STL_LANCE_INTLK_FLOW"
gateway = "GW-01"

[[points]]
id = "RELIEF"
signal = "STL_BF_RELIEF_INTLK"
gateway = "GW-02"
"""
OPERATOR, OTHER = Person("张三", "operator"), Person("李四", "operator")
OFFICER, INSPECTOR = Person("王五", "admin"), Person("赵六", "inspector")
CODE = "ON"
POLICY = Policy(lambda _kind, _plant, level: ("grave",) if level == 2 else ())
Place = tuple[str, str]


def two_plants(folder: Path) -> PlantConfiguration:
    plants = folder / "plants"
    plants.mkdir()
    for plant in (PLANT, "other"):
        text = (TEXT + INTERLOCKS).replace('id = "small"', f'id = "{plant}"')
        (plants / f"{plant}.toml").write_text(text, encoding="utf-8")
    return load_configuration(plants, MemoryNumbering(), version=1)


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> PlantConfiguration:
    return two_plants(tmp_path_factory.mktemp("plants"))


class Engine:
    """The engine's stages about alarms and registrations, on a state of their own."""

    def __init__(self, configuration: PlantConfiguration) -> None:
        self.state = EngineState(configuration)
        self.numbers = {
            (rule.plant, rule.point): number
            for number, rule in enumerate(configuration.rules)
            if rule.code == CODE and rule.point in {"LANCE", "RELIEF"}
        }
        self.events: list[Any] = []
        self.bodies: list[Any] = []

    def run_cycle(self, now: int, changes: Sequence[tuple[int, Place, bool]] = (), command: Any = None) -> Any:
        """One cycle: a command, then what interlocks showed: (time, interlock, bypassed)."""
        cycle = Cycle(now, empty_batch(), self.state.configuration, POLICY)
        cycle.findings = findings([(time, self.numbers[place], bypassed) for time, place, bypassed in changes])
        try:
            return command(cycle, self.state, now) if command else None
        finally:
            for stage in (advance_alarms, advance_bypasses, address):
                stage(cycle, self.state)
            self.events += cycle.events
            self.bodies += [message.body for message in cycle.messages]

    def restart(self) -> None:
        """Know only what the state database would."""
        alarms = [alarm_of(alarm_row(alarm)) for alarm in self.state.alarms.values()]
        recent = {key: alarm_of(alarm_row(alarm)) for key, alarm in self.state.recent.items()}
        self.state.alarms, self.state.recent = {}, recent
        self.state.add_active(alarms)
        self.state.bypasses = BypassRegister(
            record_of(Bypass, row_of(record)) for record in self.state.bypasses.records()
        )

    def level(self, place: Place) -> tuple[int, bool | None] | None:
        """Level of the interlock's alarm, and whether its registration has expired (None: it has none)."""
        alarm = self.state.alarms.get((*place, CODE))
        if alarm is None or not alarm.active:
            return None
        return alarm.level, alarm.bypass.expired if alarm.bypass else None


def findings(rows: Sequence[tuple[int, int, bool]]) -> Findings:
    time, rule, raised = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.array([]),) * 3
    time, n = time.astype(np.int64), len(rows)
    return Findings(
        rule.astype(np.int32),
        raised.astype(bool),
        time,
        time,
        time,
        np.where(raised, 1.0, 0.0),
        np.full(n, -1, np.int32),
    )


@dataclass
class Registration:
    """What a plain reader of the papers knows of one registration."""

    spans: list[tuple[int, int]] = field(
        default_factory=list
    )  # (from when, until when), one an approval; the last counts
    closed: bool = False


@dataclass
class Interlock:
    """The same of an interlock."""

    bypassed: bool = False
    papers: Registration | None = None

    def expected(self, now: int) -> tuple[int, bool | None] | None:
        """Level of its alarm and whether its registration has expired."""
        if not self.bypassed:
            return None
        if self.papers is None or self.papers.closed or not self.papers.spans:
            return 2, None
        begins, until = self.papers.spans[-1]
        if now < begins:
            return 2, None
        return (1, False) if now < until else (2, True)


def history(engine: Engine, draw: random.Random, *, cuts: bool) -> None:
    """One random history of four interlocks; checks the level of every alarm after each event and in between."""
    places = [(plant, point) for plant in (PLANT, "other") for point in ("LANCE", "RELIEF")][: draw.choice((1, 2, 4))]
    model = {place: Interlock() for place in places}
    now = START
    waiting: list[tuple[int, Place, bool]] = []  # seen by the interlocks, and not yet by the engine
    for _ in range(draw.randint(4, 14)):
        now += draw.choice((1, 60, 1800, 3600, 5400)) * SECOND
        place = draw.choice(places)
        interlock = model[place]
        kind = draw.choice(("state", "state", "paper", "paper", "restart", "time"))
        if kind == "state":
            interlock.bypassed = not interlock.bypassed
            waiting.append((now, place, interlock.bypassed))
        if kind != "state" or not cuts or draw.random() < 0.5:
            engine.run_cycle(now, waiting)
            waiting = []
        if kind == "paper":
            paper(engine, draw, place, interlock, now)
        elif kind == "restart":
            engine.restart()
        if not waiting:
            assert {place: engine.level(place) for place in places} == {
                place: interlock.expected(now) for place, interlock in model.items()
            }


def paper(engine: Engine, draw: random.Random, place: Place, interlock: Interlock, now: int) -> None:
    """Somebody does something with the interlock's registration, as far as it can be done."""
    known = engine.state.bypasses.of_point(*place)
    if known is None:
        begins = draw.choice((None, None, now + 1800 * SECOND, now - SECOND))
        engine.run_cycle(
            now, command=RequestBypass(*place, "换阀", "专人监护", OPERATOR, draw.choice((1, 2, None)), begins)
        )
        interlock.papers = Registration()
        return
    papers = interlock.papers
    assert papers is not None
    take = partial(TakeBypassStep, known.id, known.version)
    if known.state is BypassState.REQUESTED:
        form: Form[Bypass] = draw.choice((Approve(), Approve(), Refuse("不必"), Withdraw()))
        engine.run_cycle(now, command=take(form, OPERATOR if isinstance(form, Withdraw) else INSPECTOR))
        if isinstance(form, Approve):
            begins = max(now, known.begins)
            papers.spans.append((begins, begins + known.hours * HOUR))
        else:
            papers.closed = True
    elif known.extension_hours is not None:
        form = draw.choice((Grant(), Decline("够了")))
        engine.run_cycle(now, command=take(form, INSPECTOR))
        if isinstance(form, Grant):
            begins, _ = papers.spans[-1]
            papers.spans.append((begins, max(now, begins) + known.extension_hours * HOUR))
    elif known.state is BypassState.APPROVED or draw.random() < 0.5:
        engine.run_cycle(now, command=take(Extend(draw.randint(1, 3), "备件未到"), OTHER))
    else:
        engine.run_cycle(now, command=take(Restore("试验合格"), OPERATOR))
        papers.closed = True


def test_over_ten_thousand_histories_the_level_is_what_the_papers_say(configuration: PlantConfiguration) -> None:
    """Two plants with two interlocks each: seen, asked for, allowed, extended, expired, put back in any order.

    After a restart, too, and whether the engine sees each change at once or many together.
    """
    engine = Engine(configuration)
    for seed in range(10_000):
        engine.state.alarms, engine.state.recent, engine.state.bypasses = {}, {}, BypassRegister()
        history(engine, random.Random(seed), cuts=seed % 2 == 1)  # noqa: S311  not a secret


def test_a_stream_cut_otherwise_makes_the_same_events(configuration: PlantConfiguration) -> None:
    """Bypassed, expired and put back within one cycle of the engine or in three: the same alarms, event by event."""
    place = (PLANT, "LANCE")
    seen = [
        (START + 1800 * SECOND, place, True),
        (START + 5400 * SECOND, place, False),
        (START + 6000 * SECOND, place, True),
    ]
    events = []
    for cycles in ([seen], [[change] for change in seen], [seen[:2], seen[2:]]):
        engine = Engine(configuration)
        asked = engine.run_cycle(START, command=RequestBypass(*place, "换阀", "专人监护", OPERATOR, 1))
        engine.run_cycle(START, command=TakeBypassStep(asked.id, asked.version, Approve(), INSPECTOR))
        for changes in cycles:
            engine.run_cycle(changes[-1][0], changes)
        events.append(
            [(event.id, event.kind, event.time, event.received, shown(event.alarm)) for event in engine.events]
        )
    assert events[0] == events[1] == events[2]
    kinds = [kind for _, kind, *_ in events[0]]
    assert kinds[:3] == [AlarmEventKind.RAISED, AlarmEventKind.BYPASS_UNREGISTERED, AlarmEventKind.RETURNED]


def shown(alarm: Alarm) -> tuple[object, ...]:
    """Everything of it but the id of a registration, which is random."""
    return replace(alarm, bypass=None), alarm.bypass and replace(alarm.bypass, id=alarm.id)


def test_an_expired_bypass_calls_again_and_says_who_allowed_it(configuration: PlantConfiguration) -> None:
    """Acknowledged at level 1, it is unacknowledged at level 2; receivers of grave alarms hear of every step."""
    engine, place = Engine(configuration), (PLANT, "LANCE")
    engine.run_cycle(START, [(START, place, True)])
    asked = engine.run_cycle(START, command=RequestBypass(*place, "换阀", "专人监护", OPERATOR, 2))
    engine.run_cycle(START, command=TakeBypassStep(asked.id, asked.version, Approve(), INSPECTOR))
    engine.run_cycle(START + 3 * HOUR)
    raised, registered, again = engine.bodies
    assert [body["alarm"]["level"] for body in engine.bodies] == [2, 1, 2]
    assert raised["alarm"]["bypass"] is None
    note = registered["alarm"]["bypass"]
    assert (note["requested_by"], note["approved_by"], note["measure"]) == ("张三", "赵六", "专人监护")
    assert note["title"] == {"zh": "已登记旁路", "en": "registered bypass"}
    assert again["alarm"]["bypass"]["title"]["zh"] == "旁路登记已到期"
    assert again["event"] == "bypass-unregistered"
    alarm = engine.state.alarms[(*place, CODE)]
    assert (alarm.state, alarm.raises, alarm.annunciated) == (AlarmState.UNACKNOWLEDGED, 2, START + 2 * HOUR)
    assert sum(event.kind in CALLS for event in engine.events) == 2


def test_nobody_allows_their_own_bypass(configuration: PlantConfiguration) -> None:
    """Neither the first time nor an extension; and what was decided meanwhile is decided once."""
    engine, place = Engine(configuration), (PLANT, "LANCE")
    request = RequestBypass(*place, "换阀", "专人监护", OFFICER, 2)
    asked = engine.run_cycle(START, command=request)
    with pytest.raises(DoneBefore):
        engine.run_cycle(START, command=request)
    with pytest.raises(NotTheirs):
        engine.run_cycle(START, command=TakeBypassStep(asked.id, asked.version, Approve(), OFFICER))
    with pytest.raises(NotTheirs):
        engine.run_cycle(START, command=TakeBypassStep(asked.id, asked.version, Approve(), OTHER))
    engine.run_cycle(START, command=TakeBypassStep(asked.id, asked.version, Approve(), INSPECTOR))
    with pytest.raises(Stale):
        engine.run_cycle(START, command=TakeBypassStep(asked.id, asked.version, Refuse("晚了"), INSPECTOR))
    more = engine.run_cycle(START, command=TakeBypassStep(asked.id, 2, Extend(3, "备件未到"), OFFICER))
    with pytest.raises(NotTheirs):
        engine.run_cycle(START, command=TakeBypassStep(asked.id, more.version, Grant(), OFFICER))
    with pytest.raises(CaseError, match="1 to 24 h"):
        engine.run_cycle(START, command=RequestBypass("other", "LANCE", "换阀", "专人监护", OPERATOR, 25))
    with pytest.raises(ValueError, match="not the state of an interlock"):
        engine.run_cycle(START, command=RequestBypass(PLANT, "CO-01", "换阀", "专人监护", OPERATOR, 2))


@pytest.fixture
def bench(tmp_path: Path, state: StateConfig) -> Iterator[Bench]:
    made = Bench(tmp_path, TEXT + INTERLOCKS, state)
    made.engine.start()
    yield made
    assert made.engine.stop(PATIENCE_S)
    assert made.failures == []
    made.database.close()


@pytest.mark.parametrize("clean", [True, False])
def test_a_registration_outlives_a_restart(bench: Bench, clean: bool) -> None:
    """On both systems: alarm, registration and audit trail are one commit, and the next engine goes on with them."""
    bench.send("LANCE", [0, 1])
    bench.settle()
    assert [alarm.level for alarm in bench.found()] == [2]
    asked = bench.engine.submit(RequestBypass(PLANT, "LANCE", "换阀", "专人监护", OPERATOR, 2)).result(PATIENCE_S)
    step = TakeBypassStep(asked.id, asked.version, Approve(), INSPECTOR)
    approved = bench.engine.submit(step).result(PATIENCE_S)
    bench.restart(clean=clean)
    assert bench.store.open_bypasses() == [approved]
    (alarm,) = bench.found()
    assert (alarm.level, alarm.bypass) == (1, approved.note)
    restored = TakeBypassStep(asked.id, approved.version, Restore("试验合格"), OPERATOR)
    bench.engine.submit(restored).result(PATIENCE_S)
    (alarm,) = bench.found()
    assert (alarm.level, alarm.bypass, alarm.raises) == (2, None, 2)
    bench.send("LANCE", [0], start_s=5)
    bench.settle()
    assert audited(bench.database) == ["request", "approve", "restore"]


def audited(database: Database) -> list[str]:
    rows = AuditStore(database.rows).acts(limit=100, kind="bypass")
    return [row.act.action for row in rows][::-1]
