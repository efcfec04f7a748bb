"""Promise: a full disk loses nothing, is reported, and is over as soon as there is room, without a restart."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Final

import pytest

from tests.reliability.kept import database, in_journal
from tests.reliability.launched import Launched
from tests.reliability.promise import NOTHING_LOST, CannotTest, Figures, Promise, Report, broken, dice, nobody
from tests.reliability.traffic import Traffic, Wave, flowing
from tests.servers import mosquitto
from tests.small_disk import SmallDisk, small_disk

FRAME: Final = 20  # readings
PACE_S: Final = 0.02
DISK_MB: Final = 96
RESERVE_MB: Final = 4
SETTINGS: Final = f"[journal]\nreserve_mb = {RESERVE_MB}\n"
RECOVERY_S: Final = 300.0


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Fill the disk of a running service `count` times while frames flow, and free it again."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with small_disk(folder, DISK_MB) as disk:
            (disk.folder / "data").mkdir()
            (folder / "data").symlink_to(disk.folder / "data")
            return _filled(count, dice(seed), folder, disk, report)
    except pytest.skip.Exception as reason:
        raise CannotTest(str(reason)) from reason


def _filled(count: int, rng: random.Random, folder: Path, disk: SmallDisk, report: Report) -> Figures:
    wave = Wave(time.time_ns() // 1_000_000 - count * 60_000 - 120_000)
    with mosquitto(folder, ["max_queued_messages 0"]) as broker, Launched(folder, broker, SETTINGS) as service:
        pid = service.pid
        slowest = 0.0
        with Traffic(broker, wave, resend_s=1.0) as traffic:
            with flowing(traffic, FRAME, PACE_S):
                for _ in range(count):
                    reported = _reports(service)
                    disk.fill(leave=rng.choice((0, 0, 4_096, 65_536)))
                    service.until(lambda before=reported: _reports(service) > before, "the full disk to be reported")  # type: ignore[misc]
                    time.sleep(rng.uniform(0.2, 1.0))
                    disk.fill()  # what the ballast gave
                    time.sleep(rng.uniform(0.0, 0.5))
                    disk.empty()
                    began = time.monotonic()
                    traffic.settle(RECOVERY_S, frames=10)
                    slowest = max(slowest, time.monotonic() - began)
                    report(1)
            traffic.settle(RECOVERY_S)
            sent, tally = traffic.sent, traffic.tally()
        same = service.pid == pid and service.alive()
        ended = service.stop()
    kept = in_journal(folder, wave, sent)
    return {
        "done": count,
        "readings": sent,
        "lost": kept.lost,
        "twice": kept.twice,
        "wrong": kept.wrong + kept.strange,
        "frames_resent": tally.resent,
        "restarts": int(not same or ended != 0),
        "system_alarms": _alarms(folder),
        "slowest_recovery_s": round(slowest, 1),
    }


PROMISE: Final = Promise(
    name="disk-full",
    title="A full disk loses nothing and is over as soon as there is room",
    how="a real file system of 96 MB filled to the last byte under a running service, and freed again",
    proves="intake waits instead of losing, says so each time, raises an alarm of its own, and goes on without a"
    " restart",
    leaves_open="a disk that fails instead of filling; quotas",
    count=50,
    unit="times full",
    run=run,
    limits={
        **NOTHING_LOST,
        "restarts": ("=", 0),
        "system_alarms": (">=", 1),
        "frames_resent": (">=", 1),
    },
)


def _reports(service: Launched) -> int:
    return sum(event["event"] in {"disk_low", "disk_full", "journal_refused"} for event in service.log())


def _alarms(folder: Path) -> int:
    """How often the service raised an alarm about its own disk."""
    with database(folder, "state") as state:
        query = (
            "SELECT count(*) FROM alarm_event e JOIN alarm a ON a.id = e.alarm"
            " WHERE a.plant = 'service' AND a.point = 'DISK' AND e.kind = 'raised'"
        )
        return int(state.execute(query).fetchone()[0])


@pytest.mark.timeout(600)
def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """Full three times."""
    try:
        figures = run(3, 1, tmp_path, nobody)
    except CannotTest as reason:
        pytest.skip(str(reason))
    assert broken(PROMISE, figures) == []
