"""The buffered client reads every packet as the protocol has it, however the bytes are cut, and refuses the rest."""

from __future__ import annotations

import socket
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

from ingest.intake.sources.buffered import BufferedClient
from ingest.intake.sources.packets import Publish
from ingest.intake.wire.frame import MAX_BYTES

PATIENCE_S = 60.0
FIVE, THREE = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


class Fed(BufferedClient):
    """A client whose socket is a list of chunks."""

    def __init__(self, protocol: MQTTProtocolVersion) -> None:
        self.got: list[Publish] = []
        self.others: list[bytes] = []
        self.missing: list[int] = []
        super().__init__(self.take, "c", protocol)

    def take(self, publishes: list[Publish], missing: int) -> None:
        self.got += publishes
        self.missing.append(missing)

    def feed(self, chunk: bytes) -> MQTTErrorCode:
        self.chunk = chunk
        return self._packet_read()

    def _sock_recv(self, bufsize: int) -> bytes:
        return self.chunk

    def _packet_handle(self) -> MQTTErrorCode:
        self.others.append(bytes(self._in_packet["packet"]))
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def length(number: int) -> bytes:
    """A variable byte integer (MQTT 5, 1.5.5)."""
    digits = b""
    while True:
        number, digit = divmod(number, 128)
        digits += bytes([digit | (128 if number else 0)])
        if not number:
            return digits


def publish(
    topic: bytes, payload: bytes, packet: int, *, retained: bool = False, qos: int = 1, properties: bytes | None = b""
) -> bytes:
    """A PUBLISH as the standard draws it; `properties` None = MQTT 3.1.1."""
    body = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", packet) if qos else b"")
    body += b"" if properties is None else length(len(properties)) + properties
    body += payload
    return bytes([0x30 | qos << 1 | retained]) + length(len(body)) + body


@given(
    messages=st.lists(
        st.tuples(st.binary(min_size=1, max_size=300), st.binary(max_size=3000), st.integers(1, 65535), st.booleans())
    ),
    cuts=st.lists(st.integers(0, 1 << 16), max_size=20),
    five=st.booleans(),
    properties=st.binary(max_size=300),
)
def test_publishes_cut_anywhere_are_read_whole_and_in_order(
    messages: list[Publish], cuts: list[int], five: bool, properties: bytes
) -> None:
    stream = b"".join(
        publish(topic, payload, packet, retained=retained, properties=properties if five else None) + b"\xd0\x00"
        for topic, payload, packet, retained in messages
    )
    client = Fed(FIVE if five else THREE)
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        assert client.feed(stream[start:end]) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert client.got == messages
    assert client.others == [b""] * len(messages), "a PINGRESP after each"
    assert set(client.missing) <= {0}


@pytest.mark.parametrize("five", [True, False])
def test_a_truncated_publish_is_reported_with_the_number_of_missing_bytes(five: bool) -> None:
    """Once, with the publish that was cut, whatever came before it and comes after it."""
    properties = b"p" * 9 if five else None
    payload = b"x" * (7 * MAX_BYTES + 3)
    small = publish(b"t", b"before", 1, properties=properties), publish(b"t", b"after", 3, properties=properties)
    stream = small[0] + publish(b"t", payload, 2, properties=properties) + small[1]
    client = Fed(FIVE if five else THREE)
    for start in range(0, len(stream), 1 << 18):
        assert client.feed(stream[start : start + (1 << 18)]) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert [len(packet[1]) for packet in client.got] == [6, len(payload) - sum(client.missing), 5]
    assert [missing > 0 for missing in client.missing] == [False, True, False]


def test_a_publish_that_wants_no_acknowledgement_has_no_packet_id() -> None:
    client = Fed(FIVE)
    client.feed(publish(b"t", b"x", 0, qos=0))
    assert client.got == [(b"t", b"x", 0, False)]


@pytest.mark.parametrize(
    "stream",
    [
        publish(b"t", b"", 1, qos=2),
        b"\x32\x00",
        b"\x32\x01\x00",
        b"\x32\xff\xff\xff\xff\x01",
        b"\x32\x03\x00\x09t",
        b"\x32\x05\x00\x01t\x00\x01\x32",
        b"\x32\x06\x00\x01t\x00\x01\xff",
        b"\x32\x07\x00\x01t\x00\x01\x09x",
    ],
    ids=[
        "qos-2",
        "empty",
        "half-a-length",
        "length-too-long",
        "topic-beyond-the-packet",
        "no-properties",
        "properties-do-not-end",
        "properties-beyond",
    ],
)
def test_what_is_no_mqtt_ends_the_connection(stream: bytes) -> None:
    """Paho closes it and connects again; the broker sends what was not acknowledged once more."""
    for after in (b"", publish(b"t", b"after", 2)):
        client = Fed(FIVE)
        assert client.feed(stream + after) == MQTTErrorCode.MQTT_ERR_PROTOCOL
        assert client.got == []


def test_a_new_connection_begins_with_nothing_of_the_old_one() -> None:
    client = Fed(FIVE)
    client.feed(publish(b"t", b"x", 1)[:-1])
    client.acknowledge([1, 2])
    client.reset_connection()
    client.flush()
    assert not client._out_packet
    client.feed(publish(b"t", b"y", 2))
    assert client.got == [(b"t", b"y", 2, False)]


def test_many_acknowledgements_go_out_in_one_write_and_in_order() -> None:
    client = Fed(FIVE)
    client.acknowledge([1, 258])
    client.acknowledge([3])
    client.flush()
    (packet,) = client._out_packet
    assert packet["packet"] == b"\x40\x02\x00\x01\x40\x02\x01\x02\x40\x02\x00\x03"
    client.acknowledge([])
    client.flush()
    assert len(client._out_packet) == 1


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="the option is Linux's")
def test_what_is_read_is_confirmed_at_once_each_time() -> None:
    """Else a broker that keeps small packets together (Nagle) keeps the next ones for 40 ms."""
    asked: list[tuple[int, ...]] = []

    class Asked(socket.socket):
        def setsockopt(self, *options: int) -> None:  # type: ignore[override]
            asked.append(options)

    with Asked() as sock:
        client = Fed(FIVE)
        client._sock = sock
        for packet in (1, 2, 3):
            client.feed(publish(b"t", b"x", packet))
        assert asked == [(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)] * 3
        client._sock = None
