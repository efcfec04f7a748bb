"""Brokers that do less than is needed, or carry more than a frame may be: reported, never a loop or a silent loss."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from structlog.testing import capture_logs

from ingest.intake.wire.frame import MAX_BYTES, Committed, decode_committed
from ingest.intake.wire.topics import committed_topic, frame_topic, status_topic
from tests.ingest.intake.sources.test_mqtt import PATIENCE_S, TOPIC, publish, source
from tests.ingest.intake.sources.test_trust import of, until
from tests.servers import mosquitto

WHOLE = 4 * MAX_BYTES


@contextmanager
def gateway(address: tuple[str, int]) -> Iterator[Client]:
    """A client of MQTT 5, for the length of the block."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect(*address)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_frame_of_any_size_arrives_and_so_can_be_refused(tmp_path: Path, protocol: str) -> None:
    """Whole if it can be parsed, else its beginning, reported as too large; the next one is unharmed."""
    sizes = [2 * MAX_BYTES, 20 * MAX_BYTES + 7, 0, 7 * MAX_BYTES, 3]
    with (
        mosquitto(tmp_path, ["max_queued_messages 0"]) as address,
        capture_logs() as logs,
        source(address, protocol=protocol) as ours,
    ):
        publish(address, *(bytes([n]) * size for n, size in enumerate(sizes)))
        for n, size in enumerate(sizes):
            message = ours.next()
            assert message.topic == TOPIC
            assert set(message.payload) <= {n}
            if size <= WHOLE:
                assert (len(message.payload), message.whole) == (size, 0)
            else:
                assert message.whole == size
                assert WHOLE < len(message.payload) < 6 * MAX_BYTES
            ours.source.acknowledge([message])
            ours.source.flush()
    assert [entry["bytes"] // MAX_BYTES for entry in of(logs, "publish_cut")] == [20, 7]
    assert of(logs, "broker_disconnected") == []


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_without_retained_messages_is_reported_and_stays_connected(tmp_path: Path, protocol: str) -> None:
    """A retained announcement would end the connection, again after each time it was made. 3.1.1 needs a setting."""
    heard: Queue[bytes] = Queue()
    with (
        mosquitto(tmp_path, ["retain_available false"]) as address,
        capture_logs() as logs,
        source(address, protocol=protocol, retain=protocol == "5") as ours,
        gateway(address) as client,
    ):
        client.on_message = lambda _client, _data, message: heard.put(bytes(message.payload))
        subscribed = threading.Event()
        client.on_subscribe = lambda *_: subscribed.set()
        client.subscribe(committed_topic("p", "g"), 1)
        assert subscribed.wait(PATIENCE_S)
        ours.source.announce([("p", "g", Committed("b1", 7))])
        ours.source.flush()
        assert decode_committed(heard.get(timeout=PATIENCE_S)) == Committed("b1", 7)
        publish(address, b"still here")
        assert ours.next().payload == b"still here"
        assert ours.source.unmet == 1
        assert "retain_available" in str(ours.source.trouble)
        assert ours.source.reading, "readings come in all the same"
    assert [entry["what"] for entry in of(logs, "broker_unfit")] == ["retain"]
    assert of(logs, "broker_disconnected") == []


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_grants_less_than_qos_1_is_reported(tmp_path: Path, protocol: str) -> None:
    """What comes is taken all the same, and no gateway is blamed for it."""
    with (
        mosquitto(tmp_path, ["max_qos 0"]) as address,
        capture_logs() as logs,
        source(address, protocol=protocol) as ours,
        gateway(address) as client,
    ):
        client.publish(TOPIC, b"frame", qos=0)
        message = ours.next()
        assert message.payload == b"frame"
        ours.source.acknowledge([message])
        ours.source.flush()
        assert ours.source.unmet == 1
        assert "QoS 0 was granted" in str(ours.source.trouble)
    assert [entry["what"] for entry in of(logs, "broker_unfit")] == ["qos"]
    assert of(logs, "frames_unassured") == []


def test_a_broker_whose_packets_are_too_small_for_a_frame_is_reported(tmp_path: Path) -> None:
    with mosquitto(tmp_path, ["max_packet_size 5000"]) as address, capture_logs() as logs, source(address) as ours:
        assert ours.source.trouble is None, "small frames come through"
    (refusal,) = of(logs, "broker_takes_less")
    assert (refusal["most_bytes"], refusal["expected_bytes"]) == (5000, MAX_BYTES + 1024)


def test_frames_at_qos_0_and_retained_frames_are_reported_once_a_gateway(tmp_path: Path) -> None:
    """Statuses are meant to be retained; QoS 1 is as it should be."""
    with mosquitto(tmp_path) as address, capture_logs() as logs:
        with gateway(address) as client:
            client.publish(status_topic("p", "good"), b"{}", qos=1, retain=True).wait_for_publish(PATIENCE_S)
            client.publish(frame_topic("p", "kept"), b"old", qos=1, retain=True).wait_for_publish(PATIENCE_S)
            with source(address) as ours:
                for _ in range(2):
                    ours.source.acknowledge([ours.next()])
                    ours.source.flush()
                for name, qos in (("loose", 0), ("good", 1), ("loose", 0), ("good", 1)):
                    client.publish(frame_topic("p", name), b"now", qos=qos)
                taken = [ours.next() for _ in range(4)]
                for message in taken:
                    ours.source.acknowledge([message])
                    ours.source.flush()
        until(lambda: len(of(logs, "frames_unassured")) == 2)
    unassured = {(entry["plant"], entry["gateway"], entry["how"]) for entry in of(logs, "frames_unassured")}
    assert unassured == {("p", "kept", "retained"), ("p", "loose", "QoS 0")}
