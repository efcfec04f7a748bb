"""The running service as the API sees it: which rules say nothing, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, patch

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from detectors import Readings
from detectors.detector import Reason
from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.model.budget import RuleBudget
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime import live
from ingest.runtime.live import CommitNotifier, LiveService, ServiceMetrics
from ingest.runtime.settings import Settings
from ingest.runtime.settings.certificates import CertificateMonitor
from ingest.storage.journal.reserve import DiskGuard
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.warning_store import WarningStore
from tests.ingest.engine.bench import SECOND, Bench
from tests.ingest.web.made_up_plants import STEEL, WOOD
from tests.ingest.web.stand_in import StandIn
from tests.small_plant import PLANT, TEXT, small_configuration

LEARNT = """[points.rules.DRIFT]
kind = "zscore"
level = 1
on = 6
least = 30
[points.rules.DEV]
kind = "limit"
level = 1
side = "high"
on = 50
when = "CO-02 > 10"
"""
WITH_LEARNT = TEXT.replace("[points.rules.H]\n", f"{LEARNT}[points.rules.H]\n")
NO_FILES: Any = SimpleNamespace(held=(), refused=[], unwatched=[])
AWAY: Any = SimpleNamespace(
    connected=False, lag=lambda: (0, None), refusing=lambda: None, progressed=0.0, suspended_s=None
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An engine that is paused, so that a test can be in the middle of its cycle."""
    made = Bench(tmp_path, WITH_LEARNT)
    yield made
    made.database.close()
    made.journal.close()


def unjudged(
    bench: Bench, configuration: PlantConfiguration | None = None, service: LiveService | None = None
) -> dict[str, Reason]:
    """What the service says of CO-01 as this configuration has it."""
    point = (configuration or bench.engine.configuration).find(PLANT, "CO-01")
    assert point is not None
    return dict((service or service_of(bench)).not_evaluated(point.rules))


def service_of(bench: Bench) -> LiveService:
    loop = asyncio.new_event_loop()
    loop.close()
    guard = DiskGuard([bench.folder], 0)
    warnings = WarningStore(bench.database)
    return LiveService(
        bench.engine,
        AWAY,
        AWAY,
        bench.alarms,
        warnings,
        CommitNotifier(loop),
        lambda: {"engine": "ok"},
        guard,
        NO_FILES,
        AWAY,
    )


def hear(bench: Bench, name: str, values: list[float], start_s: int = 0, every_s: int = 1) -> None:
    """Let the bank judge readings at an even pace."""
    known = bench.engine.configuration.find(PLANT, name)
    assert known is not None
    n = len(values)
    time = bench.t0 + (start_s + every_s * np.arange(n)) * SECOND
    point = np.full(n, known.index, np.int32)
    bench.engine.engine_state.bank.update(Readings(point, time, np.array(values), time, point), int(time[-1]))


def not_evaluated(bench: Bench) -> dict[str, float]:
    """The gauge as Prometheus reads it."""
    registry, nothing = CollectorRegistry(), lambda: iter(())
    guard = DiskGuard([bench.folder], 0)
    load = AlarmLoad(bench.alarms, AlarmsConfig(), lambda: bench.engine.configuration.plants)
    ends = CertificateMonitor(Settings())
    registry.register(
        ServiceMetrics(bench.engine, AWAY, AWAY, nothing, AWAY, bench.journal, guard, load, NO_FILES, ends, nothing)
    )
    (found,) = [family for family in registry.collect() if family.name == "yujing_rules_not_evaluated"]
    return {sample.labels["reason"]: sample.value for sample in found.samples}


def test_every_operator_position_has_metrics() -> None:
    hall = StandIn()
    for ago in range(1, 13):
        hall.raise_alarm(STEEL, "CW_DT-01", "HH", 21.0, ago_s=ago)
    families = live.alarm_gauges(hall.load, hall.time)
    found = {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}
    assert found["yujing_alarms_standing", STEEL, "2"] == 12
    assert found["yujing_alarms_standing", WOOD, "1"] == 0
    names = ("unacknowledged", "stale", "hidden", "chattering", "raised_10min", "flood")
    assert [found[f"yujing_alarms_{name}", STEEL] for name in names] == [12, 0, 0, 1, 12, 1]
    assert {name for name, *_ in found} == {f"yujing_alarms_{name}" for name in ("standing", *names)}


def test_a_rule_says_why_it_is_not_evaluated_until_it_is(bench: Bench) -> None:
    """Without a reading, then warming up, then evaluated; a gate's point first unknown, then below, then above."""
    assert set(unjudged(bench).values()) == {Reason.NEVER_HEARD}
    assert "SILENT" not in unjudged(bench)
    hear(bench, "CO-01", [5.0, 6.0] * 5)
    found = unjudged(bench)
    assert (found["DRIFT"], found["DEV"]) == (Reason.WARMING_UP, Reason.GATE_UNKNOWN)
    assert not {"H", "HH"} & set(found)
    hear(bench, "CO-02", [3.0], start_s=10)
    assert unjudged(bench)["DEV"] is Reason.GATE_CLOSED
    hear(bench, "CO-02", [13.0], start_s=11)
    hear(bench, "CO-01", [5.0, 6.0] * 15, start_s=12)
    assert not {"DRIFT", "DEV"} & set(unjudged(bench))
    hear(bench, "CO-01", [float("nan")], start_s=50)
    assert unjudged(bench)["H"] is Reason.NO_VALUE


def test_the_budget_of_a_rule_is_known_by_its_code_and_of_others_there_is_none(bench: Bench) -> None:
    """A day and a half of 5 and 6 by turns, six a minute: by then the budget is kept, and nothing was found."""
    learnt = "[points.rules.LEARNT]\nkind = 'zscore'\nlevel = 1\nlabel = '名'\nlabel_en = 'name'\nbudget = 10000\n"
    text = WITH_LEARNT.replace(LEARNT, learnt + LEARNT)
    configuration = small_configuration(bench.folder, bench.journal.number_points, text)
    bench.engine.engine_state = bench.engine.engine_state.successor(configuration)
    point = configuration.find(PLANT, "CO-01")
    assert point is not None
    (learning,) = service_of(bench).budgets(point.rules).values()
    assert learning == RuleBudget(10_000, 0, 0.0, learning.needed_s, None)
    assert learning.needed_s == pytest.approx(86_400.0)
    hear(bench, "CO-01", [5.0, 6.0] * 1000, every_s=10)
    assert unjudged(bench, configuration)["LEARNT"] is Reason.BUDGET_LEARNING
    hear(bench, "CO-01", [5.0, 6.0] * 5480, start_s=20_000, every_s=10)
    kept = service_of(bench).budgets(point.rules)["LEARNT"]
    assert (kept.spent, kept.needed_s) == (0, 0.0)
    assert kept.limit == pytest.approx(4.0)
    assert "LEARNT" not in unjudged(bench, configuration)


def test_the_metrics_count_rules_by_reason(bench: Bench) -> None:
    silent = not_evaluated(bench)
    assert list(silent) == [reason.name.lower() for reason in Reason]
    assert silent["never_heard"] > 10
    assert silent["warming_up"] == 0
    hear(bench, "CO-01", [5.0, 6.0] * 5)
    heard = not_evaluated(bench)
    assert heard["never_heard"] < silent["never_heard"]
    assert heard["gate_unknown"] == 1
    assert heard["warming_up"] >= 1
    assert sum(heard.values()) == len(bench.engine.engine_state.bank.not_evaluated(bench.t0).rule)


def test_a_reason_stays_with_its_rule_while_the_roster_changes(bench: Bench) -> None:
    """In the middle of the change the engine state is of the new configuration, the engine has the old one."""
    before = bench.engine.configuration
    hear(bench, "CO-01", [5.0, 6.0] * 5)
    service = service_of(bench)
    old = unjudged(bench, service=service)
    fewer = WITH_LEARNT.replace('disabled_rules = ["STUCK"]', 'disabled_rules = ["STUCK", "BAD", "SILENT"]', 1)
    after = small_configuration(bench.folder, bench.journal.number_points, fewer)
    bench.engine.engine_state = bench.engine.engine_state.successor(after)
    assert bench.engine.configuration is before
    assert [rule.code for rule in before.rules] != [rule.code for rule in after.rules]
    assert unjudged(bench, before, service) == unjudged(bench, after, service) == old


def test_many_callers_share_one_query(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that walks all points must not keep the engine from judging."""
    bank = bench.engine.engine_state.bank
    queried = Mock(wraps=bank.not_evaluated)
    monkeypatch.setattr(bank, "not_evaluated", queried)
    service = service_of(bench)
    monkeypatch.setattr(live, "_REFRESH_S", 3600.0)
    for _ in range(5):
        unjudged(bench, service=service)
    assert queried.call_count == 1


def test_health_names_each_part_that_is_not_well(bench: Bench) -> None:
    """A part that hangs, a disk that is full, a history that is away; the last two keep no other part from it."""
    progress = {"intake": "ok", "engine": "no progress for 20 s", "history": "ok"}
    free = [100 << 20]
    now = [0.0]
    guard = DiskGuard([bench.folder], 4, free=lambda _: free[0], clock=lambda: now[0])
    loop = asyncio.new_event_loop()
    loop.close()
    source: Any = SimpleNamespace(trouble=None)
    writer: Any = SimpleNamespace(lag=lambda: (7, "connection refused"), refusing=lambda: None)
    reads: Any = SimpleNamespace(suspended_s=None)
    warnings = WarningStore(bench.database)
    service = LiveService(
        bench.engine,
        source,
        writer,
        bench.alarms,
        warnings,
        CommitNotifier(loop),
        lambda: progress,
        guard,
        NO_FILES,
        reads,
    )
    assert service.health().parts == progress | {
        "broker": "ok",
        "disk": "ok",
        "plants": "ok",
        "history": "connection refused (7 journal entries wait)",
    }
    progress["engine"], writer.lag = "ok", lambda: (0, None)
    assert service.health().ready
    writer.refusing = lambda: "readings: field type conflict"
    health = service.health()
    assert not health.ready
    assert health.parts["history"] == (
        "it refuses all it is sent, which is kept in quarantine: readings: field type conflict"
    )
    writer.refusing, reads.suspended_s = lambda: None, 42.4
    health = service.health()
    assert (health.ready, health.parts["history"]) == (
        False,
        "trends are missing, it answered no query for 42 s: history_query_failed",
    )
    reads.suspended_s = None
    free[0], now[0] = 3 << 20, 1.0
    health = service.health()
    assert (health.ready, health.parts["disk"]) == (False, "low: 3 MiB free; nothing is taken in")


async def test_a_commit_wakes_everybody_who_waits_and_nobody_else() -> None:
    """As often as somebody waits anew; the loop sleeps on while nobody does."""
    loop, woken = asyncio.get_running_loop(), list[Callable[[], None]]()
    notifier = CommitNotifier(loop)
    with patch.object(loop, "call_soon_threadsafe", side_effect=woken.append):
        notifier.notify()
        for count in (1, 2, 3):
            waiting = [notifier.next(), notifier.next()]
            notifier.notify()
            assert len(woken) == count
            woken[-1]()
            assert all(event.is_set() for event in waiting)
            notifier.notify()
            assert len(woken) == count
