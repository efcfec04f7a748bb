"""Back-fill waits on disk while anything live waits to be judged, comes in its order, and is never lost or starved."""

from __future__ import annotations

import time
from pathlib import Path

import apsw
import pytest

from ingest.domain.model.flags import Flag
from ingest.intake.announcer import Announcer
from ingest.intake.grouping import PIECE
from ingest.intake.intake import Intake, IntakeConfig
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Frame, encode_json
from ingest.intake.wire.topics import frame_topic
from ingest.storage.journal.export import ExportFilter, export
from ingest.storage.journal.inspection import JournalInspection
from tests.ingest.engine.bench import PATIENCE_S, Bench
from tests.ingest.intake.bench import Roomy
from tests.movable_clock import SECOND, MovableClock
from tests.small_plant import PLANT

BACKLOG, LIVE = frame_topic(PLANT, "GW-02"), frame_topic(PLANT, "GW-01")
DAY_MS = 86_400_000


class Fed(Bench):
    """An engine on real files with an intake before it, whose word for "all is judged" a test sets."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.idle = False
        self.acked = 0
        self.handover = Handover(10_000)
        self.intake = self.take_in()

    def take_in(self) -> Intake:
        """An intake, as after a restart."""

        def acknowledge(messages: object) -> None:
            self.acked += len(messages)  # type: ignore[arg-type]

        return Intake(
            self.handover, self.journal, lambda: self.engine.configuration, acknowledge,
            Announcer(lambda due: [None] * len(due)), Roomy(), IntakeConfig(), Clock(), self.failures.append,
            flush=lambda: None, caught_up=lambda: self.idle,
        )  # fmt: skip

    def old(self, seq: int, values: list[float], *, historical: bool = True) -> Raw:
        """A frame of yesterday: one reading a second."""
        start = time.time_ns() // 10**6 - DAY_MS + seq * len(values) * 1000
        times = [start + at * 1000 for at in range(len(values))]
        column: list[float | None] = [*values]
        payload = encode_json(Frame("old", seq, times, {"CO-02": column}, historical=historical))
        return Raw(BACKLOG, payload, time.time_ns())

    def live(self, seq: int, value: float) -> Raw:
        """A frame of now, of the other gateway."""
        frame = Frame("live", seq, [time.time_ns() // 10**6], {"CO-01": [value]})
        return Raw(LIVE, encode_json(frame), time.time_ns())

    def values(self, point: str, after: int = 0) -> list[float]:
        """Of a point, as readers of the journal see them."""
        known = self.engine.configuration.find(PLANT, point)
        assert known is not None
        batches = [entry.batch for entry in self.journal.read(after, 1 << 40)]
        return [value for batch in batches for value in batch.value[batch.point == known.index].tolist()]


@pytest.fixture
def fed(tmp_path: Path) -> Fed:
    return Fed(tmp_path)


def test_a_live_reading_passes_a_backlog_that_came_before_it(fed: Fed) -> None:
    """All of it is on disk and acknowledged; the readers of the journal have the live reading first."""
    fed.intake.take([fed.old(seq, [float(seq)] * 500) for seq in range(1, 41)])
    fed.intake.take([fed.live(1, 20.9)])
    assert fed.acked == 41
    assert fed.values("CO-01") == [20.9]
    assert fed.values("CO-02") == []
    assert fed.journal.waiting() == 20_000


def test_it_comes_whole_and_in_its_order_once_all_is_judged(fed: Fed) -> None:
    fed.intake.take([fed.old(seq, [float(seq), seq + 0.5] * 250) for seq in range(1, 41)])
    fed.idle = True
    before = time.time_ns()
    while fed.journal.waiting():
        last = fed.journal.last()
        while fed.journal.last() == last:
            fed.intake._release_backfill()
        (entry,) = fed.journal.read(last, 1 << 40)
        assert len(entry.batch) <= PIECE, "what is live never waits for more than one piece"
        assert (entry.batch.received >= before).all(), "times of arrival never go back in the journal"
        assert (entry.batch.flags & Flag.HISTORICAL).all()
    assert fed.values("CO-02") == [value for seq in range(1, 41) for value in [float(seq), seq + 0.5] * 250]


def test_a_short_backlog_goes_straight_on_while_nothing_waits(fed: Fed) -> None:
    fed.idle = True
    fed.intake.take([fed.old(1, [7.0] * 100)])
    assert fed.journal.waiting() == 0
    assert fed.values("CO-02") == [7.0] * 100


def test_a_piece_that_meets_an_empty_stage_keeps_to_the_pace(fed: Fed) -> None:
    """A gateway that sends what it kept as fast as it is taken gets a quarter of the time at most."""
    clock = MovableClock(time.time_ns())
    fed.intake._clock = Clock(clock.wall, clock.steady)
    fed.idle = True
    fed.intake.take([fed.old(1, [1.0] * PIECE)])
    assert fed.journal.waiting() == 0
    clock.pass_s(0.1)
    fed.intake.take([fed.old(2, [2.0] * 100)])
    assert fed.journal.waiting() == 100, "the piece before took 0.1 s, and is rested from"
    clock.pass_s(0.29)
    fed.intake._release_backfill()
    assert fed.journal.waiting() == 100
    clock.pass_s(0.02)
    fed.intake._release_backfill()
    assert fed.journal.waiting() == 0
    assert fed.values("CO-02") == [1.0] * PIECE + [2.0] * 100


def test_what_waits_survives_a_restart_and_is_taken_once(fed: Fed) -> None:
    for round_ in range(3):
        fed.intake.take([fed.old(seq, [float(seq)] * 700) for seq in range(1 + 10 * round_, 11 + 10 * round_)])
        fed.intake = fed.take_in()
        fed.idle = True
        fed.intake._release_backfill()
        fed.idle = False
    fed.idle = True
    while fed.journal.waiting():
        fed.intake._release_backfill()
    assert fed.values("CO-02") == [float(seq) for seq in range(1, 31) for _ in range(700)]


def test_it_never_starves_however_much_is_live(fed: Fed) -> None:
    """The engine never catches up, and live frames never end: the backlog gets on all the same."""
    fed.intake.take([fed.old(seq, [1.0] * 500) for seq in range(1, 21)])
    fed.intake.start()
    deadline, seq = time.monotonic() + PATIENCE_S, 0
    while fed.journal.waiting():
        seq += 1
        fed.handover.put([fed.live(seq, 20.9)], lambda: False)
        assert time.monotonic() < deadline, "the backlog starves"
        time.sleep(0.005)
    assert fed.intake.stop(PATIENCE_S)
    assert not fed.failures
    assert fed.values("CO-02") == [1.0] * 10_000


def test_a_gateway_that_catches_up_is_distinguished_from_one_that_marks_historical_frames(fed: Fed) -> None:
    """What was kept over an outage and not marked is judged as live as far as nothing newer was: no flag is added."""
    fed.intake.take([fed.old(seq, [float(seq)] * 500, historical=False) for seq in range(1, 11)])
    assert fed.journal.waiting() == 4500, "the first of it is as live as what a short outage leaves"
    fed.idle = True
    while fed.journal.waiting():
        fed.intake._release_backfill()
    entries = fed.journal.read(0, 1 << 40)
    assert not any((entry.batch.flags & Flag.HISTORICAL).any() for entry in entries)
    assert fed.values("CO-02") == [float(seq) for seq in range(1, 11) for _ in range(500)]


def test_an_alarm_is_raised_while_three_days_wait(fed: Fed) -> None:
    fed.engine.start()
    fed.intake.take([fed.old(seq, [60.0] * 500) for seq in range(1, 41)])
    fed.intake.take([fed.live(1, 200.0)])
    fed.settle()
    assert {(alarm.point, alarm.historical) for alarm in fed.found()} == {("CO-01", False)}
    fed.idle = True
    while fed.journal.waiting():
        fed.intake._release_backfill()
    fed.settle()
    assert fed.engine.stop(PATIENCE_S)
    assert fed.values("CO-02") == [60.0] * 20_000


def test_damaged_back_fill_is_quarantined_with_its_bytes_and_blocks_nothing(fed: Fed, tmp_path: Path) -> None:
    fed.intake.take([fed.old(seq, [float(seq)] * PIECE) for seq in (1, 2, 3)])
    connection = apsw.Connection(str(tmp_path / "journal.db"))
    connection.execute("UPDATE backfill SET body = zeroblob(20) WHERE id = 2")
    connection.close()
    with JournalInspection(tmp_path / "journal.db") as file:
        assert [fault.what for fault in file.check({}, lambda _: None)] == ["staged back-fill is damaged: piece"]
        assert file.stats().backfill == 3 * PIECE
        done = export(file, ExportFilter(), tmp_path / "all.csv", lambda _: None)
    assert (done.readings, done.damaged) == (2 * PIECE, (2,))
    fed.idle = True
    while fed.journal.waiting():
        fed.intake._release_backfill()
    assert fed.values("CO-02") == [1.0] * PIECE + [3.0] * PIECE
    ((quarantined),) = fed.journal.quarantined(limit=10)
    assert (quarantined.reason, quarantined.readings, quarantined.payload) == ("damaged", PIECE, bytes(20))


def test_a_clock_set_while_it_waits_keeps_arrivals_comparable(fed: Fed) -> None:
    """What is fed arrives by the clock of that moment: a step of the clock makes it neither old nor new."""
    fed.intake.take([fed.old(1, [1.0] * (PIECE + 10))])
    fed.intake._clock = Clock(lambda: time.time_ns() + 3600 * SECOND, time.monotonic_ns)
    fed.idle = True
    fed.intake._release_backfill()
    (entry, *_) = fed.journal.read(0, 1 << 40)
    assert int(entry.batch.received.min()) > time.time_ns() + 3500 * SECOND
