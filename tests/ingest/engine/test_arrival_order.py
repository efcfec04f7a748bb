"""In whatever order readings arrive: the same newest values and outstanding alarms, every excursion in one alarm.

`check_permutations` compares random orders of arrival, some frames marked as backfilled, with plain loops over the same
readings in order of their time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.domain.model.batch import Batch, concat, empty_batch
from ingest.domain.model.flags import Flag
from ingest.engine.engine_state import EngineState
from ingest.engine.order import Cycle, Policy, advance
from ingest.plants.configuration import PlantConfiguration
from tests.small_plant import PLANT, TEXT, small_configuration

SECOND = 10**9
START = 1_763_884_800 * SECOND
FOREVER = 1 << 62

_MORE = """
[points.rules.H]
on = 24
off = 20
on_delay_s = 0
[points.rules.HH]
on = 160
off = 140
on_delay_s = 0
[[points]]
id = "CO-03"
signal = "STL_CO"
gateway = "GW-02"
disabled_rules = ["STUCK"]
silence_s = 5
[points.rules.H]
on = 30
off = 30
on_delay_s = 0
[points.rules.HH]
on = 90
off = 50
on_delay_s = 0
"""
LIMITS = {  # point -> rule -> (on, off)
    "CO-01": {"H": (24.0, 20.0), "HH": (160.0, 140.0)},
    "CO-02": {"H": (24.0, 20.0), "HH": (160.0, 140.0)},
    "CO-03": {"H": (30.0, 30.0), "HH": (90.0, 50.0)},
}
_VALUES = (1.0, 10.0, 21.0, 23.0, 25.0, 40.0, 95.0, 150.0, 170.0, float("nan"))
_DECISIVE = (1.0, 200.0)


@dataclass(frozen=True, slots=True)
class Frame:
    """Readings that arrive together."""

    time: int
    values: dict[str, float]
    historical: bool


@cache
def configuration() -> PlantConfiguration:
    """Three points with limits that have no delay."""
    with TemporaryDirectory() as folder:
        return small_configuration(Path(folder), text=TEXT + _MORE)


def history(draw: random.Random) -> list[Frame]:
    """Random frames in order of time, the last one on the far side of every deadband."""
    frames, time = [], START
    for _ in range(draw.randint(2, 40)):
        time += draw.randint(1, 20_000) * 1_000_000
        points = draw.sample(sorted(LIMITS), draw.randint(1, 3))
        frames.append(Frame(time, {point: draw.choice(_VALUES) for point in points}, draw.random() < 0.15))
    return [*frames, Frame(time + SECOND, {point: draw.choice(_DECISIVE) for point in LIMITS}, historical=False)]


def arrivals(frames: Sequence[Frame], draw: random.Random) -> list[Batch]:
    """A batch a frame, in a random order of arrival; the last frame comes last."""
    order = [*range(len(frames) - 1)]
    if draw.random() < 0.5:
        draw.shuffle(order)
    else:  # most of it in order, as in life
        reach = draw.randint(1, 10)
        order.sort(key=lambda at: at + draw.uniform(0, reach))
    index = {point.id: point.index for point in configuration().plants[PLANT].points}
    made, received = [], START + 10**6 * SECOND
    for at in [*order, len(frames) - 1]:
        frame = frames[at]
        received += draw.randint(1, 14_000) * 1_000_000
        n = len(frame.values)
        flags = np.full(n, Flag.HISTORICAL if frame.historical else 0, np.uint16)
        value = np.array([*frame.values.values()])
        flags[np.isnan(value)] |= np.uint16(Flag.NO_VALUE)
        points = np.array([index[point] for point in frame.values], np.int32)
        made.append(Batch(points, np.full(n, frame.time), value, flags, np.full(n, received)))
    return made


def judge(batches: Sequence[Batch], draw: random.Random) -> tuple[EngineState, list[AlarmEvent]]:
    """Everything that comes of batches that are put together at random, and of time going on afterwards."""
    engine_state, events, now = EngineState(configuration()), [], 0
    waiting = [*batches]
    while waiting:
        taken = draw.randint(1, 8)
        batch, waiting = concat(waiting[:taken]), waiting[taken:]
        now = int(batch.received.max())
        events += advance(Cycle(now, batch, configuration(), Policy()), engine_state).events
        if waiting and draw.random() < 0.2:  # a look at the clock between two frames
            at = (now + int(waiting[0].received[0])) // 2
            events += advance(Cycle(at, empty_batch(), configuration(), Policy(), at), engine_state).events
    return engine_state, events + advance(
        Cycle(now, empty_batch(), configuration(), Policy(), FOREVER), engine_state
    ).events


def in_order(frames: Sequence[Frame], point: str, on: float, off: float) -> bool:
    """Whether the rule stands in the end, had everything arrived in order."""
    active = False
    for frame in frames:
        value = frame.values.get(point, float("nan"))
        active = value >= on or (active and not value <= off)
    return active


def live_times(batches: Sequence[Batch], index: int) -> set[int]:
    """Times of the point's readings that were live when they arrived."""
    newest, times = 0, set()
    for batch in batches:
        for point, time, flags in zip(batch.point.tolist(), batch.time.tolist(), batch.flags.tolist(), strict=True):
            if point == index and time > newest and not flags & Flag.HISTORICAL:
                newest = time
                times.add(time)
    return times


def intervals(
    events: Sequence[AlarmEvent], point: str, rule: str
) -> tuple[list[tuple[int, int]], set[tuple[int, int]]]:
    """When live alarms stood, and what the historical ones say in the end."""
    live: list[tuple[int, int]] = []
    past: dict[object, tuple[int, int]] = {}
    for event in events:
        alarm = event.alarm
        if (alarm.point, alarm.rule) != (point, rule):
            continue
        if event.kind is AlarmEventKind.RAISED:
            live.append((event.time, FOREVER))
        elif event.kind is AlarmEventKind.RETURNED:
            live[-1] = (live[-1][0], event.time)
        else:
            assert alarm.historical
            assert alarm.returned is not None
            past[alarm.id] = (alarm.onset, alarm.returned)
    return live, set(past.values())


def check_permutation(seed: int) -> None:
    """One random history in one random order of arrival, cut in two ways."""
    draw = random.Random(seed)  # noqa: S311  the same histories every time
    frames = history(draw)
    batches = arrivals(frames, draw)
    engine_state, events = judge(batches, draw)
    again, same = judge(batches, draw)
    limits = [event for event in events if event.alarm.rule in {"H", "HH"}]
    assert limits == [event for event in same if event.alarm.rule in {"H", "HH"}], "the cut into batches is seen"
    assert engine_state.dump() == again.dump(), "the cut into batches is remembered"
    assert len({event.id for event in events}) == len(events)
    closing = frames[-1]
    for point, rules in LIMITS.items():
        known = configuration().find(PLANT, point)
        assert known is not None
        assert (engine_state.time[known.index], engine_state.value[known.index]) == (
            closing.time,
            closing.values[point],
        )
        live = live_times(batches, known.index)
        for rule, (on, off) in rules.items():
            stood, past = intervals(limits, point, rule)
            alarm = engine_state.alarms.get((PLANT, point, rule))
            assert (alarm is not None and alarm.active) == in_order(frames, point, on, off)
            assert {start for start, _ in stood} <= live, "a reading that is not live raised an alarm"
            violating = {frame.time for frame in frames if frame.values.get(point, 0.0) >= on}
            assert {end for both in past for end in both} <= violating - live
            every = sorted([*stood, *past])
            assert all(a[1] < b[0] for a, b in pairwise(every)), f"alarms overlap: {every}"
            for time in violating:
                assert sum(start <= time <= end for start, end in every) == 1, f"{point} {rule} at {time}: {every}"


def check_permutations(count: int, seed: int) -> None:
    """As many random histories, each in a random order of arrival. Raises AssertionError naming the seed."""
    for number in range(seed, seed + count):
        try:
            check_permutation(number)
        except AssertionError as error:
            raise AssertionError(f"seed {number}: {error}") from error


def test_the_order_of_arrival_hides_no_excursion_and_reports_none_twice() -> None:
    check_permutations(300, 1)
