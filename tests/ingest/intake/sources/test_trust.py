"""TLS to a real Mosquitto: reasons of failed connections are reported, renewed files used without a restart."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.base.config import Secret
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.reloaded import renewed_password
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.config import MqttConfig
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.mqtt import MqttSource
from tests.authority import Authority, Pair
from tests.servers import LOOPBACK, Server, free_port, mosquitto_server

PATIENCE_S = 60.0


def tls_broker(tmp: Path, ca: Path, pair: Pair) -> Server:
    lines = [f"cafile {ca}", f"certfile {pair.cert}", f"keyfile {pair.key}", "require_certificate true"]
    return mosquitto_server(tmp, lines)


@contextmanager
def connecting(port: int, ca: Path, pair: Pair, **settings: Any) -> Iterator[tuple[MqttSource, threading.Semaphore]]:
    """A source that connects, and a count of its subscriptions."""
    given = {"host": LOOPBACK, "port": port, "tls_ca": ca, "tls_cert": pair.cert, "tls_key": pair.key, **settings}
    source = MqttSource(MqttConfig.model_validate(given), Handover(100), Clock(), expect_session=False)
    subscribed = threading.Semaphore(0)
    source.start(subscribed.release)
    try:
        yield source, subscribed
    finally:
        source.stop()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def of(logs: list[Any], event: str) -> list[Mapping[str, Any]]:
    return [entry for entry in logs if entry["event"] == event]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("why", "theirs"),
    [
        ("expired", {"days": -1.0}),
        ("wrong-name", {"address": "192.0.2.1"}),
        ("not-trusted", None),
    ],
)
def test_an_untrusted_certificate_is_distinguished_from_an_absent_broker(
    tmp_path: Path, why: str, theirs: dict[str, Any] | None
) -> None:
    ours = Authority(tmp_path / "ours")
    issuer = ours if theirs is not None else Authority(tmp_path / "theirs")
    pair, mine = issuer.issue("broker", **theirs or {}), ours.issue("yujing")
    with (
        tls_broker(tmp_path, ours.ca, pair) as broker,
        capture_logs() as logs,
        connecting(broker.port, ours.ca, mine) as (source, _),
    ):
        until(lambda: bool(of(logs, "broker_not_trusted")))
        assert of(logs, "broker_not_trusted")[0]["why"] == why
        assert of(logs, "broker_unreachable") == []
        assert f"certificate {why}" in str(source.trouble)


@pytest.mark.usefixtures("impatient")
def test_a_broker_that_is_away_says_how(tmp_path: Path) -> None:
    ours = Authority(tmp_path)
    with capture_logs() as logs, connecting(free_port(), ours.ca, ours.issue("yujing")) as (source, _):
        until(lambda: bool(of(logs, "broker_unreachable")))
        assert "refused" in of(logs, "broker_unreachable")[0]["reason"].lower()
        assert "unreachable" in str(source.trouble)


@pytest.mark.usefixtures("impatient")
def test_an_invalid_host_name_is_reported_and_tried_again(tmp_path: Path) -> None:
    """Such an error is no OSError, and ended the network thread in silence."""
    ours = Authority(tmp_path)
    with capture_logs() as logs, connecting(1883, ours.ca, ours.issue("yujing"), host="no..name"):
        until(lambda: len(of(logs, "broker_unreachable")) > 1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("why", "days", "of_ours"), [("expired", -1.0, True), ("unknown", 1.0, False)])
def test_a_certificate_of_ours_that_the_broker_does_not_take_is_named(
    tmp_path: Path, why: str, days: float, *, of_ours: bool
) -> None:
    """With TLS 1.3 the broker says so only after the handshake, when the connection seems to be there."""
    ours = Authority(tmp_path / "ours")
    issuer = ours if of_ours else Authority(tmp_path / "theirs", "other")
    mine = issuer.issue("yujing", days=days)
    with (
        tls_broker(tmp_path, ours.ca, ours.issue("broker")) as broker,
        capture_logs() as logs,
        connecting(broker.port, ours.ca, mine) as (source, _),
    ):
        until(lambda: bool(of(logs, "own_certificate_refused")))
        refused = of(logs, "own_certificate_refused")[0]
        assert refused["file"] == str(mine.cert)
        assert why in refused["reason"]
        assert "our certificate" in str(source.trouble)


@pytest.mark.usefixtures("impatient")
def test_a_refusal_for_another_reason_is_not_reported_as_a_refused_certificate(tmp_path: Path) -> None:
    """Ours has ended, and this broker asks for none: it says no to the user name."""
    ours = Authority(tmp_path)
    theirs, words = ours.issue("broker"), tmp_path / "words"
    words.touch()
    lines = [f"certfile {theirs.cert}", f"keyfile {theirs.key}", f"password_file {words}", "allow_anonymous false"]
    with (
        mosquitto_server(tmp_path, lines) as broker,
        capture_logs() as logs,
        connecting(broker.port, ours.ca, ours.issue("yujing", days=-1)) as (source, _),
    ):
        until(lambda: len(of(logs, "broker_disconnected")) > 2)
        assert of(logs, "own_certificate_refused") == []
        assert str(source.trouble).startswith("not connected: refused: ")


def test_renewed_files_are_used_by_the_next_connection(tmp_path: Path) -> None:
    """Another authority, another certificate of ours: no restart. What cannot be used yet changes nothing."""
    old, new = Authority(tmp_path / "old"), Authority(tmp_path / "new")
    ours, mine = tmp_path / "ca.pem", old.issue("yujing")
    ours.write_bytes(old.ca.read_bytes())
    theirs = old.issue("broker")
    with (
        tls_broker(tmp_path, ours, theirs) as broker,
        capture_logs() as logs,
        connecting(broker.port, ours, mine) as (source, subscribed),
    ):
        assert subscribed.acquire(timeout=PATIENCE_S)
        whole = mine.cert.read_bytes()
        mine.cert.write_bytes(whole[:100])  # a copy under way
        broker.kill()
        broker.start()
        assert subscribed.acquire(timeout=PATIENCE_S), "the last good files are used meanwhile"
        assert of(logs, "certificate_unusable")[0]["file"] == str(mine.cert)
        broker.kill()
        ours.write_bytes(new.ca.read_bytes())
        for pair, name in ((mine, "yujing"), (theirs, "broker")):
            fresh = new.issue(name)
            pair.cert.write_bytes(fresh.cert.read_bytes())
            pair.key.write_bytes(fresh.key.read_bytes())
        broker.start()
        assert subscribed.acquire(timeout=PATIENCE_S)
        assert source.trouble is None
    assert of(logs, "broker_not_trusted") == []


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("broken", ["cert", "key", "ca", "password"])
def test_a_source_begun_with_a_broken_file_connects_once_that_is_mended_and_never_without_it(
    broken: str, tmp_path: Path
) -> None:
    ours = Authority(tmp_path)
    mine, word, trusted = ours.issue("yujing"), tmp_path / "word", tmp_path / "trusted.pem"
    word.write_text("x")
    trusted.write_bytes(ours.ca.read_bytes())
    file = {"cert": mine.cert, "key": mine.key, "ca": trusted, "password": word}[broken]
    key = {"ca": "mqtt.tls_ca", "password": "mqtt.password"}.get(broken, "mqtt.tls_cert")
    whole = file.read_bytes()
    file.unlink()
    signing_in = {"username": "yujing", "password": {"file": word}}
    with (
        tls_broker(tmp_path, ours.ca, ours.issue("broker")) as broker,
        capture_logs() as logs,
        connecting(broker.port, trusted, mine, **signing_in) as (source, subscribed),
    ):
        until(lambda: len(of(logs, "broker_unreachable")) > 1)
        assert source.trouble == f"not connected: {key} cannot be used"
        events = of(logs, "password_unusable" if broken == "password" else "certificate_unusable")
        assert [event["key"] for event in events] == [key], "once, however often it is tried"
        assert of(logs, "broker_connected") == []
        file.write_bytes(whole)
        assert subscribed.acquire(timeout=PATIENCE_S)
        assert source.trouble is None


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 65_536])
def test_a_password_that_no_packet_can_carry_ends_no_service(content: bytes, tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_bytes(content)
    password = renewed_password("mqtt.password", Secret(file=word), 65_535)
    with pytest.raises(InvalidConfig, match="password"):
        password.get()
    word.write_text("x" * 65_535)
    assert password.get() == "x" * 65_535
    word.write_bytes(content)
    assert password.get() == "x" * 65_535, "as it was good last"


@pytest.mark.usefixtures("impatient")
def test_a_port_without_tls_is_no_broker_that_is_away(tmp_path: Path) -> None:
    ours = Authority(tmp_path)
    with (
        mosquitto_server(tmp_path) as plain,
        capture_logs() as logs,
        connecting(plain.port, ours.ca, ours.issue("yujing"), protocol="3.1.1"),
    ):
        until(lambda: bool(of(logs, "broker_unreachable")))
        assert "TLS" in of(logs, "broker_unreachable")[0]["reason"]


def test_an_error_of_ours_in_the_network_thread_is_not_lost(tmp_path: Path) -> None:
    """It ends the service, as one of intake or engine does, instead of leaving it deaf."""
    failed: list[BaseException] = []
    caught = threading.Event()

    def broken(_error: BaseException) -> None:
        failed.append(_error)
        caught.set()

    def subscribed() -> None:
        raise ValueError("a fault of ours")

    with mosquitto_server(tmp_path) as broker:
        config = MqttConfig(host=broker.host, port=broker.port)
        source = MqttSource(config, Handover(10), Clock(), expect_session=False, failed=broken)
        source.start(subscribed)
        try:
            assert caught.wait(PATIENCE_S)
            assert [str(error) for error in failed] == ["a fault of ours"]
        finally:
            source.stop()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_replaced_password_is_used_by_the_next_connection(tmp_path: Path, protocol: str) -> None:
    """The broker refuses the old one and takes the new one; the service was not started anew."""
    words, secret = tmp_path / "words", tmp_path / "secret"

    def let_in(word: str) -> None:
        subprocess.run(["mosquitto_passwd", "-c", "-b", words, "yujing", word], check=True, capture_output=True)
        words.chmod(0o644)

    let_in("old")
    secret.write_text("old")
    lines = [f"password_file {words}", "allow_anonymous false"]
    given = {"username": "yujing", "password": {"file": secret}, "protocol": protocol}
    with mosquitto_server(tmp_path, lines) as broker, capture_logs() as logs:
        config = MqttConfig.model_validate({"host": broker.host, "port": broker.port, **given})
        subscribed = threading.Semaphore(0)
        source = MqttSource(config, Handover(10), Clock(), expect_session=False)
        source.start(subscribed.release)
        try:
            assert subscribed.acquire(timeout=PATIENCE_S)
            let_in("new")
            broker.kill()
            broker.start()
            until(lambda: any("refused" in entry["reason"] for entry in of(logs, "broker_disconnected")))
            assert "refused" in str(source.trouble)
            secret.unlink()  # while it is replaced
            secret.write_text("new")
            assert subscribed.acquire(timeout=PATIENCE_S)
        finally:
            source.stop()
