"""Promise: every alarm is explained by what was sent, and everything sent that calls for an alarm has one."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from tests.e2e.test_main_job import settings
from tests.ingest.delivery.receiver import Receiver
from tests.reliability.kept import ask, create_database, database
from tests.reliability.launched import Launched
from tests.reliability.ledger import (
    CALLED_FOR,
    CALLED_FOR_FIRST,
    DECK,
    FAR_AHEAD_MS,
    PLANT_FILE,
    Box,
    Explained,
    Word,
    account,
    explain,
    play,
)
from tests.reliability.promise import Figures, Promise, Report, broken, dice, nobody
from tests.servers import influxd, mosquitto
from tests.small_plant import write_plant

LIFE_S: Final = (1.0, 12.0)  # of the service
KILLS: Final = 5  # a deck
LONG_OUTAGES: Final = 2  # in a run of several decks: in each of the first
PATIENCE_S: Final = 300.0


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Two careless gateways play while the service is killed `count` times; then their ledgers are held against it."""
    rng = dice(seed)
    folder.mkdir(parents=True, exist_ok=True)
    boxes = [Box(number, dice(f"{seed}/{number}"), partial(_silences, folder)) for number in (1, 2)]
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto(folder, ["max_queued_messages 0"]))
        influx = stack.enter_context(influxd(folder))
        receiver = stack.enter_context(Receiver())
        create_database(influx)
        write_plant(folder, PLANT_FILE)
        service = stack.enter_context(
            Launched(folder, broker, settings(influx, receiver.url, folder), plant=PLANT_FILE)
        )
        for box in boxes:
            stack.callback(box.connect(broker).close)
        away: list[tuple[int, int]] = []
        for deck in range(0, count, KILLS):
            over = threading.Event()
            long = count > KILLS and deck < KILLS * LONG_OUTAGES
            players = play(boxes, (*DECK, "long_outage") if long else DECK, over.is_set)
            for _ in range(min(KILLS, count - deck)):
                time.sleep(rng.uniform(*LIFE_S))
                killed = time.time_ns()
                service.kill()
                service.start()
                away.append((killed, time.time_ns()))
                report(1)
            over.set()
            for player in players:
                player.join()
        explained = [explained for box in boxes for explained in explain(box, away)]
        missing, unexplained = _until_settled(folder, explained)
        lost, wrong, strange = _held_against(influx, boxes)
        untold, made_up = _outside(folder, receiver)
        ended = service.stop()
    return {
        "done": count,
        "acts": sum(len(box.acts) for box in boxes),
        "readings": sum(len(box.lines) for box in boxes),
        "alarms_called_for": sum(alarm.must for alarm in explained),
        "alarms_missing": len(missing),
        "alarms_unexplained": len(unexplained),
        "first_faults": "; ".join(str(fault) for fault in [*missing, *unexplained][:8]),
        "webhooks_missing": untold,
        "webhooks_too_many": made_up,
        "lost": lost,
        "wrong": wrong,
        "strange": strange,
        "service_ended": int(ended != 0),
    }


PROMISE: Final = Promise(
    name="ledger",
    title="Every alarm is explained by what was sent, and everything sent that calls for an alarm has one",
    how="two gateways that use boots again, show another century within a frame, send what a boot nobody heard of kept,"
    " fall silent again and again (once a statement kept by the broker says they are there) and keep a ledger; the"
    " service is killed at random moments; Mosquitto, InfluxDB, webhooks",
    proves="each event of an alarm fits, to the reading, a plain model that knows the ledger alone, and none it calls"
    " for is missing; a webhook tells of each; every reading of the ledger is in InfluxDB under its own time",
    leaves_open="warnings; clocks that go wrong for longer; brokers that forget (see that promise)",
    count=30,
    unit="kills",
    run=run,
    limits={
        "alarms_missing": ("=", 0),
        "alarms_unexplained": ("=", 0),
        "webhooks_missing": ("=", 0),
        "webhooks_too_many": ("=", 0),
        "lost": ("=", 0),
        "wrong": ("=", 0),
        "strange": ("=", 0),
        "service_ended": ("=", 0),
    },
)


def _words(folder: Path) -> list[Word]:
    """Every event of every alarm, of whatever point."""
    with database(folder, "state") as state:
        rows = state.execute(
            "SELECT a.point, a.rule, e.kind, a.historical, e.time FROM alarm_event e JOIN alarm a ON a.id = e.alarm"
        )
        return [Word(point, rule, kind, bool(historical), at) for point, rule, kind, historical, at in rows]


def _silences(folder: Path, subject: str) -> int:
    """How many alarms of silence it has had."""
    with database(folder, "state") as state:
        query = (
            "SELECT count(*) FROM alarm_event e JOIN alarm a ON a.id = e.alarm"
            " WHERE a.point = ? AND a.rule = 'SILENT' AND e.kind = 'raised'"
        )
        return int(state.execute(query, (subject,)).fetchone()[0])


def _until_settled(folder: Path, explained: list[Explained]) -> tuple[list[Explained], list[Word]]:
    """What is missing and what is not explained, once nothing is missing or nothing more comes."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        missing, unexplained = account(explained, _words(folder))
        if not missing or time.monotonic() > deadline:
            return missing, unexplained
        time.sleep(0.5)


def _outside(folder: Path, receiver: Receiver) -> tuple[int, int]:
    """Events without a webhook, and webhooks without an event."""
    with database(folder, "state") as state:
        events = {UUID(number) for (number,) in state.execute("SELECT id FROM alarm_event")}
    deadline = time.monotonic() + PATIENCE_S
    while True:
        alarms = [request for request in list(receiver.accepted) if "alarm" in json.loads(request.body)["data"]]
        delivered = {UUID(alarm.headers["webhook-id"]) for alarm in alarms}
        if delivered >= events or time.monotonic() > deadline:
            return len(events - delivered), len(delivered - events)
        time.sleep(0.5)


def _held_against(influx: str, boxes: list[Box]) -> tuple[int, int, int]:
    """Readings lost, kept with another value, and kept though never sent; a clock that lied may have its own time."""
    lost = wrong = strange = 0
    for box in boxes:
        sent = {line.time: line.value for line in box.lines if line.kind in {"now", "old"}}
        lying = {line.value for line in box.lines if line.time == FAR_AHEAD_MS * 1_000_000}
        allowed = {line.time: line.value for line in box.lines if line.kind in {"glitched", "reused"}}
        query = f"SELECT value FROM readings WHERE point = '{box.point}'"  # noqa: S608  our own words
        deadline = time.monotonic() + PATIENCE_S
        while True:
            kept = dict(ask(influx, query))
            lost_here = len(sent.keys() - kept.keys())
            if not lost_here or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        lost += lost_here
        known = sent | allowed
        wrong += sum(kept[at] != value for at, value in known.items() if at in kept)
        strange += sum(at not in known and value not in lying for at, value in kept.items())
    return lost, wrong, strange


@pytest.mark.timeout(900)
def test_every_alarm_is_explained_and_none_is_missing(tmp_path: Path) -> None:
    """A deck of each gateway, five kills; what it calls for is the same however fast the machine is."""
    figures = run(KILLS, 1, tmp_path, nobody)
    assert broken(PROMISE, figures) == [], figures
    assert figures["acts"] == 2 * len(DECK)
    assert figures["alarms_called_for"] == 2 * (CALLED_FOR + CALLED_FOR_FIRST)
