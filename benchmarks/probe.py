"""Alarms raised and cleared one after another, each timed from its publish to its webhook, in a process of its own.

    python -m benchmarks.probe BROKER_PORT HOOK_PORT SECONDS EVENTS_PER_S [GATEWAYS]

Prints JSON, milliseconds in the order in which they ended: `webhook_ms` from the publish of a frame to its webhook,
`committed_ms` to the word that it is on disk.

The service is told of plants by `benchmarks.load.write_plants(..., prompt=True)` and sends its webhooks to the port. A
process of its own, because whoever abuses the service beside it must not slow the clock that it is timed by.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.intake.wire.frame import decode_committed
from ingest.intake.wire.topics import committed_topic, frame_topic

GATEWAYS: Final = 20
_PLANT: Final = "load-0"
_LOUD: Final = 30.0
_QUIET: Final = 8.0
_PATIENCE_S: Final = 60.0
"""What did not come by then took that long, at least."""


class Timed:
    """When each frame of a point was published, and how long what answers it took, ms."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[float]] = {}
        self.took_ms: list[float] = []

    def published(self, point: str) -> None:
        """A frame of the point is sent now."""
        with self._lock:
            self._waiting.setdefault(point, deque()).append(time.perf_counter())

    def arrived(self, point: str) -> None:
        """An answer to a frame of the point is here; they keep the order of the frames."""
        now = time.perf_counter()
        with self._lock:
            if self._waiting.get(point):
                self.took_ms.append((now - self._waiting[point].popleft()) * 1e3)

    def webhook(self, body: Any) -> None:
        """One is here; of those of the rule that is timed, note it."""
        alarm = body.get("data", body).get("alarm")
        if alarm and alarm["rule"] == "H":
            self.arrived(alarm["point"])

    @property
    def waiting(self) -> int:
        """Frames without an answer yet."""
        with self._lock:
            return sum(len(times) for times in self._waiting.values())


class Committed:
    """What the service says is on disk, frame by frame."""

    def __init__(self, timed: Timed, boot: str) -> None:
        self._timed = timed
        self._boot = boot
        self._until: dict[str, int] = {}

    def on_committed(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        """The service announces to a gateway what is on disk; here nothing is missing for long."""
        committed = decode_committed(bytes(message.payload))
        if committed.boot == self._boot:
            for _ in range(self._until.get(message.topic, 0), committed.seq):
                self._timed.arrived(message.topic)
            self._until[message.topic] = committed.seq


def measure(broker: int, hook: int, seconds: float, rate: float, gateways: int = GATEWAYS) -> dict[str, list[float]]:
    """Raise and clear alarms at so many events a second, gateway by gateway; ms from each publish to its answers."""
    boot = f"p{time.time_ns():x}"
    webhooks, commits = Timed(), Timed()
    with receiver(hook, webhooks.webhook):
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"probe-{time.time_ns()}")
        client.on_message = Committed(commits, boot).on_committed
        client.connect("127.0.0.1", broker)
        client.subscribe(committed_topic(_PLANT, "+"), 1)
        client.loop_start()
        began = time.perf_counter()
        for number in range(int(seconds * rate / (2 * gateways)) * 2 * gateways):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            round_number, gateway = divmod(number, gateways)
            point = f"P-{gateway:02d}-00"
            value = _QUIET if round_number % 2 else _LOUD
            frame = {
                "boot": boot,
                "seq": round_number + 1,
                "time": [time.time_ns() // 10**6],
                "values": {point: [value]},
            }
            webhooks.published(point)
            commits.published(committed_topic(_PLANT, f"GW-{gateway}"))
            client.publish(frame_topic(_PLANT, f"GW-{gateway}"), json.dumps(frame), qos=1)
        deadline = time.monotonic() + _PATIENCE_S
        for timed in (webhooks, commits):
            while timed.waiting:
                if time.monotonic() > deadline:
                    timed.took_ms += [_PATIENCE_S * 1e3] * timed.waiting  # at least
                    break
                time.sleep(0.01)
        client.disconnect()
        client.loop_stop()
    return {"webhook_ms": webhooks.took_ms, "committed_ms": commits.took_ms}


def probe_command(broker: int, hook: int, seconds: float, rate: float, gateways: int = GATEWAYS) -> list[str]:
    """The command line that measures so."""
    return [sys.executable, "-m", "benchmarks.probe", *map(str, (broker, hook, seconds, rate, gateways))]


@contextmanager
def receiver(port: int, arrived: Callable[[Any], None], protocol: str = "HTTP/1.1") -> Iterator[None]:
    """Webhooks are taken here meanwhile, and `arrived` is given the body of each."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_POST(self) -> None:
            arrived(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
            """Say nothing: what arrives is timed."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False  # for connections that are kept open

    with Server(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), name="hook", daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def main() -> None:
    """Measure; prints the milliseconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (("broker", int), ("hook", int), ("seconds", float), ("rate", float)):
        parser.add_argument(name, type=kind)
    parser.add_argument("gateways", type=int, nargs="?", default=GATEWAYS)
    given = parser.parse_args()
    found = measure(given.broker, given.hook, given.seconds, given.rate, given.gateways)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
