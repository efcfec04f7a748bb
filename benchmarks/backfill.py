"""How long a live alarm takes to its webhook while another gateway back-fills three days, beside a quiet service.

Whole service, real Mosquitto and InfluxDB. One gateway raises and clears an alarm all the time; a few others then send
72 h of 50 points as fast as they are taken: once marked `historical`, once as a buffer sent oldest first after an
outage. What counts is from the publish of a reading to the arrival of its webhook, both seen by this process.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.intake import BROKER, publish, service, stored
from benchmarks.load import Load, write_plants
from tests.ingest.connectors.receiver import Receiver, Reply, Request
from tests.servers import influxd, mosquitto

DAYS_S: Final = 72 * 3600
BACKFILL_GATEWAYS: Final = 3
"""Of 20 points each."""

_TIMES: Final = 10  # instants a frame
_UNREAD: Final = 100  # frames on their way: what waits in the broker is ahead of everything, and not ours to order
_PERIOD_S: Final = 0.25  # of the live gateway's frames: every second one raises, the other clears


@dataclass
class LiveAlarms:
    """A gateway that raises and clears one alarm without end, and when each webhook of it arrived.

    Attributes:
        delays_s: publish of the reading to arrival of its webhook, of those that have arrived.
    """

    plant: str
    gateway: str
    point: str
    port: int
    delays_s: list[float] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send until the end of the block."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()

    def hook(self, request: Request) -> Reply:
        """Take a webhook."""
        data = json.loads(request.body)["data"]
        if "alarm" not in data:
            return Reply()
        if data["alarm"]["point"] == self.point and data["event"] in {"raised", "returned"}:
            self.delays_s.append(time.time() - datetime.fromisoformat(data["time"]).timestamp())
        return Reply()

    def arrived(self, count: int) -> Callable[[], bool]:
        """Whether so many webhooks have come."""
        return lambda: len(self.delays_s) >= count

    def _run(self) -> None:
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        boot = f"live{time.time_ns():x}"
        while not self._stop.wait(_PERIOD_S):
            self.sent += 1
            value = 300.0 if self.sent % 2 else 8.0
            frame = {"boot": boot, "seq": self.sent, "time": [time.time_ns() // 10**6], "values": {self.point: [value]}}
            client.publish(f"yujing/v1/{self.plant}/{self.gateway}/frame", json.dumps(frame), qos=1)
        client.disconnect()
        client.loop_stop()


def backfill_ratio(*, historical: bool, hours: float = 72, quiet_s: float = 15) -> dict[str, float]:
    """Delays of live alarms (ms) while hours of readings are back-filled, and their p99 by that of a quiet service."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plants(folder / "plants", BACKFILL_GATEWAYS + 1, prompt=True)
        (folder / "secret").write_text("whsec_" + "YSBzZWNyZXQgb2YgdGhpcyBiZW5jaG1hcms=")
        with mosquitto(folder, BROKER) as broker, influxd(folder) as influx, Receiver() as receiver:
            live = LiveAlarms("load-0", f"GW-{BACKFILL_GATEWAYS}", f"P-{BACKFILL_GATEWAYS:02d}-00", broker[1])
            receiver.answer = live.hook
            hook = f'[[connectors.webhooks]]\nname = "h"\nurl = "{receiver.url}"\nsecret = {{ file = "secret" }}\n'
            with service(folder, broker, influx, hook), live.running():
                time.sleep(quiet_s)
                quiet, before = list(live.delays_s), live.sent
                messages = int(hours * 3600 * BACKFILL_GATEWAYS / _TIMES)
                began = time.monotonic()
                publish(
                    broker,
                    Load(
                        messages,
                        gateways=BACKFILL_GATEWAYS,
                        times=_TIMES,
                        ago_s=hours * 3600,
                        every_ms=1000,
                        historical=historical,
                        unread=_UNREAD,
                    ),
                )
                committed_s = time.monotonic() - began
                readings = messages * _TIMES * 20
                deadline = time.monotonic() + 300
                while stored(influx) < readings and time.monotonic() < deadline:
                    time.sleep(0.2)
                stored_s = time.monotonic() - began
                sent = live.sent
                while len(live.delays_s) < sent and time.monotonic() < deadline:
                    time.sleep(0.1)
            busy = live.delays_s[before:sent]
    p50, p99 = (np.percentile(busy, [50, 99]) * 1000).tolist()
    q50, q99 = (np.percentile(quiet, [50, 99]) * 1000).tolist()
    return {
        "readings": readings,
        "quiet_alarms": len(quiet),
        "alarms": len(busy),
        "missing": sent - len(live.delays_s),
        "quiet_p50_ms": q50,
        "quiet_p99_ms": q99,
        "p50_ms": p50,
        "p99_ms": p99,
        "ratio": p99 / q99,
        "committed_s": committed_s,
        "stored_s": stored_s,
    }
