"""The service of the end-to-end tests, started through another launcher: traced, weakened, or doomed to die."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import Final, Literal

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.intake.wire.frame import encode_status
from ingest.intake.wire.topics import status_topic
from tests.e2e.service import Service
from tests.forked import PYTHON
from tests.small_plant import PLANT

CLI: Final = (*PYTHON, "ingest")


class Launched(Service):
    """A service whose command line begins with `launcher`, which may be changed between starts."""

    def __init__(
        self,
        folder: Path,
        broker: tuple[str, int],
        more: str = "",
        plant: str | None = None,
        launcher: Sequence[str] = CLI,
        protocol: Literal["5", "3.1.1"] = "5",
        *,
        fresh: bool = False,
    ) -> None:
        """See `Service`."""
        super().__init__(folder, broker, more, plant, fresh=fresh)
        text = self.config.read_text(encoding="utf-8")
        mqtt = f'[mqtt]\nprotocol = "{protocol}"\nkeepalive_s = 5'
        self.config.write_text(text.replace("[mqtt]", mqtt, 1), encoding="utf-8")
        self.protocol = protocol
        self.launcher = launcher
        self.broker = broker

    def command(self, *arguments: str) -> list[str]:
        """The command line of `yujing` behind the launcher."""
        return [*self.launcher, *arguments]

    def start(self) -> None:
        """Start, and return once what is published reaches it."""
        super().start()
        if self.protocol == "5":  # older brokers tell a publisher nothing; what is lost the gateway sends again
            self.until(lambda: subscribed(self.broker), "the service to subscribe")

    def alive(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def dead(self, timeout_s: float) -> int | None:
        """The exit code once it has ended, or None if it has not in time."""
        if self._process is None:
            raise RuntimeError("not running")
        deadline = time.monotonic() + timeout_s
        while (code := self._process.poll()) is None and time.monotonic() < deadline:
            time.sleep(0.005)
        if code is not None:
            self._ended, self._process = code, None
        return code


def subscribed(broker: tuple[str, int]) -> bool:
    """Whether somebody would get a gateway's status, which the broker reports to publishers with MQTT 5."""
    reasons: Queue[ReasonCode] = Queue()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_publish = lambda _client, _data, _mid, reason, _properties: reasons.put(reason)
    try:
        client.connect(*broker)
    except OSError:
        return False
    client.loop_start()
    client.publish(status_topic(PLANT, "GW-01"), encode_status(True), 1)
    try:
        return reasons.get(timeout=5).value == 0  # 16: no matching subscribers
    except Empty:
        return False
    finally:
        client.disconnect()
        client.loop_stop()
