"""The buffered client reads every packet as the protocol has it, however the bytes are cut, and refuses the rest."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

from ingest.base.pace import Pace
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
def test_of_a_publish_that_is_cut_it_is_said_how_much_is_missing(five: bool) -> None:
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


@contextmanager
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        theirs, _ = server.accept()
        with theirs:
            yield ours, theirs


class Resting(BufferedClient):
    """A client on a real connection, that rests for so long before each read."""

    def __init__(self, sock: socket.socket, rest_s: float, *, alone: bool = False) -> None:
        self.got: list[list[bytes]] = []
        super().__init__(
            lambda publishes, _missing: self.got.append([payload for _, payload, *_ in publishes]),
            "c",
            FIVE,
            pace=Pace(rest_s, rest_s),
        )
        sock.setblocking(False)
        self._sock, self._alone = sock, alone
        self._pace.begin()
        self._pace.end()


@pytest.mark.parametrize("alone", [True, False])
def test_what_is_said_while_it_rests_goes_out_at_once_and_what_comes_is_handed_on_together(*, alone: bool) -> None:
    """Twice: acknowledgements must not wait for the next read."""
    with line() as (ours, theirs):
        theirs.settimeout(PATIENCE_S)
        client = Resting(ours, 2, alone=alone)
        resting = threading.Thread(target=client._loop)
        resting.start()
        for packet in (1, 2):
            theirs.send(publish(b"t", bytes([packet]), packet))
            client.acknowledge([packet])
            client.flush()
            assert theirs.recv(100) == b"\x40\x02\x00" + bytes([packet])
            assert client.got == []
        assert resting.is_alive()
        resting.join(PATIENCE_S)
        client._sock = None
    assert client.got == [[b"\x01", b"\x02"]]


def test_a_rest_ends_as_soon_as_there_is_much_to_read_and_tells_nothing_of_the_broker() -> None:
    with line() as (ours, theirs):
        client = Resting(ours, 0.5)
        frames = [publish(b"t", bytes(10_000), 1) for _ in range(20)]
        sending = threading.Thread(target=theirs.sendall, args=(b"".join(frames),))
        sending.start()
        while sum(map(len, client.got)) < len(frames):
            client._loop(0.1)
            client._pace.hurry()  # only the first rests
        sending.join(PATIENCE_S)
        client._sock = None
    assert len(client.got[0]) < len(frames), "the whole rest was waited for"
    assert client._held_back.rest_s(1) == 1


def test_a_packet_that_comes_in_pieces_while_it_rests_is_handed_on_whole() -> None:
    """Cut anywhere, in the first rest and the next."""
    whole = publish(b"t", bytes(300), 1)
    for cut in (1, 3, 150, len(whole) - 1):
        with line() as (ours, theirs):
            client = Resting(ours, 0.2)
            theirs.send(whole[:cut])
            client._loop(0.1)
            assert client.got == []
            theirs.send(whole[cut:] + whole)
            while sum(map(len, client.got)) < 2:
                client._loop(0.1)
            client._sock = None


def test_much_at_a_time_is_read_without_a_rest() -> None:
    """Large frames are few: their bytes count as well."""
    frames = [publish(b"t", bytes(10_000), 1) for _ in range(200)]
    with line() as (ours, theirs):
        client = Resting(ours, 4 * PATIENCE_S)
        client._pace.hurry()
        sending = threading.Thread(target=theirs.sendall, args=(b"".join(frames),))
        sending.start()
        while not client.got or len(client.got[-1]) * 10_000 >= 1 << 16:  # ends with the first that may rest
            client._loop(1)
        client._pace.hurry()
        while sum(map(len, client.got)) < len(frames):
            client._loop(0.1)
            client._pace.hurry()
        sending.join(PATIENCE_S)
        client._sock = None


def test_why_the_connection_ended_in_a_rest_is_kept() -> None:
    with line() as (ours, theirs):
        client = Resting(ours, 0.2)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends by a reset
        theirs.close()
        client._loop(0.1)
        assert isinstance(client.connection_error, ConnectionResetError)
        client._sock = None


def test_an_end_of_the_connection_in_a_rest_is_found_by_the_next_read() -> None:
    """And what came before it is handed on."""
    with line() as (ours, theirs):
        client = Resting(ours, 0.2)
        theirs.send(publish(b"t", b"last", 1))
        theirs.close()
        client._loop(0.1)
        assert client.got == [[b"last"]]
        client._pace.hurry()
        assert client._packet_read() == MQTTErrorCode.MQTT_ERR_CONN_LOST
        client._sock = None


def test_a_broker_that_lets_few_messages_be_unacknowledged_is_not_waited_for() -> None:
    """It sends twenty, then waits for as many acknowledgements: a hundred times, of which nearly all follow at once."""
    windows, window = 100, 20
    with line() as (ours, theirs):
        client = Resting(ours, 0.04)
        rests, acknowledged = 0, 0

        def broker() -> None:
            theirs.settimeout(PATIENCE_S)
            for _ in range(windows):
                theirs.sendall(b"".join(publish(b"t", bytes(500), 1 + packet) for packet in range(window)))
                acks = b""
                while len(acks) < 4 * window:
                    acks += theirs.recv(1 << 16)

        sending = threading.Thread(target=broker)
        sending.start()
        while acknowledged < windows * window:
            rests += client._pace.rest_s() > 0 and not client._held_back._left
            client._loop(0.1)
            got, client.got = sum(map(len, client.got)), []
            acknowledged += got
            client.acknowledge([1] * got)
            client.flush()
        client._loop(0)
        sending.join(PATIENCE_S)
        client._sock = None
    assert rests < windows / 4


def announced(payload: bytes) -> bytes:
    """As `tell` has it on the line, under topic `t`."""
    return b"\x30" + length(4 + len(payload)) + b"\0\x01t\0" + payload


def test_what_finds_no_room_in_the_system_goes_out_whole_and_in_order_before_what_is_said_later() -> None:
    """The broker reads nothing for a while; who says it is not made to wait, and the network thread sends the rest."""
    with line() as (ours, theirs):
        client = Resting(ours, 0)
        payloads = [bytes([number]) * 300_000 for number in range(40)]
        for payload in payloads:
            client.queue_publishes([("t", payload)], retain=False)
            client.flush()
        assert client.want_write(), "all of it found room"
        received = bytearray()

        def broker() -> None:
            theirs.settimeout(PATIENCE_S)
            while len(received) < sum(len(payload) + 8 for payload in payloads):
                received.extend(theirs.recv(1 << 20))

        reading = threading.Thread(target=broker)
        reading.start()
        while client.want_write():
            client._loop(0.1)
        reading.join(PATIENCE_S)
        client._sock = None
    assert bytes(received) == b"".join(map(announced, payloads))


def test_who_says_something_and_the_network_thread_never_write_into_each_other() -> None:
    """Acknowledgements of one, packets of the other, each whole."""
    with line() as (ours, theirs):
        client = Resting(ours, 0)
        acks, packet = 500, announced(bytes(5_000))
        received = bytearray()

        def acknowledging() -> None:
            for number in range(1, acks + 1):
                client.acknowledge([number])
                client.flush()

        def broker() -> None:
            theirs.settimeout(PATIENCE_S)
            while len(received) < 4 * acks + 200 * len(packet):
                received.extend(theirs.recv(1 << 16))

        threads = [threading.Thread(target=acknowledging), threading.Thread(target=broker)]
        for thread in threads:
            thread.start()
        for _ in range(200):
            client.queue_publishes([("t", bytes(5_000))], retain=False)
            client.flush()
            client._loop(0)
        while client.want_write() or threads[0].is_alive():
            client._loop(0.01)
        for thread in threads:
            thread.join(PATIENCE_S)
        client._sock = None
    whole = bytes(received).replace(packet, b"")
    assert whole == b"".join(b"\x40\x02" + number.to_bytes(2, "big") for number in range(1, acks + 1))
