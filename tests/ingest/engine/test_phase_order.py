"""A forbidden step from one phase to another is an alarm, exactly, however the readings were cut into batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.plants.configuration import PlantConfiguration
from tests.ingest.engine.pits import NOON, PITS, SECOND, SILENCE_S, Frame, Reading, cut, history, judged, two_pits

LEADS = {"START_ORDER": ("start", "preparing"), "STEADY_ORDER": ("steady", "start")}
ORDER = ("idle", "preparing", "start", "steady", "end")
WITHIN, HELD = 60 * SECOND, 10 * SECOND

Verdict = tuple[str, str, bool, int]
"""Point, rule, raised or returned, and when, ns."""


@pytest.fixture(scope="module")
def pits(tmp_path_factory: pytest.TempPathFactory) -> PlantConfiguration:
    return two_pits(tmp_path_factory.mktemp("pits"))


def verdicts(events: Sequence[AlarmEvent]) -> list[Verdict]:
    return [
        (event.alarm.point, event.alarm.rule, event.kind is AlarmEventKind.RAISED, event.time)
        for event in events
        if event.alarm.rule in LEADS
    ]


def phase(shown: Mapping[str, tuple[float, int]], length: Reading, pit: str, now: int) -> str | None:
    """The phase when the length is read, by it and by the newest sound values of the others; None: unknown."""

    def known(name: str) -> float | None:
        value, at = shown.get(f"{name}-{pit}", (0.0, -(2**62)))
        return value if now - at <= SILENCE_S * SECOND else None

    speed, level = known("SPEED"), known("FURN")
    if length.bad:
        return None
    if length.value >= 500:
        return "end" if length.value > 5800 else "steady"
    if length.value > 0 or (speed is not None and speed > 5):
        return "start"
    if speed is None:
        return None
    return None if level is None else "preparing" if level > 30 else "idle"


def expected(frames: Sequence[Frame]) -> list[Verdict]:
    """Step by step, as a person would."""
    shown: dict[str, tuple[float, int]] = {}
    last: dict[str, tuple[str, int]] = {}
    since: dict[tuple[str, str], int] = {}  # a forbidden step
    raised: set[tuple[str, str]] = set()
    found: list[Verdict] = []
    for frame in frames:
        shown |= {name: (each.value, frame.time) for name, each in frame.readings.items() if not each.bad}
        for pit in PITS:
            length = frame.readings.get(name := f"LEN-{pit}")
            now = phase(shown, length, pit, frame.time) if length is not None else None
            if now is None:
                continue
            before, seen = last.get(pit, (now, 0))
            for rule, (enters, leads) in LEADS.items():
                key = pit, rule
                allowed = before == leads or ORDER.index(before) > ORDER.index(now)
                if now != enters or (before != now and (allowed or frame.time - seen > WITHIN)):
                    since.pop(key, None)
                elif before != now:
                    since[key] = frame.time
                if key in raised and key not in since:
                    found.append((name, rule, False, frame.time))
                    raised.remove(key)
                elif key not in raised and key in since and frame.time - since[key] >= HELD:
                    found.append((name, rule, True, frame.time))
                    raised.add(key)
            last[pit] = now, frame.time
    return found


@pytest.mark.parametrize("seed", range(2))
def test_forbidden_steps_are_those_of_the_plain_model(pits: PlantConfiguration, seed: int) -> None:
    """Two pits, bad and missing readings, pauses; in one batch, and in pieces with a restart after each."""
    frames = history(seed, 500)
    want = sorted(expected(frames))
    assert {rule for _, rule, *_ in want} == {*LEADS}
    for parts, restarts in (([frames], False), ([*cut(frames, seed)], True)):
        assert sorted(verdicts(judged(pits, parts, restarts=restarts))) == want


def test_a_cast_in_order_one_seen_again_after_an_outage_and_a_wild_value_are_no_alarms(
    pits: PlantConfiguration,
) -> None:
    def at(second: int, length: float, speed: float, level: float) -> Frame:
        values = {"LEN-1": length, "SPEED-1": speed, "FURN-1": level}
        time = NOON + second * SECOND
        return Frame(time, time + 1, {name: Reading(value, bad=False) for name, value in values.items()})

    cast = [(0, 0, 0, 0), (5, 0, 0, 150), (60, 0, 60, 150), (65, 5, 60, 150), (600, 520, 60, 150), (700, 0, 0, 0)]
    away = [(705, 0, 0, 0), (2000, 900, 60, 150), (2005, 905, 60, 150), (2100, 0, 0, 0)]
    wild = [(2105, 0, 0, 0), (2106, 0, 60, 0), (2107, 0, 0, 0)]
    leap = [(2110, 900, 60, 150), (2115, 905, 60, 150), (2120, 910, 60, 150)]
    found = verdicts(judged(pits, [[at(*step) for step in (*cast, *away, *wild, *leap)]], restarts=False))
    assert found == [("LEN-1", "STEADY_ORDER", True, NOON + 2120 * SECOND)]
