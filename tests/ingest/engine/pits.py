"""Two casting pits, random histories of what they show, and the engine on these, in any batches and over restarts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
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
VALUES = {
    "FURN": (0.0, 0.0, 150.0),
    "SPEED": (0.0, 0.0, 60.0),
    "LEN": (0.0, 0.0, 0.0, 20.0, 900.0, 5900.0),
    "OUT_T": (20.0, 70.0),
}
SETPOINTS = {"FURN": 150, "SPEED": 60, "LEN": 6000, "OUT_T": 40}


def two_pits(folder: Path) -> PlantConfiguration:
    """Two pits and one thermometer that belongs to neither."""
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
    shows = dict.fromkeys(names, 0.0)
    for _ in range(many):
        time += chance.choice((1, 1, 2, 2 * SILENCE_S)) * SECOND
        sent = [name for name in names if chance.random() < 0.4]
        for name in sent:
            if chance.random() < 0.4:
                shows[name] = chance.choice(VALUES.get(name.split("-")[0], VALUES["OUT_T"]))
        readings = {name: Reading(shows[name], chance.random() < 0.15) for name in sent}
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
    """All alarm events when the frames come in these parts, each after a restart or not."""
    state, events = EngineState(configuration), list[AlarmEvent]()
    state.resume(NOON - 3600 * SECOND, NOON - 3600 * SECOND)
    for part in parts:
        now = part[-1].received
        cycle = advance(Cycle(now, batch_of(configuration, part), configuration, Policy()), state)
        events += cycle.events
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
