"""How fast alarms leave the service, and that years of them do not slow it.

    python -m benchmarks.delivery [--json] [--only storm live days] [--alarms 10000] [--messages 30000] [--days 400]

Of each part, in JSON:

- `storm`: `webhooks_per_s`, so many alarms that wait in the outbox, to one healthy receiver in another process;
  `ms_per_webhook` of processor, the sender's whole process; see `benchmarks.storm`;
- `live`: the whole service with real Mosquitto and InfluxDB 1.x at 1,000 messages of 20 readings a second.
  `latency_p50_ms`, `latency_p99_ms` from the arrival of a frame to the first try of each webhook;
  `platform_ack_p50_ms`, `platform_ack_p99_ms` from the arrival to the platform's own word that it has an alarm of level
  2, by HTTPS with SM4;
- `days`: `state_mb_day_400` of a county of 50 plants with 80,000 alarms a year and three receivers, one of which never
  answered, `outbox_mb_day_400` of it; `metrics_ratio`: how long `/metrics` takes then, by what it took on the second
  day; see `benchmarks.delivery_days`.

`--faults 10000` alone: so many messages to a receiver that fails every other time in one of ten ways, beside a dead
one, through seven senders of which six are killed; `missing`, `strange`, `altered` and `disordered` must be 0.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.delivery_days import days
from benchmarks.delivery_faults import faults
from benchmarks.hook import hook
from benchmarks.intake import BROKER, publish, service
from benchmarks.load import Load, write_plants
from benchmarks.storm import storm
from ingest.base.telemetry import configure_logging
from ingest.domain.model.outbox import Urgency
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_store import OutboxStore
from tests.servers import free_port, influxd, mosquitto

RATE: Final = 1_000.0
_ALARM_EVERY: Final = 401  # frames: two and a half a second, each of a high and of a very high alarm
_PROMPT: Final = "off_delay_s = 0"


def live(messages: int) -> dict[str, Any]:
    """Milliseconds from arrivals to webhooks and to the platform's answers, under a steady load."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        _write_prompt_plants(folder / "plants")
        (folder / "secret").write_text("whsec_" + "YSBzZWNyZXQgb2YgdGhpcyBiZW5jaG1hcms=")
        webhook = (
            f'[[connectors.webhooks]]\nname = "h"\nurl = "http://127.0.0.1:{port}/"\nsecret = {{ file = "secret" }}\n'
        )
        with (
            mosquitto(folder, BROKER) as broker,
            influxd(folder) as influx,
            hook(port, sys.maxsize),
            _platform(folder / "platform") as connection,
            service(folder, broker, influx, webhook + connection),
        ):
            publish(broker, Load(messages, rate=RATE, alarm_every=_ALARM_EVERY))
            time.sleep(2)  # until the newest outcomes are recorded
        database = Database(folder / StateConfig().path)
        outbox = OutboxStore(database)
        webhooks = np.array(outbox.latencies("h", "alarm")) / 1e6
        accepted = np.array(outbox.acceptances("platform", Urgency.URGENT)) / 1e6
        database.close()
    return {
        "latency_p50_ms": _percentile(webhooks, 50),
        "latency_p99_ms": _percentile(webhooks, 99),
        "platform_ack_p50_ms": _percentile(accepted, 50),
        "platform_ack_p99_ms": _percentile(accepted, 99),
        "webhooks": len(webhooks),
        "grave_alarms": len(accepted),
    }


def _write_prompt_plants(folder: Path) -> None:
    """Plants whose first points raise their very high alarm without delay, too."""
    write_plants(folder, Load(1).gateways, prompt=True)
    for file in folder.iterdir():
        text = file.read_text(encoding="utf-8")
        very_high = f"{_PROMPT}\n[points.rules.HH]\non_delay_s = 0\noff_delay_s = 0"
        file.write_text(text.replace(_PROMPT, very_high), encoding="utf-8")


@contextmanager
def _platform(folder: Path) -> Iterator[str]:
    """The stand-in for the province, in a process of its own; yields the settings of the connection to it."""
    command = [sys.executable, "-m", "ingest", "simulate", "platform", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  our own command
        try:
            assert process.stdout is not None
            where = json.loads(process.stdout.readline())
            appid = Path(where["appid"]).read_text(encoding="utf-8")
            secrets = "".join(f'{name} = {{ file = "{where[name]}" }}\n' for name in ("appsecret", "key", "iv"))
            lines = f'url = "{where["url"]}"\nappid = "{appid}"\nca_file = "{where["ca"]}"\n'
            yield f"[connectors.platform]\n{lines}{secrets}"
        finally:
            process.terminate()


def _percentile(ms: np.ndarray[tuple[int], np.dtype[np.float64]], at: float) -> float | None:
    return round(float(np.percentile(ms, at)), 1) if len(ms) else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--only", nargs="+", choices=["storm", "live", "days"], default=["storm", "live", "days"])
    parser.add_argument("--alarms", type=int, default=10_000, help="of the storm")
    parser.add_argument("--messages", type=int, default=30_000, help="frames, at 1,000 a second")
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--faults", type=int, metavar="MESSAGES", help="so many to a receiver that fails")
    parser.add_argument("--seed", type=int, default=1, help="of the faults and kills")
    parser.add_argument("--requests", type=int, default=200, help="of /metrics")
    given = parser.parse_args()
    configure_logging(level="warning")
    found: dict[str, Any] = {}
    parts = [] if given.faults else given.only
    if given.faults:
        configure_logging(level="critical")  # a line for each fault is not what it is about
        found |= faults(given.faults, given.seed)
    if "storm" in parts:
        found |= storm(given.alarms)
    if "live" in parts:
        found |= live(given.messages)
    if "days" in parts:
        found |= days(given.days, given.requests)
    found["load"] = round(os.getloadavg()[0], 1)  # of the system: more than 2 is others' work
    sys.stdout.write(json.dumps(found, indent=None if given.json else 2) + "\n")


if __name__ == "__main__":
    main()
