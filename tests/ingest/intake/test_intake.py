"""Intake: what is acknowledged or announced is on disk; what cannot be taken is on disk too, with its reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest
from structlog.testing import capture_logs

from ingest.intake.announcer import Announcer
from ingest.intake.intake import GROUP
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Committed, encode_status
from ingest.intake.wire.topics import frame_topic, status_topic
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.sequence_state import SequenceState
from tests.ingest.intake.bench import FRAMES, PATIENCE_S, Bench, frame
from tests.movable_clock import MovableClock
from tests.small_plant import PLANT


def test_a_frame_is_journaled_acknowledged_and_announced(bench: Bench) -> None:
    bench.take(frame(1), frame(2))
    assert [value for value, _, _ in bench.readings()] == [1.0, 1.0]
    assert bench.acked == [FRAMES, FRAMES]
    assert bench.announced == [(PLANT, "GW-01", Committed("b1", 2, []))]


def test_nothing_is_acknowledged_that_is_not_on_disk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(commit: Commit) -> int:
        raise JournalUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.journal, "append", full)
        with pytest.raises(JournalUnavailable):
            bench.take(frame(1))
    assert bench.acked == []
    assert bench.announced == []
    bench.take(frame(1))
    assert bench.journal.totals().readings == 1, "the same frame is taken once the disk is back"


def test_only_an_intake_that_waited_evaluates_what_it_has_acknowledged(bench: Bench) -> None:
    """A backlog leaves no time for it; a frame that was waited for does."""
    bench.handover = Handover(1000)
    bench.intake = bench.start()
    backlog = [Raw(*frame(seq), bench.clock.wall()) for seq in range(1, 2 * GROUP + 1)]
    bench.handover.put(backlog, lambda: False)
    bench.intake.start()
    until(lambda: len(bench.followed) == 2)
    assert bench.followed == [(False, GROUP), (False, 2 * GROUP)]
    for seq in range(2 * GROUP + 1, 2 * GROUP + 100):
        bench.handover.put([Raw(*frame(seq), bench.clock.wall())], lambda: False)
        until(lambda: bench.followed[-1][1] == seq)  # noqa: B023  waited for at once
        if bench.followed[-1][0]:
            break
    assert bench.followed[-1] == (True, seq)
    assert bench.intake.stop(PATIENCE_S)


def until(happens: Callable[[], bool]) -> None:
    """Wait until it happens."""
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def test_a_frame_that_comes_again_is_acknowledged_and_not_stored_again(bench: Bench) -> None:
    bench.take(frame(1), frame(1))
    bench.intake = bench.start()
    bench.take(frame(1))
    assert bench.journal.totals().readings == 1
    assert len(bench.acked) == 3
    assert bench.announced[-1] == (PLANT, "GW-01", Committed("b1", 1, []))
    assert bench.journal.gateways()[0].duplicates == 2


def test_a_gap_is_named_and_closed(bench: Bench) -> None:
    bench.take(frame(4))
    assert bench.announced[-1][2] == Committed("b1", 4, [(1, 3)])
    bench.take(frame(1), frame(3))
    assert bench.announced[-1][2] == Committed("b1", 4, [(2, 2)])
    bench.take(frame(2))
    assert bench.announced[-1][2] == Committed("b1", 4, [])


def test_a_new_boot_counts_from_one_again(bench: Bench) -> None:
    bench.take(frame(7, boot="b1"), frame(1, boot="b2"))
    assert [entry[2].boot for entry in bench.announced] == ["b1", "b2"]
    assert bench.announced[-1][2] == Committed("b2", 1, [])
    assert bench.journal.totals().readings == 2


def test_a_retained_status_that_is_taken_back_is_nothing_wrong(bench: Bench) -> None:
    """An empty message on a retained topic is how MQTT clears it; it says neither online nor offline."""
    bench.take((status_topic(PLANT, "GW-01"), b""))
    assert bench.journal.totals().quarantined == 0
    assert bench.journal.read(0, 10) == []
    assert len(bench.acked) == 1


def test_a_status_becomes_a_reading_of_the_gateways_own_point(bench: Bench) -> None:
    bench.take((status_topic(PLANT, "GW-01"), encode_status(online=False)))
    (entry,) = bench.journal.read(0, 10)
    device = bench.configuration.gateways[PLANT, "GW-01"].device
    assert (entry.batch.point.tolist(), entry.batch.value.tolist()) == ([device], [0.0])
    assert bench.journal.totals().readings == 0, "it came in no frame"


def test_a_gap_is_reported_in_time_and_so_is_its_end(bench: Bench) -> None:
    bench.take(frame(1), frame(5))
    with capture_logs() as logs:
        bench.intake._housekeeping_due = 0
        bench.intake._housekeeping()
        assert logs == [], "a resend may still be on its way"
        bench.clock.pass_s(50)
        for _ in range(2):
            bench.intake._housekeeping_due = 0
            bench.intake._housekeeping()
    (named,) = [event for event in logs if event["event"] == "frames_missing"]
    assert (named["gateway"], named["boot"], named["first"], named["last"]) == ("GW-01", "b1", 2, 4)
    assert bench.intake.missing(older_than_s=30) == 3
    with capture_logs() as logs:
        bench.take(frame(3))
        bench.take(frame(2), frame(4))
    assert [event["event"] for event in logs if event["event"] == "frames_found"] == ["frames_found"]
    assert bench.intake.missing(older_than_s=0) == 0


def test_a_gap_that_nobody_closes_is_listed_as_lost_and_still_taken_if_it_comes(bench: Bench) -> None:
    bench.take(frame(1), frame(4))
    bench.clock.pass_s(73 * 3600)
    with capture_logs() as logs:
        bench.intake._housekeeping()
    assert [event["frames"] for event in logs if event["event"] == "frames_lost"] == [2]
    assert "frames_found" not in [event["event"] for event in logs], "given up is not found"
    bench.announcer.send(bench.intake._sequences)
    assert bench.announced[-1][2] == Committed("b1", 4, [])
    (gateway,) = bench.journal.gateways()
    assert [(gap.first, gap.last) for gap in gateway.lost] == [(2, 3)]
    bench.intake = bench.start()
    bench.take(frame(2))
    assert len(bench.readings()) == 3
    assert [(gap.first, gap.last) for gap in bench.journal.gateways()[0].lost] == [(3, 3)]


def test_a_boot_is_not_the_gateways_newest_because_its_frames_come_again(bench: Bench) -> None:
    bench.take(frame(2, boot="old"))
    bench.take(frame(3, boot="new"))
    bench.take(frame(1, boot="old"))
    assert bench.journal.gateways()[0].boot == "new"
    bench.intake = bench.start()
    bench.announced.clear()
    bench.intake.announce_all()
    bench.announcer.send(bench.intake._sequences)
    assert (bench.announced[-1][2].boot, bench.announced[-1][2].seq) == ("new", 3)


def test_on_a_full_disk_messages_wait_and_the_service_still_reports_on_itself(bench: Bench) -> None:
    bench.room.enough = False
    bench.handover.put([Raw(*frame(1), bench.clock.wall())], lambda: False)
    bench.intake.observe([(bench.configuration.gateways[PLANT, "GW-01"].device, 7.0)])
    bench.intake.start()
    try:
        assert bench.journal.wait(0, PATIENCE_S)
        for _ in range(3):
            bench.room.asked.clear()
            assert bench.room.asked.wait(PATIENCE_S), "it looks for room again and again"
        (entry,) = bench.journal.read(0, 10)
        assert entry.batch.value.tolist() == [7.0]
        assert (bench.acked, len(bench.handover)) == ([], 1)
        bench.room.enough = True
        assert bench.journal.wait(1, PATIENCE_S)
    finally:
        assert bench.intake.stop(PATIENCE_S)
    assert bench.acked == [FRAMES]


def test_a_busy_fleet_gets_announcements_ten_times_a_second_and_a_quiet_gateway_at_once() -> None:
    clock, announced = MovableClock(), list[Committed]()

    def announce(sequences: Sequence[tuple[str, str, Committed]]) -> Sequence[Committed]:
        announced.extend(committed for *_, committed in sequences)
        return announced[-len(sequences) :]

    announcer = Announcer(announce, clock.seconds)
    for seq in range(1, 11):
        announcer.mark_due([("p", "g", "b")])
        announcer.send({("p", "g", "b"): SequenceState(seq)})
        clock.pass_s(0.02)
    assert [committed.seq for committed in announced] == [1, 6]
    clock.pass_s(1)
    announcer.mark_due([("p", "g", "b")])
    announcer.send({("p", "g", "b"): SequenceState(11)})
    assert announced[-1].seq == 11


def test_what_is_beyond_a_gateways_share_is_acknowledged_in_its_place_and_asked_for_again(bench: Bench) -> None:
    """It becomes a reading of the gateway's own point, so that an alarm follows."""
    now = bench.clock.wall()
    first, third = (Raw(*frame(seq), now) for seq in (1, 3))
    bench.intake.take([first, Raw(FRAMES, b"", now, unread=True), third, Raw("else", b"", now)])
    bench.announcer.send(bench.intake._sequences)
    bench.clock.pass_s(1)
    assert bench.acked == [FRAMES, FRAMES, FRAMES, "else"]
    assert bench.announced == [(PLANT, "GW-01", Committed("b1", 3, [(2, 2)]))]
    assert [quarantined.topic for quarantined in bench.journal.quarantined(limit=10)] == ["else"]
    bench.take(frame(2))
    assert bench.announced[-1] == (PLANT, "GW-01", Committed("b1", 3, []))
    assert [value for value, *_ in bench.readings("GW-01.throttled")] == [1.0]


def test_a_gateway_whose_numbers_jump_uses_up_its_share(bench: Bench) -> None:
    """Every second frame missing costs the service what a flood does; the others notice neither."""
    bench.intake.take([Raw(*frame(2 * number), bench.clock.wall()) for number in range(1, 900)])
    assert not bench.shares.admit(FRAMES, 100)
    assert bench.shares.admit(frame_topic(PLANT, "GW-02"), 100)
