"""The MQTT source keeps what intake relies on, against a real Mosquitto."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.intake.sources.clock import Clock
from ingest.intake.sources.config import MqttConfig
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.mqtt import MqttSource
from ingest.intake.sources.source import Source
from ingest.intake.wire.topics import committed_topic
from tests.conformance.source import PATIENCE_S, TOPIC, SourcePromises, until
from tests.servers import Server, mosquitto_server


@dataclass
class Broker:
    """A broker, and a client of it that receives what is retained."""

    server: Server
    protocol: str
    client: Client

    def source(
        self, handover: Handover, *, known: bool, failed: Callable[[BaseException], None] | None = None
    ) -> Source:
        config = MqttConfig.model_validate(
            {"host": self.server.host, "port": self.server.port, "protocol": self.protocol}
        )
        return MqttSource(config, handover, Clock(), expect_session=known, failed=failed)

    def leave(self) -> None:
        self.server.stop()

    def come_back(self) -> None:
        self.server.start()

    def send(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.client.publish(TOPIC, payload, qos=1).wait_for_publish(PATIENCE_S)

    def settle(self, source: Source) -> None:
        until(lambda: not cast("MqttSource", source)._client._out_packet)

    def heard(self) -> bytes | None:
        found: bytes | None = self.client.user_data_get()
        return found


class TestMqtt(SourcePromises):
    @pytest.fixture(params=["5", "3.1.1"])
    def far(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
        with mosquitto_server(tmp_path, ["max_queued_messages 0"]) as server:
            client = Client(CallbackAPIVersion.VERSION2)
            client.on_message = lambda client, _data, message: client.user_data_set(bytes(message.payload))
            client.connect(server.host, server.port)
            client.loop_start()
            client.subscribe(committed_topic("p", "g"), 1)
            yield Broker(server, request.param, client)
            client.disconnect()
            client.loop_stop()
