"""An alarm carries the phase its equipment was in when it was raised, however the readings were cut into batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.domain.model.plant import PhaseName
from ingest.domain.model.text import Text
from ingest.plants.configuration import PlantConfiguration
from tests.ingest.engine.pits import NOON, PITS, SECOND, SILENCE_S, Frame, Reading, cut, history, judged, two_pits

NAMES = {"idle": "待机", "preparing": "准备", "start": "起铸", "steady": "稳定铸造", "end": "收尾", "unknown": "未知"}
ENGLISH = {"steady": "steady"} | {code: code for code in NAMES}


@pytest.fixture(scope="module")
def pits(tmp_path_factory: pytest.TempPathFactory) -> PlantConfiguration:
    return two_pits(tmp_path_factory.mktemp("pits"))


def raised(events: Sequence[AlarmEvent]) -> list[AlarmEvent]:
    """The raises of rule HOT."""
    return [event for event in events if event.alarm.rule == "HOT" and event.kind is AlarmEventKind.RAISED]


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


@pytest.mark.parametrize("seed", range(2))
def test_it_is_the_phase_of_that_moment_whatever_the_batches_and_restarts(pits: PlantConfiguration, seed: int) -> None:
    frames = history(seed)
    phases = expected(frames)
    whole = raised(judged(pits, [frames], restarts=False))
    assert len(whole) > 30
    assert {code for event in whole if (code := phases[event.received, event.alarm.point])} > {"unknown", "start"}
    for event in whole:
        code = phases[event.received, event.alarm.point]
        assert event.alarm.phase == (PhaseName(code, Text(NAMES[code], ENGLISH[code])) if code else None)
    for parts, restarts in (([[frame] for frame in frames], False), ([*cut(frames, seed)], True)):
        assert raised(judged(pits, parts, restarts=restarts)) == whole


def test_one_that_comes_back_soon_is_the_same_alarm_in_another_phase(pits: PlantConfiguration) -> None:
    def at(second: int, length: float, hot: float) -> Frame:
        time = NOON + second * SECOND
        values = {"LEN-1": length, "SPEED-1": 60.0, "FURN-1": 150.0, "OUT_T-1": hot}
        return Frame(time, time + 1, {name: Reading(value, bad=False) for name, value in values.items()})

    frames = [at(0, 0.0, 20), at(1, 30, 70), at(2, 31, 20), at(60, 600, 70)]
    first, second = raised(judged(pits, [frames], restarts=False))
    assert (first.alarm.id, first.alarm.raises) == (second.alarm.id, second.alarm.raises - 1)
    assert [event.alarm.phase and event.alarm.phase.code for event in (first, second)] == ["start", "steady"]
