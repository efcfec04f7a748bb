"""Promise: whatever the network does between gateway, broker and service, nothing is lost in the end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.fault_proxy import FaultProxy
from tests.reliability.kept import in_journal
from tests.reliability.launched import Launched
from tests.reliability.promise import NOTHING_LOST, Figures, Promise, Report, broken, dice, nobody
from tests.reliability.traffic import Traffic, Wave, flowing
from tests.servers import mosquitto

FRAME: Final = 20  # readings
PACE_S: Final = 0.04
CATCH_UP_S: Final = 120.0
LONG_EVERY: Final = 7  # each so many-th half-open network lasts longer than the keepalive of both sides

Fault = Callable[[FaultProxy, random.Random], float]
"""Begins a fault; returns how long it is to last, s."""


def _latency(proxy: FaultProxy, rng: random.Random) -> float:
    proxy.latency(rng.uniform(50, 800))
    return rng.uniform(0.5, 2.0)


def _cut(proxy: FaultProxy, rng: random.Random) -> float:
    proxy.cut()
    return rng.uniform(0.2, 2.0)


def _reset(proxy: FaultProxy, rng: random.Random) -> float:
    for _ in range(rng.randint(1, 3)):
        proxy.reset()
        time.sleep(rng.uniform(0.0, 0.5))
    return 0.0


def _half_open(proxy: FaultProxy, rng: random.Random) -> float:
    proxy.half_open()
    return 12.0 if rng.randrange(LONG_EVERY) == 0 else rng.uniform(0.5, 3.0)


def _slow(proxy: FaultProxy, rng: random.Random) -> float:
    proxy.slow(rng.uniform(200, 2_000))
    return rng.uniform(0.5, 2.0)


def _drop_after(proxy: FaultProxy, rng: random.Random) -> float:
    proxy.drop_after(rng.randint(1, 5_000))
    return rng.uniform(0.5, 1.5)


FAULTS: Final[tuple[Fault, ...]] = (_latency, _cut, _reset, _half_open, _slow, _drop_after)


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Disturb one of the two links `count` times while frames flow; faults and links alternate."""
    rng = dice(seed)
    folder.mkdir(parents=True, exist_ok=True)
    wave = Wave(time.time_ns() // 1_000_000 - count * 10_000 - 600_000)
    with (
        mosquitto(folder, ["max_queued_messages 0"]) as broker,
        FaultProxy(broker) as to_service,
        FaultProxy(broker) as to_gateway,
        Launched(folder, to_service.address) as service,
        Traffic(to_gateway.address, wave, resend_s=1.0, keepalive_s=5) as traffic,
    ):
        links = (to_gateway, to_service)
        with flowing(traffic, FRAME, PACE_S):
            for number in range(count):
                proxy = links[(number + number // len(FAULTS)) % 2]
                time.sleep(FAULTS[number % len(FAULTS)](proxy, rng))
                proxy.restore()
                traffic.settle(CATCH_UP_S, frames=30)  # the flow goes on; what had piled up is through
                report(1)
        traffic.settle(CATCH_UP_S)
        sent, tally = traffic.sent, traffic.tally()
        connections = to_service.accepted
        assert service.stop() == 0
    kept = in_journal(folder, wave, sent)
    return {
        "done": count,
        "readings": sent,
        "lost": kept.lost,
        "twice": kept.twice,
        "wrong": kept.wrong + kept.strange,
        "frames_resent": tally.resent,
        "connections_of_the_gateway": tally.connections,
        "connections_of_the_service": connections,
    }


PROMISE: Final = Promise(
    name="network",
    title="No partition of the network loses anything in the end",
    how="a TCP proxy between gateway and broker and one between broker and service: latency, cut, RST, half-open"
    " without FIN (some longer than the keepalive), slow drip, end in the middle of a message",
    proves="after every fault frames flow again without a hand, and each reading is in the journal once",
    leaves_open="loss and reordering of single packets, which TCP hides; outages longer than a gateway's buffer",
    count=100,
    unit="faults",
    run=run,
    limits={
        **NOTHING_LOST,
        "frames_resent": (">=", 1),
        "connections_of_the_gateway": (">=", 2),
        "connections_of_the_service": (">=", 2),
    },
)


@pytest.mark.timeout(600)
def test_no_partition_loses_anything(tmp_path: Path) -> None:
    """Every fault once, on alternating links."""
    assert broken(PROMISE, run(len(FAULTS), 1, tmp_path, nobody)) == []
