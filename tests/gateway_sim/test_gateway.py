from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import aiomqtt
import pytest

from gateway_sim.buffer import FrameBuffer
from gateway_sim.gateway import Link, ReferenceGateway
from ingest.intake.wire.frame import decode_status
from ingest.intake.wire.topics import committed_topic, status_topic
from tests.gateway_sim.committer import Committer, in_background, until
from tests.servers import Server, mosquitto_server

PROTOCOLS: tuple[Literal["5", "3.1.1"], ...] = ("5", "3.1.1")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    with mosquitto_server(tmp_path) as server:
        yield server


def _gateway(broker: Server, protocol: Literal["5", "3.1.1"] = "5", resend_s: float = 0.3) -> ReferenceGateway:
    link = Link(broker.host, broker.port, protocol=protocol)
    return ReferenceGateway("demo-dust", "GW-01", link, buffer=FrameBuffer(resend_s=resend_s))


def _publish(gateway: ReferenceGateway, frames: int) -> None:
    for _ in range(frames):
        second = 1_763_884_800_000 + gateway.tally.frames * 1000
        gateway.publish([second], {"DP-01": [900.0], "H2-01": [None]})


async def _committed(gateway: ReferenceGateway) -> None:
    await asyncio.wait_for(gateway.at_most_waiting(0), 20)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_everything_published_is_committed_in_order(broker: Server, protocol: Literal["5", "3.1.1"]) -> None:
    service, gateway = Committer(broker.host, broker.port), _gateway(broker, protocol)
    async with in_background(service.run(), gateway.run()):
        _publish(gateway, 200)
        await _committed(gateway)
    key = ("demo-dust", "GW-01", gateway.boot)
    assert list(service.frames[key]) == list(range(1, 201))
    assert service.readings == gateway.tally.readings == 400


async def test_what_the_service_misses_is_sent_again(broker: Server) -> None:
    service, gateway = Committer(broker.host, broker.port, lose=[3, 4, 9, 20]), _gateway(broker)
    async with in_background(service.run(), gateway.run()):
        _publish(gateway, 20)
        await _committed(gateway)
    assert set(service.frames["demo-dust", "GW-01", gateway.boot]) == set(range(1, 21))
    assert gateway.tally.resent >= 4


async def test_without_any_commit_frames_are_sent_again(broker: Server) -> None:
    """A broker that acknowledged and forgot is no excuse."""
    service, gateway = Committer(broker.host, broker.port, silent=True), _gateway(broker)
    async with in_background(service.run(), gateway.run()):
        _publish(gateway, 2)
        await until(lambda: len(service.arrivals) >= 4)
        assert gateway.tally.uncommitted == 2
        service.silent = False
        await _committed(gateway)


async def test_a_service_that_starts_later_gets_everything(broker: Server) -> None:
    """Nobody was subscribed, so the broker dropped every frame it acknowledged."""
    service, gateway = Committer(broker.host, broker.port), _gateway(broker)
    async with in_background(gateway.run()):
        _publish(gateway, 50)
        await until(lambda: gateway.tally.connections == 1)
        async with in_background(service.run()):
            await _committed(gateway)
    assert len(service.frames["demo-dust", "GW-01", gateway.boot]) == 50


async def test_a_killed_broker_loses_nothing(broker: Server) -> None:
    service, gateway = Committer(broker.host, broker.port), _gateway(broker)
    async with in_background(service.run(), gateway.run()):
        for _ in range(3):
            _publish(gateway, 30)
            broker.kill()
            _publish(gateway, 30)
            broker.start()
            _publish(gateway, 30)
            await until(lambda: gateway.tally.uncommitted == 0)
    assert set(service.frames["demo-dust", "GW-01", gateway.boot]) == set(range(1, 271))
    assert gateway.tally.connections >= 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_cut_network_fires_the_will_and_keeps_the_frames(
    broker: Server, protocol: Literal["5", "3.1.1"]
) -> None:
    service, gateway = Committer(broker.host, broker.port), _gateway(broker, protocol)
    async with in_background(service.run(), gateway.run()):
        await until(lambda: service.statuses["demo-dust/GW-01"] == [True])
        _publish(gateway, 5)
        await _committed(gateway)
        gateway.cut()
        await until(lambda: service.statuses["demo-dust/GW-01"] == [True, False])
        _publish(gateway, 40)
        assert gateway.tally.uncommitted == 40
        arrived = len(service.arrivals)
        gateway.restore()
        await _committed(gateway)
        await until(lambda: service.statuses["demo-dust/GW-01"] == [True, False, True])
    late = [seq for _, seq in service.arrivals[arrived:]]
    assert late == sorted(late), "oldest first, so that nothing arrives late behind newer readings"
    assert set(service.frames["demo-dust", "GW-01", gateway.boot]) == set(range(1, 46))


async def test_after_a_reconnect_the_retained_commit_is_heard_before_anything_is_sent_again(broker: Server) -> None:
    """What was committed while the gateway was away is not sent twice."""
    service, gateway = Committer(broker.host, broker.port, silent=True), _gateway(broker, resend_s=30)
    async with in_background(service.run(), gateway.run()):
        await until(lambda: service.statuses["demo-dust/GW-01"] == [True])
        _publish(gateway, 10)
        await until(lambda: len(service.arrivals) == 10)
        gateway.cut()
        await until(lambda: service.statuses["demo-dust/GW-01"] == [True, False])
        async with aiomqtt.Client(broker.host, broker.port) as client:
            committed = service.committed(("demo-dust", "GW-01", gateway.boot))
            await client.publish(committed_topic("demo-dust", "GW-01"), committed, qos=1, retain=True)
        gateway.restore()
        await _committed(gateway)
        service.silent = False
        _publish(gateway, 1)
        await _committed(gateway)
    assert [seq for _, seq in service.arrivals] == list(range(1, 12))


async def test_goodbye_leaves_a_retained_offline(broker: Server) -> None:
    gateway = _gateway(broker)
    async with in_background(gateway.run()):
        await until(lambda: gateway.tally.connections == 1)
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe(status_topic("demo-dust", "GW-01"))
        message = await asyncio.wait_for(anext(client.messages), 5)
    assert message.retain
    assert decode_status(bytes(message.payload)).online is False


async def test_every_start_is_a_later_boot(broker: Server) -> None:
    first = _gateway(broker)
    await asyncio.sleep(0.002)  # boots are told apart by the millisecond
    assert first.boot < _gateway(broker).boot


async def test_an_unreadable_commit_is_ignored(broker: Server) -> None:
    service, gateway = Committer(broker.host, broker.port), _gateway(broker)
    async with aiomqtt.Client(broker.host, broker.port) as vandal:
        await vandal.publish("yujing/v1/demo-dust/GW-01/committed", b"\xff{", qos=1, retain=True)
        async with in_background(gateway.run()):
            _publish(gateway, 3)
            await until(lambda: gateway.tally.connections == 1)
            await vandal.publish("yujing/v1/demo-dust/GW-01/committed", b'{"boot":1}', qos=1)
            async with in_background(service.run()):
                await _committed(gateway)


async def test_a_gateway_that_is_cancelled_ends_also_where_its_client_swallows_that(
    broker: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `asyncio.wait_for` does before Python 3.12, if what it waits for comes at the same moment."""
    publish, frames = aiomqtt.Client.publish, asyncio.Event()

    async def swallowing(client: aiomqtt.Client, topic: str, *arguments: object, **named: object) -> None:
        await publish(client, topic, *arguments, **named)  # type: ignore[arg-type]
        if topic.endswith("/frame"):
            frames.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)

    monkeypatch.setattr(aiomqtt.Client, "publish", swallowing)
    gateway = _gateway(broker)
    _publish(gateway, 1000)
    network = asyncio.create_task(gateway.run())
    await asyncio.wait_for(frames.wait(), 20)
    network.cancel()
    ended, _ = await asyncio.wait([network], timeout=20)
    assert ended
    assert network.cancelled()
