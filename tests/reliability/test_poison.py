"""Promise: bad messages do not hold up a good one."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Final

import pytest

from tests.reliability.kept import database
from tests.reliability.launched import Launched
from tests.reliability.mutations import honest
from tests.reliability.promise import Figures, Promise, Report, broken, dice, nobody
from tests.reliability.publisher import Publisher
from tests.servers import mosquitto

GOOD: Final = "good"
BEFORE: Final = 20  # good frames timed one by one before the poison
REPORT_EVERY: Final = 100
IN_TIME_S: Final = 1.0


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Time good frames; publish `count` messages of bad bytes as fast as the broker takes them; time one more."""
    rng = dice(seed)
    folder.mkdir(parents=True, exist_ok=True)
    start_ms = time.time_ns() // 1_000_000 - 60_000
    with mosquitto(folder, ["max_queued_messages 0"]) as broker, Launched(folder, broker) as service:
        with Publisher(broker) as publisher:

            def good(seq: int) -> float:
                began = time.monotonic()
                publisher.publish(honest(GOOD, seq, start_ms + seq))
                publisher.committed(GOOD, seq)
                return time.monotonic() - began

            usual = [good(seq) for seq in range(1, BEFORE + 1)]
            for number in range(1, count + 1):
                publisher.publish(b"%d" % number + rng.randbytes(rng.randint(1, 200)))
                if number % REPORT_EVERY == 0:
                    report(REPORT_EVERY)
            publisher.accepted()
            poisoned = good(BEFORE + 1)
        ended = service.stop()
    with database(folder, "journal") as journal:
        (quarantined,) = journal.execute("SELECT count(*) FROM quarantine").fetchone()
    return {
        "done": count,
        "not_in_quarantine": count - quarantined,
        "good_usually_ms": round(median(usual) * 1000, 1),
        "good_after_poison_s": round(poisoned, 3),
        "service_ended": int(ended != 0),
    }


PROMISE: Final = Promise(
    name="poison",
    title="Bad messages do not hold up a good one",
    how="bad messages at full speed, more than any window holds, then a good frame; timed until `committed` is heard",
    proves="a message that cannot be read is put aside and acknowledged like any other, so it takes no place for ever",
    leaves_open="a sender that floods without end: that is for the broker's limits",
    count=5_000,
    unit="bad messages",
    run=run,
    limits={
        "good_after_poison_s": ("<=", IN_TIME_S),
        "not_in_quarantine": ("=", 0),
        "service_ended": ("=", 0),
    },
)


@pytest.mark.timeout(600)
def test_bad_messages_do_not_hold_up_a_good_one(tmp_path: Path) -> None:
    """After 1,000 bad messages, twice the window, the good one is through, and every bad one is in quarantine."""
    figures = run(1_000, 1, tmp_path, nobody)
    assert not [fault for fault in broken(PROMISE, figures) if not fault.startswith("good_after_poison_s")]
