"""A calibration by key switch at the real service, killed meanwhile: its gas raises nothing, the history says so."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.domain.model.device_status import STATUS_FLAGS, DeviceStatus
from ingest.intake.wire.frame import Frame, encode_json
from ingest.intake.wire.topics import frame_topic
from tests.e2e.service import Service
from tests.ingest.engine.contacts import HEALTHY, WIRED
from tests.servers import mosquitto
from tests.small_plant import PLANT, write_plant

GAS = 170.0
POINT = f"/api/v1/plants/{PLANT}/points/CO-01"


class Gateway:
    """GW-01 of the small plant: a frame whenever it is asked."""

    def __init__(self, broker: tuple[str, int], service: Service) -> None:
        self._client, self._service, self._seq = mqtt.Client(CallbackAPIVersion.VERSION2), service, 0
        self._client.connect(*broker)
        self._client.loop_start()

    def send(self, value: float, contacts: Mapping[str, float]) -> str:
        """Send CO-01 and these contacts of it; return the status of the instrument once the reading was judged."""
        self._seq += 1
        named: dict[str, list[float | None]] = {name: [number] for name, number in {"CO-01": value, **contacts}.items()}
        now = time.time_ns() // 10**6
        self._client.publish(frame_topic(PLANT, "GW-01"), encode_json(Frame("b1", self._seq, [now], named)), qos=1)
        self._service.until(lambda: self._judged() == now, "the reading that was sent")
        status: str = self._service.get(POINT)["latest"]["status"]
        return status

    def _judged(self) -> int | None:
        """When the newest reading was made, ms."""
        newest = self._service.get(POINT)["latest"]["time"]
        return round(dt.datetime.fromisoformat(newest).timestamp() * 1e3) if newest else None

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def process_alarms(service: Service) -> set[str]:
    """Rules on what the point reads; on a slow machine it may be silent, which is told by others."""
    return {alarm["rule"] for alarm in service.get("/api/v1/alarms")["alarms"]} & {"H", "HH"}


def test_calibration_gas_is_no_alarm_over_a_kill_and_the_history_says_what_it_was(tmp_path: Path) -> None:
    write_plant(tmp_path, WIRED)
    where = tmp_path / "data" / "history.duckdb"
    more = f'[history]\nkind = "duckdb"\npath = "{where}"\n'
    with mosquitto(tmp_path) as broker, Service(tmp_path, broker, more, WIRED) as service:
        with closing(Gateway(broker, service)) as gateway:
            assert gateway.send(5.0, HEALTHY) == "good"
            assert gateway.send(GAS, {**HEALTHY, "CO-01-CAL": 1.0}) == "function-check"
            service.kill()
            service.start()
            assert gateway.send(GAS, {}) == "function-check"
            assert process_alarms(service) == set()
            (check,) = [
                contact for contact in service.get(POINT)["status_contacts"] if contact["status"] == "function-check"
            ]
            assert (check["point"], check["active"]) == ("CO-01-CAL", True)
            assert gateway.send(5.0, {**HEALTHY, "CO-01-FAULT": 1.0}) == "failure"
            assert gateway.send(GAS, HEALTHY) == "good"
            service.until(lambda: process_alarms(service) == {"H", "HH"}, "the alarms of gas that is no test")
            service.until(
                lambda: sum(bucket["count"] for bucket in buckets(service)) == 5, "all readings in the history"
            )
        assert service.stop() == 0
    with duckdb.connect(str(where), read_only=True) as history:
        rows = history.sql("SELECT value, quality FROM readings_by_name WHERE point = 'CO-01' ORDER BY time").fetchall()
    tested, failed = (int(STATUS_FLAGS[status]) for status in (DeviceStatus.FUNCTION_CHECK, DeviceStatus.FAILURE))
    assert rows == [(5.0, 0), (GAS, tested), (GAS, tested), (5.0, failed), (GAS, 0)]


def buckets(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.get(f"{POINT}/readings", buckets=1)["buckets"]
    return found
