"""The stages: what a finding becomes on its way to people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.engine.engine_state import EngineState
from ingest.engine.order import Cycle, Policy, advance
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.plants.samples import plant, point

SECOND = 10**9
NOON = 1_763_884_800 * SECOND
NAMED = 'name = "{0}号一氧化碳"\nname_en = "CO {0}"\nequipment = "E-1"\n'
RULE = """
[points.rules.X]
kind = "{}"
level = 1
peers = ["CO-2"]
train = 100
on = {}
label = "关系异常"
label_en = "relation broken"
"""


def together(folder: Path, kind: str, on: float) -> PlantConfiguration:
    """Two points, the first judged together with the second."""
    rule = RULE.format(kind, on)
    text = point("CO-1", "STL_CO", NAMED.format(1) + rule) + point("CO-2", "STL_CO", NAMED.format(2))
    (folder / "p.toml").write_text(plant("steel", text), encoding="utf-8")
    return load_configuration(folder, MemoryNumbering(), 1)


def judged(configuration: PlantConfiguration, co_1: NDArray[np.float64], co_2: NDArray[np.float64]) -> list[AlarmEvent]:
    """What comes of rule X when both are read every second."""
    engine_state, events = EngineState(configuration), list[AlarmEvent]()
    known = {point.id: point.index for point in configuration.plants["p"].points}
    index = np.array([known["CO-2"], known["CO-1"]], np.int32)
    for second, values in enumerate(zip(co_2, co_1, strict=True)):
        time = np.full(2, NOON + second * SECOND)
        batch = Batch(index, time, np.array(values), np.zeros(2, np.uint16), time)
        cycle = advance(Cycle(int(time[0]), batch, configuration, Policy()), engine_state)
        events += [event for event in cycle.events if event.alarm.rule == "X"]
    return events


@pytest.mark.parametrize(("kind", "on"), [("t2", 3.0), ("mahalanobis", 3.0)])
@pytest.mark.parametrize("faulty", ["CO-1", "CO-2"])
def test_the_title_names_the_point_behind_a_finding_over_several(
    tmp_path: Path, kind: str, on: float, faulty: str
) -> None:
    """In both languages, and only if it is another than the one whose alarm it is."""
    configuration = together(tmp_path, kind, on)
    random = np.random.default_rng(7)
    common = 10 + random.normal(0, 1, 400)
    values = {name: common + random.normal(0, 0.3, 400) for name in ("CO-1", "CO-2")}
    values[faulty][300:] += 20
    raised = judged(configuration, values["CO-1"], values["CO-2"])[0].alarm
    assert raised.point == "CO-1"
    assert raised.raised >= NOON + 300 * SECOND
    zh, en = ("（主因 2号一氧化碳）", " (due to CO 2)") if faulty == "CO-2" else ("", "")
    assert raised.title.zh == f"1号一氧化碳 关系异常{zh}"
    assert raised.title.en == f"CO 1 relation broken{en}"


def test_a_day_without_the_platform_is_few_reports_and_all_of_them_once_it_is_back(tmp_path: Path) -> None:
    """Reports every minute; from an hour without any taken on, one in fifteen stands for all."""
    (tmp_path / "p.toml").write_text(plant("steel", point("CO-1", "STL_CO", NAMED.format(1))), encoding="utf-8")
    configuration = load_configuration(tmp_path, MemoryNumbering(), 1)
    engine_state, minute = EngineState(configuration), 60 * SECOND
    index = np.array([point.index for point in configuration.plants["p"].points if point.id == "CO-1"], np.int32)
    waiting: list[int] = []
    away = True

    def late() -> bool:
        return bool(waiting) and cycle.now - waiting[0] > 60 * minute

    terms = Policy(lambda kind, _plant, _level: ["platform"] if kind == "readings" else [], minute, reports_late=late)
    made = []
    for at in range(0, 26 * 60 * minute, minute // 2):
        time = np.array([NOON + at])
        cycle = Cycle(NOON + at, Batch(index, time, np.ones(1), np.zeros(1, np.uint16), time), configuration, terms)
        advance(cycle, engine_state)
        made.append(len(cycle.messages))
        waiting += [message.created for message in cycle.messages]
        away = away and at < 24 * 60 * minute
        if not away:
            waiting.clear()
    day = 2 * 24 * 60
    assert 60 <= sum(made[:120]) <= 61
    assert 60 + 23 * 4 - 1 <= sum(made[:day]) <= 61 + 23 * 4 + 1
    assert sum(made[day + 30 :]) == 120 - 15, "every minute again once they are taken"
