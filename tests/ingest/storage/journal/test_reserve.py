"""A full disk stops intake and deletes the ballast; with space again both are restored, without a restart."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.intake.announcer import Announcer
from ingest.intake.intake import Intake, IntakeConfig
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Frame, encode_json
from ingest.intake.wire.topics import frame_topic
from ingest.storage.journal.reserve import DiskGuard, DiskState
from tests.ingest.engine.bench import PATIENCE_S, Bench
from tests.small_disk import small_disk
from tests.small_plant import PLANT

MB = 1 << 20
RESERVE = 4


class Dial:
    """A disk that says what the test sets, less what a ballast takes."""

    def __init__(self, folder: Path, free_mb: float) -> None:
        self.ballast = folder / "yujing.ballast"
        self.mb = free_mb
        self.now = 0.0
        self.asked = 0
        self.guard = DiskGuard([folder], RESERVE, free=self.free, clock=lambda: self.now)

    def free(self, _folder: Path) -> int:
        self.asked += 1
        held = self.ballast.stat().st_size if self.ballast.exists() else 0
        return int(self.mb * MB) - held

    def set(self, free_mb: float) -> DiskState:
        """Free that much, ballast included, and check."""
        self.mb = free_mb
        self.now += 1
        return self.guard.state()


def test_the_states_follow_the_free_space_with_hysteresis(tmp_path: Path) -> None:
    dial = Dial(tmp_path, 100)
    assert dial.guard.room()
    assert dial.ballast.stat().st_blocks * 512 >= RESERVE * MB, "allocated, not only long"
    with capture_logs() as logs:
        assert dial.set(RESERVE + 4.1) is DiskState.OK
        assert dial.set(RESERVE + 3.9) is DiskState.LOW
        assert dial.set(RESERVE + 7.9) is DiskState.LOW, "not before twice the reserve is free"
        assert dial.ballast.exists()
        assert dial.set(RESERVE + 0.9) is DiskState.FULL
        assert not dial.ballast.exists()
        assert dial.set(7.9) is DiskState.FULL
        assert dial.set(8.1) is DiskState.OK
        assert dial.ballast.exists()
    assert [log["event"] for log in logs] == ["disk_low", "disk_full", "disk_roomy"]
    assert dial.guard.free_mb() == pytest.approx(8.1, abs=0.01)


def test_a_commit_that_found_no_room_is_believed_over_the_figures(tmp_path: Path) -> None:
    """A quota, or the disk of another file."""
    dial = Dial(tmp_path, 100)
    dial.guard.full()
    assert not dial.ballast.exists()
    assert not dial.guard.room()
    dial.now += 1
    assert dial.guard.room(), "there is room for the ballast again, so intake may try"


def test_it_is_cheap_to_ask(tmp_path: Path) -> None:
    dial = Dial(tmp_path, 100)
    asked = dial.asked
    for _ in range(1000):
        dial.guard.room()
    assert dial.asked == asked
    dial.now += 0.5
    dial.guard.room()
    assert dial.asked == asked + 1


def test_a_start_on_a_full_disk_gives_the_ballast_up_before_the_databases_open(tmp_path: Path) -> None:
    first = Dial(tmp_path, 100)
    assert first.ballast.exists()
    with capture_logs() as logs:
        again = Dial(tmp_path, RESERVE + 0.5)
    assert not again.ballast.exists()
    assert again.guard.state() is DiskState.FULL
    assert [log["event"] for log in logs] == ["disk_full"]


def test_a_start_without_room_for_a_ballast_says_so_and_holds_intake(tmp_path: Path) -> None:
    with capture_logs() as logs:
        dial = Dial(tmp_path, 5)
    assert dial.guard.state() is DiskState.LOW
    assert [log["event"] for log in logs] == ["disk_low"]
    assert dial.set(20) is DiskState.OK
    assert dial.ballast.exists()


def test_the_ballast_is_of_real_blocks_where_files_cannot_be_given_any_but_by_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS."""
    monkeypatch.delattr(os, "posix_fallocate")
    DiskGuard([tmp_path], 2.5, free=lambda _folder: 100 * MB)
    (ballast,) = tmp_path.iterdir()
    assert ballast.stat().st_size == 2.5 * MB
    assert ballast.stat().st_blocks * 512 >= 2.5 * MB


def test_folders_on_one_disk_share_a_ballast(tmp_path: Path) -> None:
    DiskGuard([tmp_path / "a", tmp_path / "b"], RESERVE)
    assert len([*tmp_path.rglob("yujing.ballast")]) == 1


class Gateway:
    """Frames through a real intake, kept until they are acknowledged."""

    def __init__(self, bench: Bench, guard: DiskGuard) -> None:
        self.failures: list[BaseException] = []
        self.sent = self.acked = 0
        self._noise = np.random.default_rng(1)
        self._t0 = time.time_ns() // 1_000_000 - 1_800_000
        self._handover = Handover(10_000)
        self.intake = Intake(
            self._handover,
            bench.journal,
            lambda: bench.engine.configuration,
            self._acknowledge,
            Announcer(lambda committed: [None] * len(committed)),
            guard,
            IntakeConfig(),
            Clock(),
            self.failures.append,
            flush=lambda: None,
        )

    def send(self, frames: int) -> None:
        """Send frames of CO-02, all different and of no alarm."""
        for _ in range(frames):
            self.sent += 1
            times = [self._t0 + self.sent * 200 + at for at in range(200)]
            frame = Frame("b1", self.sent, times, {"CO-02": self._noise.uniform(1, 5, 200).tolist()})
            self._handover.put([Raw(frame_topic(PLANT, "GW-02"), encode_json(frame), time.time_ns())], lambda: True)

    def in_the_middle_of_nothing(self) -> None:
        """Return once intake has asked for room anew: a commit that was under way may have found some."""
        now = time.monotonic()
        soon(lambda: self.intake.progressed > now, "intake stands still")

    def _acknowledge(self, messages: Sequence[Raw]) -> None:
        self.acked += len(messages)


def soon(question: Callable[[], bool], what: str) -> None:
    """Wait for an answer that must come."""
    deadline = time.monotonic() + PATIENCE_S
    while not question():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def test_a_disk_filled_and_freed_three_times_loses_nothing_and_alarms_go_on(tmp_path: Path) -> None:
    """What is acknowledged is there, intake waits and goes on by itself, and alarms are raised on a full disk."""
    with small_disk(tmp_path, 48) as disk:
        guard = DiskGuard([disk.folder], RESERVE)
        bench = Bench(disk.folder)
        gateway = Gateway(bench, guard)
        bench.engine.start()
        gateway.intake.start()
        for round_, value in enumerate((30, 5, 30)):
            gateway.send(50)
            soon(lambda: gateway.acked == gateway.sent, "before the disk was full")
            # Once creeping up, so that the guard sees it; else all at once, so that a commit is what finds out.
            creeping = round_ == 1
            disk.fill(leave=RESERVE * MB * 3 // 4 if creeping else 0)
            gateway.send(0 if creeping else 50)
            expected = DiskState.LOW if creeping else DiskState.FULL
            soon(lambda state=expected: guard.state() is state, "the guard does not see it")  # type: ignore[misc]
            gateway.in_the_middle_of_nothing()
            disk.fill(leave=RESERVE * MB // 2)  # what the ballast gave is left to the service
            acked = gateway.acked
            gateway.send(50)
            bench.send("CO-01", [value], start_s=round_)
            bench.settle()
            (alarm,) = [alarm for alarm in bench.found() if alarm.point == "CO-01"]
            assert alarm.active == (value == 30)
            assert gateway.acked == acked < gateway.sent, "intake waits"
            disk.empty()
            soon(guard.room, "the guard does not see that there is room")
            soon(lambda: gateway.acked == gateway.sent, "intake does not go on")
            assert (disk.folder / "yujing.ballast").stat().st_size == RESERVE * MB
        soon(lambda: bench.journal.waiting() == 0, "back-fill does not go on")
        assert gateway.intake.stop(PATIENCE_S)
        assert bench.engine.stop(PATIENCE_S)
        assert bench.failures == gateway.failures == []
        point = bench.engine.configuration.find(PLANT, "CO-02")
        assert point is not None
        kept = [int((entry.batch.point == point.index).sum()) for entry in bench.journal.read(0, 1 << 40)]
        assert sum(kept) == gateway.sent * 200
        bench.database.close()
        bench.journal.close()
