"""The MQTT source against a real Mosquitto: nothing is acknowledged early, nothing is dropped when we are slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from structlog.testing import capture_logs

from ingest.intake.sources.clock import Clock
from ingest.intake.sources.config import MqttConfig
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.mqtt import MqttSource
from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Committed, Refusal, decode_committed, decode_refusal
from ingest.intake.wire.topics import committed_topic, frame_topic, refused_topic, status_topic
from tests.movable_clock import MovableClock
from tests.servers import mosquitto, mosquitto_server

PATIENCE_S = 60.0
TOPIC = frame_topic("p", "g")


@dataclass
class Ours:
    """A source, what it handed over, and how often it was subscribed."""

    source: MqttSource
    handover: Handover
    subscribed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def next(self) -> Raw:
        """The next message."""
        (message,) = self.handover.take(1, PATIENCE_S)
        return message

    def drain(self) -> list[Raw]:
        """What is waiting, and whatever comes within a moment."""
        taken: list[Raw] = []
        while more := self.handover.take(1000, 0.5):
            taken += more
        return taken


@contextmanager
def source(
    address: tuple[str, int],
    *,
    expect: bool = False,
    protocol: str = "5",
    most: int = 100,
    clock: Clock | None = None,
    max_packet_bytes: int | None = None,
    retain: bool = True,
    keepalive_s: int = 30,
) -> Iterator[Ours]:
    """A source that is subscribed for the length of the block; `keepalive_s` may be less than settings allow."""
    config = MqttConfig.model_validate(
        {
            "host": address[0],
            "port": address[1],
            "protocol": protocol,
            "retain": retain,
            "max_packet_bytes": max_packet_bytes,
        }
    ).model_copy(update={"keepalive_s": keepalive_s})
    handover = Handover(most)
    made = Ours(MqttSource(config, handover, clock or Clock(), expect_session=expect), handover)
    made.source.start(made.subscribed.release)
    try:
        assert made.subscribed.acquire(timeout=PATIENCE_S)
        yield made
    finally:
        made.source.stop()


def publish(address: tuple[str, int], *payloads: bytes) -> None:
    """Publish frames at QoS 1, each accepted by the broker."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect(*address)
    client.loop_start()
    for payload in payloads:
        client.publish(TOPIC, payload, qos=1).wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_retained_messages_are_distinguished_from_live_ones(tmp_path: Path, protocol: str) -> None:
    """By the retain flag: set on what answers the subscription, also after a restart, and on nothing else."""
    topic = status_topic("p", "g")
    with mosquitto(tmp_path) as address:
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect(*address)
        client.loop_start()
        client.publish(topic, b"kept", qos=1, retain=True).wait_for_publish(PATIENCE_S)
        with source(address, protocol=protocol) as ours:
            first = ours.next()
            ours.source.acknowledge([first])
            ours.source.flush()
            client.publish(topic, b"now", qos=1, retain=True).wait_for_publish(PATIENCE_S)
            second = ours.next()
            ours.source.acknowledge([second])
            ours.source.flush()
            until(lambda: not ours.source._client._out_packet)
        assert [(raw.payload, raw.retained) for raw in (first, second)] == [(b"kept", True), (b"now", False)]
        with source(address, expect=True, protocol=protocol) as ours:
            again = ours.next()
        assert (again.payload, again.retained) == (b"now", True)
        client.disconnect()
        client.loop_stop()


def test_a_full_hand_over_holds_the_broker_back_and_loses_nothing(tmp_path: Path) -> None:
    payloads = [str(n).encode() for n in range(200)]
    with mosquitto(tmp_path, ["max_queued_messages 0"]) as address, source(address, most=2) as ours:
        publish(address, *payloads)
        time.sleep(1.5)  # long enough for a hand-over that gives up to give up
        got: list[bytes] = []
        while len(got) < len(payloads):
            message = ours.next()
            got.append(message.payload)
            ours.source.acknowledge([message])
            ours.source.flush()
        assert got == payloads


def test_while_intake_is_held_the_connection_lives_and_a_restarted_broker_is_found_again(tmp_path: Path) -> None:
    """As on a full disk: nothing is taken or acknowledged for longer than three times the keep-alive, twice."""
    with mosquitto_server(tmp_path, ["max_queued_messages 0"]) as broker, capture_logs() as logs:
        address = (broker.host, broker.port)
        with source(address, keepalive_s=1) as ours:
            for held in (1, 2):
                publish(address, *(f"{held}.{n}".encode() for n in range(20)))
                until(lambda held=held: len(ours.handover) == 20 * held)  # type: ignore[misc]
                until_s = time.monotonic() + 3.5  # a broker ends a connection after one and a half
                until(lambda until_s=until_s: time.monotonic() > until_s or not ours.source.connected)  # type: ignore[misc]
                assert ours.source.connected
            assert not [entry for entry in logs if entry["event"] == "broker_disconnected"]
            broker.stop()
            until(lambda: not ours.source.connected)
            broker.start()
            assert ours.subscribed.acquire(timeout=PATIENCE_S)
            until(lambda: len(ours.handover) == 80)  # what was not acknowledged comes again
            taken = ours.drain()
            ours.source.acknowledge(taken)
            ours.source.flush()
            assert [message.payload for message in taken[:40]] == [message.payload for message in taken[40:]]
            publish(address, b"after")
            assert ours.next().payload == b"after"
        with source(address, expect=True) as ours:
            assert [message.payload for message in ours.drain()] == [b"after"]


def test_an_acknowledgement_of_an_earlier_connection_is_dropped(tmp_path: Path) -> None:
    """Its packet id may mean another message by then: the later message must come again."""
    with mosquitto_server(tmp_path) as broker:
        address = (broker.host, broker.port)
        with source(address) as ours:
            publish(address, b"one")
            stale = ours.next()
            broker.kill()
            until(lambda: not ours.source.connected)
            broker.start()
            assert ours.subscribed.acquire(timeout=PATIENCE_S), "connected alone is not enough: the broker forgot all"
            publish(address, b"two")
            two = ours.next()
            assert (two.payload, two.packet) == (b"two", stale.packet), "the same packet id, another message"
            ours.source.acknowledge([stale])
            ours.source.flush()
            until(lambda: not ours.source._client._out_packet)
        with source(address) as ours:
            assert ours.next().payload == b"two"


def test_what_comes_in_pieces_or_all_at_once_is_the_same(tmp_path: Path) -> None:
    """Small and large messages, faster than they are read, in order."""
    payloads = [bytes([n % 251]) * (n * n % 70_000) for n in range(300)]
    with mosquitto(tmp_path, ["max_queued_messages 0"]) as address, source(address, most=1000) as ours:
        publish(address, *payloads)
        got = [ours.next() for _ in payloads]
        assert [message.payload for message in got] == payloads
        ours.source.acknowledge(got)
        ours.source.flush()


def test_a_message_tells_by_how_much_the_services_clock_was_set_before_it_came(tmp_path: Path) -> None:
    moved = MovableClock()
    with mosquitto(tmp_path) as address, source(address, clock=Clock(moved.wall, moved.steady)) as ours:
        publish(address, b"before")
        before = ours.next()
        moved.pass_s(1)
        moved.set_by_s(-3600)
        publish(address, b"after")
        after = ours.next()
        assert (before.set_by, after.set_by) == (0, -3600 * 10**9)
        assert after.received == before.received - 3599 * 10**9


def test_a_broker_that_lost_the_session_is_reported(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as address, capture_logs() as logs:
        with source(address, expect=True) as ours:
            assert ours.source.sessions_lost == 1
        assert [entry["event"] for entry in logs if entry["event"] == "session_lost"] == ["session_lost"]
        with source(address, expect=True) as ours:
            assert ours.source.sessions_lost == 0
        assert len([entry for entry in logs if entry["event"] == "session_lost"]) == 1, "now it knows us"


def test_what_is_committed_is_there_for_a_gateway_that_comes_later(tmp_path: Path) -> None:
    heard: Queue[bytes] = Queue()
    with mosquitto(tmp_path) as address, source(address) as ours:
        ours.source.announce([("p", "g", Committed("b1", 7, [(2, 3)]))])
        ours.source.flush()
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda _client, _data, message: heard.put(bytes(message.payload))
        client.connect(*address)
        client.loop_start()
        deadline = time.monotonic() + PATIENCE_S
        while heard.empty() and time.monotonic() < deadline:
            client.subscribe(committed_topic("p", "g"), 1)
            time.sleep(0.1)
        client.disconnect()
        client.loop_stop()
    assert decode_committed(heard.get_nowait()) == Committed("b1", 7, [(2, 3)])


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_announcements_to_many_gateways_at_once_reach_each_and_are_retained(tmp_path: Path, protocol: str) -> None:
    """Twice, among them one whose packet needs a longer length and one whose name is of several bytes a letter."""
    gaps = [(n, n) for n in range(1, 100, 2)]
    for first in (7, 200):
        with mosquitto(tmp_path) as address, source(address, protocol=protocol) as ours:
            wanted = {committed_topic("p", f"g{n}"): Committed("b", first + n) for n in range(50)}
            wanted |= {committed_topic("p", "长"): Committed("b", first + 99, gaps)}
            announced = ours.source.announce(
                [("p", topic.split("/")[3], committed) for topic, committed in wanted.items()]
            )
            ours.source.flush()
            assert announced == [*wanted.values()]
            heard: Queue[tuple[str, bytes]] = Queue()
            client = Client(CallbackAPIVersion.VERSION2)
            client.on_message = lambda _client, _data, message, to=heard: to.put(
                (message.topic, bytes(message.payload))
            )
            client.connect(*address)
            client.loop_start()
            kept: dict[str, Committed] = {}
            deadline = time.monotonic() + PATIENCE_S
            client.subscribe("yujing/v1/+/+/committed", 1)
            while kept != wanted and time.monotonic() < deadline:
                topic, payload = heard.get(timeout=PATIENCE_S)
                kept[topic] = decode_committed(payload)
            client.disconnect()
            client.loop_stop()
            assert kept == wanted


def test_what_was_refused_comes_before_what_is_committed_and_is_not_kept(tmp_path: Path) -> None:
    """While there is no broker the refusal is not carried, and not forgotten by who asked."""
    heard: Queue[tuple[str, bytes]] = Queue()
    refusal = Refusal("b1", 7, "unknown-point", "T9", 1, 200)
    with mosquitto(tmp_path) as address, source(address) as ours:
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda _client, _data, message: heard.put((message.topic, bytes(message.payload)))
        subscribed = threading.Event()
        client.on_subscribe = lambda *_: subscribed.set()
        client.connect(*address)
        client.loop_start()
        client.subscribe([(refused_topic("p", "g"), 1), (committed_topic("p", "g"), 1)])
        assert subscribed.wait(PATIENCE_S)
        assert ours.source.refuse("p", "g", refusal)
        ours.source.announce([("p", "g", Committed("b1", 7))])
        ours.source.flush()
        (first, payload), (second, _) = (heard.get(timeout=PATIENCE_S) for _ in range(2))
        client.disconnect()
        client.loop_stop()
        ours.source.stop()
        assert not ours.source.refuse("p", "g", refusal)
    assert (first, second) == (refused_topic("p", "g"), committed_topic("p", "g"))
    assert decode_refusal(payload) == refusal


@pytest.mark.parametrize(("protocol", "most"), [("5", None), ("3.1.1", 600)])
def test_no_packet_is_larger_than_the_broker_takes(tmp_path: Path, protocol: str, most: int | None) -> None:
    """What finds no room is announced later; what can never be announced is logged. The connection stays."""
    gaps = [(n, n) for n in range(1, 1000, 2)]
    with (
        mosquitto(tmp_path, ["max_packet_size 600"]) as address,
        capture_logs() as logs,
        source(address, protocol=protocol, max_packet_bytes=most) as ours,
    ):
        (announced,) = ours.source.announce([("p", "g", Committed("b1", 1000, gaps))])
        ours.source.flush()
        assert ours.source.announce([("p" * 300, "g" * 300, Committed("b1", 1000, gaps))]) == [None]
        assert ours.source.refuse("p", "g", Refusal("b1", 7, "schema", "错" * 400, 1, 0))
        publish(address, b"still here")
        assert ours.next().payload == b"still here"
    assert announced is not None
    assert 20 < len(announced.missing) < 100
    assert (announced.missing, announced.seq) == (gaps[: len(announced.missing)], gaps[len(announced.missing)][0] - 1)
    assert "announcement_too_large" in [entry["event"] for entry in logs]
    assert "broker_disconnected" not in [entry["event"] for entry in logs]
