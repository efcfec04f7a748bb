"""The buffered client on a real connection: rests while messages gather, and writes of several threads."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from paho.mqtt.enums import MQTTErrorCode

from ingest.base.pace import Pace
from ingest.intake.sources.buffered import BufferedClient
from tests.ingest.intake.sources.test_buffered import FIVE, PATIENCE_S, length, publish


@contextmanager
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        theirs, _ = server.accept()
        with theirs:
            yield ours, theirs


class Resting(BufferedClient):
    """A client on a real connection, that rests for so long before each read."""

    def __init__(self, sock: socket.socket, rest_s: float, *, sparse: bool = True) -> None:
        self.got: list[list[bytes]] = []
        super().__init__(
            lambda publishes, _missing: self.got.append([payload for _, payload, *_ in publishes]),
            "c",
            FIVE,
            pace=Pace(rest_s, rest_s),
        )
        sock.setblocking(False)
        self._sock, self._sparse = sock, sparse
        self._pace.begin()
        self._pace.end()


@pytest.mark.parametrize("sparse", [True, False])
def test_packets_queued_during_a_rest_are_sent_at_once_and_arrivals_are_handed_on_together(*, sparse: bool) -> None:
    """Twice: acknowledgements must not wait for the next read."""
    with line() as (ours, theirs):
        theirs.settimeout(PATIENCE_S)
        client = Resting(ours, 2, sparse=sparse)
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


def test_a_rest_ends_early_when_there_is_much_to_read_and_is_no_evidence_about_the_broker() -> None:
    with line() as (ours, theirs):
        client = Resting(ours, 60, sparse=False)
        frames = [publish(b"t", bytes(10_000), 1) for _ in range(7)]
        sending = threading.Thread(target=theirs.sendall, args=(b"".join(frames),))
        sending.start()
        rests = []

        def rest(seconds: float) -> None:
            rests.append(seconds)
            select.select([ours], [], [], PATIENCE_S)  # until there is something, instead
            sending.join(PATIENCE_S)

        with patch.object(time, "sleep", rest):
            client._loop(0.1)
        client._sock = None
    assert len(client.got) == 1
    assert sum(rests) < 60, "the whole rest was waited for"
    assert client._held_back.rest_s(1) == 1


@pytest.mark.parametrize("near", [True, False])
def test_what_a_broker_sends_once_a_read_is_confirmed_shares_that_read(*, near: bool) -> None:
    """From one on this machine it is there at once, and is not waited for; twice."""
    with line() as (ours, theirs):
        waits: list[float] = []

        class Confirming(Resting):
            def _send_quick_ack(self) -> None:
                if near:
                    self.set_free()

            def set_free(self) -> None:
                theirs.send(publish(b"t", b"held back", 2))
                select.select([ours], [], [], PATIENCE_S)

        client = Confirming(ours, PATIENCE_S, sparse=False)
        client._held_back._unmeasured_left = 2

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if near or len(waits) % 2:
                theirs.send(publish(b"t", b"first", 1))
                select.select([ours], [], [], PATIENCE_S)
            else:
                client.set_free()

        with patch.object(time, "sleep", wait):
            for _ in range(2):
                client._pace.end()
                client._loop(0.1)
        client._sock = None
    assert client.got == [[b"first", b"held back"]] * 2
    assert len(waits) == (2 if near else 4)


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


def test_packets_that_find_no_room_in_the_system_are_sent_whole_and_before_later_ones() -> None:
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


def test_senders_and_the_network_thread_never_interleave_their_writes() -> None:
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
