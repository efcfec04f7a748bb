"""Promise: whatever befalls the server of the state database, the service lives, takes in and judges all once."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.conftest import at_server
from tests.fault_proxy import FaultProxy
from tests.forked import PYTHON
from tests.reliability.kept import in_journal
from tests.reliability.launched import Launched
from tests.reliability.promise import NOTHING_LOST, Figures, Promise, Report, broken, dice, nobody
from tests.reliability.traffic import Traffic, Wave, flowing
from tests.servers import HTTP, PostgreSQL, mosquitto, postgresql

FRAME: Final = 50  # readings
PACE_S: Final = 0.05
LONGEST_S: Final = 5.0  # of one fault, with the time between two
PATIENCE_S: Final = 180.0
PIECES: Final = (1, 50, 200, 800, 5_000)  # bytes that still reach the server: a session begins, asks, commits
_SESSIONS: Final = "SELECT pid FROM pg_stat_activity WHERE application_name = 'yujing' ORDER BY random() LIMIT 1"
_WRITER: Final = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
PAGES: Final = ("/api/v1/alarms", "/api/v1/warnings", "/api/v1/audit", "/metrics", "/health/ready")


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """One service on a server behind a proxy; both are disturbed `count` times, in alternating ways."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = dice(seed)
    wave = Wave(time.time_ns() // 1_000_000 - int(count * LONGEST_S * FRAME / PACE_S) - 600_000)
    with (
        postgresql() as server,
        FaultProxy((server.host, server.port)) as proxy,
        mosquitto(folder, ["max_queued_messages 0"]) as broker,
    ):
        state = at_server(server, folder)
        database = str(state.url).rpartition("/")[2]
        settings = f"""
[state]
url = "postgresql://{server.ROLE}@{proxy.address[0]}:{proxy.port}/{database}"
password = {{ file = "state_password" }}
[cases]
look_every_s = 0.1
"""
        hurried = (*PYTHON, "tests.reliability.hurried")
        with Launched(folder, broker, settings, launcher=hurried) as service, Traffic(broker, wave) as traffic:
            with flowing(traffic, FRAME, PACE_S), _visited(service) as answers:
                for fault in itertools.islice(itertools.cycle(FAULTS), count):
                    time.sleep(rng.uniform(0.0, 0.6))
                    fault(server, proxy, rng)
                    assert service.alive(), f"{fault.__name__}: the service ended"
                    report(1)
                service.until(lambda: _ready(service), "the service to be whole again", PATIENCE_S)
            traffic.settle(PATIENCE_S)
            sent = traffic.sent
            wanted = Counter(wave.events(sent))
            service.until(lambda: alarm_events(server, database).total() >= wanted.total(), "every alarm's event")
            events = alarm_events(server, database)
            assert service.stop() == 0
        journal = in_journal(folder, wave, sent)
    return {
        "done": count,
        "readings": sent,
        "lost": journal.lost,
        "twice": journal.twice,
        "wrong": journal.wrong + journal.strange,
        "alarm_events": events.total(),
        "alarm_events_missing": (wanted - events).total(),
        "alarm_events_too_many": (events - wanted).total(),
        "answered_while_away": answers[503],
        "faults_answered": answers[500],
    }


PROMISE: Final = Promise(
    name="state-server",
    title="A PostgreSQL that dies, at whatever moment and however, costs no reading and no alarm",
    how="server killed, stopped at once and in order; one of its processes killed; sessions ended, that of the writer"
    " too; a TCP proxy that cuts, resets, falls silent and breaks off within what is sent; under constant load,"
    " with everything the service does from time to time done all the time, and its API asked all the while",
    proves="the service lives and takes in; once the server is back every reading was judged once, in order",
    leaves_open="a standby that takes over; a server that says nothing for long, which a test of its own covers"
    " (`test_state_hangs.py`)",
    count=300,
    unit="faults",
    run=run,
    limits={
        **NOTHING_LOST,
        "alarm_events_missing": ("=", 0),
        "alarm_events_too_many": ("=", 0),
        "faults_answered": ("=", 0),
    },
)


def _killed(server: PostgreSQL, _proxy: FaultProxy, rng: random.Random) -> None:
    server.kill()
    time.sleep(rng.choice([0.0, 0.5, 2.0]))
    server.start()


def _stopped(server: PostgreSQL, _proxy: FaultProxy, _rng: random.Random) -> None:
    server.stop()
    server.start()


def _stopped_at_once(server: PostgreSQL, _proxy: FaultProxy, _rng: random.Random) -> None:
    os.kill(server.pid, signal.SIGQUIT)
    server.wait()
    server.start()


def _process_killed(server: PostgreSQL, _proxy: FaultProxy, _rng: random.Random) -> None:
    for (pid,) in server.ask(_SESSIONS):
        server.kill_process(int(str(pid)))


def _session_ended(server: PostgreSQL, _proxy: FaultProxy, _rng: random.Random) -> None:
    server.ask(f"SELECT pg_terminate_backend(pid) FROM ({_SESSIONS}) AS one")  # noqa: S608  our own words


def _writer_ended(server: PostgreSQL, _proxy: FaultProxy, _rng: random.Random) -> None:
    server.ask(f"SELECT pg_terminate_backend(pid) FROM ({_WRITER}) AS one")  # noqa: S608


def _reset(_server: PostgreSQL, proxy: FaultProxy, _rng: random.Random) -> None:
    proxy.reset()


def _broken_off(_server: PostgreSQL, proxy: FaultProxy, rng: random.Random) -> None:
    proxy.drop_after(rng.choice(PIECES))


def _cut(_server: PostgreSQL, proxy: FaultProxy, rng: random.Random) -> None:
    proxy.cut()
    time.sleep(rng.uniform(0.0, 1.0))
    proxy.restore()


def _silent(_server: PostgreSQL, proxy: FaultProxy, rng: random.Random) -> None:
    proxy.half_open()
    time.sleep(rng.choice([0.1, 1.0, 2.0]))
    proxy.restore()


FAULTS: Final[tuple[Callable[[PostgreSQL, FaultProxy, random.Random], None], ...]] = (
    _killed,
    _session_ended,
    _broken_off,
    _process_killed,
    _writer_ended,
    _cut,
    _stopped,
    _reset,
    _stopped_at_once,
    _silent,
)


def _ready(service: Launched) -> bool:
    return HTTP.get(f"{service.url}/health/ready", headers=service.headers, timeout=PATIENCE_S).is_success


def alarm_events(server: PostgreSQL, database: str) -> Counter[tuple[str, int]]:
    """The events of rule H: (kind, device time in ns)."""
    query = (
        "SELECT e.kind, e.time FROM alarm_event e JOIN alarm a ON a.id = e.alarm"
        " WHERE a.rule = 'H' AND a.point = 'CO-01' AND e.kind IN ('raised', 'returned')"
    )
    return Counter((str(kind), int(str(time_ns))) for kind, time_ns in server.ask(query, database))


@contextmanager
def _visited(service: Launched) -> Iterator[Counter[int]]:
    """Somebody asks for pages and remarks on alarms while the block runs; how often each status was answered."""
    over, answers = threading.Event(), Counter[int]()

    def visit() -> None:
        known: list[str] = []
        for number, page in enumerate(itertools.cycle(PAGES)):
            if over.wait(0.05):
                return
            try:
                answer = HTTP.get(service.url + page, headers=service.headers)
                answers[answer.status_code] += 1
                if page.endswith("alarms") and answer.is_success:
                    known = [alarm["id"] for alarm in answer.json()["alarms"]]
                for alarm in known[:1]:
                    address = f"{service.url}/api/v1/alarms/{alarm}/comment"
                    answer = HTTP.post(address, json={"comment": f"第{number}次"}, headers=service.headers)
                    answers[answer.status_code] += 1
            except httpx.TransportError:
                answers[0] += 1

    visitor = threading.Thread(target=visit, name="visitor")
    visitor.start()
    try:
        yield answers
    finally:
        over.set()
        visitor.join()


@pytest.mark.timeout(600)
def test_no_fault_of_its_server_ends_the_service_or_costs_an_alarm(tmp_path: Path) -> None:
    """Each of them once."""
    figures = run(len(FAULTS), 1, tmp_path, nobody)
    assert broken(PROMISE, figures) == []
    assert figures["alarm_events"]
