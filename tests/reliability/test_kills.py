"""Promise: the service may be killed at any moment; nothing is lost or stored twice, no alarm missed or doubled."""

from __future__ import annotations

import itertools
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.test_main_job import iso, settings
from tests.forked import PYTHON
from tests.ingest.delivery.receiver import Receiver
from tests.reliability.doomed import POINTS
from tests.reliability.kept import alarm_events, count, create_database, in_influx, in_journal, webhooks
from tests.reliability.launched import CLI, Launched
from tests.reliability.promise import NOTHING_LOST, Figures, Promise, Report, broken, dice, nobody
from tests.reliability.traffic import Traffic, Wave, flowing
from tests.servers import influxd, mosquitto

FRAME: Final = 50  # readings
PACE_S: Final = 0.05  # between frames, so that several commits, acknowledgements and alarms pass in each short life
LONGEST_LIFE_S: Final = 60.0  # of a service whose named point does not come up
READINGS_A_KILL: Final = 1_000
TOP_UP: Final = 5_000  # readings a frame, at the end
NAMED: Final = [(point, when) for point in POINTS for when in ("before", "after")]
PATIENCE_S: Final = 180.0


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Kill the service `count` times on two rigs at once (on one, if that is not worth it), and compare all it kept."""
    rigs = 2 if count >= 100 else 1
    shares = [count // rigs + (number < count % rigs) for number in range(rigs)]
    with ThreadPoolExecutor(rigs) as pool:
        begun = [
            pool.submit(_rig, share, dice(f"{seed}/{number}"), folder / f"rig{number}", report)
            for number, share in enumerate(shares)
        ]
        results = [rig.result() for rig in begun]
    total: Figures = {}
    for result in results:
        for name, figure in result.items():
            total[name] = total.get(name, 0) + figure  # type: ignore[operator]
    return total


PROMISE: Final = Promise(
    name="kills",
    title="SIGKILL of the service at any moment loses nothing and doubles nothing",
    how="killed at random moments and, in turn, before and after each of: the journal's commit, the acknowledgement,"
    " `committed`, the commit of alarms, the record of a delivery; reference gateway, Mosquitto, InfluxDB, webhooks",
    proves="every reading is in the journal and in InfluxDB once and as it was sent; alarm events are, id for id, those"
    " of a run over the same data that nobody interrupted; every event reached the webhook under one id",
    leaves_open="power cuts: the system's cache survives SIGKILL (see the ordering promise for that half)",
    count=1_000,
    unit="kills",
    run=run,
    limits={
        **NOTHING_LOST,
        "lost_in_influxdb": ("=", 0),
        "strange_in_influxdb": ("=", 0),
        "alarm_events_missing": ("=", 0),
        "alarm_events_too_many": ("=", 0),
        "webhooks_missing": ("=", 0),
        "webhooks_too_many": ("=", 0),
        "webhooks_changed": ("=", 0),
        "kills_at_named_points": (">=", 1),
    },
)


def _rig(kills: int, rng: random.Random, folder: Path, report: Report) -> dict[str, int]:
    """One broker, one InfluxDB, one receiver, one gateway, and a service that does not live long."""
    folder.mkdir(parents=True)
    wave = Wave(time.time_ns() // 1_000_000 - kills * (READINGS_A_KILL + 4_000) - 60_000)
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto(folder, ["max_queued_messages 0"]))
        influx = stack.enter_context(influxd(folder))
        receiver = stack.enter_context(Receiver())
        create_database(influx)
        service = Launched(folder, broker, settings(influx, receiver.url, folder))
        stack.callback(service.kill)
        service.start()
        with Traffic(broker, wave) as traffic:
            with flowing(traffic, FRAME, PACE_S):
                named = _kill(service, kills, rng, report)
            service.launcher = CLI
            service.start()
            while traffic.sent < kills * READINGS_A_KILL:
                traffic.send(TOP_UP)
            traffic.settle(PATIENCE_S)
            sent, resent = traffic.sent, traffic.tally().resent
        wanted = wave.events(sent)
        _until(lambda: count(influx) >= sent and len(webhooks(receiver).events) >= len(wanted), service)
        assert service.stop() == 0
        reference = _uninterrupted(folder / "uninterrupted", wave, sent)
        return {
            "done": kills,
            "kills_at_named_points": named,
            "readings": sent,
            "frames_resent": resent,
            **_compare(folder, wave, sent, influx, reference, receiver),
        }


def _kill(service: Launched, kills: int, rng: random.Random, report: Report) -> int:
    """Kill so often; returns how many of the kills came at a named point."""
    named = 0
    schedule = itertools.cycle([*NAMED, ("random", ""), ("random", "")])
    service.kill()
    for _ in range(kills):
        point, when = next(schedule)
        if point == "random":
            service.launcher = CLI
            service.begin()
            service.dead(rng.uniform(0.2, 4.0))
            service.kill()
        else:
            arguments = (point, when, str(rng.randint(1, 4)))
            service.launcher = (*PYTHON, "tests.reliability.doomed", *arguments)
            service.begin()
            code = service.dead(LONGEST_LIFE_S)
            assert code in {-signal.SIGKILL, None}, f"ended with {code} instead of being killed: {service.log()[-3:]}"
            named += code is not None
            service.kill()
        report(1)
    return named


def _uninterrupted(folder: Path, wave: Wave, readings: int) -> list[tuple[str, str, int]]:
    """Alarm events of a service nobody disturbs, over the same readings."""
    folder.mkdir()
    with mosquitto(folder, ["max_queued_messages 0"]) as broker, Launched(folder, broker) as service:
        with Traffic(broker, wave) as traffic:
            while traffic.sent < readings:
                traffic.send(min(TOP_UP, readings - traffic.sent))
            traffic.settle(PATIENCE_S)
        _until(lambda: len(alarm_events(folder)) >= len(wave.events(readings)), service)
        assert service.stop() == 0
    return alarm_events(folder)


def _compare(
    folder: Path,
    wave: Wave,
    sent: int,
    influx: str,
    reference: list[tuple[str, str, int]],
    receiver: Receiver,
) -> dict[str, int]:
    journal, history = in_journal(folder, wave, sent), in_influx(influx, wave, sent)
    events, received = alarm_events(folder), webhooks(receiver)
    wanted = {(number, kind, time) for number, kind, time in reference}
    assert sorted((kind, time) for _, kind, time in reference) == sorted(wave.events(sent)), "the reference itself"
    outside = {(kind, time) for _, kind, time in received.events}
    expected = {(kind, iso(time // 1_000_000)) for kind, time in wave.events(sent)}
    return {
        "lost": journal.lost,
        "twice": journal.twice,
        "wrong": journal.wrong + journal.strange,
        "lost_in_influxdb": history.lost + history.wrong,
        "strange_in_influxdb": history.strange + history.twice,
        "alarm_events": len(events),
        "alarm_events_missing": len(wanted - set(events)),
        "alarm_events_too_many": len(events) - len(wanted & set(events)),
        "webhooks_missing": len(expected - outside),
        "webhooks_too_many": len(received.events) - len(expected & outside),
        "webhooks_changed": received.changed,
        "webhooks_repeated_under_their_id": received.repeated,
    }


def _until(true: Callable[[], bool], service: Launched) -> None:
    """Wait until something holds, as long as it makes sense to."""
    deadline = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < deadline:
        assert service.alive(), "the service ended"
        time.sleep(0.1)


@pytest.mark.timeout(600)
def test_no_kill_loses_or_doubles_anything(tmp_path: Path) -> None:
    """Every named point once, and two random moments."""
    figures = run(len(NAMED) + 2, 1, tmp_path, nobody)
    assert broken(PROMISE, figures) == []
    assert figures["kills_at_named_points"] == len(NAMED)
