"""A part that hangs is reported: on /health, in the log, by a heartbeat that stops, and to systemd, which restarts."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.runtime.supervisor import Supervisor
from ingest.runtime.watchdog import Part, ProgressBeat, Watchdog
from ingest.storage.state.errors import StateUnavailable
from tests.ingest.engine.bench import PATIENCE_S, Bench


class Clock:
    """Seconds, moved by the test."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["file", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The socket systemd would listen on, by name."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@yujing-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind("\0" + name[1:] if name[0] == "@" else name)
        bound.settimeout(PATIENCE_S)
        yield name, bound


def heard(bound: socket.socket) -> list[str]:
    """What systemd received since the last call."""
    messages = []
    bound.setblocking(False)
    try:
        while True:
            messages.append(bound.recv(4096).decode())
    except BlockingIOError:
        return messages


def test_systemd_hears_that_we_are_ready_alive_and_stopping(systemd: tuple[str, socket.socket]) -> None:
    name, bound = systemd
    supervisor = Supervisor({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())})
    assert supervisor.interval_s == 30
    supervisor.ready("2 plants")
    supervisor.alive()
    supervisor.stopping()
    assert heard(bound) == ["READY=1\nSTATUS=2 plants", "WATCHDOG=1", "STOPPING=1"]


@pytest.mark.parametrize(
    "environment",
    [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"NOTIFY_SOCKET": "relative"}, {"WATCHDOG_USEC": "60 s"}],
    ids=["none", "nobody listens", "no socket", "no number"],
)
def test_without_systemd_nothing_is_sent_and_nothing_fails(environment: dict[str, str]) -> None:
    supervisor = Supervisor(environment)
    supervisor.ready("")
    supervisor.alive()
    assert supervisor.interval_s is None


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    assert Supervisor({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).interval_s is None


def test_a_part_counts_as_stuck_from_its_limit_on_and_is_reported_once(
    tmp_path: Path, systemd: tuple[str, socket.socket]
) -> None:
    name, bound = systemd
    clock, beats = Clock(), {"engine": 100.0, "history": 100.0}
    parts = [
        Part("engine", lambda: beats["engine"], 15, vital=True),
        Part("history", lambda: beats["history"], 120),
    ]
    heartbeat = tmp_path / "heartbeat"
    watchdog = Watchdog(parts, heartbeat=heartbeat, supervisor=Supervisor({"NOTIFY_SOCKET": name}), clock=clock)

    def outcome_at(now: float) -> tuple[list[str], bool]:
        """What systemd receives, and whether the heartbeat was written."""
        clock.now = now
        heartbeat.unlink(missing_ok=True)
        watchdog.check()
        return heard(bound), heartbeat.exists()

    with capture_logs() as logs:
        assert outcome_at(114.9) == (["WATCHDOG=1"], True)
        assert outcome_at(115) == ([], False)
        assert watchdog.state() == {"engine": "no progress for 15 s", "history": "ok"}
        assert outcome_at(116) == ([], False)
        beats["engine"] = 219
        assert outcome_at(220) == (["WATCHDOG=1"], False), "the history hangs: a restart would not be for alarms' sake"
        beats["history"] = 220
        assert outcome_at(221) == (["WATCHDOG=1"], True)
    events = [(log["event"], log["part"]) for log in logs]
    assert events == [
        ("part_stuck", "engine"),
        ("part_stuck", "history"),
        ("part_moves", "engine"),
        ("part_moves", "history"),
    ]


def test_the_heartbeat_says_how_each_part_is(tmp_path: Path) -> None:
    clock = Clock()
    Watchdog([Part("engine", lambda: 98.5, 15)], heartbeat=tmp_path / "beat", clock=clock).check()
    state = json.loads((tmp_path / "beat").read_text())
    assert (state["pid"], state["idle_s"]) == (os.getpid(), {"engine": 1.5})
    assert [file.name for file in tmp_path.iterdir()] == ["beat"], "nothing half-written stays"


def test_an_unwritable_heartbeat_is_reported_once(tmp_path: Path) -> None:
    watchdog = Watchdog([], heartbeat=tmp_path / "no" / "beat")
    with capture_logs() as logs:
        watchdog.check()
        watchdog.check()
    assert [log["event"] for log in logs] == ["heartbeat_unwritable"]


def test_a_part_known_by_its_progress_beats_when_it_moves_or_nothing_waits() -> None:
    clock = Clock()
    at, waits = 5, True
    beat = ProgressBeat(lambda: (at, waits), clock)
    assert beat() == 100
    clock.now = 200
    assert beat() == 100
    at = 6
    assert beat() == 200
    clock.now, waits = 300, False
    assert beat() == 300


def test_an_engine_that_hangs_in_its_store_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, systemd: tuple[str, socket.socket]
) -> None:
    """The real engine, blocked in a commit; it is well again as soon as the store answers."""
    name, bound = systemd
    bench = Bench(tmp_path)
    inside, release = threading.Event(), threading.Event()
    commit = bench.store.commit

    def hangs(*arguments: Any, **more: Any) -> None:
        inside.set()
        assert release.wait(PATIENCE_S)
        commit(*arguments, **more)

    ahead = 0.0
    parts = [Part("engine", lambda: bench.engine.alive_at, 15, vital=True)]
    watchdog = Watchdog(
        parts,
        heartbeat=tmp_path / "beat",
        supervisor=Supervisor({"NOTIFY_SOCKET": name}),
        clock=lambda: time.monotonic() + ahead,
    )
    bench.engine.start()
    bench.send("CO-01", [5])
    bench.settle()
    watchdog.check()
    assert heard(bound) == ["WATCHDOG=1"]
    monkeypatch.setattr(bench.store, "commit", hangs)
    bench.send("CO-01", [30], start_s=1)
    assert inside.wait(PATIENCE_S)
    written = (tmp_path / "beat").read_bytes()
    ahead = 20.0
    watchdog.check()
    assert heard(bound) == []
    assert (tmp_path / "beat").read_bytes() == written
    assert watchdog.state()["engine"].startswith("no progress for 2")
    ahead = 0.0
    release.set()
    bench.settle()
    watchdog.check()
    assert heard(bound) == ["WATCHDOG=1"]
    assert bench.engine.stop(PATIENCE_S)
    bench.database.close()
    bench.journal.close()


def test_an_engine_that_waits_for_the_disk_is_not_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart would not make room, and on a full disk the service would not even start."""
    bench = Bench(tmp_path)
    commit, refused = bench.store.commit, threading.Event()

    def full(*_: object, **_more: object) -> None:
        refused.set()
        raise StateUnavailable("database or disk is full")

    bench.engine.start()
    bench.send("CO-01", [5])
    bench.settle()
    monkeypatch.setattr(bench.store, "commit", full)
    bench.send("CO-01", [30], start_s=1)
    assert refused.wait(PATIENCE_S)
    ended, deadline = bench.engine.progressed, time.monotonic() + PATIENCE_S
    while bench.engine.alive_at <= ended:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert bench.engine.progressed == ended
    monkeypatch.setattr(bench.store, "commit", commit)
    bench.settle()
    assert bench.engine.stop(PATIENCE_S)
    bench.database.close()
    bench.journal.close()


async def test_where_nothing_is_written_no_thread_is_woken() -> None:
    looked: asyncio.Future[threading.Thread] = asyncio.get_running_loop().create_future()

    def beat() -> float:
        if not looked.done():
            looked.set_result(threading.current_thread())
        return time.monotonic()

    watching = asyncio.create_task(Watchdog([Part("engine", beat, 15)]).run())
    async with asyncio.timeout(PATIENCE_S):
        assert await looked is threading.current_thread()
    watching.cancel()
