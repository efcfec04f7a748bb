"""A plain publisher at QoS 1, for messages no gateway would send; and a subscriber of announcements."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ingest.intake.wire.frame import Committed, decode_committed
from ingest.intake.wire.topics import committed_topic, frame_topic
from tests.small_plant import PLANT

GATEWAY: Final = "GW-01"
INFLIGHT: Final = 1_000
PATIENCE_S: Final = 300.0


class Publisher:
    """Connected for the length of a block."""

    def __init__(self, broker: tuple[str, int], gateway: str = GATEWAY, inflight: int = INFLIGHT) -> None:
        """Connect to nothing yet."""
        self._inflight = inflight
        self._broker = broker
        self._gateway = gateway
        self._news = threading.Condition()
        self._committed: dict[str, Committed] = {}  # by boot
        self._accepted = 0
        self._sent = 0
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(inflight)
        self._client.max_queued_messages_set(0)
        self._client.on_message = self._heard
        self._client.on_publish = self._published

    def __enter__(self) -> Self:
        self._client.connect(*self._broker)
        self._client.subscribe(committed_topic(PLANT, self._gateway), 1)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, payload: bytes, topic: str | None = None) -> None:
        """Hand over a frame, or what belongs to `topic`; never more than `inflight` are with the broker unread."""
        with self._news:
            self._wait(lambda: self._sent - self._accepted < self._inflight, "the broker to accept")
            self._sent += 1
        self._client.publish(topic or frame_topic(PLANT, self._gateway), payload, 1)

    def accepted(self) -> None:
        """Return once the broker has everything."""
        with self._news:
            self._wait(lambda: self._accepted == self._sent, "the broker to accept")

    def committed(self, boot: str, seq: int) -> None:
        """Return once the service says that this frame is on disk."""
        with self._news:
            self._wait(lambda: self._reached(boot) >= seq, f"frame {seq} of {boot} to be on disk")

    def announced(self, boot: str, unlike: Committed | None) -> Committed:
        """What the service says of that boot, once it is something else than that."""
        with self._news:
            self._wait(lambda: self._committed.get(boot) not in (None, unlike), f"something else of {boot}")
            return self._committed[boot]

    def _reached(self, boot: str) -> int:
        return self._committed[boot].seq if boot in self._committed else 0

    def _wait(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if not self._news.wait(deadline - time.monotonic()):
                raise TimeoutError(f"waited in vain for {what}")

    def _heard(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        committed = decode_committed(bytes(message.payload))
        with self._news:
            self._committed[committed.boot] = committed
            self._news.notify_all()

    def _published(self, *_: object) -> None:
        with self._news:
            self._accepted += 1
            self._news.notify_all()
