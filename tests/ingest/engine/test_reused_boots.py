"""A boot that is used twice costs no reading that is newer than what was, and is reported with the first frames."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ingest.intake.wire.frame import Committed, Frame, encode_json, encode_msgpack
from ingest.storage.journal.recent_frames import KEPT
from tests.ingest.intake.bench import FRAMES, T0, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def frame(seq: int, second: float, value: float, *, boot: str = "b1", point: str = "CO-01") -> tuple[str, bytes]:
    """A frame with one reading."""
    return FRAMES, encode_json(Frame(boot, seq, [T0 + int(second * 1000)], {point: [value]}))


def values(bench: Bench, point: str = "CO-01") -> list[float]:
    return [value for value, _, _ in bench.readings(point)]


def reused(bench: Bench) -> float:
    """The newest reading of how many frames came under a used number; 0 if there is none."""
    bench.take()
    shares = values(bench, "GW-01.reused")
    return shares[-1] if shares else 0.0


def refused_for_its_number(bench: Bench) -> list[bytes]:
    """What is in quarantine because of its number."""
    return [
        quarantined.payload
        for quarantined in bench.journal.quarantined(limit=10_000)
        if quarantined.reason == "boot-reused"
    ]


@pytest.mark.parametrize("before", [1, 5, KEPT, KEPT + 1, 3 * KEPT])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_device_that_reuses_its_boot_is_evaluated_and_reported(bench: Bench, before: int, restarted: bool) -> None:
    """After its start it counts from one again: what it measures now is of now, however often it starts."""
    for seq in range(1, before + 1):
        bench.take(frame(seq, seq, 1.0))
    for start in (1, 2):
        if restarted:
            bench.intake = bench.start()
        for seq in (1, 2, 3):
            bench.take(frame(seq, before + 10 * start + seq, 80.0 + 3 * start + seq))
            if not restarted:
                assert reused(bench) > 0, "told with the first"
    assert values(bench)[before:] == [84.0, 85.0, 86.0, 87.0, 88.0, 89.0]
    assert reused(bench) > 0
    assert refused_for_its_number(bench) == []
    assert bench.journal.damaged() == 0


def test_points_that_are_sent_in_frames_of_their_own_at_one_time_are_all_taken(bench: Bench) -> None:
    bench.take(*(frame(seq, seq, 1.0) for seq in range(1, 200)))
    bench.take(frame(1, 500, 80.0), frame(2, 500, 81.0), frame(3, 500, 82.0))
    bench.take(frame(1, 500, 80.0), frame(2, 500, 81.0), frame(3, 500, 82.0))
    assert values(bench)[199:] == [80.0, 81.0, 82.0], "each once"


def test_other_content_under_an_old_number_is_quarantined_whole(bench: Bench) -> None:
    bench.take(*(frame(seq, seq, 1.0) for seq in range(1, 10)))
    other = frame(5, 5, 70.0)
    bench.take(other, other)
    bench.intake = bench.start()
    bench.take(other)
    assert refused_for_its_number(bench) == [other[1]]
    assert values(bench) == [1.0] * 9
    assert bench.announced[-1][2] == Committed("b1", 9, []), "the gateway may forget it: it is on disk"
    (quarantined,) = bench.journal.quarantined(limit=10)
    assert (quarantined.detail, quarantined.readings) == (
        "boot b1 seq 5 is another frame's; expected a boot that is new at each start",
        1,
    )
    bench.intake.take([], [quarantined])
    assert values(bench) == [1.0] * 9 + [70.0], "who looks at it can take it in"


def test_two_devices_of_one_identity_lose_nothing(bench: Bench) -> None:
    """Both count from one, in their own order of time: what they send is a reading or in quarantine."""
    sent = []
    for seq in range(1, 40):
        first, other = frame(seq, seq, seq), frame(seq, seq - 0.5, 1000 + seq)
        sent += [first, other]
        bench.take(first)
        bench.take(other)
    assert len(values(bench)) + len(refused_for_its_number(bench)) == len(sent)
    assert reused(bench) > 0
    assert set(values(bench)) >= {float(seq) for seq in range(1, 40)}


def test_a_wrong_frame_under_a_used_number_is_quarantined_and_reported(bench: Bench) -> None:
    wrong = FRAMES, f'{{"boot":"b1","seq":2,"time":[{T0}],"values":7}}'.encode()
    bench.take(*(frame(seq, seq, 1.0) for seq in range(1, 4)))
    bench.take(wrong, wrong)
    assert [quarantined.reason for quarantined in bench.journal.quarantined(limit=9)] == ["schema"]
    assert reused(bench) == 1


def test_a_boot_name_that_returns_after_others_is_reported_and_accepted(bench: Bench) -> None:
    second = 0
    for start in range(6):
        for seq in (1, 2, 3):
            second += 1
            bench.take(frame(seq, second, second, boot="ab"[start % 2]))
    assert values(bench) == [float(number) for number in range(1, 19)]
    assert reused(bench) > 0


def test_a_frame_refused_whole_that_comes_again_stays_silent(bench: Bench) -> None:
    wrong = FRAMES, f'{{"boot":"b1","seq":1,"time":[{T0}],"values":7}}'.encode()
    bench.take(wrong, wrong)
    bench.intake = bench.start()
    bench.take(wrong, frame(2, 2, 1.0), wrong)
    assert reused(bench) == 0
    assert len(bench.journal.quarantined(limit=9)) == 1


def test_a_time_no_clock_can_show_harms_nobody(bench: Bench) -> None:
    for seq, time in enumerate((2**70, -(2**70), 2**63, 0), 1):
        bench.take((FRAMES, f'{{"boot":"b1","seq":{seq},"time":[{time}],"values":{{"CO-01":[{seq}]}}}}'.encode()))
    bench.intake = bench.start()
    bench.take(frame(5, 5, 5.0))
    assert bench.announced[-1][2] == Committed("b1", 5, [])


@pytest.mark.parametrize("seed", range(12))
def test_an_honest_gateway_is_never_accused_of_reusing_a_number(bench: Bench, seed: int) -> None:
    """Frames lost, late, sent again in any order, several at one time, of the boot before, over restarts of both."""
    chance = random.Random(seed)  # noqa: S311  a history, no secret
    kept: list[tuple[str, bytes]] = []
    boot, seq, second, sent = 1, 0, 0, 0
    for _ in range(150):
        for _group in range(chance.choice([1, 1, 3])):
            seq += 1
            sent += 1
            made = Frame(
                f"b{boot}", seq, [T0 + second * 1000], {"CO-01": [float(sent)]}, historical=chance.random() < 0.1
            )
            kept.append((FRAMES, encode_msgpack(made) if seed % 2 else encode_json(made)))
        second += chance.choice([0, 1, 1, 5])
        again = chance.sample(kept, min(len(kept), chance.choice([0, 0, 3, 100])))
        fresh = kept[-3:] if chance.random() < 0.8 else []
        bench.take(*again, *fresh)
        if chance.random() < 0.05:
            bench.intake = bench.start()
        if chance.random() < 0.03:
            boot, seq = boot + 1, 0
    bench.take(*kept)
    assert reused(bench) == 0
    assert bench.journal.quarantined(limit=9) == []
    assert sorted(set(values(bench))) == [float(number) for number in range(1, sent + 1)]
    assert len(values(bench)) == sent
