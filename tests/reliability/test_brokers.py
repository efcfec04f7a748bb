"""Promise: a broker that is killed and forgets what it acknowledged loses nothing in the end, and is reported."""

from __future__ import annotations

import datetime as dt
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal

import pytest

from tests.reliability.kept import in_journal
from tests.reliability.launched import Launched
from tests.reliability.promise import NOTHING_LOST, Figures, Promise, Report, broken, dice, nobody
from tests.reliability.traffic import Traffic, Wave, flowing
from tests.servers import Server, _accepts, free_port, mosquitto_server

Kind = Literal["mosquitto", "embedded"]

FRAME: Final = 20  # readings
PACE_S: Final = 0.04
NAMED_WITHIN_S: Final = 60.0
PATIENCE_S: Final = 120.0
FORGETFUL: Final = ("persistence false", "max_queued_messages 0")


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Kill each kind of broker half of `count` times, side by side."""
    kinds: tuple[Kind, ...] = ("mosquitto", "embedded")
    with ThreadPoolExecutor(len(kinds)) as pool:
        begun = [pool.submit(_rig, kind, count // 2, dice(f"{seed}/{kind}"), folder / kind, report) for kind in kinds]
        first, other = (rig.result() for rig in begun)
    total: Figures = {name: first[name] + other[name] for name in first}
    total["named_after_s"] = max(first["named_after_s"], other["named_after_s"])
    return total


PROMISE: Final = Promise(
    name="brokers",
    title="SIGKILL of a forgetful broker loses nothing in the end, and each is told of",
    how="Mosquitto without persistence and the embedded broker, killed at random moments while frames flow",
    proves="what the broker had acknowledged and forgot is sent again by the gateway, because only `committed` makes it"
    " forget; after every kill the service says that its session was lost",
    leaves_open="gateways that do not keep frames until `committed` (protocol.md, rule 2): nobody can save theirs",
    count=200,
    unit="kills",
    run=run,
    limits={
        **NOTHING_LOST,
        "kills_not_told_of": ("=", 0),
        "named_after_s": ("<=", NAMED_WITHIN_S),
        "frames_resent": (">=", 1),
    },
)


def embedded_server(folder: Path) -> Server:
    """The embedded broker of the demonstration, not yet started."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "ingest.demo.embedded_broker", str(port)]
    return Server(command, port, folder / "broker.log", lambda: _accepts(port))


def _rig(kind: Kind, kills: int, rng: random.Random, folder: Path, report: Report) -> dict[str, float]:
    folder.mkdir(parents=True)
    protocol: Literal["5", "3.1.1"] = "5" if kind == "mosquitto" else "3.1.1"
    server = mosquitto_server(folder, FORGETFUL) if kind == "mosquitto" else embedded_server(folder)
    wave = Wave(time.time_ns() // 1_000_000 - kills * 30_000 - 120_000)
    slowest = 0.0
    with server, Launched(folder, (server.host, server.port), protocol=protocol) as service:
        with Traffic((server.host, server.port), wave, resend_s=1.0, protocol=protocol) as traffic:
            traffic.send(FRAME)
            traffic.settle(PATIENCE_S)
            with flowing(traffic, FRAME, PACE_S):
                for kill in range(kills):
                    time.sleep(rng.uniform(0.0, 0.5))  # any moment of the flow
                    server.kill()
                    server.start()
                    began = time.time()
                    service.until(lambda seen=kill: len(_losses(service)) > seen, "the lost session to be reported")  # type: ignore[misc]
                    slowest = max(slowest, _losses(service)[kill] - began)
                    traffic.settle(PATIENCE_S, frames=30)  # the flow goes on; what had piled up is through
                    report(1)
            traffic.settle(PATIENCE_S)
            sent, tally = traffic.sent, traffic.tally()
        reported = len(_losses(service))
        assert service.stop() == 0
    kept = in_journal(folder, wave, sent)
    return {
        "done": kills,
        "readings": sent,
        "frames_resent": tally.resent,
        "lost": kept.lost,
        "twice": kept.twice,
        "wrong": kept.wrong + kept.strange,
        "kills_not_told_of": max(kills - reported, 0),
        "named_after_s": round(slowest, 2),
    }


def _losses(service: Launched) -> list[float]:
    """When the service reported a lost session, s since the epoch."""
    stamps = [event["timestamp"] for event in service.log() if event["event"] == "session_lost"]
    return [dt.datetime.fromisoformat(stamp).timestamp() for stamp in stamps]


@pytest.mark.timeout(600)
def test_a_killed_broker_loses_nothing_in_the_end(tmp_path: Path) -> None:
    """Three kills of each kind; each is reported."""
    assert broken(PROMISE, run(6, 1, tmp_path, nobody)) == []
