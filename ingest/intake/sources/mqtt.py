"""The MQTT source: paho-mqtt in its own thread, acknowledging nothing before the journal has it.

paho's automatic acknowledgement goes out before the message is processed, so it is off: the receiver calls
`acknowledge` after the fsync, in the order of receipt. Messages of an earlier connection are not acknowledged, since
their packet id may mean another message by then.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

import msgspec
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.base.pace import Pace
from ingest.base.telemetry import emit
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.reloaded import CertificateUnusable, Reloaded, renewed_password
from ingest.intake.sources.broker_fit import (
    WHOLE_FRAME,
    BrokerTakesLess,
    BrokerUnfit,
    Unmet,
    granted_too_little,
    keeps_retained,
)
from ingest.intake.sources.buffered import BufferedClient, ends_thread_on_error
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.config import MqttConfig, trust_files
from ingest.intake.sources.events import (
    AnnouncementTooLarge,
    BrokerConnected,
    BrokerDisconnected,
    BrokerUnreachable,
    FramesUnassured,
    SessionLost,
    SubscriptionRefused,
)
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.packets import Publish
from ingest.intake.sources.raw import Raw
from ingest.intake.sources.trust import BrokerNotTrusted, NotReady, OwnCertificateRefused
from ingest.intake.wire.chunks import UNSTATED, fitting, room
from ingest.intake.wire.frame import Committed, Refusal, encode_committed, encode_refusal
from ingest.intake.wire.topics import FRAMES, STATUSES, committed_topic, parse_topic, refused_topic
from ingest.intake.wire.trust import distrust, in_words, refusal_of_ours

_FIRST_BACKOFF_S: Final = 1
_MAX_BACKOFF_S: Final = 30
_SPREAD_S: Final = 1.0
"""The longest of the random pauses before a connection is tried again, so that many clients do not do so at once."""
_REFUSED: Final = "not connected: refused: "
_RETAINED: Final = itemgetter(3)
_LONGEST: Final = 65_535  # bytes of a password (MQTT 5, 1.5.6)
_TOPICS: Final = 10_000  # remembered as text; bounded, since a client may invent topics


class MqttSource:
    """Puts messages into one bounded hand-over. When it is full the network thread waits, and nothing is dropped."""

    def __init__(
        self,
        config: MqttConfig,
        handover: Handover,
        clock: Clock,
        *,
        expect_session: bool,
        admit: Callable[[str, int], bool] = lambda _topic, _size: True,
        failed: Callable[[BaseException], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Prepare without reading files or connecting.

        Args:
            config: settings of the broker.
            handover: where messages go.
            clock: gives their time of arrival.
            expect_session: whether the broker should know us.
            admit: whether a message on that topic, of so many bytes, is to be read.
            failed: takes, in the network thread, the error that ended it.
            pace: pace of its reads.
        """
        self._config = config
        self._handover = handover
        self._clock = clock
        self._expect_session = expect_session
        self._admit = admit
        self._on_subscribed: Callable[[], None] = lambda: None
        self._connection = 0  # counts connections: an acknowledgement belongs to one of them
        self._connection_lock = threading.Lock()  # keeps the connection until an acknowledgement is queued
        self._stopping = threading.Event()
        self._files = trust_files(config)
        self._trust = Reloaded(self._files.context, CertificateUnusable)
        self._password = renewed_password("mqtt.password", config.password, _LONGEST)
        self._failed = failed
        self._pace = pace
        self._client = self._build()
        self._answered = False  # whether the broker has accepted or refused this connection
        self._trouble: str | None = "not connected"
        self._most_bytes = config.max_packet_bytes or UNSTATED  # of a packet to the broker
        self._retain = config.retain
        self._unmet: tuple[Unmet, ...] = ()
        self._unassured: set[tuple[str, str]] = set()  # topics already reported, and how they come
        self.sessions_lost = 0  # times the broker had forgotten what it held for us

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us."""
        return self._client.is_connected()

    @property
    def trouble(self) -> str | None:
        """Why nothing comes from the broker, if known; None: all is well."""
        return self._trouble or "; ".join(self._unmet) or None

    @property
    def reading(self) -> bool:
        """Whether the broker sends us all messages of gateways: connected and subscribed."""
        return self._trouble is None

    @property
    def unmet(self) -> int:
        """How many of our needs the broker is known not to meet."""
        return len(self._unmet)

    @property
    def certificate(self) -> bytes | None:
        """The broker's certificate in the newest successful handshake (DER), or None."""
        return self._client.peer_certificate

    def start(self, on_subscribed: Callable[[], None]) -> None:
        """Connect in the background, and keep connecting; `on_subscribed` is called by the network thread each time."""
        self._on_subscribed = on_subscribed
        config = self._config
        properties: Properties | None = None
        options: dict[str, Any] = {}
        if config.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = config.session_expiry_s
            properties.ReceiveMaximum = config.window
            options = {"clean_start": False}
        self._client.connect_async(
            config.host, config.port, keepalive=config.keepalive_s, properties=properties, **options
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end the network thread; what is not acknowledged stays with the broker."""
        self._stopping.set()
        self._client.flush()
        self._client.disconnect()
        self._client.loop_stop()

    def acknowledge(self, messages: Sequence[Raw]) -> None:
        """Acknowledge these messages in this order, but for those of earlier connections.

        Sent with `flush`, like announcements. From any thread.
        """
        with self._connection_lock:
            packets = [m.packet for m in messages if m.packet and m.connection == self._connection]
            self._client.acknowledge(packets)
        if len(packets) < len(messages) and Unmet.QOS not in self._unmet:
            self._report_unassured({m.topic for m in messages if not m.packet}, "QoS 0")

    def _report_unassured(self, topics: set[str], how: str) -> None:
        """Report once each gateway whose frames come in a way that may lose or repeat them."""
        for text in topics:
            topic = parse_topic(text) if (text, how) not in self._unassured else None
            if topic is not None and topic.leaf == "frame" and len(self._unassured) < _TOPICS:
                self._unassured.add((text, how))
                emit(FramesUnassured(topic.plant, topic.gateway, how))

    def announce(self, committed: Sequence[tuple[str, str, Committed]]) -> list[Committed | None]:
        """Announce to gateways (plant, gateway, message) what is on disk; returns as much as fits into a packet each.

        Retained, and sent with `flush`. Lost if we are offline; sent again once connected.
        """
        sent, messages = list[Committed | None](), list[tuple[str, bytes]]()
        for plant, gateway, whole in committed:
            topic, payload = committed_topic(plant, gateway), encode_committed(whole)
            fitted: Committed | None = whole
            if len(payload) > (most := room(self._most_bytes, topic)):
                fitted = self._fitting(plant, gateway, whole, most)
                payload = encode_committed(fitted) if fitted is not None else b""
            sent.append(fitted)
            if payload:
                messages.append((topic, payload))
        with self._connection_lock:  # packets queued for an earlier connection are dropped before the next
            if messages and self._client.is_connected():
                # QoS 0: the broker retains the newest, a gateway reads it when it connects, and we send it again.
                self._client.queue_publishes(messages, retain=self._retain)
        return sent

    def _fitting(self, plant: str, gateway: str, committed: Committed, most: int) -> Committed | None:
        fitted = fitting(committed, most)  # a broker ends the connection over a larger packet
        if fitted is None:
            emit(AnnouncementTooLarge(plant, gateway, self._most_bytes))
        return fitted

    def flush(self) -> None:
        """Send acknowledgements and announcements, all in one write."""
        self._client.flush()

    def refuse(self, plant: str, gateway: str, refusal: Refusal) -> bool:
        """Tell a gateway what could not be taken, without its detail where that finds no room in a packet.

        Not retained, since it concerns the present only. False if we are offline, so that it has to be sent later.
        """
        if not self._client.is_connected():
            return False
        topic = refused_topic(plant, gateway)
        most = room(self._most_bytes, topic)
        for message in (refusal, msgspec.structs.replace(refusal, detail="")):
            payload = encode_refusal(message)
            if len(payload) <= most:
                self._client.publish(topic, payload, qos=0)
                return True
        emit(AnnouncementTooLarge(plant, gateway, self._most_bytes))
        return True

    def _prepare(self) -> None:
        """Load certificates and password for the next connection. Raises NotReady."""
        try:
            self._client.use_tls(self._trust.get())
            if self._config.username is not None:
                self._client.username_pw_set(self._config.username, self._password.get())
        except InvalidConfig as invalid:
            raise NotReady(f"{invalid.faults[0].key} cannot be used") from invalid

    def _build(self) -> BufferedClient:
        config = self._config
        version = MQTTProtocolVersion.MQTTv5 if config.protocol == "5" else MQTTProtocolVersion.MQTTv311
        client = BufferedClient(
            self._publishes, config.client_id, version, self._unreachable, self._failed, self._prepare, self._pace
        )
        client.reconnect_delay_set(min_delay=_FIRST_BACKOFF_S, max_delay=_MAX_BACKOFF_S)
        client.on_pre_connect = ends_thread_on_error(self._connecting)
        client.on_connect = ends_thread_on_error(self._connected)
        client.on_subscribe = ends_thread_on_error(self._subscribed)
        client.on_disconnect = ends_thread_on_error(self._disconnected)
        return client

    def _connecting(self, _client: Client, _userdata: object) -> None:
        """Count the connection, after a random pause if there was one before."""
        with self._connection_lock:
            self._connection += 1
            self._client.reset_connection()
        if self._connection > 1:
            self._stopping.wait(random.random() * _SPREAD_S)  # noqa: S311  spreading load, not guarding anything
        self._answered = False

    def _connected(
        self, client: Client, _userdata: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._answered = True
        if reason.is_failure:
            self._trouble = f"{_REFUSED}{reason}"
            emit(BrokerDisconnected(reason=f"refused: {reason}"))
            return
        limits = [getattr(properties, "MaximumPacketSize", None), self._config.max_packet_bytes]  # MQTT 5, 3.2.2.3.6
        self._most_bytes = min((limit for limit in limits if limit), default=UNSTATED)
        self._retain = keeps_retained(properties, wanted=self._config.retain)
        if limits[0] and limits[0] < WHOLE_FRAME:
            emit(BrokerTakesLess(self._config.host, limits[0], WHOLE_FRAME))
        if self._expect_session and not flags.session_present:
            self.sessions_lost += 1
            emit(SessionLost(self._config.host))
        self._expect_session = True
        emit(BrokerConnected(self._config.host, self._config.port, flags.session_present))
        client.subscribe([(FRAMES, 1), (STATUSES, 1)])

    def _subscribed(
        self, _client: Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            self._trouble = f"subscription refused: {', '.join(refused)}"
            emit(SubscriptionRefused(self._config.host, ", ".join(refused)))
            return
        needs = {Unmet.QOS: granted_too_little(reasons), Unmet.RETAIN: not self._retain}
        self._unmet = tuple(need for need, unmet in needs.items() if unmet)
        for need in self._unmet:
            emit(BrokerUnfit(self._config.host, need.name.lower(), need))
        self._trouble = None
        self._on_subscribed()

    def _unreachable(self, error: Exception) -> None:
        """Report why no connection was made: the broker is unreachable, or not trusted."""
        host, port, why = self._config.host, self._config.port, distrust(error)
        if why is not None:
            self._trouble = f"not connected: certificate {why}"
            emit(BrokerNotTrusted(host, port, why, getattr(error, "verify_message", "")))
        elif (refusal := refusal_of_ours(error)) is not None:
            self._own_certificate_refused(refusal)
        elif isinstance(error, NotReady):
            self._trouble = f"not connected: {error}"
            emit(BrokerUnreachable(host, port, str(error)))
        else:
            self._trouble = f"not connected: unreachable: {in_words(error)}"
            emit(BrokerUnreachable(host, port, in_words(error)))

    def _disconnected(
        self, _client: Client, _userdata: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if self._stopping.is_set():
            return
        lost = self._client.connection_error
        refusal = refusal_of_ours(lost) or (None if self._answered else self._files.own_trouble())
        if refusal is not None:  # with TLS 1.3 it comes after the handshake
            self._own_certificate_refused(refusal)
            return
        why = in_words(lost) if lost is not None else str(reason)
        if not (self._answered and str(self._trouble).startswith(_REFUSED)):  # the reason of its refusal says more
            self._trouble = f"not connected: {why}"
        emit(BrokerDisconnected(reason=why))

    def _own_certificate_refused(self, reason: str) -> None:
        self._trouble = f"not connected: our certificate is refused: {reason}"
        emit(OwnCertificateRefused(str(self._files.cert), reason))

    def _publishes(self, publishes: list[Publish], missing: int) -> None:
        received, set_by = self._clock.read()
        connection, admit = self._connection, self._admit
        messages = [
            Raw(text, payload, received, set_by, packet, connection, retained)
            if admit(text := _text(topic), len(payload))
            else Raw(text, b"", received, set_by, packet, connection, retained, unread=True)
            for topic, payload, packet, retained in publishes
        ]
        if missing:
            messages[-1] = msgspec.structs.replace(messages[-1], whole=len(publishes[-1][1]) + missing)
        if True in map(_RETAINED, publishes):
            self._report_unassured({message.topic for message in messages if message.retained}, "retained")
        # Messages given up here are not acknowledged: the broker keeps them for the next connection.
        self._handover.put(messages, self._stopping.is_set)


@lru_cache(maxsize=_TOPICS)
def _text(topic: bytes) -> str:
    """The topic as text; the same few come again and again."""
    return topic.decode("utf-8", "replace")
