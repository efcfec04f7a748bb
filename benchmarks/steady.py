"""What the service costs on an ordinary day: gateways send steadily, and nothing waits for anything.

    python -m benchmarks.steady [--json] [--only idle plant county province storm] [--history influxdb1|duckdb]
        [--seconds 30] [--warm 10] [--probe 16]

Real Mosquitto and InfluxDB 1.x (or the built-in store), the whole service as a process, every gateway's frames at even
moments, all over one connection of a publisher that is a process of its own. Of each shape, in JSON:

- `cpu_percent` of one core, of the service with its children; `cpu_s_per_million` readings; `broker_ratio`: by what
  Mosquitto used meanwhile, which holds on any machine; `threads`: percent of a core by the thread's name;
- `commits_per_s` of the journal and `cycles_per_s` of the engine; `readings_per_s` that were taken: fewer than were
  sent is a service that does not keep up; `rss_mb` of the service at the end;
- `latency_p50_ms`, `latency_p99_ms`: from the publish of a frame that raises or returns an alarm to its webhook, of so
  many `alarms`. In `storm` those of the shape itself; else of probes, ten a second, after the CPU was measured;
- in `idle`, `lone_frame_p50_ms`: a single frame after half a second's pause, until it is told to be on disk and until
  its webhook.

CPU of seconds in which other work runs beside it is up to a fifth higher: run it on a quiet machine, or by turns.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import httpx
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.cpu import Used
from benchmarks.intake import BROKER, Running, rss_mb, service
from benchmarks.load import COLUMNS, Load, load_command, write_plants
from benchmarks.named_threads import thread_names
from benchmarks.probe import GATEWAYS, probe_command
from tests.servers import free_port, influxd, mosquitto_server

History = Literal["influxdb1", "duckdb"]

PROBES_PER_S: Final = 10.0
LONE_PER_S: Final = 2.0

_FIRST: Final = 100  # gateway of what is measured; the probes are a plant of their own before it
_COUNTED: Final = {
    "commits_per_s": "yujing_journal_commit_seconds_count",
    "cycles_per_s": "yujing_engine_cycle_seconds_count",
    "readings_per_s": "yujing_frames_journaled_total",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What comes, steadily.

    Attributes:
        gateways: that send; 0 = nothing is sent.
        frames_per_s: of all of them.
        readings: a frame, and points a gateway.
        alarms_per_min: raised, and returned as often.
    """

    gateways: int
    frames_per_s: float = 0.0
    readings: int = COLUMNS
    alarms_per_min: float = 0.0


SHAPES: Final[Mapping[str, Shape]] = {
    "idle": Shape(0),
    "plant": Shape(5, 10),
    "county": Shape(100, 200),
    "province": Shape(1_000, 1_000),
    "storm": Shape(100, 200, readings=10, alarms_per_min=100),
}


@dataclass(frozen=True, slots=True)
class Site:
    """A service with its broker, and whom it sends its webhooks."""

    service: Running
    broker: tuple[str, int]
    broker_pid: int
    hook: int
    names: Path

    def probe(self, seconds: float, rate: float, gateways: int = GATEWAYS) -> subprocess.Popen[str]:
        """Begin to raise and return alarms in a process of its own."""
        command = probe_command(self.broker[1], self.hook, seconds, rate, gateways)
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  our own module

    def counted(self) -> tuple[float, dict[str, float]]:
        """When it was asked, and what the service has counted until then."""
        told = httpx.get(f"{self.service.url}/metrics", headers=self.service.headers, trust_env=False, timeout=60).text
        samples = {s.name: s.value for family in text_string_to_metric_families(told) for s in family.samples}
        return time.perf_counter(), {name: samples[metric] for name, metric in _COUNTED.items() if metric in samples}


@contextmanager
def site(shape: Shape, history: History) -> Iterator[Site]:
    """The service at rest, ready for what the shape sends."""
    with tempfile.TemporaryDirectory() as name:
        folder, hook = Path(name), free_port()
        write_plants(folder / "plants", GATEWAYS, prompt=True)
        write_plants(folder / "plants", shape.gateways, first=_FIRST, columns=shape.readings)
        (folder / "secret").write_text("whsec_" + "YSBzZWNyZXQgb2YgdGhpcyBiZW5jaG1hcms=")
        more = (
            f'[[connectors.webhooks]]\nname = "h"\nurl = "http://127.0.0.1:{hook}/"\nsecret = {{ file = "secret" }}\n'
        )
        with (
            mosquitto_server(folder, BROKER) as broker,
            influxd(folder) if history == "influxdb1" else nullcontext() as influx,
        ):
            address, names = (broker.host, broker.port), folder / "names"
            program = ("-m", "benchmarks.named_threads", str(names))
            with service(folder, address, influx, more, program) as running:
                yield Site(running, address, broker.pid, hook, names)


def measure(shape: Shape, history: History, seconds: float, warm_s: float, probe_s: float) -> dict[str, Any]:
    """Every figure of one shape."""
    with site(shape, history) as measured, _sending(measured, shape, seconds + warm_s + probe_s):
        storm_per_s = shape.alarms_per_min * 2 / 60
        storm = measured.probe(_whole_rounds(warm_s + seconds, storm_per_s), storm_per_s) if storm_per_s else None
        time.sleep(warm_s)
        found = _window(measured, seconds)
        if not shape.gateways:
            lone = _answer(measured.probe(probe_s, LONE_PER_S, 1))
            return found | {"lone_frame_p50_ms": {of[:-3]: _percentile(ms, 50) for of, ms in lone.items()}}
        if storm is not None:
            took = _answer(storm)["webhook_ms"][int(warm_s * storm_per_s) :]
        else:
            took = _answer(measured.probe(probe_s, PROBES_PER_S))["webhook_ms"]
        return found | {
            "latency_p50_ms": _percentile(took, 50),
            "latency_p99_ms": _percentile(took, 99),
            "alarms": len(took),
        }


def _window(measured: Site, seconds: float) -> dict[str, Any]:
    """What is used and counted in so many seconds; the service is asked for its counts outside of what is measured."""
    began, counts = measured.counted()
    processes = (measured.service.pid, measured.broker_pid)
    from_s, before = time.perf_counter(), [Used.by(pid) for pid in processes]
    time.sleep(seconds)
    passed, (ours, broker) = (
        time.perf_counter() - from_s,
        [Used.by(pid).since(used) for pid, used in zip(processes, before, strict=True)],
    )
    ended, counts_then = measured.counted()
    per_s = {name: round((counts_then[name] - counts.get(name, 0.0)) / (ended - began), 1) for name in counts_then}
    readings = per_s.get("readings_per_s", 0.0) * passed
    return {
        "cpu_percent": _percent(ours.all_s, passed),
        "cpu_s_per_million": round(ours.all_s / readings * 1e6, 2) if readings else None,
        "broker_ratio": round(ours.all_s / broker.all_s, 2) if readings else None,
        "broker_percent": _percent(broker.all_s, passed),
        **{name: per_s.get(name) for name in _COUNTED},
        "rss_mb": round(rss_mb(measured.service.pid), 1),
        "threads": _by_name(ours.threads_s, thread_names(measured.service.pid, measured.names), passed),
    }


def _by_name(threads_s: Mapping[int, float], names: Mapping[int, str], passed: float) -> dict[str, float]:
    """Percent of a core by name, the dearest first."""
    used = defaultdict[str, float](float)
    for number, seconds in threads_s.items():
        used[names.get(number, "not Python's")] += seconds
    percents = {name: _percent(seconds, passed) for name, seconds in used.items()}
    return {name: percents[name] for name in sorted(percents, key=lambda name: -percents[name]) if percents[name]}


@contextmanager
def _sending(measured: Site, shape: Shape, seconds: float) -> Iterator[None]:
    """The shape's frames come meanwhile; for much longer than is meant, in case that all takes its time."""
    if not shape.gateways:
        yield
        return
    load = Load(
        messages=math.ceil(shape.frames_per_s * (seconds * 2 + 120)),
        gateways=shape.gateways,
        rate=shape.frames_per_s,
        first=_FIRST,
        columns=shape.readings,
    )
    with subprocess.Popen(load_command(measured.broker, load), stdout=subprocess.DEVNULL) as sending:  # noqa: S603
        try:
            yield
            if sending.poll() is not None:
                raise RuntimeError(f"the publisher ended before its time, with {sending.returncode}")
        finally:
            sending.terminate()


def _whole_rounds(seconds: float, rate: float) -> float:
    """At least so many seconds in which each gateway of the probe raises an alarm and returns it, whole times."""
    events = 2 * GATEWAYS
    return math.ceil(seconds * rate / events) * events / rate + 1e-6


def _answer(probe: subprocess.Popen[str]) -> dict[str, list[float]]:
    said, _ = probe.communicate()
    if probe.returncode:
        raise RuntimeError(f"the probe ended with {probe.returncode}")
    found: dict[str, list[float]] = json.loads(said)
    return found


def _percentile(ms: list[float], at: float) -> float | None:
    return round(float(np.percentile(ms, at)), 1) if ms else None


def _percent(used_s: float, passed_s: float) -> float:
    return round(used_s / passed_s * 100, 2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--only", nargs="+", choices=[*SHAPES], default=[*SHAPES], help="shapes")
    parser.add_argument("--history", choices=["influxdb1", "duckdb"], default="influxdb1")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long CPU is measured")
    parser.add_argument("--warm", type=float, default=10.0, help="seconds before")
    parser.add_argument("--probe", type=float, default=16.0, help="seconds of probes; a round of theirs takes four")
    given = parser.parse_args()
    found: dict[str, Any] = {"history": given.history, "cores": os.cpu_count()}
    for name in given.only:
        found[name] = asdict(SHAPES[name]) | measure(
            SHAPES[name], given.history, given.seconds, given.warm, given.probe
        )
    found["load"] = round(os.getloadavg()[0], 1)  # of the system: more than 2 is others' work
    sys.stdout.write(json.dumps(found, indent=None if given.json else 2) + "\n")


if __name__ == "__main__":
    main()
