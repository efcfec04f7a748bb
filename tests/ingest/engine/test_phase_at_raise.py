"""An alarm carries the phase its equipment was in when it was raised, however the readings were cut into batches."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import PhaseName
from ingest.domain.model.text import Text
from ingest.engine.engine_state import EngineState
from ingest.engine.order import Cycle, Policy, advance
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.plants.samples import plant, point

SECOND = 10**9
NOON = 1_763_884_800 * SECOND
SILENCE_S = 15
HOT = """
[points.rules.HOT]
kind = "limit"
side = "high"
on = 50
level = 2
label = "热"
label_en = "hot"
"""
PITS = ("1", "2")
SIGNALS = {"FURN": "ALC_LAUNDER_LVL_FURN", "SPEED": "ALC_CAST_SPEED", "LEN": "ALC_CAST_LEN", "OUT_T": "ALC_CW_OUT_T"}
VALUES = {"FURN": (0.0, 150.0), "SPEED": (0.0, 60.0), "LEN": (0.0, 20.0, 900.0, 5900.0), "OUT_T": (20.0, 70.0)}
SETPOINTS = {"FURN": 150, "SPEED": 60, "LEN": 6000, "OUT_T": 40}
NAMES = {"idle": "待机", "preparing": "准备", "start": "起铸", "steady": "稳定铸造", "end": "收尾", "unknown": "未知"}
ENGLISH = {"steady": "steady"} | {code: code for code in NAMES}


@pytest.fixture(scope="module")
def pits(tmp_path_factory: pytest.TempPathFactory) -> PlantConfiguration:
    """Two pits and one thermometer that belongs to neither."""
    folder = tmp_path_factory.mktemp("pits")
    text = "".join(
        point(
            f"{name}-{pit}", signal, f'equipment = "E-{pit}"\nsilence_s = {SILENCE_S}\nsetpoint = {SETPOINTS[name]}\n'
        )
        + (HOT if name == "OUT_T" else "")
        for pit in PITS
        for name, signal in SIGNALS.items()
    )
    second = '[[equipment]]\nid = "E-2"\nname = "二"\n\n[[gateways]]'
    written = plant("aluminium", text + point("LONE", "ALC_CW_OUT_T") + HOT).replace("[[gateways]]", second, 1)
    (folder / "p.toml").write_text(written, encoding="utf-8")
    return load_configuration(folder, MemoryNumbering(), 1)


@dataclass(frozen=True, slots=True)
class Reading:
    value: float
    bad: bool


@dataclass(frozen=True, slots=True)
class Frame:
    time: int
    received: int
    readings: Mapping[str, Reading]


def history(seed: int, many: int = 300) -> list[Frame]:
    """What two pits show, some of it bad, some of it missing, with pauses in which instruments go stale."""
    chance = random.Random(seed)  # noqa: S311  not a secret
    time, frames = NOON, []
    names = [f"{name}-{pit}" for pit in PITS for name in SIGNALS] + ["LONE"]
    for _ in range(many):
        time += chance.choice((1, 1, 2, 2 * SILENCE_S)) * SECOND
        sent = [name for name in names if chance.random() < 0.4]
        readings = {
            name: Reading(chance.choice(VALUES.get(name.split("-")[0], VALUES["OUT_T"])), chance.random() < 0.15)
            for name in sent
        }
        frames.append(Frame(time, time + chance.randrange(1, SECOND), readings))
    return frames


def batch_of(configuration: PlantConfiguration, frames: Sequence[Frame]) -> Batch:
    rows = [(frame, name, reading) for frame in frames for name, reading in frame.readings.items()]
    index = [found.index for _, name, _ in rows if (found := configuration.find("p", name)) is not None]
    return Batch(
        np.array(index, np.int32),
        np.array([frame.time for frame, _, _ in rows], np.int64),
        np.array([reading.value for _, _, reading in rows], np.float64),
        np.array([int(Flag.BAD) if reading.bad else 0 for _, _, reading in rows], np.uint16),
        np.array([frame.received for frame, _, _ in rows], np.int64),
    )


def judged(configuration: PlantConfiguration, parts: Sequence[Sequence[Frame]], *, restarts: bool) -> list[AlarmEvent]:
    """The raises of rule HOT when the frames come in these parts, each after a restart or not."""
    state, events = EngineState(configuration), list[AlarmEvent]()
    state.resume(NOON - 3600 * SECOND, NOON - 3600 * SECOND)
    for part in parts:
        now = part[-1].received
        cycle = advance(Cycle(now, batch_of(configuration, part), configuration, Policy()), state)
        raised = (event for event in cycle.events if event.kind is AlarmEventKind.RAISED)
        events += [event for event in raised if event.alarm.rule == "HOT"]
        if restarts:
            after = EngineState(configuration)
            after.load(state.dump(silence=True))
            after.alarms, after.recent = state.alarms, state.recent
            state = after
    return events


def cut(frames: Sequence[Frame], seed: int) -> Iterator[Sequence[Frame]]:
    chance, begin = random.Random(seed), 0  # noqa: S311  not a secret
    while begin < len(frames):
        end = begin + chance.choice((1, 2, 5, 40))
        yield frames[begin:end]
        begin = end


def plain(shown: Mapping[str, tuple[Reading, int]], pit: str, now: int) -> str:
    """The phase as a person would tell it from the newest readings, each with its arrival."""

    def known(name: str) -> float | None:
        found = shown.get(f"{name}-{pit}")
        if found is None or found[0].bad or now - found[1] > SILENCE_S * SECOND:
            return None
        return found[0].value

    length, speed, level = known("LEN"), known("SPEED"), known("FURN")
    if length is None:
        return "unknown"  # the last phases show by nothing else
    if length > 5800:
        return "end"
    if length >= 500:
        return "steady"
    if length > 0 or (speed is not None and speed > 5):
        return "start"
    if speed is None or level is None:
        return "unknown"
    return "preparing" if level > 30 else "idle"


def expected(frames: Sequence[Frame]) -> dict[tuple[int, str], str | None]:
    """By arrival and point: the phase at that moment."""
    shown: dict[str, tuple[Reading, int]] = {}
    found: dict[tuple[int, str], str | None] = {}
    for frame in frames:
        shown |= {name: (reading, frame.received) for name, reading in frame.readings.items()}
        found |= {(frame.received, f"OUT_T-{pit}"): plain(shown, pit, frame.received) for pit in PITS}
        found[frame.received, "LONE"] = None
    return found


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_phase_of_that_moment_whatever_the_batches_and_restarts(pits: PlantConfiguration, seed: int) -> None:
    frames = history(seed)
    phases = expected(frames)
    whole = judged(pits, [frames], restarts=False)
    assert len(whole) > 30
    assert {code for event in whole if (code := phases[event.received, event.alarm.point])} > {"unknown", "start"}
    for event in whole:
        code = phases[event.received, event.alarm.point]
        assert event.alarm.phase == (PhaseName(code, Text(NAMES[code], ENGLISH[code])) if code else None)
    for parts, restarts in (([[frame] for frame in frames], False), ([*cut(frames, seed)], True)):
        assert judged(pits, parts, restarts=restarts) == whole


def test_one_that_comes_back_soon_is_the_same_alarm_in_another_phase(pits: PlantConfiguration) -> None:
    def at(second: int, length: float, hot: float) -> Frame:
        time = NOON + second * SECOND
        values = {"LEN-1": length, "SPEED-1": 60.0, "FURN-1": 150.0, "OUT_T-1": hot}
        return Frame(time, time + 1, {name: Reading(value, bad=False) for name, value in values.items()})

    frames = [at(0, 0.0, 20), at(1, 30, 70), at(2, 31, 20), at(60, 600, 70)]
    first, second = judged(pits, [frames], restarts=False)
    assert (first.alarm.id, first.alarm.raises) == (second.alarm.id, second.alarm.raises - 1)
    assert [event.alarm.phase and event.alarm.phase.code for event in (first, second)] == ["start", "steady"]
