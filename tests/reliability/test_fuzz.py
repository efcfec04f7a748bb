"""Promise: no message, however mangled, ends or stops anything; each is journaled, quarantined or known already."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Final

import pytest

from ingest.intake.wire.assemble import Arrival, assemble
from ingest.intake.wire.decode import Decoded, decode
from ingest.intake.wire.errors import Rejected
from ingest.intake.wire.frame import decode_status
from ingest.intake.wire.topics import frame_topic
from tests.reliability.kept import database
from tests.reliability.launched import Launched
from tests.reliability.mutations import honest, mutated, seeds, topics
from tests.reliability.promise import Figures, Promise, Report, broken, dice, nobody
from tests.reliability.publisher import GATEWAY, Publisher
from tests.servers import mosquitto
from tests.small_plant import PLANT

COLUMNS: Final[Mapping[str, int]] = {"CO-01": 0}
WHOLE_PATH: Final = 20  # of so many payloads one goes the whole way through broker and service
KNOWN: Final = {(PLANT, "GW-01"), (PLANT, "GW-02")}
SLOWEST_KEPT: Final = 50
REPORT_EVERY: Final = 1_000
HONEST: Final = "honest"  # the boot of frames there is nothing wrong with
HONEST_EVERY: Final = 500


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """`count` payloads through the decoder, a twentieth of as many through broker and service."""
    rng = dice(seed)
    base = seeds(time.time_ns() // 1_000_000 - 3_600_000)
    return _decoder(count, rng, base, report) | _whole_path(count // WHOLE_PATH, rng, base, folder)


PROMISE: Final = Promise(
    name="fuzz",
    title="No message ends or stops anything",
    how="valid frames and golden faults in JSON and MessagePack, mutated (bits, lengths, splices, nesting, numbers,"
    " keys, NaN bytes), through the decoder; one in twenty through Mosquitto and the service as well",
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
        "slowest_over_median": ("<=", 100),
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
            take(payload)
        except Rejected:
            rejected += 1
        except Exception as error:  # noqa: BLE001  what must not happen, whatever it is
            other += 1
            first_other = first_other or f"{type(error).__name__}: {error} from {payload[:200]!r}"
        else:
            decoded += 1
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
    """Everything intake asks of the wire about one payload, down to the arrays."""
    frame = decode(payload, COLUMNS)
    batch = assemble([Arrival(frame, received=0)])
    assert len(batch) == frame.readings
    return frame


def _spent(payload: bytes) -> float:
    began = time.perf_counter()
    with suppress(Exception):  # counted the first time
        take(payload)
    return time.perf_counter() - began


def _whole_path(count: int, rng: random.Random, base: list[bytes], folder: Path) -> Figures:
    """Publish them in order, honest frames between them; then compare what lies on disk with what should."""
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger()
    start_ms = time.time_ns() // 1_000_000 - 60_000
    with mosquitto(folder, ["max_queued_messages 0"]) as broker, Launched(folder, broker) as service:
        with Publisher(broker) as publisher:

            def publish(topic: str, payload: bytes) -> None:
                ledger.enter(topic, payload)
                publisher.publish(payload, topic)

            settled = 0
            for number in range(1, count + 1):
                publish(topics(rng), mutated(rng, base))
                if number % HONEST_EVERY == 0 or number == count:
                    settled += 1
                    publish(frame_topic(PLANT, GATEWAY), honest(HONEST, settled, start_ms + settled))
                    publisher.committed(HONEST, settled)  # or the service stalls
        alive = service.alive()
        ended = service.stop()
    return ledger.settle(folder) | {"service_ended": int(not alive or ended != 0)}


class Ledger:
    """What should become of each message, by the rules of the protocol: journaled, quarantined, or known already."""

    def __init__(self) -> None:
        self._entered = 0
        self._frames: Counter[str] = Counter()  # by boot: in the journal, put aside, or repeated
        self._seen: set[tuple[str, str, str, int]] = set()
        self._quarantined: set[tuple[str, bytes]] = set()
        self._perhaps: set[tuple[str, bytes]] = set()  # under a used number: repeats, or put aside if they differ

    def enter(self, topic: str, payload: bytes) -> None:
        """A message is about to be published."""
        self._entered += 1
        plant, gateway, leaf = topic.split("/")[2:]
        known = (plant, gateway) in KNOWN
        if leaf == "status":
            if not (known and _readable(payload)):
                self._quarantined.add((topic, payload))
            return
        try:
            frame = decode(payload, COLUMNS)
        except Rejected as error:
            if error.identity is None or self._first(plant, gateway, *error.identity):
                self._quarantined.add((topic, payload))  # the same bytes on the same topic are put aside once
            else:
                self._perhaps.add((topic, payload))
            return
        refused = {(topic, refused.payload) for refused in frame.refused} if known else {(topic, payload)}
        if self._first(plant, gateway, frame.boot, frame.seq):
            self._quarantined |= refused
        else:
            self._perhaps |= {(topic, payload), *refused}

    def settle(self, folder: Path) -> Figures:
        """The difference to what the journal holds, message by message."""
        with database(folder, "journal") as journal:
            rows = journal.execute("SELECT boot, sum(frames), sum(duplicates) FROM position GROUP BY boot").fetchall()
            quarantined = set(journal.execute("SELECT topic, payload FROM quarantine"))
        frames, repeated = Counter({boot: n for boot, n, _ in rows}), Counter({boot: n for boot, _, n in rows})
        came = frames + repeated
        differences = [came - self._frames, self._frames - came]
        wrong = (self._quarantined - quarantined) | (quarantined - self._quarantined - self._perhaps)
        return {
            "whole_path": self._entered,
            "frames_kept": frames.total(),
            "repetitions": repeated.total(),
            "quarantined": len(quarantined),
            "unaccounted_for": sum(d.total() for d in differences) + len(wrong),
        }

    def _first(self, plant: str, gateway: str, boot: str, seq: int) -> bool:
        key = (plant, gateway, boot, seq)
        first = key not in self._seen
        self._frames[boot] += 1
        self._seen.add(key)
        return first


def _readable(status: bytes) -> bool:
    try:
        decode_status(status)
    except Rejected:
        return False
    return True


@pytest.mark.timeout(600)
def test_no_mangled_message_ends_or_stops_anything(tmp_path: Path) -> None:
    """20,000 payloads through the decoder, 1,000 through broker and service; sum in = sum out."""
    assert broken(PROMISE, run(20_000, 1, tmp_path, nobody)) == []


def test_the_seeds_of_the_fuzz_are_worth_mutating() -> None:
    """Some of the seeds are taken, some rejected: mutations start on both sides of the line."""
    taken = 0
    base = seeds(time.time_ns() // 1_000_000)
    for payload in base:
        with suppress(Rejected):
            take(payload)
            taken += 1
    assert 0 < taken < len(base)
