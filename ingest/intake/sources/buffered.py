"""paho-mqtt with buffered reads and batched writes.

Paho reads a packet's head byte by byte, parses it through objects and polls its socket anew for every packet; that
alone takes half a core at ten thousand messages a second. Here one read takes all that has arrived, and the publishes
in it are parsed in place and passed on together; small writes are batched too. Everything else stays paho's: timing,
keep-alive, reconnection and the connection's lifecycle.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Final, ParamSpec

from paho.mqtt import MQTTException
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from ingest.base.pace import Pace
from ingest.base.telemetry import Event, emit
from ingest.intake.sources.held_back import HeldBack
from ingest.intake.sources.packets import PUBLISH, Publish, body_of, length_at, publish_in, whole_size
from ingest.intake.wire.frame import MAX_BYTES

P = ParamSpec("P")

_ROUND_TRIP_S: Final = 0.001  # to the broker and back, with a margin
_STEPS: Final = 4  # reads in a measured rest
_CHUNK: Final = 1 << 16  # most bytes of a read
_MANY_PUBLISHES: Final = 64  # after a read of this many publishes the next follows at once
_MANY_BYTES: Final = 1 << 16  # the same in bytes
_MAX_KEPT: Final = 5 * MAX_BYTES  # most bytes kept of a packet: more than is examined of a frame that is too large
_PUBACK: Final = 0x40
_ACK: Final = struct.Struct("!BBH")
_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)  # Linux has it


@dataclass(frozen=True, slots=True)
class PublishCut(Event, level="warning"):
    """A publish was far larger than any frame may be: only its beginning was kept, which is refused as too large."""

    topic: str
    bytes: int
    kept: int


class CallbackFailed(Exception):
    """A callback of ours raised its `__cause__`: a fault of ours, never one of the broker's packets."""


def ends_thread_on_error(callback: Callable[P, None]) -> Callable[P, None]:
    """Wrap a callback so that its errors end the network thread, instead of passing for faults of a packet."""

    @wraps(callback)
    def called(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:
            raise CallbackFailed(str(error)) from error

    return called


class BufferedClient(Client):
    """A client that calls `on_publishes` with all the publishes of one read, in order, from the network thread.

    It takes QoS 0 and 1, as its subscriptions ask for; a QoS 2 publish is refused as a fault of the broker. Of a
    publish that is far too large only the beginning is kept in memory: with a limit of ours (Maximum Packet Size) the
    broker would silently drop such a frame.

    Attributes:
        connection_error: the error that ended the connection, if any; paho keeps none.
        peer_certificate: the certificate of the newest successful handshake (DER).
    """

    def __init__(
        self,
        on_publishes: Callable[[list[Publish], int], None],
        client_id: str,
        protocol: MQTTProtocolVersion,
        on_unreachable: Callable[[Exception], None] = lambda _error: None,
        on_failure: Callable[[BaseException], None] | None = None,
        prepare: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
    ) -> None:
        """Prepare without connecting. The network thread calls all callbacks.

        Args:
            on_publishes: takes publishes, and how many bytes of the last one's payload were not kept; it may block,
                which holds the broker back.
            client_id: our client id.
            protocol: version of MQTT.
            on_unreachable: takes the error of a failed connection; paho's own callback is not called.
            on_failure: takes the error that ended the network thread; without it `threading.excepthook` does.
            prepare: called before each attempt; raises OSError if none can be made.
            pace: pace of reads that are not full, since each polls the socket and wakes the receiver.
        """
        clean = None if protocol == MQTTProtocolVersion.MQTTv5 else False  # in MQTT 5 it is part of each connect
        super().__init__(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol, clean_session=clean, manual_ack=True
        )
        self._on_publishes = ends_thread_on_error(on_publishes)
        self._on_unreachable = ends_thread_on_error(on_unreachable)
        self._on_failure = on_failure
        self._prepare = prepare
        self._pace = pace or Pace(0)
        self.connection_error: OSError | None = None
        self.peer_certificate: bytes | None = None
        self._held_back = HeldBack()
        self._io_lock = threading.RLock()  # held while reading, writing, or queueing packets
        self._outgoing = bytearray()  # packets that wait for `flush`
        self._sparse = True  # the newest read brought at most one message
        self._chunk = memoryview(bytearray(_CHUNK))  # reused for each read
        self._unread = bytearray()
        self._skip = 0  # bytes still to come of a packet that was cut
        self._whole = 0  # size of the first packet in the buffer, if known
        self._mqtt5 = self._protocol == MQTTProtocolVersion.MQTTv5

    def reset_connection(self) -> None:
        """Drop what was read and queued on the last connection, right before a new one."""
        self._unread = bytearray()
        self._whole = self._skip = 0
        self.connection_error = None
        with self._io_lock:
            self._outgoing.clear()
        self._out_packet.clear()  # paho clears it too, but a thread may have queued something since

    def use_tls(self, context: ssl.SSLContext | None) -> None:
        """Set the TLS context right before a connection; None: leave it without TLS."""
        if context is not None:
            self._ssl_context = None  # paho takes one only once
            self.tls_set_context(context)

    def reconnect(self) -> MQTTErrorCode:
        """Connect, or report the error. Raises OSError then, which paho takes for a failed attempt."""
        try:
            self._prepare()
        except OSError as error:
            self._on_unreachable(error)
            raise
        try:
            return super().reconnect()
        except OSError as error:
            self._on_unreachable(error)
            raise
        except ValueError as error:  # the host is not a valid name
            self._on_unreachable(error)
            raise OSError(str(error)) from error

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """As paho does it, but close the socket if the handshake fails."""
        context = self._ssl_context or ssl.create_default_context()
        sock = context.wrap_socket(tcp_sock, server_hostname=self._host, do_handshake_on_connect=False)
        try:
            sock.settimeout(self._connect_timeout)
            sock.do_handshake()
        except (ConnectionError, ssl.SSLEOFError) as error:
            sock.close()
            raise ConnectionError("ended during the handshake of TLS: is TLS spoken on that port?") from error
        except BaseException:
            sock.close()
            raise
        self.peer_certificate = sock.getpeercert(binary_form=True)
        return sock

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Queue PUBACKs of these packets, in that order. From any thread."""
        self._queue(_ACK.pack(_PUBACK, 2, number) for number in numbers)

    def queue_publishes(self, messages: Sequence[tuple[str, bytes]], *, retain: bool) -> None:
        """Queue (topic, payload) to be published at QoS 0, in that order. From any thread, while connected."""
        head, properties = PUBLISH << 4 | retain, b"\0" if self._mqtt5 else b""
        parts = list[bytes]()
        for topic, payload in messages:
            name, packet = topic.encode(), bytearray((head,))
            self._pack_remaining_length(packet, 2 + len(name) + len(properties) + len(payload))
            self._pack_str16(packet, name)
            parts += (bytes(packet), properties, payload)
        self._queue(parts)

    def flush(self) -> None:
        """Write all queued packets in the calling thread; the network thread sends later what finds no room."""
        with self._io_lock:
            if not self._outgoing:
                return
            # To paho it is one packet, of a kind that it does not follow up once sent.
            packet, size = bytes(self._outgoing), len(self._outgoing)
            self._out_packet.append(
                {"command": _PUBACK, "mid": 0, "qos": 1, "pos": 0, "to_process": size, "packet": packet, "info": None}
            )
            self._outgoing.clear()
            if self._packet_write() != MQTTErrorCode.MQTT_ERR_SUCCESS and self._sockpairW is not None:
                with suppress(BlockingIOError):  # it is awake already
                    self._sockpairW.send(b"\0")

    def _queue(self, parts: Iterable[bytes]) -> None:
        with self._io_lock:
            self._outgoing += b"".join(parts)

    def _thread_main(self) -> None:
        try:
            super()._thread_main()
        except BaseException as error:
            if self._on_failure is None:
                raise
            self._on_failure(error.__cause__ if isinstance(error, CallbackFailed) and error.__cause__ else error)

    def _loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        """As paho does it, but while messages come densely the next ones need not be waited for, only gathered."""
        code = None if self._sparse else self._take_gathered()
        if code is None:
            return super()._loop(timeout)
        return code if code != MQTTErrorCode.MQTT_ERR_SUCCESS else self.loop_misc()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read what has arrived; a message that follows another one soon waits here for more."""
        code = self._take_gathered() if self._sparse else None
        return super().loop_read(max_packets) if code is None else code

    def _take_gathered(self) -> MQTTErrorCode | None:
        """Rest if the newest read was a short while ago, and handle what has come; None: no rest is due, or nothing."""
        rest_s = self._held_back.rest_s(self._pace.rest_s())
        if not (rest_s and self._gather_messages(rest_s)):
            return None
        self._pace.begin()
        code = self._take_packets()
        return self._loop_rc_handle(code) if code != MQTTErrorCode.MQTT_ERR_SUCCESS else code

    def _gather_messages(self, rest_s: float) -> bool:
        """Rest while messages gather, and read them unparsed; returns whether any came.

        A broker that holds small packets back (Nagle) sends the rest once the first was read, since only that confirms
        it. A measured rest is split into several reads, to see whether more still arrives.
        """
        before, early = len(self._unread), 0
        measured = not self._sparse and self._held_back.measured()
        steps = _STEPS if measured else 1
        for step in range(steps):
            time.sleep(rest_s / steps)
            self._read_available()
            self._send_quick_ack()
            if len(self._unread) - before >= _MANY_BYTES:
                break
            if step < steps // 2:
                early = len(self._unread) - before
        else:
            if not self._sparse:
                self._read_set_free()
            if measured:
                self._held_back.rested(early, len(self._unread) - before)
        return before < len(self._unread) >= self._whole

    def _read_set_free(self) -> None:
        """Read what the broker sends since the read before was confirmed: one on this machine already has.

        Our acknowledgements confirm it.
        """
        before = len(self._unread)
        self._read_available()
        if len(self._unread) == before:
            time.sleep(_ROUND_TRIP_S)
            self._read_available()

    def _read_available(self) -> None:
        """Read what has arrived; the end of the connection is left for the next read to find."""
        if self._sock is None or self._skip:
            return
        try:
            while len(self._unread) < _MANY_BYTES and (chunk := self._received(self._sock_recv(_CHUNK))):
                self._unread += chunk
                if not self._ssl:  # which gives one record at a time
                    break
        except BlockingIOError:
            pass
        except OSError as error:
            self.connection_error = error

    def _packet_write(self) -> MQTTErrorCode:
        """As paho does it, but for one thread at a time."""
        with self._io_lock:
            return super()._packet_write()

    def _sock_recv(self, bufsize: int) -> bytes:
        """As paho does it, but into one reused buffer: allocating so much for each read costs more than reading."""
        if not isinstance(self._sock, socket.socket):
            raise ConnectionError("not connected")
        try:
            with self._io_lock:  # TLS cannot read and write at the same time
                return bytes(self._chunk[: self._sock.recv_into(self._chunk, bufsize)])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error

    def _received(self, chunk: bytes) -> bytes:
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        return chunk

    def _packet_read(self) -> MQTTErrorCode:
        self._pace.begin()
        try:
            chunk = self._sock_recv(_CHUNK)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError as error:
            self.connection_error = error
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if not chunk:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        self._received(chunk)
        self._send_quick_ack()
        if self._skip:
            skipped = min(self._skip, len(chunk))
            self._skip -= skipped
            chunk = chunk[skipped:]
        self._unread += chunk
        if len(self._unread) < self._whole:
            return MQTTErrorCode.MQTT_ERR_SUCCESS  # a long packet is parsed once, not with each piece of it
        return self._take_packets()

    def _send_quick_ack(self) -> None:
        """Send the TCP acknowledgement at once, since a broker that holds small packets back waits for it.

        It would wait for 40 ms, or for our next packet (RFC 1122, 4.2.3.2 and 4.2.3.4). Linux forgets the option.
        """
        if _QUICKACK is not None and isinstance(self._sock, socket.socket):
            self._sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _take_packets(self) -> MQTTErrorCode:
        """Handle every whole packet in the buffer; the rest stays for the next read."""
        whole = bytes(self._unread)
        publishes: list[Publish] = []
        at = 0
        try:
            while (packet := body_of(whole, at)) is not None:
                start, end = packet
                if whole[at] >> 4 == PUBLISH:
                    publishes.append(publish_in(whole, whole[at], start, end, five=self._mqtt5))
                else:
                    publishes = self._deliver(publishes)
                    code = self._handle_other(whole[at], whole[start:end])
                    if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                        return code
                at = end
            self._whole = whole_size(whole, at)
            if self._whole > _MAX_KEPT:
                at = self._cut_large(whole, at, publishes)
        except (MQTTException, ValueError, struct.error):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        del self._unread[:at]
        self._deliver(publishes, self._skip)
        self._sparse = len(publishes) < 2
        self._pace.end()
        if len(publishes) >= _MANY_PUBLISHES or len(whole) >= _MANY_BYTES:
            self._pace.hurry()
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _cut_large(self, whole: bytes, at: int, publishes: list[Publish]) -> int:
        """Take the beginning of a publish that is too large, once it has arrived; returns where the rest begins.

        Raises:
            ValueError: it is no publish.
        """
        if whole[at] >> 4 != PUBLISH:
            raise ValueError("a packet of more bytes than any but a publish may have")
        size, there = self._whole, len(whole) - at
        if there < _MAX_KEPT:
            self._whole = _MAX_KEPT
            return at
        head = length_at(whole, at + 1, len(whole))
        publish = publish_in(whole, whole[at], head[1] if head else at, len(whole), five=self._mqtt5)
        publishes.append(publish)
        emit(PublishCut(publish[0].decode("utf-8", "replace"), size, there))
        self._skip, self._whole = size - there, 0
        return len(whole)

    def _deliver(self, publishes: list[Publish], missing: int = 0) -> list[Publish]:
        if publishes:
            self._on_publishes(publishes, missing)
        return []

    def _handle_other(self, command: int, packet: bytes) -> MQTTErrorCode:
        """Let paho handle any packet but a publish."""
        self._in_packet = {
            "command": command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(packet),
            "packet": bytearray(packet),
            "to_process": 0,
            "pos": 0,
        }
        return self._packet_handle()
