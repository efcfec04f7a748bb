"""Promise: nothing is acknowledged, to the broker or to a gateway, before it is on disk."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Queue
from typing import Final

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.intake.wire.frame import Frame, decode_committed, encode_json
from ingest.intake.wire.topics import committed_topic, frame_topic
from tests.reliability.launched import CLI, Launched
from tests.reliability.oracle import Verdict, judge
from tests.reliability.promise import CannotTest, Figures, Promise, Report, broken, nobody
from tests.reliability.strace import traced
from tests.servers import mosquitto
from tests.small_plant import PLANT

GATEWAY: Final = "GW-01"
BOOT: Final = "boot-of-the-oracle"
AHEAD: Final = 2_000  # frames published and not yet committed at most
ALONE: Final = 50  # of them, the last: each is published when the one before is committed, so each has its own commit
PATIENCE_S: Final = 120.0
MUTANT: Final = (CLI[0], "-m", "tests.reliability.mutant")


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Trace the service while `count` frames pass; then the weakened service with a fiftieth of them."""
    verdict = observe(count, folder / "as-it-is", CLI, report)
    mutant = observe(max(count // 50, 200), folder / "mutant", MUTANT, nobody)
    return {
        "done": verdict.acks,
        "frames": count,
        "violations": len(verdict.violations),
        "committed_messages": verdict.committed,
        "journal_syncs": verdict.syncs,
        "mutant_acks": mutant.acks,
        "mutant_violations": len(mutant.violations),
        "first_violation": verdict.violations[0] if verdict.violations else "",
    }


PROMISE: Final = Promise(
    name="ordering",
    title="What we acknowledge is on disk",
    how="the service under strace; each PUBACK and each `committed` is compared with the fdatasync that covers it;"
    f" frames come as fast as the service takes them, the last {ALONE} one at a time",
    proves="no acknowledgement leaves the process before the fdatasync of the commit that holds its frame has returned;"
    " and the oracle sees the fault it is there for: with `synchronous=NORMAL` it finds violations",
    leaves_open="that the disk keeps what it says it has synced",
    count=100_000,
    unit="acknowledgements",
    run=run,
    limits={
        "violations": ("=", 0),
        "done": (">=", 1),
        "committed_messages": (">=", ALONE),
        "journal_syncs": (">=", ALONE),
        "mutant_violations": (">=", ALONE),
    },
)


def observe(count: int, folder: Path, launcher: Sequence[str], report: Report) -> Verdict:
    """Run the service under strace while `count` frames pass through a real broker, and judge the trace.

    Raises:
        CannotTest: no tracing here.
    """
    folder.mkdir(parents=True)
    trace = folder / "trace"
    with mosquitto(folder, ["max_queued_messages 0"]) as broker:
        service = Launched(folder, broker, launcher=traced(launcher, trace))
        with service:
            pid = service.pid
            publish(broker, count, report)
            assert service.stop() == 0
        until_written(trace, pid)
        with trace.open(encoding="ascii", errors="replace") as lines:
            verdict = judge((line.rstrip("\n") for line in lines), broker[1], (PLANT, GATEWAY, BOOT))
    trace.unlink()
    assert verdict.received == count, f"{verdict.received} frames in the trace; expected {count}"
    assert verdict.acks == count, f"{verdict.acks} acknowledgements in the trace; expected {count}"
    return verdict


def publish(broker: tuple[str, int], count: int, report: Report) -> None:
    """Publish frames of one reading and return when the service says that the last is on disk."""
    heard: Queue[int] = Queue()
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: heard.put(decode_committed(bytes(message.payload)).seq)
    client.max_queued_messages_set(0)
    client.max_inflight_messages_set(AHEAD)
    client.connect(*broker)
    client.subscribe(committed_topic(PLANT, GATEWAY), 1)
    client.loop_start()
    start_ms = time.time_ns() // 1_000_000 - count
    committed = 0
    for seq in range(1, count + 1):
        client.publish(
            frame_topic(PLANT, GATEWAY), encode_json(Frame(BOOT, seq, [start_ms + seq], {"CO-01": [5.0]})), 1
        )
        while seq - committed >= (AHEAD if seq <= count - ALONE else 1):
            before, committed = committed, max(committed, heard.get(timeout=PATIENCE_S))
            report(committed - before)
    client.disconnect()
    client.loop_stop()


def until_written(trace: Path, pid: int) -> None:
    """Wait until strace has written the end of the process it followed."""
    end = re.compile(rb"^%d +\+\+\+ (exited|killed)" % pid, re.MULTILINE)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with trace.open("rb") as file:
            file.seek(max(0, trace.stat().st_size - 4096))
            if end.search(file.read()):
                return
        assert time.monotonic() < deadline, "strace did not come to an end"
        time.sleep(0.05)


@pytest.mark.timeout(600)
def test_no_acknowledgement_precedes_the_sync_that_covers_it(tmp_path: Path) -> None:
    """2,000 acknowledgements without a violation; a service that does not sync is found out."""
    try:
        figures = run(2_000, 1, tmp_path, nobody)
    except CannotTest as reason:
        pytest.skip(str(reason))
    assert broken(PROMISE, figures) == []
    assert figures["done"] == 2_000
