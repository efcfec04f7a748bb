"""The MQTT source against a real Mosquitto: nothing is acknowledged early, nothing is dropped when we are slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from structlog.testing import capture_logs

from ingest.sources.mqtt import MqttConfig, MqttSource
from ingest.sources.raw import Raw
from ingest.wire.frame import Committed, decode_committed
from ingest.wire.topics import committed_topic, frame_topic
from tests.servers import mosquitto, mosquitto_server

PATIENCE_S = 20.0
TOPIC = frame_topic("p", "g")


@contextmanager
def source(
    address: tuple[str, int], queue: Queue[Raw], *, expect: bool = False, protocol: str = "5"
) -> Iterator[MqttSource]:
    """A source that is subscribed for the length of the block."""
    config = MqttConfig.model_validate({"host": address[0], "port": address[1], "protocol": protocol})
    made = MqttSource(config, queue, expect_session=expect)
    subscribed = threading.Event()
    made.start(subscribed.set)
    try:
        assert subscribed.wait(PATIENCE_S)
        yield made
    finally:
        made.stop()


def publish(address: tuple[str, int], *payloads: bytes) -> None:
    """Publish frames at QoS 1, each accepted by the broker."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect(*address)
    client.loop_start()
    for payload in payloads:
        client.publish(TOPIC, payload, qos=1).wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def drain(queue: Queue[Raw]) -> list[Raw]:
    """What is waiting, and whatever comes within a moment."""
    taken = []
    while True:
        try:
            taken.append(queue.get(timeout=0.5))
        except Empty:
            return taken


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(tmp_path: Path, protocol: str) -> None:
    queue: Queue[Raw] = Queue(100)
    with mosquitto(tmp_path) as address:
        with source(address, queue, protocol=protocol):
            publish(address, b"kept", b"lost in a crash")
            first, second = queue.get(timeout=PATIENCE_S), queue.get(timeout=PATIENCE_S)
            assert (first.topic, first.payload, second.payload) == (TOPIC, b"kept", b"lost in a crash")
            first.acknowledge()
            time.sleep(0.2)  # let the acknowledgement leave before the connection goes
        publish(address, b"while away")
        with source(address, queue, expect=True, protocol=protocol):
            again = [queue.get(timeout=PATIENCE_S).payload for _ in range(2)]
            assert again == [b"lost in a crash", b"while away"]
            assert drain(queue) == []


def test_a_full_queue_holds_the_broker_back_and_loses_nothing(tmp_path: Path) -> None:
    queue: Queue[Raw] = Queue(2)
    payloads = [str(n).encode() for n in range(200)]
    with mosquitto(tmp_path, ["max_queued_messages 0"]) as address, source(address, queue):
        publish(address, *payloads)
        time.sleep(1.5)  # long enough for a hand-over that gives up to give up
        got: list[bytes] = []
        while len(got) < len(payloads):
            message = queue.get(timeout=PATIENCE_S)
            got.append(message.payload)
            message.acknowledge()
        assert got == payloads


def test_an_acknowledgement_of_an_earlier_connection_is_dropped(tmp_path: Path) -> None:
    """Its packet id may mean another message by then: the later message must come again."""
    queue: Queue[Raw] = Queue(100)
    with mosquitto_server(tmp_path) as broker:
        address = (broker.host, broker.port)
        with source(address, queue) as ours:
            publish(address, b"one")
            stale = queue.get(timeout=PATIENCE_S)
            broker.kill()
            until(lambda: not ours.connected)
            broker.start()
            until(lambda: ours.connected)
            publish(address, b"two")
            until(lambda: any(raw.payload == b"two" for raw in queue.queue))
            stale.acknowledge()
            time.sleep(0.2)
        with source(address, queue):
            until(lambda: sum(raw.payload == b"two" for raw in queue.queue) == 2)


def test_a_broker_that_forgot_us_is_told_of(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as address, capture_logs() as logs:
        with source(address, Queue(), expect=True):
            pass
        assert [entry["event"] for entry in logs if entry["event"] == "session_lost"] == ["session_lost"]
        with source(address, Queue(), expect=True):
            pass
        assert len([entry for entry in logs if entry["event"] == "session_lost"]) == 1, "now it knows us"


def test_what_is_committed_is_there_for_a_gateway_that_comes_later(tmp_path: Path) -> None:
    heard: Queue[bytes] = Queue()
    with mosquitto(tmp_path) as address, source(address, Queue()) as ours:
        ours.announce("p", "g", Committed("b1", 7, [(2, 3)]))
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda _client, _data, message: heard.put(bytes(message.payload))
        client.connect(*address)
        client.loop_start()
        deadline = time.monotonic() + PATIENCE_S
        while heard.empty() and time.monotonic() < deadline:
            client.subscribe(committed_topic("p", "g"), 1)
            time.sleep(0.1)
        client.disconnect()
        client.loop_stop()
    assert decode_committed(heard.get_nowait()) == Committed("b1", 7, [(2, 3)])
