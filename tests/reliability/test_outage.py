"""Promise: a history that is away, slow, refusing or restarting costs no reading and delays no alarm."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from tests.e2e.test_main_job import settings
from tests.fault_proxy import FaultProxy
from tests.ingest.delivery.receiver import Receiver, Reply
from tests.reliability.kept import count as stored
from tests.reliability.kept import create_database, database, in_influx, in_journal
from tests.reliability.launched import Launched
from tests.reliability.promise import Figures, Promise, Report, nobody
from tests.reliability.traffic import Traffic, Wave, flowing
from tests.servers import influxd_server, mosquitto

FRAME: Final = 200  # readings: half a period of the wave, so each frame raises an alarm or ends one
PACE_S: Final = 0.05
LIVE_RATE: Final = FRAME / PACE_S
HOUR_S: Final = 7.5  # real seconds an hour of outage takes: 24 h are 3 min at 4,000 readings/s, 720,000 readings
RESTARTS: Final = 3
PATIENCE_S: Final = 180.0


def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Measure with InfluxDB up; then take it away for `count` scaled hours, and give it back in every bad way."""
    folder.mkdir(parents=True, exist_ok=True)
    down_s = count * HOUR_S
    wave = Wave(time.time_ns() // 1_000_000 - int((6 * down_s + 600) * LIVE_RATE))
    server = influxd_server(folder)
    with (
        server as influxd,
        FaultProxy((influxd.host, influxd.port)) as proxy,
        mosquitto(folder, ["max_queued_messages 0"]) as broker,
        Receiver() as receiver,
        Receiver(lambda _: Reply(503, {"retry-after": "1"})) as refusing,
    ):
        create_database(influxd.url)
        url = f"http://127.0.0.1:{proxy.port}"
        service = Launched(folder, broker, settings(url, receiver.url, folder), fresh=True)  # its memory is measured
        with service, Traffic(broker, wave) as traffic:
            samples = _Samples(folder, service.pid)
            with flowing(traffic, FRAME, PACE_S):
                time.sleep(min(5.0, down_s / 3))  # what is slow once only is not what is measured
                with samples.phase("up"):
                    time.sleep(max(down_s / 3, 3.0))
                stored_before = stored(influxd.url)
                with samples.phase("down"):
                    server.kill()
                    for _ in range(count):
                        time.sleep(HOUR_S)
                        report(1)
                backlog = traffic.sent - stored_before
                server.start()
                rate = _drained(influxd.url, traffic)
                with samples.phase("slow"):
                    proxy.latency(1_500)
                    time.sleep(down_s / 6)
                    proxy.restore()
                with samples.phase("refusing"):
                    proxy.target = ("127.0.0.1", refusing.port)
                    proxy.reset()
                    time.sleep(down_s / 6)
                    proxy.target = (influxd.host, influxd.port)
                    proxy.reset()
                with samples.phase("restarting"):
                    for _ in range(RESTARTS):
                        server.kill()
                        time.sleep(down_s / 20)
                        server.start()
                        time.sleep(down_s / 20)
                with samples.phase("up again"):
                    time.sleep(max(down_s / 3, 3.0))
            traffic.settle(PATIENCE_S)
            sent = traffic.sent
            _until_stored(influxd.url, sent)
            assert service.stop() == 0
        history = in_influx(influxd.url, wave, sent)
    journal = in_journal(folder, wave, sent)
    usual = np.concatenate([samples.latencies("up"), samples.latencies("up again")])
    worse = {name: samples.latencies(name) for name in ("down", "slow", "refusing", "restarting")}
    return {
        "done": count,
        "readings": sent,
        "lost": journal.lost + history.lost,
        "wrong": journal.wrong + history.wrong + history.strange,
        "backlog_readings": backlog,
        "drained_readings_per_s": round(rate),
        "drain_over_live_rate": round(rate / LIVE_RATE, 1),
        "alarms_timed": len(usual) + sum(len(each) for each in worse.values()),
        "alarm_p99_ms_up": round(_p99(usual), 1),
        **{f"alarm_p99_ms_{name}": round(_p99(each), 1) for name, each in worse.items()},
        "alarm_p99_ratio": round(_p99(worse["down"]) / _p99(usual), 2),
        "rss_mb_up": round(samples.rss["up"] / 1e6),
        "rss_ratio": round(samples.rss["down"] / samples.rss["up"], 2),
    }


PROMISE: Final = Promise(
    name="outage",
    title="A history that is away costs no reading and delays no alarm",
    how="InfluxDB killed for a day at scaled time under constant load, then slow (1.5 s each way), refusing (503,"
    " Retry-After) and restarted again and again; alarms timed from arrival to the first webhook attempt",
    proves="the backlog waits on disk and not in memory, drains faster than it grew, and alarms do not wait for it",
    leaves_open="outages longer than the disk is large",
    count=24,
    unit="scaled hours",
    run=run,
    limits={
        "lost": ("=", 0),
        "wrong": ("=", 0),
        "alarm_p99_ratio": ("<=", 1.2),
        "rss_ratio": ("<=", 1.2),
        "drain_over_live_rate": (">=", 5.0),
    },
)


class _Samples:
    """What is measured in each phase of the outage."""

    def __init__(self, folder: Path, pid: int) -> None:
        self._folder = folder
        self._pid = pid
        self._phases: dict[str, tuple[int, int]] = {}
        self.rss: dict[str, int] = {}  # the most in each phase, bytes

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure while the block runs."""
        ended = threading.Event()
        most = 0

        def sample_rss() -> None:
            nonlocal most
            while not ended.wait(0.2):
                most = max(most, _rss(self._pid))

        thread = threading.Thread(target=sample_rss, name="rss")
        thread.start()
        began = time.time_ns()
        try:
            yield
        finally:
            self._phases[name] = began, time.time_ns()
            ended.set()
            thread.join()
            self.rss[name] = most

    def latencies(self, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Ms from arrival to the first attempt, of every alarm message received in the phase."""
        with database(self._folder, "state") as state:
            rows = state.execute(
                "SELECT first_attempt - received FROM outbox WHERE kind = 'alarm' AND first_attempt IS NOT NULL"
                " AND received BETWEEN ? AND ?",
                self._phases[name],
            )
            return np.array([ns / 1e6 for (ns,) in rows])


def _p99(latencies: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(np.percentile(latencies, 99)) if len(latencies) else float("nan")


def _rss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _drained(influx: str, traffic: Traffic) -> float:
    """Readings a second from the first that is stored until the history is where the traffic is."""
    deadline = time.monotonic() + PATIENCE_S
    before = stored(influx)
    while (first := stored(influx)) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    began = time.monotonic()
    while (now := stored(influx)) < traffic.sent - LIVE_RATE and time.monotonic() < deadline:
        time.sleep(0.1)
    return (now - first) / (time.monotonic() - began)


def _until_stored(influx: str, sent: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while stored(influx) < sent and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.mark.timeout(600)
def test_a_history_that_is_away_costs_no_reading_and_delays_no_alarm(tmp_path: Path) -> None:
    """One scaled hour; of the ratios only what cannot be the noise of a busy machine."""
    figures = run(1, 1, tmp_path, nobody)
    assert (figures["lost"], figures["wrong"]) == (0, 0)
    ratio = figures["alarm_p99_ratio"]
    assert isinstance(ratio, float)
    assert ratio < 10, "an alarm that waited for the history would wait as long as that is away"
