"""The shipped broker profile, on a real Mosquitto with certificates from the shipped scripts."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import MQTTProtocolVersion

from ingest.demo.children import find_mosquitto
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.mqtt import MqttSource
from ingest.intake.wire.frame import MAX_BYTES, Committed
from ingest.intake.wire.topics import FRAMES, STATUSES, committed_topic, frame_topic, refused_topic, status_topic
from ingest.runtime.settings import load_settings
from tests.deploy.speaker import WAIT_S, speaker, until, write_certificate
from tests.servers import Server, free_port

A, B = "gateways/plant-a.GW-01", "gateways/plant-b.GW-01"
SERVICE, HEALTH = "yujing/mqtt", "mosquitto/health"
DENIED = 135  # MQTT 5: not authorized


@pytest.fixture(scope="module")
def broker(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Mosquitto with mosquitto.conf as shipped but for its port and paths."""
    port, data = free_port(), tmp_path_factory.mktemp("mosquitto")
    text = (installed / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    for shipped, here in {
        "listener 8883": f"listener {port} 127.0.0.1",
        "/run/secrets/ca": installed / "secrets/authority/ca.pem",
        "/run/secrets/crl": installed / "secrets/mosquitto/crl.pem",
        "/run/secrets/broker_cert": installed / "secrets/mosquitto/broker.pem",
        "/run/secrets/broker_key": installed / "secrets/mosquitto/broker.key",
        "/mosquitto/config/acl": installed / "mosquitto/acl",
        "/mosquitto/data/": f"{data}/",
    }.items():
        assert f"{shipped}\n" in text
        text = text.replace(f"{shipped}\n", f"{here}\n")
    config = data / "mosquitto.conf"
    config.write_text(text + ("user root\n" if os.geteuid() == 0 else ""), encoding="utf-8")
    program = find_mosquitto()
    assert program, "Mosquitto is not installed: apt-get install -y mosquitto"

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with Server([program, "-c", str(config)], port, data / "log", answers) as server:
        yield server


@pytest.fixture
def secrets(installed: Path) -> Path:
    return installed / "secrets"


def test_a_gateway_speaks_for_itself_and_the_service_hears_it(broker: Server, secrets: Path) -> None:
    """Frames, status, last will up; `committed` and `refused` down."""
    own = ("plant-a", "GW-01")
    with speaker(broker, secrets, SERVICE) as service:
        service.subscribe(FRAMES, STATUSES)
        with speaker(broker, secrets, A, will=status_topic(*own)) as gateway:
            gateway.subscribe(committed_topic(*own), refused_topic(*own))
            assert gateway.publish(frame_topic(*own), b"frame") == 0
            assert gateway.publish(status_topic(*own), b'{"online":true}', retain=True) == 0
            assert service.publish(refused_topic(*own), b"6") == 0
            assert service.publish(committed_topic(*own), b"7", retain=True) == 0
            until(lambda: gateway.heard() == [(refused_topic(*own), b"6"), (committed_topic(*own), b"7")])
            sock = gateway.client.socket()
            assert sock is not None
            until(lambda: len(service.received) == 2)
            gateway.client.loop_stop()
            sock.close()  # without DISCONNECT
        until(lambda: len(service.received) == 3)
        assert service.heard() == [
            (frame_topic(*own), b"frame"),
            (status_topic(*own), b'{"online":true}'),
            (status_topic(*own), b'{"online":false}'),
        ]


@pytest.mark.parametrize(
    "topic",
    [
        frame_topic("plant-b", "GW-01"),
        frame_topic("plant-a", "GW-02"),
        status_topic("plant-b", "GW-01"),
        committed_topic("plant-a", "GW-01"),
        refused_topic("plant-a", "GW-01"),
        "yujing/v1/plant-a/GW-01",
        "yujing/v1/plant-a/GW-01/frame/x",
        "other",
    ],
)
def test_a_gateway_cannot_speak_for_another(broker: Server, secrets: Path, topic: str) -> None:
    """Denied with a reason the gateway can see, and delivered to nobody."""
    with speaker(broker, secrets, SERVICE) as service, speaker(broker, secrets, A) as gateway:
        service.subscribe(FRAMES, STATUSES)
        before = len(service.received)  # retained statuses
        assert gateway.publish(topic, b"forged") == DENIED
        assert gateway.publish(frame_topic("plant-a", "GW-01"), b"own") == 0
        until(lambda: b"own" in [payload for _, payload in service.heard()[before:]])
        assert b"forged" not in [payload for _, payload in service.heard()]


def test_a_gateway_reads_nothing_but_its_own_commits(broker: Server, secrets: Path) -> None:
    """Mosquitto grants any subscription, and delivers none of it."""
    with speaker(broker, secrets, A) as curious, speaker(broker, secrets, B) as other:
        curious.subscribe("#", "yujing/#", FRAMES, STATUSES, committed_topic("plant-b", "GW-01"))
        other.publish(frame_topic("plant-b", "GW-01"), b"secret")
        with speaker(broker, secrets, SERVICE) as service:
            service.publish(committed_topic("plant-b", "GW-01"), b"8")
            service.publish(committed_topic("plant-a", "GW-01"), b"9")
        until(lambda: (committed_topic("plant-a", "GW-01"), b"9") in curious.heard())
        assert {topic for topic, _ in curious.heard()} == {committed_topic("plant-a", "GW-01")}


def test_a_gateway_cannot_take_over_the_session_of_the_service(broker: Server, secrets: Path) -> None:
    """It asks for the service's client id while the service is away; the queue waits for its owner all the same."""
    with speaker(broker, secrets, SERVICE, client_id="yujing-ingest", expiry_s=600) as service:
        service.subscribe(FRAMES)
    with speaker(broker, secrets, B, client_id="yujing-ingest") as thief:
        thief.publish(frame_topic("plant-b", "GW-01"), b"queued")
        assert thief.connected == [False]
    with speaker(broker, secrets, SERVICE, client_id="yujing-ingest", expiry_s=0) as service:
        assert service.connected == [True]
        until(lambda: (frame_topic("plant-b", "GW-01"), b"queued") in service.heard())
        assert thief.received == []


def test_the_queue_of_the_service_outlives_a_restart_of_the_broker(broker: Server, secrets: Path) -> None:
    """In good order: SIGTERM writes the memory out. After a crash only what autosave wrote is there, and it says so."""
    with speaker(broker, secrets, SERVICE, expiry_s=600) as service:
        service.subscribe(FRAMES)
    with speaker(broker, secrets, A) as gateway:
        gateway.publish(frame_topic("plant-a", "GW-01"), b"waits")
    broker.stop()
    broker.start()
    with speaker(broker, secrets, SERVICE) as service:
        assert service.connected == [True]
        until(lambda: (frame_topic("plant-a", "GW-01"), b"waits") in service.heard())


@pytest.mark.parametrize(("who", "let_in"), [("own", True), ("nobody", False), ("forged", False), ("broker", False)])
def test_only_a_client_certificate_of_our_authority_gets_in(
    broker: Server, secrets: Path, tmp_path: Path, who: str, *, let_in: bool
) -> None:
    """Not without one, not with one signed by somebody of the same name, not with the broker's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_certificate(tmp_path / "forged", "yujing-ingest", key, issuer=authority_of(secrets.parent), signer=key)
    files = {"own": secrets / A, "forged": tmp_path / "forged", "broker": secrets / "mosquitto/broker"}
    context = ssl.create_default_context(cafile=str(secrets / "authority/ca.pem"))
    if who in files:
        context.load_cert_chain(f"{files[who]}.pem", f"{files[who]}.key")
    assert greeted(broker, context) is let_in


def test_a_revoked_certificate_no_longer_gets_in_and_its_renewal_does(broker: Server, installed: Path) -> None:
    """By its name or its file, without a restart of the broker; the others stay as they are."""
    lost, kept = installed / "secrets/gateways/lost", installed / "secrets/gateways/kept"
    files = [installed / "secrets" / A, lost, kept]

    def let_in() -> list[bool]:
        return [greeted(broker, trusting(installed, file)) for file in files]

    def script(name: str, *arguments: str | Path) -> None:
        subprocess.run([installed / name, *arguments], check=True, capture_output=True)

    for file in (lost, kept):
        script("issue-certificate.sh", f"plant-c/{file.name}", file)
    assert let_in() == [True, True, True]
    script("revoke-certificate.sh", "plant-c/lost")
    assert let_in() == [True, True, True], "until the broker has read the list"
    os.kill(broker.pid, signal.SIGHUP)
    until(lambda: let_in() == [True, False, True])
    lost.with_suffix(".pem").unlink()
    script("issue-certificate.sh", "plant-c/lost", lost)
    assert let_in() == [True, True, True]
    script("revoke-certificate.sh", kept.with_suffix(".pem"), "plant-c/lost")
    script("revoke-certificate.sh", kept.with_suffix(".pem"))
    os.kill(broker.pid, signal.SIGHUP)
    until(lambda: let_in() == [True, False, False])


@pytest.mark.parametrize("name", ["+/GW-01", "#", "plant-a/+"])
def test_a_wildcard_for_a_name_opens_nothing(broker: Server, secrets: Path, tmp_path: Path, name: str) -> None:
    """Such a certificate is never issued by our script; if one is, Mosquitto denies it everything."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = load_pem_private_key((secrets / "authority/ca.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    write_certificate(tmp_path / "wild", name, key, issuer=authority_of(secrets.parent), signer=signer)
    (tmp_path / "authority").symlink_to(secrets / "authority")
    with speaker(broker, tmp_path, "wild") as wild, speaker(broker, secrets, A) as gateway:
        wild.subscribe(committed_topic("plant-a", "GW-01"), FRAMES)
        assert gateway.publish(frame_topic("plant-a", "GW-01")) != DENIED
        assert wild.publish(frame_topic("plant-a", "GW-01")) == DENIED
        assert wild.received == []


def test_the_health_check_may_know_the_uptime_and_no_more(broker: Server, secrets: Path) -> None:
    with speaker(broker, secrets, HEALTH) as health:
        health.subscribe("$SYS/#", "#")
        until(lambda: bool(health.received))
        assert {topic for topic, _ in health.heard()} == {"$SYS/broker/uptime"}
        assert health.publish(frame_topic("plant-a", "GW-01")) == DENIED


def test_on_mqtt_3_a_denied_publish_looks_like_a_success(broker: Server, secrets: Path) -> None:
    """Why docs/protocol.md lets gateways trust `committed` alone."""
    with speaker(broker, secrets, A, version=MQTTProtocolVersion.MQTTv311) as gateway:
        assert gateway.publish(frame_topic("plant-b", "GW-01")) == 0


def test_the_service_connects_with_its_shipped_settings(broker: Server, installed: Path, tmp_path: Path) -> None:
    """The settings of compose, but for host, port and paths: mutual TLS, messages, acknowledgements, announcements."""
    text = (installed / "yujing.compose.toml").read_text(encoding="utf-8")
    for name, file in {
        "ca": "authority/ca.pem", "mqtt_cert": "yujing/mqtt.pem", "mqtt_key": "yujing/mqtt.key",
    }.items():  # fmt: skip
        text = text.replace(f'"/run/secrets/{name}"', json.dumps(str(installed / "secrets" / file)))
    text = text.replace("port = 8883", f"port = {broker.port}").replace('host = "mosquitto"', 'host = "127.0.0.1"')
    (tmp_path / "yujing.toml").write_text(text, encoding="utf-8")
    handover = Handover(8)
    source = MqttSource(load_settings(tmp_path / "yujing.toml").mqtt, handover, Clock(), expect_session=False)
    subscribed: list[bool] = []
    source.start(lambda: subscribed.append(True))
    try:
        until(lambda: bool(subscribed))
        with speaker(broker, installed / "secrets", A) as gateway:
            gateway.subscribe(committed_topic("plant-a", "GW-01"))
            until(lambda: gateway.publish(frame_topic("plant-a", "GW-01"), b"frame") == 0)
            (raw,) = handover.take(1, WAIT_S)
            while raw.topic != frame_topic("plant-a", "GW-01"):  # retained statuses come first
                (raw,) = handover.take(1, WAIT_S)
            source.acknowledge([raw])
            source.flush()
            source.announce([("plant-a", "GW-01", Committed("boot", 3))])
            source.flush()
            announced = (committed_topic("plant-a", "GW-01"), b'{"boot":"boot","seq":3,"missing":[]}')
            until(lambda: gateway.heard()[-1:] == [announced])
    finally:
        source.stop()


def test_the_broker_takes_no_larger_packet_than_the_service(installed: Path) -> None:
    profile = (installed / "mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    assert f"\nmax_packet_size {MAX_BYTES + 1024}\n" in profile


def authority_of(installed: Path) -> str:
    """The common name of the authority."""
    ca = x509.load_pem_x509_certificate((installed / "secrets/authority/ca.pem").read_bytes())
    (name,) = ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def trusting(installed: Path, file: Path) -> ssl.SSLContext:
    """A client's side of TLS that shows the certificate of that name."""
    context = ssl.create_default_context(cafile=str(installed / "secrets/authority/ca.pem"))
    context.load_cert_chain(f"{file}.pem", f"{file}.key")
    return context


def greeted(broker: Server, context: ssl.SSLContext) -> bool:
    """Whether the broker answers a CONNECT."""
    with (
        socket.create_connection(("127.0.0.1", broker.port), WAIT_S) as plain,
        suppress(OSError),
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a")
        return tls.recv(4) == b"\x20\x02\x00\x00"
    return False
