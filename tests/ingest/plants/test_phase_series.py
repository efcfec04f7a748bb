"""The phases of equipment as series: as a person would tell them, the same for any cut and after any restart."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from detectors import compile_expression
from ingest.domain.model.batch import Batch, concat
from ingest.domain.model.flags import Flag
from ingest.domain.model.phase_record import HEARTBEAT, PhaseRecord, PhaseSpan, spans
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.phase_channels import PhaseChannels, compared_with
from ingest.plants.phase_series import PhaseSeries, _Machine
from tests.ingest.engine.pits import NOON, PITS, SECOND, SILENCE_S, Frame, Reading, batch_of, history, two_pits
from tests.ingest.engine.test_phase_at_raise import plain

SILENCE = SILENCE_S * SECOND
Commit = tuple[Batch, int]


@pytest.fixture(scope="module")
def pits(tmp_path_factory: pytest.TempPathFactory) -> PlantConfiguration:
    return two_pits(tmp_path_factory.mktemp("pits"))


def checked(readings: Batch, configuration: PlantConfiguration) -> Batch:
    return configuration.checked(readings)


def commits_of(pits: PlantConfiguration, frames: Sequence[Frame]) -> list[Commit]:
    return [(batch_of(pits, [frame]), 0) for frame in frames if frame.readings]


def run(pits: PlantConfiguration, commits: Sequence[Commit], cuts: Sequence[int] = ()) -> list[PhaseRecord]:
    series = PhaseSeries(pits, checked)
    edges = [0, *cuts, len(commits)]
    return [record for begin, end in pairwise(edges) for record in series.advance(commits[begin:end])]


def at(records: Sequence[PhaseRecord], pit: str, moment: int) -> str | None:
    """The phase that the records tell for a moment."""
    own = sorted({r.time: r for r in records if r.equipment == f"E-{pit}"}.values(), key=lambda r: r.time)
    known = spans(own, moment, moment + 1)
    return known[0].phase if known else None


@pytest.mark.parametrize("seed", range(6))
def test_records_tell_the_phase_that_a_person_would_tell(pits: PlantConfiguration, seed: int) -> None:
    frames = [frame for frame in history(seed) if frame.readings]
    records = run(pits, commits_of(pits, frames))
    shown: dict[str, tuple[Reading, int]] = {}
    seen = set()
    for frame in frames:
        shown |= {name: (reading, frame.received) for name, reading in frame.readings.items()}
        for pit in PITS:
            if not any(name.endswith(f"-{pit}") and not name.startswith("OUT_T") for name in frame.readings):
                continue
            expected = plain(shown, pit, frame.received)
            seen.add(expected)
            assert (at(records, pit, frame.time) or "unknown") == expected, (pit, frame.time)
    assert {"unknown", "start", "steady"} <= seen


@pytest.mark.parametrize("seed", range(6))
def test_any_cut_gives_the_same_records(pits: PlantConfiguration, seed: int) -> None:
    commits = commits_of(pits, history(seed))
    whole = run(pits, commits)
    chance = random.Random(seed)  # noqa: S311  not a secret
    for _ in range(4):
        cuts = sorted(chance.sample(range(1, len(commits)), 20))
        assert sorted(map(repr, run(pits, commits, cuts))) == sorted(map(repr, whole))


@pytest.mark.parametrize("seed", range(6))
def test_a_restart_goes_on_from_what_lies_within_the_longest_silence(pits: PlantConfiguration, seed: int) -> None:
    """The records of before and after together are those of a service that never stopped."""
    commits = commits_of(pits, history(seed))
    whole = run(pits, commits)
    for stop in range(20, len(commits), 37):
        before = PhaseSeries(pits, checked)
        found = before.advance(commits[:stop])
        after = PhaseSeries(pits, checked)
        newest = int(commits[stop - 1][0].received.max())
        after.advance([c for c in commits[:stop] if int(c[0].received.max()) >= newest - after.silence])
        standing = after.standing()
        assert [(r.equipment, r.phase) for r in standing] == [(r.equipment, r.phase) for r in before.standing()]
        found += after.advance(commits[stop:])
        assert sorted(map(repr, found)) == sorted(map(repr, whole))


NEAR = [499.9999, 499.99999, float(np.float32(499.99998)), 500.0, 500.00001, 500.4, 500.6, 900.0, 5799.99, 5800.1, 0.0]


@pytest.mark.parametrize("seed", range(4))
def test_what_passes_no_number_is_not_evaluated_again_and_changes_no_record(
    pits: PlantConfiguration, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values that tremble, also as near to a number as single precision tells, some bad, late, or after a silence."""
    chance, frames, value = random.Random(seed), list[Frame](), 900.0  # noqa: S311  not a secret
    for second in range(400):
        value = chance.choice(NEAR) if chance.random() < 0.1 else value + chance.uniform(-0.1, 0.1)
        late = 3 if chance.random() < 0.03 else 0
        time = NOON + (second + (40 if second > 200 else 0) - late) * SECOND
        readings = {f"LEN-{pit}": Reading(value, bad=chance.random() < 0.02) for pit in PITS}
        frames.append(Frame(time, time + (late + 1) * SECOND, readings))
    commits, evaluated = commits_of(pits, frames), Counter[bool]()
    advance, alike = _Machine.advance, PhaseChannels._compares_alike

    def counted(*arguments: Any) -> list[PhaseRecord]:
        evaluated[PhaseChannels._compares_alike is alike] += 1
        return advance(*arguments)

    monkeypatch.setattr(_Machine, "advance", counted)
    each = range(1, len(commits))
    spared = run(pits, commits, each)
    monkeypatch.setattr(PhaseChannels, "_compares_alike", lambda _self, channel, _value: np.zeros(len(channel), bool))
    assert run(pits, commits, each) == spared
    assert {record.phase for record in spared} >= {"start", "steady", "unknown"}
    assert evaluated[True] < evaluated[False] / 3


def test_numbers_decide_only_where_a_point_is_compared_with_numbers_alone() -> None:
    def numbers(*texts: str) -> list[list[float] | None]:
        conditions = [compile_expression(text) for text in texts]
        names = list(dict.fromkeys(name for condition in conditions for name in condition.names))
        found = compared_with([(of, [names.index(name) for name in of.names]) for of in conditions], len(names))
        return [None if of is None else of.tolist() for of in found]

    assert numbers("A > 5 or B >= 500", "6000 - 200 < B") == [[5.0], [500.0, 5800.0]]
    assert numbers("A > B", "B > 3") == [None, None]
    assert numbers("A - B > 5", "C > 1") == [None, None, [1.0]]
    assert numbers("A > 5 and abs(B) > 2") == [None, None]


def frames_of(name: str, values: Sequence[tuple[int, float]]) -> list[Frame]:
    """Frames of one point, each with its second."""
    return [Frame(NOON + s * SECOND, NOON + s * SECOND + 1, {name: Reading(value, bad=False)}) for s, value in values]


def test_a_phase_that_lasts_is_recorded_at_its_change_and_once_a_heartbeat(pits: PlantConfiguration) -> None:
    records = run(pits, commits_of(pits, frames_of("LEN-1", [(s, 900.0) for s in range(5, 1905, 10)])))
    assert {record.phase for record in records} == {"steady"}
    beats = [(NOON // HEARTBEAT + n) * HEARTBEAT for n in (1, 2, 3)]
    assert [record.time for record in records] == [NOON + 5 * SECOND, *(b for b in beats if b > NOON + 5 * SECOND)]


def test_points_that_fall_silent_make_the_phase_unknown_by_the_arrivals_of_others(pits: PlantConfiguration) -> None:
    frames = frames_of("LEN-1", [(0, 900.0)]) + frames_of("LONE", [(10, 20.0), (SILENCE_S + 1, 20.0)])
    early, late = run(pits, commits_of(pits, frames[:2])), run(pits, commits_of(pits, frames))
    assert [record.phase for record in early] == ["steady"]
    assert [(record.phase, record.number) for record in late] == [("steady", 4), ("unknown", 0)]
    assert late[1].time == NOON + SILENCE


@pytest.mark.parametrize("cuts", [[], [1], [1, 2], [2]])
def test_what_a_gateway_did_not_keep_is_no_phase_though_all_it_kept_arrives_at_once(
    pits: PlantConfiguration, cuts: Sequence[int]
) -> None:
    """Of two hours without a reading nobody knows the phase, whatever it was before and after."""
    later, arrival = 7200, NOON + 8000 * SECOND
    frames = [
        Frame(NOON + s * SECOND, arrival + s, {"LEN-1": Reading(900.0, bad=False)}) for s in (0, 5, later, later + 5)
    ]
    records = run(pits, commits_of(pits, frames), cuts)
    assert [(record.phase, record.time) for record in records if record.number == 0] == [
        ("unknown", NOON + 5 * SECOND + SILENCE)
    ]
    assert at(records, "1", NOON + 5 * SECOND) == "steady"
    assert at(records, "1", NOON + 3600 * SECOND) is None
    assert at(records, "1", NOON + later * SECOND) == "steady"


def test_late_and_historical_readings_tell_no_phase(pits: PlantConfiguration) -> None:
    now = commits_of(pits, frames_of("LEN-1", [(0, 900.0)]))
    (late, _), (recorded, _) = commits_of(pits, frames_of("LEN-1", [(-5, 20.0), (5, 20.0)]))
    recorded = recorded.with_flags(recorded.flags | np.uint16(Flag.HISTORICAL))
    assert [record.phase for record in run(pits, [*now, (late, 0), (recorded, 0)])] == ["steady"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_step_of_the_services_clock_makes_no_phase_unknown_and_hides_no_silence(
    pits: PlantConfiguration, hours: int
) -> None:
    step = hours * 3600 * SECOND
    first, *after = commits_of(pits, frames_of("LEN-1", [(0, 900.0), (5, 900.0)]) + frames_of("LONE", [(30, 20.0)]))
    moved = [
        (Batch(b.point, b.time, b.value, b.flags, b.received + step), step if place == 0 else 0)
        for place, (b, _) in enumerate(after)
    ]
    assert [record.phase for record in run(pits, [first, *moved[:1]])] == ["steady"]
    assert [record.phase for record in run(pits, [first, *moved])] == ["steady", "unknown"]


def test_what_one_time_of_a_commit_shows_is_judged_together(pits: PlantConfiguration) -> None:
    """The order of its columns makes no phase that never was."""
    frame = Frame(NOON, NOON + 1, {"LEN-1": Reading(0.0, bad=False), "SPEED-1": Reading(0.0, bad=False),
                                   "FURN-1": Reading(0.0, bad=False)})  # fmt: skip
    both = Frame(NOON + SECOND, NOON + SECOND + 1, {"FURN-1": Reading(150.0, bad=False),
                                                    "LEN-1": Reading(900.0, bad=False)})  # fmt: skip
    assert [record.phase for record in run(pits, commits_of(pits, [frame, both]))] == ["idle", "steady"]


def test_two_equipment_have_series_of_their_own(pits: PlantConfiguration) -> None:
    readings = concat([
        batch_of(pits, frames_of("LEN-1", [(0, 900.0)])), batch_of(pits, frames_of("LEN-2", [(0, 20.0)]))
    ])  # fmt: skip
    found = run(pits, [(readings, 0)])
    assert {(record.plant, record.equipment, record.phase) for record in found} == {
        ("p", "E-1", "steady"),
        ("p", "E-2", "start"),
    }


def test_a_record_counts_for_two_heartbeats_at_the_most() -> None:
    record = PhaseRecord("p", "E-1", NOON, "steady", 4)
    again = PhaseRecord("p", "E-1", NOON + HEARTBEAT, "steady", 4)
    other = PhaseRecord("p", "E-1", NOON + 5 * HEARTBEAT, "idle", 1)
    assert spans([record, again, other], NOON - SECOND, NOON + 6 * HEARTBEAT) == [
        PhaseSpan(NOON, NOON + 3 * HEARTBEAT, "steady"),
        PhaseSpan(NOON + 5 * HEARTBEAT, NOON + 6 * HEARTBEAT, "idle"),
    ]
    assert spans([record], NOON + HEARTBEAT, NOON + HEARTBEAT + 5) == [
        PhaseSpan(NOON + HEARTBEAT, NOON + HEARTBEAT + 5, "steady")
    ]
