"""A point that is renamed while its alarm stands, at the real service: the same alarm, and nobody is called again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.intake.wire.frame import Frame, encode_json
from ingest.intake.wire.topics import frame_topic
from tests.e2e.service import Service
from tests.servers import HTTP, mosquitto
from tests.small_plant import PLANT, TEXT

EVERY_S = 0.2
RENAMED = TEXT.replace('id = "CO-01"', 'id = "CO-09"\nwas = "CO-01"')


class Gateway:
    """GW-01 of the small plant: one reading of one point, again and again."""

    def __init__(self, client: mqtt.Client) -> None:
        self.reads: tuple[str, float] | None = ("CO-01", 5.0)
        self.sent: dict[str, int] = {}
        self._client = client
        self._lock = threading.Lock()
        self._seq = 0

    def publish(self) -> None:
        """One frame."""
        with self._lock:
            if self.reads is None:
                return
            point, value = self.reads
            self._seq += 1
            self.sent[point] = self.sent.get(point, 0) + 1
            payload = encode_json(Frame("b1", self._seq, [time.time_ns() // 10**6], {point: [value]}))
            self._client.publish(frame_topic(PLANT, "GW-01"), payload, qos=1)

    def read(self, point: str | None, value: float = 0.0) -> int:
        """From now on it reads this, or nothing; returns how many readings of the point before were sent."""
        with self._lock:
            before = self.reads
            self.reads = None if point is None else (point, value)
            return self.sent.get(before[0], 0) if before else 0


@contextmanager
def gateway(broker: tuple[str, int]) -> Iterator[Gateway]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect(*broker)
    client.loop_start()
    made, over = Gateway(client), threading.Event()

    def run() -> None:
        while not over.wait(EVERY_S):
            made.publish()

    thread = threading.Thread(target=run, name="gateway")
    thread.start()
    try:
        yield made
    finally:
        over.set()
        thread.join()
        client.disconnect()
        client.loop_stop()


def of_values(service: Service) -> list[dict[str, Any]]:
    """Alarms on what the point reads; that it may be late on a slow machine is another alarm's matter."""
    return [alarm for alarm in service.get("/api/v1/alarms")["alarms"] if alarm["rule"] in {"H", "HH"}]


def kinds(service: Service, alarm: str) -> list[str]:
    return [event["event"] for event in service.get(f"/api/v1/alarms/{alarm}")["history"]]


def test_a_point_renamed_while_its_alarm_stands_keeps_it_acknowledged_and_has_one_history(tmp_path: Path) -> None:
    """Over a kill, too. It has returned only when it was seen to."""
    with mosquitto(tmp_path) as broker, Service(tmp_path, broker) as service, gateway(broker) as sends:

        def at(point: str) -> str:
            return f"/api/v1/plants/{PLANT}/points/{point}"

        def kept(point: str) -> int:
            return sum(bucket["count"] for bucket in service.get(f"{at(point)}/readings", buckets=1)["buckets"])

        def page(path: str) -> str:
            answer = HTTP.get(service.url + path, headers=service.headers)
            return answer.raise_for_status().text

        sends.read("CO-01", 170)
        service.until(lambda: len(of_values(service)) == 2, "both alarms")
        before = {of_value["rule"]: of_value["id"] for of_value in of_values(service)}
        for alarm in before.values():
            answer = HTTP.post(
                f"{service.url}/api/v1/alarms/{alarm}/acknowledge",
                json={"raises": 1},
                headers=service.headers,
            )
            assert answer.is_success, answer.text
        read = sends.read(None)
        service.until(lambda: kept("CO-01") == read, "the readings under the old id in the history")

        (tmp_path / "plants" / f"{PLANT}.toml").write_text(RENAMED, encoding="utf-8")
        service.until(lambda: of_values(service)[0]["point"] == "CO-09", "the new id")
        sends.read("CO-09", 171)
        for restarted in (False, True):
            if restarted:
                service.kill()
                service.start()
            more = sends.sent.get("CO-09", 0) + 5
            service.until(lambda more=more: kept("CO-09") >= read + more, "readings under both ids")  # type: ignore[misc]
            service.until(lambda: service.get(at("CO-09"))["latest"]["value"] == 171, "the newest reading")
            assert service.get(at("CO-09"))["was"] == "CO-01"
            after = of_values(service)
            assert {alarm["rule"]: alarm["id"] for alarm in after} == before
            assert {(alarm["point"], alarm["state"]) for alarm in after} == {("CO-09", "acknowledged")}
            assert [kinds(service, alarm) for alarm in before.values()] == [["raised", "acknowledged"]] * 2
            assert "CO-09" in page("/alarms")
            assert "CO-01" in page(f"/plants/{PLANT}/points/CO-09")

        sends.read("CO-09", 5)
        service.until(
            lambda: {of_value["state"] for of_value in of_values(service)} == {"normal"}, "the end of the alarms"
        )
        assert {of_value["rule"]: of_value["id"] for of_value in of_values(service)} == before
        assert [kinds(service, alarm) for alarm in before.values()] == [["raised", "acknowledged", "returned"]] * 2
        (renamed,) = service.get("/api/v1/audit", kind="point")["acts"]
        assert (renamed["action"], renamed["subject"], renamed["detail"]["was"]) == ("renamed", "CO-09", "CO-01")
        assert service.stop() == 0
