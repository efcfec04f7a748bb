"""What the service costs on an ordinary day: gateways send steadily, and nothing waits for anything.

    python -m benchmarks.steady [--json] [--only idle plant county province storm] [--history influxdb1|duckdb]
        [--seconds 30] [--warm 10] [--probe 16]
    python -m benchmarks.steady --hours 8 [--json] [--history influxdb1|duckdb] [--speed 20] [--share 1]

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

With `--hours`, memory instead: see `benchmarks.hours`.

CPU of seconds in which other work runs beside it is up to a fifth higher: run it on a quiet machine, or by turns.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from benchmarks.cpu import Used
from benchmarks.hours import hours_worth
from benchmarks.intake import rss_mb
from benchmarks.load import Load
from benchmarks.named_threads import thread_names
from benchmarks.probe import GATEWAYS
from benchmarks.site import FIRST, SHAPES, History, Shape, Site, site

PROBES_PER_S: Final = 10.0
LONE_PER_S: Final = 2.0

_COUNTED: Final = {
    "commits_per_s": "yujing_journal_commit_seconds_count",
    "cycles_per_s": "yujing_engine_cycle_seconds_count",
    "readings_per_s": "yujing_frames_journaled_total",
}


def measure(shape: Shape, history: History, seconds: float, warm_s: float, probe_s: float) -> dict[str, Any]:
    """Every figure of one shape."""
    load = Load(
        messages=math.ceil(shape.frames_per_s * 86_400),  # it comes until all is measured
        gateways=shape.gateways,
        rate=shape.frames_per_s,
        first=FIRST,
        columns=shape.readings,
    )
    with site(shape, history) as measured, measured.sending(load) if load.messages else nullcontext():
        storm_per_s = shape.alarms_per_min * 2 / 60
        storm = measured.probe(_whole_rounds(warm_s + seconds, storm_per_s), storm_per_s) if storm_per_s else None
        time.sleep(warm_s)
        found = _window(measured, seconds)
        if not load.messages:
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
    processes = (measured.service.pid, measured.broker_pid)
    asked, counts = time.perf_counter(), measured.counted()
    began, before = time.perf_counter(), [Used.by(pid) for pid in processes]
    time.sleep(seconds)
    after, ended = [Used.by(pid) for pid in processes], time.perf_counter()
    counts_then, counted_s, passed = measured.counted(), time.perf_counter() - asked, ended - began
    ours, broker = (then.since(used) for then, used in zip(after, before, strict=True))
    per_s = {
        name: round((counts_then[metric] - counts[metric]) / counted_s, 1) if metric in counts else None
        for name, metric in _COUNTED.items()
    }
    readings = (per_s["readings_per_s"] or 0.0) * passed
    return {
        "cpu_percent": _percent(ours.all_s, passed),
        "cpu_s_per_million": round(ours.all_s / readings * 1e6, 2) if readings else None,
        "broker_ratio": round(ours.all_s / broker.all_s, 2) if readings else None,
        "broker_percent": _percent(broker.all_s, passed),
        **per_s,
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


def _whole_rounds(seconds: float, rate: float) -> float:
    """At least so many seconds in which each gateway of the probe raises an alarm and returns it, whole times."""
    events = 2 * GATEWAYS
    return math.ceil(seconds * rate / events) * events / rate + 1e-6


def _answer(probe: subprocess.Popen[str]) -> dict[str, list[float]]:
    output, _ = probe.communicate()
    if probe.returncode:
        raise RuntimeError(f"the probe ended with {probe.returncode}")
    found: dict[str, list[float]] = json.loads(output)
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
    parser.add_argument("--hours", type=int, default=0, help="look at memory instead, over so many hours' worth")
    parser.add_argument("--speed", type=float, default=20.0, help="times as fast as on an ordinary day, with --hours")
    parser.add_argument("--share", type=float, default=1.0, help="of each hour's worth that is sent, with --hours")
    given = parser.parse_args()
    found: dict[str, Any] = {"history": given.history, "cores": os.cpu_count()}
    if given.hours:
        found |= hours_worth(given.hours, given.history, given.speed, given.share)
    else:
        for name in given.only:
            figures = measure(SHAPES[name], given.history, given.seconds, given.warm, given.probe)
            found[name] = asdict(SHAPES[name]) | figures
    found["load"] = round(os.getloadavg()[0], 1)  # of the system: more than 2 is others' work
    sys.stdout.write(json.dumps(found, indent=None if given.json else 2) + "\n")


if __name__ == "__main__":
    main()
