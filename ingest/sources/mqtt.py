"""MQTT in: paho-mqtt in its own thread, acknowledging nothing before the journal has it.

paho's automatic acknowledgement goes out before anyone has processed the message, so it is off: whoever takes a `Raw`
calls its `acknowledge` after the fsync, in the order of receipt. An acknowledgement that belongs to an earlier
connection is dropped, since its packet id may mean another message by then.
"""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Full, Queue
from typing import Any, Final, Literal

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import Field

from ingest.model.config import Config, Secret
from ingest.model.fault import Fault, InvalidConfig
from ingest.sources.raw import Raw
from ingest.telemetry import Event, emit
from ingest.wire.frame import MAX_BYTES, Committed, encode_committed
from ingest.wire.topics import FRAMES, STATUSES, committed_topic

_MAX_BACKOFF_S: Final = 30


class MqttConfig(Config):
    """The broker, and how to sign in there."""

    host: str = "127.0.0.1"
    port: int = Field(default=1883, gt=0, lt=65536)
    client_id: str = Field(default="yujing-ingest", min_length=1, max_length=128)
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password: Secret | None = None
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    keepalive_s: int = Field(default=30, ge=5, le=3600)
    session_expiry_s: int = Field(default=7 * 86400, ge=60)  # how long the broker may keep for us while we are away
    window: int = Field(default=512, ge=1, le=65535)  # messages the broker may have unacknowledged with us


@dataclass(frozen=True, slots=True)
class BrokerConnected(Event):
    """Connected; subscribing."""

    host: str
    port: int
    session_present: bool


@dataclass(frozen=True, slots=True)
class BrokerDisconnected(Event, level="warning"):
    """The connection ended; it is tried again with a growing, jittered pause."""

    reason: str


@dataclass(frozen=True, slots=True)
class BrokerUnreachable(Event, level="warning"):
    """No connection could be made; it is tried again."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SessionLost(Event, level="warning"):
    """The broker no longer knew our session: what it held for us may be gone. Gateways resend what is not committed."""

    host: str


@dataclass(frozen=True, slots=True)
class SubscriptionRefused(Event, level="error"):
    """The broker does not let us read: its access list must allow frames and statuses of all gateways to us."""

    host: str
    reason: str


def tls_context(config: MqttConfig) -> ssl.SSLContext | None:
    """What the connection trusts and shows, or None for plain MQTT.

    Raises:
        InvalidConfig: a file cannot be used.
    """
    if not config.tls_ca and not config.tls_cert:
        return None
    key, file = "mqtt.tls_ca", config.tls_ca
    try:
        context = ssl.create_default_context(cafile=config.tls_ca)
        if config.tls_cert:
            key, file = "mqtt.tls_cert", config.tls_cert
            context.load_cert_chain(config.tls_cert, config.tls_key)
    except OSError as error:  # ssl.SSLError is one
        expected = f"a PEM file, with its key: {error.strerror or 'nothing usable in it'}"
        raise InvalidConfig([Fault(str(file), key, str(file), expected)]) from error
    return context


class MqttSource:
    """Feeds one bounded queue. When it is full the network thread waits: the broker holds back, nothing is dropped."""

    def __init__(self, config: MqttConfig, queue: Queue[Raw], *, expect_session: bool) -> None:
        """Read certificates; connect to nothing yet.

        Raises:
            InvalidConfig: a certificate cannot be used.
        """
        self._config = config
        self._queue = queue
        self._expect_session = expect_session
        self._on_subscribed: Callable[[], None] = lambda: None
        self._connection = 0  # counts connections: acknowledgements belong to one of them
        self._stopping = threading.Event()
        self._client = self._build()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us."""
        return self._client.is_connected()

    def start(self, on_subscribed: Callable[[], None]) -> None:
        """Connect in the background, and keep connecting; `on_subscribed` is called from the network thread each time.

        Raises:
            LookupError: the password is not where the settings say.
        """
        self._on_subscribed = on_subscribed
        config = self._config
        if config.username is not None:
            self._client.username_pw_set(config.username, config.password.read() if config.password else None)
        properties: Properties | None = None
        options: dict[str, Any] = {}
        if config.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = config.session_expiry_s
            properties.ReceiveMaximum = config.window
            properties.MaximumPacketSize = MAX_BYTES + 1024
            options = {"clean_start": False}
        self._client.connect_async(
            config.host, config.port, keepalive=config.keepalive_s, properties=properties, **options
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end the network thread; what is not acknowledged stays with the broker."""
        self._stopping.set()
        self._client.disconnect()
        self._client.loop_stop()

    def announce(self, plant: str, gateway: str, committed: Committed) -> None:
        """Tell a gateway what is on disk (retained). Lost if we are offline; told again once connected."""
        self._client.publish(committed_topic(plant, gateway), encode_committed(committed), qos=1, retain=True)

    def _build(self) -> Client:
        config = self._config
        version = MQTTProtocolVersion.MQTTv5 if config.protocol == "5" else MQTTProtocolVersion.MQTTv311
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=config.client_id,
            protocol=version,
            clean_session=None if config.protocol == "5" else False,
            manual_ack=True,
        )
        trust = tls_context(config)
        if trust is not None:
            client.tls_set_context(trust)
        client.reconnect_delay_set(min_delay=1, max_delay=_MAX_BACKOFF_S)
        client.on_pre_connect = self._jitter
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_connect_fail = self._unreachable
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        return client

    def _jitter(self, _client: Client, _userdata: object) -> None:
        """Paho doubles its pause; a random part on top keeps many services from knocking at once."""
        if self._connection:
            self._stopping.wait(random.random())  # noqa: S311  spreading load, not guarding anything

    def _connected(
        self, client: Client, _userdata: object, flags: ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            emit(BrokerDisconnected(reason=f"refused: {reason}"))
            return
        self._connection += 1
        if self._expect_session and not flags.session_present:
            emit(SessionLost(self._config.host))
        self._expect_session = True
        emit(BrokerConnected(self._config.host, self._config.port, flags.session_present))
        client.subscribe([(FRAMES, 1), (STATUSES, 1)])

    def _subscribed(
        self, _client: Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            emit(SubscriptionRefused(self._config.host, ", ".join(refused)))
        else:
            self._on_subscribed()

    def _unreachable(self, _client: Client, _userdata: object) -> None:
        emit(BrokerUnreachable(self._config.host, self._config.port))

    def _disconnected(
        self, _client: Client, _userdata: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if not self._stopping.is_set():
            emit(BrokerDisconnected(reason=str(reason)))

    def _message(self, client: Client, _userdata: object, message: MQTTMessage) -> None:
        connection = self._connection

        def acknowledge() -> None:
            if connection == self._connection:
                client.ack(message.mid, message.qos)

        raw = Raw(message.topic, bytes(message.payload), time.time_ns(), acknowledge)
        while not self._stopping.is_set():
            try:
                self._queue.put(raw, timeout=0.5)
            except Full:
                continue
            return
