"""Promise: no message, however mangled, ends or stops anything; each is stored, put aside or known already."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Final

import pytest

from ingest.model.batch import Batch
from ingest.wire.errors import Rejected
from ingest.wire.frame import Decoded, decode, identify, only_columns
from tests.reliability.kept import database, journal_counts
from tests.reliability.launched import Launched
from tests.reliability.mutations import honest, mutated, seeds, topics
from tests.reliability.promise import Figures, Promise, Report, broken, nobody
from tests.reliability.publisher import Publisher
from tests.servers import mosquitto

COLUMNS: Final[Mapping[str, int]] = {"CO-01": 0}
WHOLE_PATH: Final = 20  # of so many payloads one goes the whole way through broker and service
SLOWEST_KEPT: Final = 50
REPORT_EVERY: Final = 1_000
BOOT: Final = "honest"


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """`count` payloads through the decoder, a twentieth of as many through broker and service."""
    rng = random.Random(seed)
    base = seeds(time.time_ns() // 1_000_000 - 3_600_000)
    return _decoder(count, rng, base, report) | _whole_path(count // WHOLE_PATH, rng, base, folder)


PROMISE: Final = Promise(
    name="fuzz",
    title="No message ends or stops anything",
    how="valid frames and golden faults in JSON and MessagePack, mutated (bits, lengths, splices, nesting, numbers, keys,"
    " NaN bytes), through the decoder; one in twenty through Mosquitto and the service as well",
    proves="the decoder takes a payload or says Rejected, nothing else, and no payload takes out of proportion long; in"
    " the service every message is journaled, in quarantine, or recognised as a repetition: sum in = sum out",
    leaves_open="mutations are blind: they do not follow the code's branches as a coverage-guided fuzzer does",
    count=1_000_000,
    unit="payloads",
    run=run,
    limits={
        "other_errors": ("=", 0),
        "decoded": (">=", 1),
        "rejected": (">=", 1),
        "slowest_over_median": ("<=", 500),
        "unaccounted_for": ("=", 0),
        "service_ended": ("=", 0),
    },
)


def _decoder(count: int, rng: random.Random, base: list[bytes], report: Report) -> Figures:
    decoded = rejected = other = 0
    first_other = ""
    times: list[float] = []
    slowest: list[tuple[float, bytes]] = []
    for number in range(1, count + 1):
        payload = mutated(rng, base)
        began = time.perf_counter()
        try:
            frame = take(payload)
        except Rejected:
            rejected += 1
        except Exception as error:  # noqa: BLE001  what must not happen, whatever it is
            other += 1
            first_other = first_other or f"{type(error).__name__}: {error} from {payload[:200]!r}"
        else:
            decoded += 1
            assert len(frame.times) >= 1
        spent = time.perf_counter() - began
        if number % 100 == 0:
            times.append(spent)
        slowest.append((spent, payload))
        if len(slowest) >= 20 * SLOWEST_KEPT:
            slowest = sorted(slowest, reverse=True)[:SLOWEST_KEPT]
        if number % REPORT_EVERY == 0:
            report(REPORT_EVERY)
    again = max(min(_spent(payload) for _ in range(7)) for _, payload in sorted(slowest, reverse=True)[:SLOWEST_KEPT])
    return {
        "done": count,
        "decoded": decoded,
        "rejected": rejected,
        "other_errors": other,
        "first_other_error": first_other,
        "slowest_over_median": round(again / median(times), 1),
    }


def take(payload: bytes) -> Decoded:
    """Everything intake asks of the wire about one payload."""
    try:
        frame = decode(payload, COLUMNS)
    except Rejected:
        identify(payload)
        raise
    if frame.unknown:
        only_columns(payload, frame.unknown)
    return frame


def _spent(payload: bytes) -> float:
    began = time.perf_counter()
    try:
        take(payload)
    except Exception:  # noqa: BLE001, S110  counted the first time
        pass
    return time.perf_counter() - began


def _whole_path(count: int, rng: random.Random, base: list[bytes], folder: Path) -> Figures:
    """Publish them; then honest frames, which show that all before them is through."""
    folder.mkdir(parents=True, exist_ok=True)
    distinct: set[tuple[str, bytes]] = set()
    start_ms = time.time_ns() // 1_000_000 - 60_000
    with mosquitto(folder, ["max_queued_messages 0"]) as broker, Launched(folder, broker) as service:
        settled = 1
        with Publisher(broker) as publisher:
            for number in range(1, count + 1):
                topic, payload = topics(rng), mutated(rng, base)
                if (topic, payload) in distinct:
                    continue
                distinct.add((topic, payload))
                publisher.publish(payload, topic)
                if number % 1_000 == 0:
                    publisher.publish(honest(BOOT, settled, start_ms + settled))
                    publisher.committed(BOOT, settled)
                    settled += 1
            publisher.publish(honest(BOOT, settled, start_ms + settled))
            publisher.committed(BOOT, settled)
        alive = service.alive()
        ended = service.stop()
    counts = journal_counts(folder)
    statuses = _statuses(distinct)
    # Frames with an unknown column are counted twice, once as taken and once as put aside; see `_partly`.
    out = counts["frames"] - settled + counts["duplicates"] + counts["quarantined"] - _both(folder)
    return {
        "whole_path": len(distinct),
        "frames_journaled": counts["frames"] - settled,
        "duplicates": counts["duplicates"],
        "quarantined": counts["quarantined"],
        "statuses": statuses,
        "unaccounted_for": len(distinct) - statuses - out,
        "service_ended": int(not alive or ended != 0),
    }
