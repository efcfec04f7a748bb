"""A plain MQTT client with a certificate, to speak with the broker as a gateway, the service or a stranger."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.servers import Server

WAIT_S: Final = 10.0


class Speaker:
    """One MQTT client that remembers what it received."""

    def __init__(self, broker: Server, secrets: Path, who: str | None, **options: Any) -> None:
        version = options.get("version", MQTTProtocolVersion.MQTTv5)
        self.connected: list[bool] = []  # session present, by connection
        self.received: list[MQTTMessage] = []
        self.answers: dict[int, int] = {}
        self.subscribed: list[int] = []
        self.client = Client(CallbackAPIVersion.VERSION2, options.get("client_id", "some-id"), protocol=version)
        self.client.on_connect = lambda _c, _u, flags, _r, _p: self.connected.append(flags.session_present)
        self.client.on_message = lambda _c, _u, message: self.received.append(message)
        self.client.on_publish = lambda _c, _u, mid, reason, _p: self.answers.update({mid: reason.value})
        self.client.on_subscribe = lambda _c, _u, mid, _r, _p: self.subscribed.append(mid)
        context = ssl.create_default_context(cafile=str(secrets / "authority/ca.pem"))
        if who:
            context.load_cert_chain(secrets / f"{who}.pem", secrets / f"{who}.key")
        self.client.tls_set_context(context)
        if "will" in options:
            self.client.will_set(options["will"], b'{"online":false}', qos=1, retain=True)
        keep = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        keep.SessionExpiryInterval = options.get("expiry_s", 0)
        v5: dict[str, Any] = {"clean_start": False, "properties": keep}
        self.client.connect("127.0.0.1", broker.port, **v5 if version == MQTTProtocolVersion.MQTTv5 else {})
        self.client.loop_start()

    def subscribe(self, *topics: str) -> None:
        _, mid = self.client.subscribe([(topic, 1) for topic in topics])
        until(lambda: mid in self.subscribed)

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> int:
        """The broker's answer: a reason code of MQTT 5."""
        sent = self.client.publish(topic, payload, qos=1, retain=retain)
        until(lambda: sent.mid in self.answers)
        return self.answers[sent.mid]

    def heard(self) -> list[tuple[str, bytes]]:
        return [(message.topic, bytes(message.payload)) for message in self.received]


@contextmanager
def speaker(broker: Server, secrets: Path, who: str | None, **options: Any) -> Iterator[Speaker]:
    connection = Speaker(broker, secrets, who, **options)
    try:
        until(lambda: bool(connection.connected))
        yield connection
    finally:
        connection.client.disconnect()
        connection.client.loop_stop()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, "not within 10 s"
        time.sleep(0.01)


def write_certificate(
    file: Path, name: str, key: ec.EllipticCurvePrivateKey, *, issuer: str, signer: ec.EllipticCurvePrivateKey
) -> None:
    """FILE.pem and FILE.key: valid for an hour, whoever signs it."""
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    Path(f"{file}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    Path(f"{file}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
