"""Event streams of the real service over kills and restarts: a ledger of every event, kept by clients of our own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt
import pytest
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from ingest.storage.state.config import StateConfig
from ingest.storage.state.read_only import reading
from ingest.storage.state.tables import alarm_event
from tests.e2e.service import Service
from tests.servers import HTTP, mosquitto
from tests.small_plant import PLANT

KILLS = 2
CHANGES_A_LIFE = 30


class Follower:
    """A client that follows alarm events as browsers do: from where it broke off, by the last id it was given."""

    def __init__(self, service: Service) -> None:
        self.seen: list[int] = []
        self.last: str | None = None
        self.began = threading.Event()
        self.allowed = threading.Event()  # to connect
        self._service = service
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self.allowed.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._over.is_set():
            self.allowed.wait()
            try:
                self._follow()
            except httpx.TransportError:
                time.sleep(0.02)

    def _follow(self) -> None:
        headers = self._service.headers | ({} if self.last is None else {"last-event-id": self.last})
        url = f"{self._service.url}/api/v1/alarms/stream"
        with HTTP.stream("GET", url, headers=headers, timeout=20) as answer:
            event: dict[str, str] = {}
            for line in answer.iter_lines():
                self.began.set()
                if self._over.is_set():
                    return
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                    continue
                self.last = event.get("id", self.last)
                if event.get("event") == "alarm":
                    self.seen.append(json.loads(event["data"])["seq"])
                event = {}


class Points:
    """Two gateways, each with a point that goes up and down across its limits."""

    def __init__(self, broker: tuple[str, int]) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="points")
        self._client.connect(*broker)
        self._client.loop_start()
        self._boot, self._seq = f"b{time.time_ns():x}", 0

    def change(self) -> None:
        self._seq += 1
        value = 200.0 if self._seq % 2 else 1.0
        for number in (1, 2):
            values = {f"CO-0{number}": [value]}
            frame = {"boot": self._boot, "seq": self._seq, "time": [time.time_ns() // 10**6], "values": values}
            topic = f"yujing/v1/{PLANT}/GW-0{number}/frame"
            self._client.publish(topic, json.dumps(frame), qos=1).wait_for_publish(30)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[Service, Points]]:
    with mosquitto(tmp_path) as broker, Service(tmp_path, broker) as service:
        points = Points(broker)
        yield service, points
        points.close()


def committed(service: Service) -> list[int]:
    """The numbers of every event there is."""
    with reading(StateConfig(path=service.folder / StateConfig().path)) as connection:
        return list(connection.scalars(sa.select(alarm_event.c.seq).order_by(alarm_event.c.seq)))


@pytest.mark.timeout(600)
def test_a_stream_misses_nothing_that_happened_while_the_service_was_killed(service: tuple[Service, Points]) -> None:
    """Neither one that had seen no event yet, nor one that comes back long after the service, nor one that hurries."""
    running, points = service
    followers = [Follower(running) for _ in range(3)]
    for follower in followers:
        follower.allowed.set()
    running.until(lambda: all(follower.began.is_set() for follower in followers), "every stream to begin")
    for _ in range(KILLS):
        followers[0].allowed.clear()
        running.kill()
        before = len(committed(running))
        running.start()
        points.change()
        running.until(lambda known=before: len(committed(running)) > known, "events that nobody saw")  # type: ignore[misc]
        followers[0].allowed.set()
        for _ in range(CHANGES_A_LIFE):
            points.change()
    everything = committed(running)
    assert len(everything) > KILLS
    running.until(
        lambda: all(follower.seen and follower.seen[-1] >= everything[-1] for follower in followers), "the newest event"
    )
    for follower in followers:
        follower.stop()
    assert [[seq for seq in follower.seen if seq <= everything[-1]] for follower in followers] == [everything] * 3
