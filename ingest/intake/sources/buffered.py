"""paho-mqtt with a buffer in front of its reader, and many acknowledgements in one write.

Paho reads a packet's head byte by byte, parses it through objects and looks at its socket anew for every packet; that
alone takes half a core at ten thousand messages a second. Here one read takes what has come, the publishes in it are
parsed in place and handed on together; what we say often goes out together, too; and everything else goes paho's own
way. Timing, keep-alive, reconnection and the life of the connection stay paho's.
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

_FLIGHT_S: Final = 0.001  # to the broker and back, and a bit
_STEPS: Final = 4  # of a rest that is watched
_CHUNK: Final = 1 << 16  # bytes of a read at most
_FULL: Final = 64  # publishes of a read after which the next follows at once
_MUCH: Final = 1 << 16  # bytes after which it does
_MOST: Final = 5 * MAX_BYTES  # of a packet that are kept: more than is looked into of a frame that is too large
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
    """A callback of ours raised its `__cause__`: a fault of ours, never one of what the broker sent."""


def ends_thread_on_error(callback: Callable[P, None]) -> Callable[P, None]:
    """The callback, whose errors end the network thread: paho and the reader below take some for faults of a packet."""

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
    publish that is far too large only the beginning is kept in memory, however large it is: a limit that we gave the
    broker (Maximum Packet Size) would let it drop such a frame and tell nobody.

    Attributes:
        lost: the error that ended the connection, if one did; paho keeps none.
        shown: the certificate of the newest handshake that went well (DER).
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
        """Connect to nothing yet. All callbacks come from the network thread.

        Args:
            on_publishes: told of them, and how many bytes of the last one's payload were not kept; may wait, the broker
                is then held back.
            client_id: ours.
            protocol: of MQTT.
            on_unreachable: why a connection could not be made; paho's own callback is not told.
            on_failure: what ended the network thread; without it the thread's own hook tells.
            prepare: called before each try; raises OSError if none can be made.
            pace: of reads that are not full: each takes a look at the socket and wakes whoever takes the messages.
        """
        clean = None if protocol == MQTTProtocolVersion.MQTTv5 else False  # in MQTT 5 it is said with each connect
        super().__init__(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol, clean_session=clean, manual_ack=True
        )
        self._on_publishes = ends_thread_on_error(on_publishes)
        self._on_unreachable = ends_thread_on_error(on_unreachable)
        self._on_failure = on_failure
        self._prepare = prepare
        self._pace = pace or Pace(0)
        self.lost: OSError | None = None
        self.shown: bytes | None = None
        self._held_back = HeldBack()
        self._line = threading.RLock()  # whoever reads, writes, or adds to what is to be said
        self._unsaid = bytearray()  # packets that wait for `flush`
        self._alone = True  # the newest read brought one message at most
        self._chunk = memoryview(bytearray(_CHUNK))  # read into, time and again
        self._unread = bytearray()
        self._skip = 0  # bytes of a packet that was cut which are still to come
        self._whole = 0  # bytes after which the first packet in there is whole, as far as it is known
        self._five = self._protocol == MQTTProtocolVersion.MQTTv5

    def begin_anew(self) -> None:
        """Right before a connection: forget what came of the last one, and what was still to be said on it."""
        self._unread = bytearray()
        self._whole = self._skip = 0
        self.lost = None
        with self._line:
            self._unsaid.clear()
        self._out_packet.clear()  # paho clears it too, but a thread may have queued something since

    def trust(self, context: ssl.SSLContext | None) -> None:
        """Right before a connection: what it trusts and shows; None for one without TLS."""
        if context is not None:
            self._ssl_context = None  # paho takes one only once
            self.tls_set_context(context)

    def reconnect(self) -> MQTTErrorCode:
        """Connect, and tell why if that cannot be done. Raises OSError then, which paho takes for a try that failed."""
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
        except ValueError as error:  # of a host that can be no name
            self._on_unreachable(error)
            raise OSError(str(error)) from error

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """As paho does it, but a socket on which no handshake was made is closed."""
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
        self.shown = sock.getpeercert(binary_form=True)
        return sock

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Have PUBACKs of these packets sent, in that order. From any thread."""
        self._say(_ACK.pack(_PUBACK, 2, number) for number in numbers)

    def tell(self, messages: Sequence[tuple[str, bytes]], *, retain: bool) -> None:
        """Have (topic, payload) published at QoS 0, in that order. From any thread, while connected."""
        head, properties = PUBLISH << 4 | retain, b"\0" if self._five else b""
        said = list[bytes]()
        for topic, payload in messages:
            name, packet = topic.encode(), bytearray((head,))
            self._pack_remaining_length(packet, 2 + len(name) + len(properties) + len(payload))
            self._pack_str16(packet, name)
            said += (bytes(packet), properties, payload)
        self._say(said)

    def flush(self) -> None:
        """Send all that is to be said, in one write, without the network thread; what finds no room it sends later."""
        with self._line:
            if not self._unsaid:
                return
            # To paho it is one packet, of a kind of which it asks nothing once it is sent.
            said, size = bytes(self._unsaid), len(self._unsaid)
            self._out_packet.append(
                {"command": _PUBACK, "mid": 0, "qos": 1, "pos": 0, "to_process": size, "packet": said, "info": None}
            )
            self._unsaid.clear()
            if self._packet_write() != MQTTErrorCode.MQTT_ERR_SUCCESS and self._sockpairW is not None:
                with suppress(BlockingIOError):  # it is awake then
                    self._sockpairW.send(b"\0")

    def _say(self, parts: Iterable[bytes]) -> None:
        with self._line:
            self._unsaid += b"".join(parts)

    def _thread_main(self) -> None:
        try:
            super()._thread_main()
        except BaseException as error:
            if self._on_failure is None:
                raise
            self._on_failure(error.__cause__ if isinstance(error, CallbackFailed) and error.__cause__ else error)

    def _loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        rest_s = self._held_back.rest_s(self._pace.rest_s())
        if not (rest_s and self._gather(rest_s)):
            return super()._loop(timeout)
        self._pace.begin()
        code = self._take_packets()
        return self._loop_rc_handle(code) if code != MQTTErrorCode.MQTT_ERR_SUCCESS else self.loop_misc()

    def _gather(self, rest_s: float) -> bool:
        """Let messages gather, at the broker and in the system, and take them in, unparsed; whether there are any.

        A broker that keeps small packets together sends the rest of them once the first was taken, since only that
        confirms it. In a rest that is watched, what has come is taken now and then, to see whether more does.
        """
        before, early = len(self._unread), 0
        watched = not self._alone and self._held_back.watched()
        steps = _STEPS if watched else 1
        for step in range(steps):
            time.sleep(rest_s / steps)
            self._sip()
            self._confirm()
            if len(self._unread) - before >= _MUCH:
                break
            if step < steps // 2:
                early = len(self._unread) - before
        else:
            if not self._alone:
                time.sleep(_FLIGHT_S)
                self._sip()  # which is confirmed by our acknowledgements
            if watched:
                self._held_back.rested(early, len(self._unread) - before)
        return before < len(self._unread) >= self._whole

    def _sip(self) -> None:
        """Take in what has come; that the connection ended is left for the next read to find."""
        if self._sock is None or self._skip:
            return
        try:
            while len(self._unread) < _MUCH and (chunk := self._received(self._sock_recv(_CHUNK))):
                self._unread += chunk
                if not self._ssl:  # which gives one record at a time
                    break
        except BlockingIOError:
            pass
        except OSError as error:
            self.lost = error

    def _packet_write(self) -> MQTTErrorCode:
        """As paho does it, but for one thread at a time."""
        with self._line:
            return super()._packet_write()

    def _sock_recv(self, bufsize: int) -> bytes:
        """As paho does it, but into room that is kept: to set so much aside for each read costs more than to read."""
        if not isinstance(self._sock, socket.socket):
            raise ConnectionError("not connected")
        try:
            with self._line:  # TLS cannot read and write at the same time
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
            self.lost = error
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if not chunk:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        self._received(chunk)
        self._confirm()
        if self._skip:
            skipped = min(self._skip, len(chunk))
            self._skip -= skipped
            chunk = chunk[skipped:]
        self._unread += chunk
        if len(self._unread) < self._whole:
            return MQTTErrorCode.MQTT_ERR_SUCCESS  # a long packet is looked at once, not with each piece of it
        return self._take_packets()

    def _confirm(self) -> None:
        """Have the system confirm what was taken at once: a broker that keeps small packets together waits for that.

        It would wait for 40 ms, or for what we say next (RFC 1122, 4.2.3.2 and 4.2.3.4). Linux forgets the option.
        """
        if _QUICKACK is not None and isinstance(self._sock, socket.socket):
            self._sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _take_packets(self) -> MQTTErrorCode:
        """Every whole packet in the buffer; the rest stays for the next read."""
        whole = bytes(self._unread)
        publishes: list[Publish] = []
        at = 0
        try:
            while (packet := body_of(whole, at)) is not None:
                start, end = packet
                if whole[at] >> 4 == PUBLISH:
                    publishes.append(publish_in(whole, whole[at], start, end, five=self._five))
                else:
                    publishes = self._hand_on(publishes)
                    code = self._other(whole[at], whole[start:end])
                    if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                        return code
                at = end
            self._whole = whole_size(whole, at)
            if self._whole > _MOST:
                at = self._cut(whole, at, publishes)
        except (MQTTException, ValueError, struct.error):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        del self._unread[:at]
        self._hand_on(publishes, self._skip)
        self._alone = len(publishes) < 2
        self._pace.end()
        if len(publishes) >= _FULL or len(whole) >= _MUCH:
            self._pace.hurry()
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _cut(self, whole: bytes, at: int, publishes: list[Publish]) -> int:
        """Take the beginning of a publish that is too large, once it is there; returns where what follows begins.

        Raises:
            ValueError: it is no publish.
        """
        if whole[at] >> 4 != PUBLISH:
            raise ValueError("a packet of more bytes than any but a publish may have")
        size, there = self._whole, len(whole) - at
        if there < _MOST:
            self._whole = _MOST
            return at
        head = length_at(whole, at + 1, len(whole))
        publish = publish_in(whole, whole[at], head[1] if head else at, len(whole), five=self._five)
        publishes.append(publish)
        emit(PublishCut(publish[0].decode("utf-8", "replace"), size, there))
        self._skip, self._whole = size - there, 0
        return len(whole)

    def _hand_on(self, publishes: list[Publish], missing: int = 0) -> list[Publish]:
        if publishes:
            self._on_publishes(publishes, missing)
        return []

    def _other(self, command: int, packet: bytes) -> MQTTErrorCode:
        """Anything but a publish, by paho itself."""
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
