"""Clocks of gateways, as they come over the wire: what is dangerous now raises now, what is old never does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.domain.model.alarm import Alarm
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from ingest.domain.quality.clock import GatewayClock
from ingest.engine.engine import Engine
from ingest.engine.order import Policy
from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Frame, encode_json
from ingest.intake.wire.topics import frame_topic
from ingest.storage.journal.commit import Commit, Progress
from ingest.storage.state.alarm_store import AlarmStore
from tests import migrated
from tests.ingest.engine.bench import begun
from tests.ingest.intake.bench import Bench as Intake
from tests.movable_clock import SECOND
from tests.small_plant import PLANT, TEXT, small_configuration

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class Bench(Intake):
    """Intake and engine on one journal, second by second."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder
        self.database = migrated.opened(folder / "state.db")
        self.engine = self.begin()
        self.seqs: dict[tuple[str, str], int] = {}

    def begin(self) -> Engine:
        """A fresh engine on the same files."""
        self.engine = begun(self.clock, self.journal, self.database, self.configuration, Policy())
        return self.engine

    def adopt(self, text: str) -> None:
        """Another plant file."""
        self.configuration = small_configuration(self.folder, self.journal.number_points, text)
        self.engine.adopt(self.configuration)

    def now_ms(self) -> int:
        return self.clock.wall() // 1_000_000

    def send(
        self,
        value: float,
        off_ms: int = 0,
        *,
        gateway: str = "GW-01",
        boot: str = "b1",
        point: str = "CO-01",
        times: list[int] | None = None,
    ) -> None:
        """A frame as it is made, with a clock that is off by so much; then a second goes by."""
        key = gateway, boot
        self.seqs[key] = self.seqs.get(key, 0) + 1
        stamps = times or [self.now_ms() + off_ms]
        payload = encode_json(Frame(boot, self.seqs[key], stamps, {point: [value] * len(stamps)}))
        now, set_by = self.intake._clock.read()
        self.intake.take([Raw(frame_topic(PLANT, gateway), payload, now, set_by)])
        self.engine.process()
        self.clock.pass_s(1)

    def stands(self) -> set[tuple[str, str]]:
        """(point, rule) of live alarms whose condition holds."""
        self.engine.process()
        return {(a.point, a.rule) for a in self.engine.engine_state.alarms.values() if a.active}

    def historical(self) -> list[Alarm]:
        events = AlarmStore(self.database).events_after(0, limit=1 << 20)
        return [event.alarm for event in events if event.alarm.historical]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


UNSET = -1_763_884_800_000 + 12_000
"""A clock that began at 1970 when the gateway was switched on, 12 s ago."""


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("off_ms", [UNSET, 3 * 10**14, 1_763_884_800_000 * 999, -1_763_884_800_000 - 10**12])
def test_a_clock_that_was_never_set_hides_nothing(bench: Bench, off_ms: int, *, known: bool) -> None:
    """1970, times in µs, before 1970: accepted under the time of arrival, flagged, reported; nothing in quarantine."""
    if known:
        for _ in range(5):
            bench.send(5.0)
    start = bench.clock.wall()
    for value in (5.0, 5.0, 170.0, 170.0):
        bench.send(value, off_ms, boot="b2")
    assert ("CO-01", "HH") in bench.stands()
    kept = [(time, flags) for _, time, flags in bench.readings()][-4:]
    assert all(flags == Flag.CLOCK for _, flags in kept)
    assert all(abs(time - start) <= 60 * SECOND for time, _ in kept)
    assert bench.journal.quarantined(limit=10) == []
    assert {rule for point, rule in bench.stands() if point == "GW-01.clock"} & {"UNSET", "AHEAD"}


def test_a_clock_that_gets_the_time_is_believed_at_once(bench: Bench) -> None:
    for _ in range(20):
        bench.send(170.0, UNSET)
    bench.send(5.0)
    made = bench.clock.wall() - SECOND
    assert bench.readings()[-1][1:] == (made, 0)
    assert ("CO-01", "HH") not in bench.stands()
    assert not [point for point, _ in bench.stands() if point == "GW-01.clock"]


@pytest.mark.parametrize("known", [True, False])
def test_a_point_moved_to_a_gateway_that_is_an_hour_behind_is_judged_and_not_silent(
    bench: Bench, *, known: bool
) -> None:
    """A new gateway, or one that was replaced by another whose clock is wrong."""
    for _ in range(10):
        bench.send(5.0)
        if known:
            bench.send(5.0, gateway="GW-02", point="CO-02")
    bench.adopt(TEXT.replace('gateway = "GW-01"', 'gateway = "GW-02"'))
    for _ in range(25):
        bench.send(170.0, -HOUR_MS, gateway="GW-02", boot="b2")
        assert ("CO-01", "SILENT") not in bench.stands()
    assert ("CO-01", "HH") in bench.stands()
    for _ in range(400):
        bench.send(170.0, -HOUR_MS, gateway="GW-02", boot="b2")
        assert ("CO-01", "SILENT") not in bench.stands()
    value, time, flags = bench.readings()[-1]
    assert (value, flags) == (170.0, Flag.CLOCK)
    assert abs(time - bench.clock.wall()) <= 2 * SECOND
    assert ("GW-02.clock", "BEHIND") in bench.stands()


def test_a_point_moved_to_a_known_gateway_that_is_an_hour_behind_is_judged_at_once(bench: Bench) -> None:
    for _ in range(20):
        bench.send(5.0)
        bench.send(5.0, -HOUR_MS, gateway="GW-02", point="CO-02")
    bench.adopt(TEXT.replace('gateway = "GW-01"', 'gateway = "GW-02"'))
    bench.send(170.0, -HOUR_MS, gateway="GW-02")
    assert ("CO-01", "HH") in bench.stands()


def test_one_absurd_stamp_moves_no_line_of_time(bench: Bench) -> None:
    """It is reported, and the next frame is as if nothing had been, after a restart as well."""
    for _ in range(5):
        bench.send(5.0)
    bench.send(5.0, times=[bench.now_ms(), 4_070_908_800_000])
    assert ("GW-01.clock", "AHEAD") in bench.stands()
    assert max(time for _, time, _ in bench.readings()) <= bench.clock.wall()
    bench.intake = bench.start()
    bench.begin()
    bench.send(170.0)
    assert ("CO-01", "HH") in bench.stands()
    assert ("GW-01.clock", "AHEAD") not in bench.stands()
    assert bench.readings()[-1][1:] == (bench.clock.wall() - SECOND, 0)


@pytest.mark.parametrize("outstanding", [True, False])
def test_readings_that_were_once_kept_in_the_future_hide_no_more(bench: Bench, *, outstanding: bool) -> None:
    """As an absurd stamp left line, point and rules once, on disk: judged again with the next frame."""
    for _ in range(5):
        bench.send(5.0)
    (point,) = (known.index for known in [bench.configuration.find(PLANT, "CO-01")] if known is not None)
    future, now = np.array([4_070_908_800 * SECOND]), bench.clock.wall()
    value = np.array([170.0 if outstanding else 5.0])
    batch = Batch(np.array([point], np.int32), future, value, np.zeros(1, np.uint16), np.array([now]))
    position = bench.intake._sequences[PLANT, "GW-01", "b1"]
    line = GatewayClock(now, int(future[0]), now, 0, now, int(future[0]) - now, 0)
    progress = Progress(position, now, 1, 0, line)
    bench.journal.append(Commit(batch, 1, {(PLANT, "GW-01", "b1"): progress}))
    bench.intake = bench.start()
    bench.begin()
    assert (("CO-01", "HH") in bench.stands()) == outstanding
    bench.send(5.0)
    bench.send(5.0)
    assert ("CO-01", "HH") not in bench.stands()
    bench.send(170.0)
    assert ("CO-01", "HH") in bench.stands()
    assert bench.readings()[-1][1:] == (bench.clock.wall() - SECOND, 0)


@pytest.mark.parametrize("every", [1, 10, 1000])
def test_frames_of_an_earlier_boot_nobody_heard_raise_nothing(bench: Bench, every: int) -> None:
    """Forty minutes old, at a value that would raise: recorded as history; a clock that is set later is seen."""
    for _ in range(5):
        bench.send(5.0, boot="now")
    old, frames = bench.now_ms() - 40 * MINUTE_MS, 20 if every > 100 else 60
    for second in range(frames):
        bench.send(170.0, boot="earlier", times=[old + second * 1000])
        assert not bench.stands() & {("CO-01", "H"), ("CO-01", "HH")}
        if second % every == every - 1:
            bench.send(5.0, boot="now")
    kept = [reading for reading in bench.readings() if reading[0] == 170.0]
    assert [time // 1_000_000 for _, time, _ in kept] == [old + second * 1000 for second in range(frames)]
    assert {flags for _, _, flags in kept} == {Flag.LATE}
    for _ in range(60):
        bench.send(5.0, boot="now")
    assert {alarm.rule for alarm in bench.historical()} == {"H", "HH"}
    with capture_logs() as logs:
        bench.send(170.0, -HOUR_MS, boot="now")
    assert "gateway_clock_stepped" in [event["event"] for event in logs]
    assert ("CO-01", "HH") in bench.stands()


@pytest.mark.parametrize("off_ms", [0, HOUR_MS])
def test_what_a_boot_kept_that_ran_only_while_cut_off_clears_and_raises_nothing(bench: Bench, off_ms: int) -> None:
    """Seconds old, sent by the next boot after what is of now; whether the gateway's clock is right or ahead."""
    for _ in range(40):
        bench.send(5.0, off_ms, boot="before")
    old = bench.now_ms() + 1000
    bench.clock.pass_s(15)
    bench.send(170.0, off_ms, boot="now")
    assert ("CO-01", "HH") in bench.stands()
    for second in range(8):
        bench.send(6.0, boot="between", times=[old + second * 1000 + off_ms])
        assert ("CO-01", "HH") in bench.stands()
    kept = [time // 1_000_000 for value, time, _ in bench.readings() if value == 6.0]
    assert kept == [old + second * 1000 for second in range(8)]
    bench.send(5.0, off_ms, boot="now")
    bench.send(5.0, off_ms, boot="now")
    assert ("CO-01", "HH") not in bench.stands()


def test_a_recording_that_is_read_out_beside_its_gateway_is_historical_and_moves_nothing(bench: Bench) -> None:
    """Of last week, above the limits, in a boot of its own: kept under its own times; the live line is as it was."""
    for _ in range(5):
        bench.send(5.0)
    line = bench.intake._states[PLANT, "GW-01"].line
    old = bench.now_ms() - 9 * 24 * HOUR_MS
    for at in range(10):
        frame = Frame("replay", at + 1, [old + at * 1000], {"CO-01": [170.0]}, historical=True)
        bench.take((frame_topic(PLANT, "GW-01"), encode_json(frame)))
    kept = [(time // 1_000_000, flags) for value, time, flags in bench.readings() if value == 170.0]
    assert kept == [(old + at * 1000, Flag.HISTORICAL) for at in range(10)]
    assert bench.intake._states[PLANT, "GW-01"].line == line
    assert not bench.stands()
    bench.intake = bench.start()
    assert bench.intake._states[PLANT, "GW-01"].line == line
    bench.send(5.0)
    assert bench.readings()[-1][1:] == (bench.clock.wall() - SECOND, 0)


def test_a_frame_sent_again_is_never_kept_in_the_future(bench: Bench) -> None:
    """An hour ahead, with a gap: what fills it must not make everything after it late."""
    for _ in range(3):
        bench.send(5.0)
    for _ in range(3):
        bench.send(5.0, HOUR_MS)
    bench.seqs["GW-01", "b1"] += 1
    missing, stamp = bench.seqs["GW-01", "b1"], bench.now_ms() + HOUR_MS
    bench.send(5.0, HOUR_MS)
    payload = encode_json(Frame("b1", missing, [stamp], {"CO-01": [6.0]}))
    bench.take((frame_topic(PLANT, "GW-01"), payload))
    assert max(time for _, time, _ in bench.readings()) <= bench.clock.wall()
    bench.send(170.0)
    assert ("CO-01", "HH") in bench.stands()


@pytest.mark.parametrize("wrong_s", [8 * 3600, -8 * 3600, 86_400])
def test_a_service_whose_own_clock_is_wrong_keeps_the_times_of_gateways_that_agree(bench: Bench, wrong_s: int) -> None:
    """It is reported as an event and a metric; nothing is left of it once the clock is right."""
    bench.clock.set_by_s(wrong_s)
    bench.intake = bench.start()
    bench.begin()
    off = -wrong_s * 1000

    def both(seconds: int, off_ms: int) -> None:
        for _ in range(seconds):
            bench.send(5.0, off_ms)
            bench.send(5.0, off_ms, gateway="GW-02", point="CO-02")

    with capture_logs() as logs:
        both(20, off)
    (suspected,) = [event for event in logs if event["event"] == "service_clock_suspected"]
    assert suspected["ahead_s"] == pytest.approx(wrong_s, abs=2)
    assert bench.intake.clock_ahead_s == pytest.approx(wrong_s, abs=2)
    both(5, off)
    true = bench.clock.wall() - wrong_s * SECOND
    for point in ("CO-01", "CO-02"):
        _, time, flags = bench.readings(point)[-1]
        assert (true - 3 * SECOND <= time <= true, flags) == (True, 0)
    assert not [point for point, _ in bench.stands() if point.endswith(".clock")], "no gateway is blamed"
    bench.clock.set_by_s(-wrong_s)
    with capture_logs() as logs:
        both(5, 0)
    assert "service_clock_confirmed" in [event["event"] for event in logs]
    assert bench.intake.clock_ahead_s == 0
    assert all(flags == 0 for _, _, flags in bench.readings()[-5:])
    bench.send(170.0)
    assert ("CO-01", "HH") in bench.stands()
