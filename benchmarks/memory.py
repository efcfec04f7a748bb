"""What memory the service holds while frames come for long, on a machine that is busy with something else at times.

    nice -n 10 python -m benchmarks.memory [--json] [--frames 400000] [--rate 200] [--alarm-every 11] [--stall-every 30]

Real Mosquitto and InfluxDB, the whole service as a process, 2,000 points of 100 gateways, some 18 alarms raised or
returned a second. Now and then the service is stopped for a moment (SIGSTOP), as a busy disk or machine does; what has
come meanwhile is dealt with in one burst, and each burst may need more memory than all before. Prints JSON:

- `rss_mb`: of the service, the median of each tenth of the run;
- `growth_mb`: from the second tenth to the last; `growth_mb_second_half`: from the sixth;
- `mb_per_million_frames`: the same of the second half, by frame: 200 frames/s are 0.72 million an hour.

`MALLOC_ARENA_MAX=16` in the environment shows what it was before all threads shared a heap.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.intake import BROKER, cpu_s, rss_mb, service
from benchmarks.load import COLUMNS, Load, load_command, write_plants
from tests.servers import influxd, mosquitto

GATEWAYS: Final = 100
SAMPLE_S: Final = 5.0
STALL_S: Final = (1.0, 8.0)
TENTHS: Final = 10


def watched(pid: int, sending: subprocess.Popen[str], stall_every_s: float) -> tuple[list[float], int]:
    """MB at even moments until everything was sent, and how often the service was stopped meanwhile."""
    chance = random.Random(1)  # noqa: S311  not a secret
    seen, stalls, next_stall = list[float](), 0, time.monotonic() + stall_every_s
    while sending.poll() is None:
        if stall_every_s and time.monotonic() >= next_stall:
            os.kill(pid, signal.SIGSTOP)
            try:
                time.sleep(chance.uniform(*STALL_S))
            finally:
                os.kill(pid, signal.SIGCONT)
            stalls, next_stall = stalls + 1, time.monotonic() + stall_every_s
        time.sleep(SAMPLE_S)
        seen.append(rss_mb(pid))
    return seen, stalls


def figures(seen: list[float], frames: int) -> dict[str, Any]:
    """What the samples of a run over so many frames say.

    >>> figures([100.0, 120.0, 121.0, 122.0, 122.0, 123.0, 123.0, 123.0, 123.0, 124.0], 500_000)["growth_mb"]
    4.0
    """
    tenths = [seen[len(seen) * at // TENTHS : len(seen) * (at + 1) // TENTHS] for at in range(TENTHS)]
    rss = [round(median(tenth), 1) for tenth in tenths if tenth]
    second_half = rss[-1] - rss[len(rss) // 2]
    return {
        "rss_mb": rss,
        "growth_mb": round(rss[-1] - rss[min(1, len(rss) - 1)], 1),
        "growth_mb_second_half": round(second_half, 1),
        "mb_per_million_frames": round(second_half / (frames * 0.4) * 1e6, 1),
    }


def measure(frames: int, rate: float, alarm_every: int, stall_every_s: float) -> dict[str, Any]:
    """One run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_plants(folder / "plants", GATEWAYS, prompt=True)
        with (
            mosquitto(folder, BROKER) as broker,
            influxd(folder) as influx,
            service(folder, broker, influx) as running,
        ):
            command = load_command(broker, Load(frames, gateways=GATEWAYS, rate=rate, alarm_every=alarm_every))
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sending:  # noqa: S603  our own module
                seen, stalls = watched(running.pid, sending, stall_every_s)
                took = float(sending.stdout.read() if sending.stdout else 0)
            return {
                "frames": frames,
                "points": GATEWAYS * COLUMNS,
                "frames_per_s": round(frames / took, 1),
                "stalls": stalls,
                **figures(seen, frames),
                "cpu_s_per_million_readings": round(cpu_s(running.pid) / (frames * COLUMNS) * 1e6, 2),
            }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--frames", type=int, default=400_000)
    parser.add_argument("--rate", type=float, default=200.0, help="frames a second")
    parser.add_argument("--alarm-every", type=int, default=11, help="one frame in so many raises an alarm; 0: none")
    parser.add_argument("--stall-every", type=float, default=30.0, help="seconds between stops of the service; 0: none")
    given = parser.parse_args()
    found = measure(given.frames, given.rate, given.alarm_every, given.stall_every)
    sys.stdout.write(json.dumps(found, indent=None if given.json else 2) + "\n")


if __name__ == "__main__":
    main()
