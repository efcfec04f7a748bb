"""MQTT in: paho-mqtt in its own thread, acknowledging nothing before the journal has it.

paho's automatic acknowledgement goes out before anyone has processed the message, so it is off: whoever takes messages
hands them to `acknowledge` after the fsync, in the order of receipt. What belongs to an earlier connection is not
acknowledged, since its packet id may mean another message by then.
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

_MAX_BACKOFF_S: Final = 30
_REFUSED: Final = "not connected: refused: "
_RETAINED: Final = itemgetter(3)
_LONGEST: Final = 65_535  # bytes of a password (MQTT 5, 1.5.6)
_TOPICS: Final = 10_000  # remembered as text; whoever invents topics shall not fill our memory


class MqttSource:
    """Feeds one bounded hand-over. When it is full the network thread waits: the broker holds back, nothing drops."""

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
        """Read and connect to nothing yet.

        Args:
            config: the broker.
            handover: where messages go.
            clock: tells when they came.
            expect_session: whether the broker should know us.
            admit: whether a message on that topic, of so many bytes, is to be read.
            failed: is told, from the network thread, of what ended that thread.
            pace: of its reads.
        """
        self._config = config
        self._handover = handover
        self._clock = clock
        self._expect_session = expect_session
        self._admit = admit
        self._on_subscribed: Callable[[], None] = lambda: None
        self._connection = 0  # counts connections: acknowledgements belong to one of them
        self._turn = threading.Lock()  # an acknowledgement is of this connection when it is queued, not only when asked
        self._stopping = threading.Event()
        self._files = trust_files(config)
        self._trust = Reloaded(self._files.context, CertificateUnusable)
        self._password = renewed_password("mqtt.password", config.password, _LONGEST)
        self._failed = failed
        self._pace = pace
        self._client = self._build()
        self._answered = False  # whether the broker has said yes or no, on this connection
        self._trouble: str | None = "not connected"
        self._most_bytes = config.max_packet_bytes or UNSTATED  # of a packet to the broker
        self._retain = config.retain
        self._unmet: tuple[Unmet, ...] = ()
        self._unassured: set[tuple[str, str]] = set()  # topics that were told of, and how they come
        self.sessions_lost = 0  # times the broker had forgotten what it held for us

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us."""
        return self._client.is_connected()

    @property
    def trouble(self) -> str | None:
        """Why nothing comes from the broker, as far as it is known; None: all is well."""
        return self._trouble or "; ".join(self._unmet) or None

    @property
    def reading(self) -> bool:
        """Whether the broker sends us what gateways say: connected, and subscribed to all of it."""
        return self._trouble is None

    @property
    def unmet(self) -> int:
        """How many of our needs the broker does not meet, as far as it has said."""
        return len(self._unmet)

    @property
    def certificate(self) -> bytes | None:
        """What the broker showed in the newest handshake that went well (DER), or None."""
        return self._client.shown

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
        """Tell the broker that it may forget these messages, in this order; those of earlier connections are not told.

        With `flush`, as what is announced. From any thread.
        """
        with self._turn:
            packets = [m.packet for m in messages if m.packet and m.connection == self._connection]
            self._client.acknowledge(packets)
        if len(packets) < len(messages) and Unmet.QOS not in self._unmet:
            self._tell_unassured({m.topic for m in messages if not m.packet}, "QoS 0")

    def _tell_unassured(self, topics: set[str], how: str) -> None:
        """Tell once of each gateway whose frames come in a way by which they get lost, or come again as if new."""
        for text in topics:
            topic = parse_topic(text) if (text, how) not in self._unassured else None
            if topic is not None and topic.leaf == "frame" and len(self._unassured) < _TOPICS:
                self._unassured.add((text, how))
                emit(FramesUnassured(topic.plant, topic.gateway, how))

    def announce(self, committed: Sequence[tuple[str, str, Committed]]) -> list[Committed | None]:
        """Tell gateways (plant, gateway, what) what is on disk; returns as much of each as fits into a packet.

        Retained, and with `flush`. Lost if we are offline; told again once connected.
        """
        told, said = list[Committed | None](), list[tuple[str, bytes]]()
        for plant, gateway, whole in committed:
            topic, payload = committed_topic(plant, gateway), encode_committed(whole)
            heard: Committed | None = whole
            if len(payload) > (most := room(self._most_bytes, topic)):
                heard = self._fitting(plant, gateway, whole, most)
                payload = encode_committed(heard) if heard is not None else b""
            told.append(heard)
            if payload:
                said.append((topic, payload))
        with self._turn:  # what is queued of an earlier connection is dropped before the next
            if said and self._client.is_connected():
                # QoS 0: the broker keeps the newest, a gateway asks for it whenever it connects, and we tell it again.
                self._client.tell(said, retain=self._retain)
        return told

    def _fitting(self, plant: str, gateway: str, committed: Committed, most: int) -> Committed | None:
        told = fitting(committed, most)  # a broker ends the connection over a larger packet
        if told is None:
            emit(AnnouncementTooLarge(plant, gateway, self._most_bytes))
        return told

    def flush(self) -> None:
        """Send what was acknowledged and announced, all in one write."""
        self._client.flush()

    def refuse(self, plant: str, gateway: str, refusal: Refusal) -> bool:
        """Tell a gateway what could not be taken, without its detail where that finds no room in a packet.

        Not retained: it is of now. False if we are offline, so that it has to be told later.
        """
        if not self._client.is_connected():
            return False
        topic = refused_topic(plant, gateway)
        most = room(self._most_bytes, topic)
        for told in (refusal, msgspec.structs.replace(refusal, detail="")):
            payload = encode_refusal(told)
            if len(payload) <= most:
                self._client.publish(topic, payload, qos=0)
                return True
        emit(AnnouncementTooLarge(plant, gateway, self._most_bytes))
        return True

    def _prepare(self) -> None:
        """Take certificates and password as they are now, for the connection to come. Raises NotReady."""
        try:
            self._client.trust(self._trust.get())
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
        client.reconnect_delay_set(min_delay=1, max_delay=_MAX_BACKOFF_S)
        client.on_pre_connect = ends_thread_on_error(self._connecting)
        client.on_connect = ends_thread_on_error(self._connected)
        client.on_subscribe = ends_thread_on_error(self._subscribed)
        client.on_disconnect = ends_thread_on_error(self._disconnected)
        return client

    def _connecting(self, _client: Client, _userdata: object) -> None:
        """Count the connection. Paho doubles its pause; a random part on top keeps many from knocking at once."""
        with self._turn:
            self._connection += 1
            self._client.begin_anew()
        if self._connection > 1:
            self._stopping.wait(random.random())  # noqa: S311  spreading load, not guarding anything
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
        """No connection was made: say whether nobody is there, or somebody we do not believe."""
        host, port, why = self._config.host, self._config.port, distrust(error)
        if why is not None:
            self._trouble = f"not connected: certificate {why}"
            emit(BrokerNotTrusted(host, port, why, getattr(error, "verify_message", "")))
        elif (refusal := refusal_of_ours(error)) is not None:
            self._own_refused(refusal)
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
        lost = self._client.lost
        refusal = refusal_of_ours(lost) or (None if self._answered else self._files.own_trouble())
        if refusal is not None:  # with TLS 1.3 it comes after the handshake
            self._own_refused(refusal)
            return
        said = in_words(lost) if lost is not None else str(reason)
        if not (self._answered and str(self._trouble).startswith(_REFUSED)):  # why it refused us says more
            self._trouble = f"not connected: {said}"
        emit(BrokerDisconnected(reason=said))

    def _own_refused(self, reason: str) -> None:
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
            self._tell_unassured({message.topic for message in messages if message.retained}, "retained")
        # What is given up here was not acknowledged: the broker keeps it for the next connection.
        self._handover.put(messages, self._stopping.is_set)


@lru_cache(maxsize=_TOPICS)
def _text(topic: bytes) -> str:
    """The topic as text; the same few come again and again."""
    return topic.decode("utf-8", "replace")
