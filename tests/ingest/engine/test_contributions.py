"""An alarm says which points of a group, or which aspects of its point, contribute most, however readings were cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from detectors.contributions import Aspect
from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.domain.model.contribution import PointAspect
from ingest.domain.model.text import Text
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.engine.pits import HOT, NOON, SECOND, Frame, Reading, cut, judged
from tests.ingest.plants.samples import plant, point

TOGETHER = """
[points.rules.TOGETHER]
kind = "spe"
level = 1
label = "失配"
label_en = "apart"
train = 60
smoothing = 0.3
on = 2
peers = ["IN", "LEVEL"]
"""

RARE = """
[points.rules.RARE]
kind = "surprise"
level = 1
label = "少见"
label_en = "rare"
"""


@pytest.fixture(scope="module")
def circuit(tmp_path_factory: pytest.TempPathFactory) -> PlantConfiguration:
    """An outlet that goes with its inlet and a level, and has a limit of its own."""
    folder = tmp_path_factory.mktemp("circuit")
    names = {"OUT": "出水", "IN": "进水", "LEVEL": "液位"}
    points = {
        name: point(name, "ALC_CW_OUT_T", f'name = "{zh}"\nname_en = "{name.lower()}"\nsetpoint = 40\n')
        for name, zh in names.items()
    }
    text = points["OUT"] + TOGETHER + HOT + points["IN"] + points["LEVEL"]
    (folder / "p.toml").write_text(plant("aluminium", text), encoding="utf-8")
    return load_configuration(folder, MemoryNumbering(), 1)


def frames() -> list[Frame]:
    """A lesson; then the inlet parts from the others, comes back, and the level parts soon after."""
    random = np.random.default_rng(4)
    load = 30 + np.convolve(random.normal(size=209), np.full(10, 0.5), "valid")
    shows = {name: load + random.normal(size=200) * 0.05 for name in ("OUT", "IN", "LEVEL")}
    shows["IN"][80:90] += 1.0
    shows["LEVEL"][120:130] += 1.0
    return [
        Frame(
            NOON + second * SECOND,
            NOON + second * SECOND + 1,
            {name: Reading(float(values[second]), bad=False) for name, values in shows.items()},
        )
        for second in range(200)
    ]


def raises(events: Sequence[AlarmEvent]) -> list[AlarmEvent]:
    found = [event for event in events if event.alarm.rule == "TOGETHER"]
    return [event for event in found if event.kind is AlarmEventKind.RAISED]


def test_each_raise_names_its_own_whatever_the_batches_and_restarts(circuit: PlantConfiguration) -> None:
    whole = raises(judged(circuit, [frames()], restarts=False))
    first, second = (event.alarm for event in whole)
    assert (first.id, first.raises, second.raises) == (second.id, 1, 2), "soon again: the same alarm"
    for alarm, name in ((first, Text("进水", "in")), (second, Text("液位", "level"))):
        most, *rest = alarm.contributions
        assert most.name == name
        assert most.point == name.en.upper()
        assert most.share > 50
        assert all(before.share >= after.share for before, after in zip(alarm.contributions, rest, strict=False))
        assert sum(part.share for part in alarm.contributions) == pytest.approx(100, abs=2)
        assert alarm.title.zh.endswith(f"（主因 {name.zh}）")
        assert alarm.title.en.endswith(f"(due to {name.en})")
    for parts, restarts in (([[frame] for frame in frames()], False), ([*cut(frames(), 3)], True)):
        assert raises(judged(circuit, parts, restarts=restarts)) == whole


def test_an_alarm_of_what_is_rare_for_its_point_says_in_which_way(tmp_path: Path) -> None:
    """Each raise its own, whatever the batches and restarts: first a jump, then what has drifted away."""
    text = point("OUT", "ALC_CW_OUT_T", 'name = "出水"\nname_en = "out"\nsetpoint = 40\n') + RARE
    (tmp_path / "p.toml").write_text(plant("aluminium", text), encoding="utf-8")
    alone = load_configuration(tmp_path, MemoryNumbering(), 1)
    shows = 30 + np.random.default_rng(4).normal(size=1000) * 0.05
    shows[500] += 0.5
    shows[700:] += np.linspace(0, 0.6, 300)
    frames = [
        Frame(NOON + at * SECOND, NOON + at * SECOND + 1, {"OUT": Reading(float(value), bad=False)})
        for at, value in enumerate(shows)
    ]

    def raised(parts: Sequence[Sequence[Frame]], *, restarts: bool) -> list[AlarmEvent]:
        events = judged(alone, parts, restarts=restarts)
        return [event for event in events if event.alarm.rule == "RARE" and event.kind is AlarmEventKind.RAISED]

    whole = raised([frames], restarts=False)
    assert raised([*cut(frames, 3)], restarts=True) == whole
    leading = {(event.time - NOON) // SECOND: event.alarm.contributions[0] for event in whole}
    jump, drift = leading[500], next(part for second, part in leading.items() if second > 700)
    assert (jump.point, jump.aspect, jump.name.zh) == ("OUT", PointAspect.JUMP, "突变")
    assert (drift.point, drift.aspect, drift.name.en) == ("OUT", PointAspect.DRIFT, "slow drift")
    assert all(event.alarm.title == whole[0].alarm.title for event in whole), "the title names no other point"
    assert {aspect.name for aspect in Aspect} == {aspect.name for aspect in PointAspect} | {"WHOLE"}


def test_alarms_of_one_point_name_none(circuit: PlantConfiguration) -> None:
    hot = [
        Frame(NOON + second * SECOND, NOON + second * SECOND + 1, {"OUT": Reading(90.0, bad=False)})
        for second in range(60)
    ]
    found = [event.alarm for event in judged(circuit, [hot], restarts=False)]
    assert found
    assert all(alarm.contributions == () for alarm in found)
