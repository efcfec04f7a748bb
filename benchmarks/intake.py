"""How fast messages get from the broker to disk and are acknowledged, and readings on into InfluxDB, on one machine.

Real Mosquitto, real InfluxDB 1.x, every commit synced, broker and publisher on the same cores. Prints JSON:

- `messages_per_s`: 20-reading frames, broker to journaled, acknowledged and announced, intake alone in its process;
  `readings_per_s`: the same with 200-reading frames; `mosquitto_sub_ratio`: against `mosquitto_sub` in the same run,
  which writes nothing down;
- `end_to_end_readings_per_s`: the whole service, detection on, until InfluxDB holds every reading, 200-reading frames;
- `cpu_s_per_million_readings`: of the service's process, journal, detection and InfluxDB write included, by frame size;
- `latency_p99_ms`: arrival of a frame to the first try of its webhook, at 1,000 messages/s;
- `rss_mb`: of the service with `--points` points (100,000 by default), after it has heard each of them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from benchmarks.load import COLUMNS, Load, load_command, write_plants
from ingest.base.pace import PaceConfig
from ingest.base.telemetry import configure_logging
from ingest.intake.announcer import Announcer
from ingest.intake.intake import Intake, IntakeConfig
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.config import MqttConfig
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.mqtt import MqttSource
from ingest.plants.load import load_configuration
from ingest.runtime.garbage_collection import settle_heap
from ingest.storage.journal.journal import Journal
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_store import OutboxStore
from tests.forked import Process, start
from tests.ingest.delivery.receiver import Receiver
from tests.servers import HTTP, free_port, influxd, mosquitto

BROKER: Final = ("max_queued_messages 0", "max_inflight_messages 0")
"""What is measured is the service, so the broker may hold whatever it must."""

_PATIENCE_S: Final = 600.0


class AlwaysRoom:
    """A disk that is never full."""

    def room(self) -> bool:
        """Yes."""
        return True

    def full(self) -> None:
        """It never is."""


def serve_intake(folder: Path, port: int) -> None:
    """Run source, intake and journal alone until SIGTERM."""
    configure_logging(level="warning")
    config = MqttConfig(port=port)
    journal, clock, handover = Journal(folder / "journal.db"), Clock(), Handover(4 * config.window)
    configuration = load_configuration(folder / "plants", journal.number_points, 1)
    source = MqttSource(
        config,
        handover,
        clock,
        expect_session=False,
        pace=PaceConfig().reads(),
    )
    stop = threading.Event()

    def failed(error: BaseException) -> None:
        sys.stderr.write(f"intake ended: {error!r}\n")
        stop.set()

    announcer = Announcer(source.announce)
    intake = Intake(
        handover, journal, lambda: configuration, source.acknowledge, announcer,
        AlwaysRoom(), IntakeConfig(), clock, failed,
        flush=source.flush,
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    intake.start()
    source.start((folder / "ready").touch)
    settle_heap()  # as the service does once it has started
    stop.wait()
    source.stop()
    intake.stop(5)
    journal.close()


@contextmanager
def process(*arguments: str) -> Iterator[Process]:
    """A Python process of ours, ended at the end of the block; forked within `tests.forked.fork_servers`."""
    with os.fdopen(os.dup(2), "wb") as output:
        running = start([sys.executable, *arguments], output, 0)
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


def cpu_s(pid: int) -> float:
    """CPU time a process has used, s."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Memory a process holds, MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def publish(broker: tuple[str, int], load: Load) -> float:
    """Publish from a process of its own; seconds until everything was committed."""
    return float(subprocess.run(load_command(broker, load), check=True, capture_output=True, text=True).stdout)  # noqa: S603


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something. Raises TimeoutError."""
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.02)


def intake_alone(messages: int, times: int) -> float:
    """Messages a second from broker to disk."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name), BROKER) as broker:
        folder = Path(name)
        write_plants(folder / "plants", Load(1).gateways)
        with process("-m", "benchmarks.intake", "--serve", name, str(broker[1])):
            until((folder / "ready").exists, "intake")
            return messages / publish(broker, Load(messages, times=times))


def subscriber(messages: int, times: int) -> float:
    """Messages a second that `mosquitto_sub` takes at QoS 1 and throws away."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name), BROKER) as broker:
        command = ["mosquitto_sub", "-p", str(broker[1]), "-q", "1", "-C", str(messages), "-V", "5", "-D", "connect"]
        command += ["receive-maximum", "1024", "-t", "yujing/v1/#"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:  # noqa: S603
            time.sleep(0.5)  # it says nothing when it is subscribed
            began = time.perf_counter()
            publish(broker, Load(messages, times=times, wait=False))
            running.wait(_PATIENCE_S)
            return messages / (time.perf_counter() - began)


@dataclass(frozen=True, slots=True)
class Running:
    """The whole service as a process, and where it answers its administrator."""

    pid: int
    url: str
    headers: Mapping[str, str]


@contextmanager
def service(
    folder: Path,
    broker: tuple[str, int],
    influx: str | None,
    more: str = "",
    program: Sequence[str] = ("-m", "ingest"),
) -> Iterator[Running]:
    """The whole service, ready; without an InfluxDB it keeps readings in its built-in store. `program` is `yujing`."""
    token, port = "a-token-of-this-benchmark-only", free_port()
    (folder / "token").write_text(token)
    history = (
        'kind = "duckdb"\npath = "data/history.duckdb"' if influx is None else f'kind = "influxdb1"\nurl = "{influx}"'
    )
    (folder / "yujing.toml").write_text(
        f"""
[mqtt]
port = {broker[1]}
[history]
{history}
[api]
port = {port}
[[api.tokens]]
name = "bench"
role = "admin"
token = {{ file = "token" }}
[log]
level = "warning"
{more}
""",
        encoding="utf-8",
    )
    if influx is not None:
        HTTP.post(f"{influx}/query", params={"q": "CREATE DATABASE yujing"}).raise_for_status()
    url, headers = f"http://127.0.0.1:{port}", {"authorization": f"Bearer {token}"}

    def ready() -> bool:
        try:
            return HTTP.get(f"{url}/health/ready", headers=headers).is_success
        except httpx.TransportError:
            return False

    with process(*program, "run", "--new", "--config", str(folder / "yujing.toml")) as running:
        until(lambda: running.poll() is not None or ready(), "the service")
        if (code := running.poll()) is not None:
            raise RuntimeError(f"the service ended with {code}")
        yield Running(running.pid, url, headers)


def stored(influx: str) -> int:
    """Readings InfluxDB holds."""
    query = {"db": "yujing", "q": 'SELECT count("value") FROM "readings"'}
    answer = HTTP.get(f"{influx}/query", params=query, timeout=60).json()
    series = answer["results"][0].get("series")
    return int(series[0]["values"][0][1]) if series else 0


def end_to_end(messages: int, times: int) -> dict[str, float]:
    """Readings a second into InfluxDB, and the CPU time of the service a million readings."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plants(folder / "plants", Load(1).gateways)
        with (
            mosquitto(folder, BROKER) as broker,
            influxd(folder) as influx,
            service(folder, broker, influx) as running,
        ):
            readings = messages * times * COLUMNS
            before, began = cpu_s(running.pid), time.perf_counter()
            publish(broker, Load(messages, times=times))
            until(lambda: stored(influx) >= readings, "InfluxDB")
            passed, used = time.perf_counter() - began, cpu_s(running.pid) - before
            return {"readings_per_s": readings / passed, "cpu_s": used / readings * 1e6}


def latency(messages: int, rate: float) -> dict[str, float]:
    """Milliseconds from a frame's arrival to the first try of its webhook: p50 and p99, and how many there were."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plants(folder / "plants", Load(1).gateways, prompt=True)
        (folder / "secret").write_text("whsec_" + "YSBzZWNyZXQgb2YgdGhpcyBiZW5jaG1hcms=")
        with mosquitto(folder, BROKER) as broker, influxd(folder) as influx, Receiver() as receiver:
            hook = f'[[connectors.webhooks]]\nname = "h"\nurl = "{receiver.url}"\nsecret = {{ file = "secret" }}\n'
            with service(folder, broker, influx, hook):
                publish(broker, Load(messages, rate=rate, alarm_every=101))
                time.sleep(1)
            database = Database(folder / StateConfig().path)
            ns = OutboxStore(database).latencies("h", "alarm")
            database.close()
        return {"p50": float(np.percentile(ns, 50)) / 1e6, "p99": float(np.percentile(ns, 99)) / 1e6, "alarms": len(ns)}


def memory(points: int, rest_s: float) -> float:
    """MB the service holds with so many points, each received once."""
    gateways = max(1, points // COLUMNS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plants(folder / "plants", gateways)
        with (
            mosquitto(folder, BROKER) as broker,
            influxd(folder) as influx,
            service(folder, broker, influx) as running,
        ):
            publish(broker, Load(3 * gateways, gateways=gateways))
            until(lambda: stored(influx) >= 3 * gateways * COLUMNS, "InfluxDB")
            time.sleep(rest_s)  # a snapshot is written in the meantime
            return rss_mb(running.pid)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--messages", type=int, default=60_000, help="20-reading frames; a fifth of 200-reading ones")
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--rest", type=float, default=15.0, help="seconds before memory is looked at")
    parser.add_argument("--only", nargs="*", default=["alone", "end", "latency", "memory"])
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "PORT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve_intake(Path(given.serve[0]), int(given.serve[1]))
        return
    small, large = given.messages, given.messages // 5
    found: dict[str, Any] = {}
    if "alone" in given.only:
        found["messages_per_s"] = round(intake_alone(small, 1))
        found["readings_per_s"] = round(intake_alone(large, 10) * 10 * COLUMNS)
        found["mosquitto_sub_ratio"] = round(found["messages_per_s"] / subscriber(small, 1), 2)
    if "end" in given.only:
        frames_20, frames_200 = end_to_end(small, 1), end_to_end(large, 10)
        found["end_to_end_readings_per_s"] = round(frames_200["readings_per_s"])
        found["end_to_end_readings_per_s_20"] = round(frames_20["readings_per_s"])
        found["cpu_s_per_million_readings"] = {"20": round(frames_20["cpu_s"], 2), "200": round(frames_200["cpu_s"], 2)}
    if "latency" in given.only:
        latencies = latency(min(small, 30_000), 1_000)
        found["latency_p99_ms"], found["latency_p50_ms"] = round(latencies["p99"], 1), round(latencies["p50"], 1)
        found["latency_alarms"] = int(latencies["alarms"])
    if "memory" in given.only:
        found["rss_mb"] = round(memory(given.points, given.rest))
    sys.stdout.write(json.dumps(found, indent=None if given.json else 2) + "\n")


if __name__ == "__main__":
    main()
