"""Intake gives each reading a time that can be trusted: a wrong clock is corrected, an old frame keeps its times."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from ingest.domain.model.flags import Flag
from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Frame, encode_json, encode_status
from ingest.intake.wire.topics import status_topic
from tests.ingest.intake.bench import FRAMES, T0, Bench, frame
from tests.movable_clock import SECOND
from tests.small_plant import PLANT


def test_messages_read_at_once_are_evaluated_in_their_order(bench: Bench) -> None:
    """Messages that were read at once have one time of arrival; none of their readings passes for a late one."""
    gone, device = (
        (status_topic(PLANT, "GW-01"), encode_status(online=False)),
        bench.configuration.gateways[PLANT, "GW-01"].device,
    )
    for first in (1, 3):  # groups that were read together, too
        bench.take(frame(first), gone, frame(first + 1), gone)
        bench.clock.pass_s(-1)
    batches = [e.batch.take(e.batch.point == device) for e in bench.journal.read(0, 1 << 40)]
    times = [time for batch in batches for time in batch.time.tolist()]
    assert [value for batch in batches for value in batch.value.tolist()] == [1.0, 0.0, 1.0, 0.0] * 2
    assert times == sorted(set(times))
    assert times[-1] - times[0] < 1000


def test_a_gateway_clock_set_back_shifts_its_frames_and_is_reported(bench: Bench) -> None:
    """The readings stay in order, near their arrival, and say that their times were corrected."""
    bench.take(frame(1), frame(2))
    with capture_logs() as logs:
        back = encode_json(Frame("b1", 3, [T0 - 3_600_000, T0 - 3_599_000], {"CO-01": [8.0, 9.0]}))
        bench.take((FRAMES, back))
    *_, before, (_, first, flags), (_, second, _) = bench.readings()
    assert before[1] < first < second
    assert second - first == SECOND, "the spacing within the frame is the device's own"
    assert abs(second - bench.clock.wall()) < 60 * SECOND
    assert flags == Flag.CLOCK
    assert "gateway_clock_stepped" in [event["event"] for event in logs]
    clock = bench.configuration.gateways[PLANT, "GW-01"].clock
    offsets = [b.value[b.point == clock].tolist() for b in (e.batch for e in bench.journal.read(0, 1000))]
    assert sum(offsets, [])[-1] == pytest.approx(-3600, abs=5)  # noqa: RUF017


def test_a_gateways_clock_is_known_over_a_restart(bench: Bench) -> None:
    bench.take(frame(1))
    bench.take((FRAMES, encode_json(Frame("b1", 2, [T0 - 3_600_000], {"CO-01": [8.0]}))))
    bench.intake = bench.start()
    bench.take((FRAMES, encode_json(Frame("b1", 3, [T0 - 3_599_000], {"CO-01": [9.0]}))))
    (_, before, _), (_, after, flags) = bench.readings()[-2:]
    assert (after - before, flags) == (SECOND, Flag.CLOCK)


def test_a_frame_that_comes_again_or_was_recorded_earlier_keeps_its_own_times(bench: Bench) -> None:
    """Old times are no sign of a wrong clock there."""
    bench.take(frame(1), frame(9))
    bench.take(frame(5))
    old = encode_json(Frame("b1", 10, [T0 - 7_200_000], {"CO-01": [7.0]}, historical=True))
    bench.take((FRAMES, old))
    assert [(time // 1_000_000 - T0, flags) for _, time, flags in bench.readings()[-2:]] == [
        (5_000, 0), (-7_200_000, Flag.HISTORICAL),
    ]  # fmt: skip


def test_what_is_left_of_an_earlier_boot_keeps_its_own_times(bench: Bench) -> None:
    """A gateway that was restarted sends what it had kept: its old frames are older, its clock is right."""
    bench.take(frame(1, boot="old"))
    bench.take((FRAMES, encode_json(Frame("new", 1, [T0 + 9_000], {"CO-01": [1.0]}))))
    bench.take(frame(2, boot="old"))
    assert bench.readings()[-1][1:] == ((T0 + 2_000) * 1_000_000, 0)


def test_the_services_own_clock_stands_between_groups_and_is_not_taken_for_the_gateways(bench: Bench) -> None:
    bench.take(frame(1))
    bench.clock.set_by_s(-86400)
    now, set_by = bench.intake._clock.read()
    bench.intake.take([Raw(*frame(2), now, set_by)])
    assert [entry.step for entry in bench.journal.read(0, 100)] == [0, -86400 * SECOND]
    assert [flags for _, _, flags in bench.readings()] == [0, 0]


def test_a_clock_that_was_set_back_while_the_service_was_off_is_not_taken_for_a_gateway_ahead(bench: Bench) -> None:
    bench.take(frame(1))
    bench.clock.set_by_s(-3600)
    bench.intake = bench.start()
    bench.take(frame(2), frame(3))
    assert [(time // 1_000_000 - T0, flags) for _, time, flags in bench.readings()] == [(1000, 0), (2000, 0), (3000, 0)]


def test_a_gateway_that_stamps_whole_seconds_and_sends_faster_loses_no_reading(bench: Bench) -> None:
    """Each has a time of its own, which is its identity in the history."""
    frames = [
        (FRAMES, encode_json(Frame("b1", seq, [T0 + seq // 4 * 1000], {"CO-01": [float(seq)]}))) for seq in range(1, 9)
    ]
    for topic, payload in frames:
        message = Raw(topic, payload, bench.clock.wall())
        bench.intake.take([message, message])
        bench.clock.pass_s(0.25)
    found = bench.readings()
    assert [value for value, _, _ in found] == [float(seq) for seq in range(1, 9)], "in the order of arrival"
    assert [time - T0 * 10**6 for _, time, _ in found] == [
        0, 1, 2, 10**9, 10**9 + 1, 10**9 + 2, 10**9 + 3, 2 * 10**9
    ]  # fmt: skip
