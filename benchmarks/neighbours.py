"""What one gateway does to the others: a flood of junk beside ordinary frames, and a long history of boots.

Figures of `python -m benchmarks.abuse`; real Mosquitto, the whole service as a process, a small plant of two gateways.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from ingest.intake.wire.frame import Frame, decode_committed, encode_json
from ingest.intake.wire.topics import committed_topic, frame_topic
from ingest.runtime.installation import require_installation
from ingest.storage.journal.config import JournalConfig
from ingest.storage.journal.journal import Journal
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.installation import InstallationStore
from tests.e2e.service import Service
from tests.servers import mosquitto
from tests.small_plant import PLANT

BOOTS: Final = 20_000
BOOTS_AT_START: Final = 8_000
JUNK: Final = 1 << 20
"""Bytes of a message."""

IN_TIME_S: Final = 2.0
"""A frame that is told to be on disk later counts as not committed: its gateway would have begun to send it again."""

_PERIOD_S: Final = 0.25
_INFLIGHT: Final = 20  # of junk, as many as Mosquitto lets a client have by default
_HOSTILE: Final = "GW-01"
_OTHER: Final = "GW-02"


class Calm:
    """A gateway that sends a frame now and then, each once, and notes how long it took to hear that it is on disk."""

    def __init__(self, broker: tuple[str, int]) -> None:
        """Connect."""
        self._sent: dict[int, float] = {}
        self._took: dict[int, float] = {}
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_committed
        self._client.connect(*broker)
        self._client.subscribe(committed_topic(PLANT, _OTHER), 1)
        self._client.loop_start()

    def send_for(self, seconds: float) -> list[float]:
        """Send for so long; seconds until each was committed, infinity if that was not in time."""
        first, until = len(self._sent) + 1, time.perf_counter() + seconds
        while time.perf_counter() < until:
            seq = len(self._sent) + 1
            frame = Frame("b", seq, [time.time_ns() // 10**6], {"CO-02": [5.0]})
            self._sent[seq] = time.perf_counter()
            self._client.publish(frame_topic(PLANT, _OTHER), encode_json(frame), 1)
            time.sleep(_PERIOD_S)
        time.sleep(IN_TIME_S)
        return [self._took.get(seq, float("inf")) for seq in range(first, len(self._sent) + 1)]

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_committed(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        now, committed = time.perf_counter(), decode_committed(bytes(message.payload))
        missing = {seq for first, last in committed.missing for seq in range(first, last + 1)}
        for seq in range(1, committed.seq + 1):
            if seq not in missing and seq not in self._took:
                self._took[seq] = now - self._sent[seq]


def junk(seconds: float, _scale: float) -> tuple[float, dict[str, Any]]:
    """The share of another gateway's frames committed in time, while junk comes for so long and as long again after."""
    with _site() as (at, broker), at as service:
        calm = Calm(broker)
        calm.send_for(1.0)  # code is loaded, the boot is known
        with _flood(broker) as published:
            took = calm.send_for(seconds)
        took += calm.send_for(seconds)
        calm.close()
        journal_mb = sum(file.stat().st_size for file in (service.folder / "data").glob("journal.db*")) >> 20
    in_time = [seconds_taken for seconds_taken in took if seconds_taken <= IN_TIME_S]
    slowest = round(max(in_time) * 1e3) if in_time else None
    more = {"frames": len(took), "slowest_ms": slowest, "junk_mb": published(), "journal_mb": journal_mb}
    return round(len(in_time) / len(took), 3), more


def boots(_seconds: float, scale: float) -> tuple[float, dict[str, Any]]:
    """Milliseconds of the first `GET /api/v1/gateways` after a start with 20,000 boots of one gateway."""
    with _site() as (service, _):
        start_s, asked_s, stop_s = _with_boots(service, round(BOOTS * scale))
    return round(asked_s * 1e3, 1), {"start_s": round(start_s, 2), "stop_s": round(stop_s, 2)}


def start(_seconds: float, scale: float) -> tuple[float, dict[str, Any]]:
    """Seconds from the start of the process until it is ready, with 8,000 boots of one gateway; beside it with none."""
    with _site() as (service, _):
        none_s, _, _ = _with_boots(service, 0)
        start_s, asked_s, stop_s = _with_boots(service, round(BOOTS_AT_START * scale))
    more = {"start_s_boots_0": none_s, "stop_s": stop_s, "gateways_ms": asked_s * 1e3}
    return round(start_s, 2), {name: round(value, 2) for name, value in more.items()}


def _with_boots(service: Service, count: int) -> tuple[float, float, float]:
    """Seconds a start takes, the first list of gateways, and a stop, with so many earlier boots of one gateway."""
    journal = apsw.Connection(str(service.folder / JournalConfig().path))
    with journal:
        journal.executemany(
            "INSERT INTO position (plant, gateway, boot, committed, missing, lost, clock, began, received, frames,"
            " duplicates) VALUES (?, ?, ?, 2, '[[1, 1, 0]]', '[]', 'null', ?, ?, 1, 0)",
            [(PLANT, _HOSTILE, f"old-{number}", number, number) for number in range(1, count + 1)],
        )
    journal.close()
    began = time.perf_counter()
    service.start()
    ready = time.perf_counter()
    service.get("/api/v1/gateways")
    asked = time.perf_counter()
    service.stop()
    stopped = time.perf_counter()
    return ready - began, asked - ready, stopped - asked


@contextmanager
def _site() -> Iterator[tuple[Service, tuple[str, int]]]:
    """A service that is not started, on data as `yujing init` leaves them, and its broker."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        service = Service(Path(name), broker)
        with (
            closing(Journal(service.folder / JournalConfig().path)) as journal,
            closing(Database(service.folder / StateConfig().path)) as database,
        ):
            require_installation(journal, InstallationStore(database), new=True)
        try:
            yield service, broker
        finally:
            service.kill()


@contextmanager
def _flood(broker: tuple[str, int]) -> Iterator[Callable[[], int]]:
    """Messages nobody can read, one after another as fast as the broker takes them; gives how many, which is MiB."""
    stop, free = threading.Event(), threading.Semaphore(_INFLIGHT)
    sent = 0

    def send() -> None:
        nonlocal sent
        while not stop.is_set():
            if free.acquire(timeout=0.1):
                sent += 1
                client.publish(frame_topic(PLANT, _HOSTILE), random.Random(sent).randbytes(JUNK), 1)  # noqa: S311

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_publish = lambda *_: free.release()
    client.connect(*broker)
    client.loop_start()
    sending = threading.Thread(target=send, name="flood")
    sending.start()
    try:
        yield lambda: sent
    finally:
        stop.set()
        sending.join()
        client.disconnect()
        client.loop_stop()


FIGURES: Final[dict[str, Callable[[float, float], tuple[float, dict[str, Any]]]]] = {
    "other_gateway_committed_share_junk": junk,
    f"gateways_ms_boots_{BOOTS}": boots,
    f"start_s_boots_{BOOTS_AT_START}": start,
}
"""Each figure by its name in the JSON: given the seconds and the scale, what was measured and what else was seen."""
