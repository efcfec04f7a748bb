"""What an alarm costs: processor time from the frame that raises it to its webhook, and of its return to normal.

    python -m benchmarks.alarm_cost [--json] [--history duckdb|influxdb1] [--frames 0] [--streams 0]
        [--times 4] [--rounds 2] [--rate 3.33]

The whole service as a process, with a real broker and a receiver of webhooks. Frames of a single reading come steadily,
200 a minute. By turns they are ordinary ones, and such that one raises an alarm and the next of its gateway returns it:
100 alarms a minute, each in a cycle of its own. What a turn with alarms costs more than the one before is theirs:

- `ms_per_alarm`: of all threads, an alarm with its return and both webhooks; `ms_by_turn`: the same of each turn;
- `ms_by_thread`: by the thread's name; `asyncio` are those in which the event loop has blocking calls made;
- `calm_ms`: of as many ordinary frames, for comparison; `webhook_p50_ms`: from a frame's publish to its webhook.

With `--frames` others come meanwhile, so many a second, of 20 gateways. With `--streams` so many clients follow the
alarms (server-sent events). On a busy machine all takes longer, as others use the processor's caches: compare by turns.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any, Final

import httpx
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.cpu import threads_s
from benchmarks.load import Load
from benchmarks.named_threads import thread_names
from benchmarks.probe import Timed, receiver
from benchmarks.site import FIRST, History, Shape, Site, site
from ingest.intake.wire.topics import frame_topic
from tests.servers import HTTP

GATEWAYS: Final = 20
FRAMES_PER_S: Final = 200 / 60
"""Of which every other raises an alarm: 100 a minute."""

_PLANT: Final = "load-0"
_LOUD: Final = 30.0
_QUIET: Final = 8.0
_PATIENCE_S: Final = 30.0


class Trickle:
    """Gateways that send a frame each in turn, steadily."""

    def __init__(self, broker: tuple[str, int], webhooks: Timed, rate: float) -> None:
        """Connect to the broker; `webhooks` hears of each frame that leads to one; `rate`: frames a second."""
        self._webhooks = webhooks
        self._rate = rate
        self._boot = f"t{time.time_ns():x}"
        self._sent = 0
        self._loud = [False] * GATEWAYS
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self._boot)
        self._client.connect(*broker)
        self._client.loop_start()

    def send(self, rounds: int, *, alarms: bool) -> None:
        """Send two frames of each gateway a round; with `alarms` the first raises one, and the second returns it."""
        began = time.perf_counter()
        for number in range(rounds * 2 * GATEWAYS):
            time.sleep(max(0.0, began + number / self._rate - time.perf_counter()))
            self._send_one(alarms=alarms)
        time.sleep(1 / self._rate)

    def _send_one(self, *, alarms: bool) -> None:
        seq, gateway = divmod(self._sent, GATEWAYS)
        self._sent += 1
        point, loud = f"P-{gateway:02d}-00", alarms and not self._loud[gateway]
        if loud != self._loud[gateway]:
            self._webhooks.published(point)
        self._loud[gateway] = loud
        frame = {
            "boot": self._boot,
            "seq": seq + 1,
            "time": [time.time_ns() // 10**6],
            "values": {point: [_LOUD if loud else _QUIET]},
        }
        self._client.publish(frame_topic(_PLANT, f"GW-{gateway}"), json.dumps(frame), qos=1)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def followed(measured: Site, streams: int) -> Iterator[None]:
    """So many clients follow the alarms meanwhile."""
    ended = threading.Event()

    def follow() -> None:
        with (
            suppress(httpx.TransportError),
            HTTP.stream(
                "GET", f"{measured.service.url}/api/v1/alarms/stream", headers=measured.service.headers, timeout=60
            ) as answer,
        ):
            for _ in answer.iter_raw():
                if ended.is_set():
                    return

    followers = [threading.Thread(target=follow, name="follower", daemon=True) for _ in range(streams)]
    for follower in followers:
        follower.start()
    try:
        yield
    finally:
        ended.set()
        for follower in followers:
            follower.join(_PATIENCE_S)


def measure(
    history: History, frames_per_s: float, streams: int, times: int, rounds: int, rate: float
) -> dict[str, Any]:
    """The cost of an alarm, by so many turns of so many rounds each."""
    load = Load(messages=10**7, gateways=20, rate=frames_per_s, first=FIRST, columns=10)
    webhooks = Timed()
    with ExitStack() as held:
        measured = held.enter_context(site(Shape(20 if frames_per_s else 0, readings=10), history))
        held.enter_context(receiver(measured.hook, webhooks.webhook))
        held.enter_context(measured.sending(load) if frames_per_s else nullcontext())
        held.enter_context(followed(measured, streams))
        trickle = Trickle(measured.broker, webhooks, rate)
        held.callback(trickle.close)
        trickle.send(1, alarms=True)  # warms up
        runs: dict[bool, list[dict[str, float]]] = {False: [], True: []}
        for run in range(2 * times):
            alarms = run % 2 == 1
            before = threads_s(measured.service.pid)
            trickle.send(rounds, alarms=alarms)
            _answered(webhooks)
            names = thread_names(measured.service.pid, measured.names)
            runs[alarms].append(_by_name(threads_s(measured.service.pid), before, names))
    each = rounds * GATEWAYS
    calm, loud = (_mean(runs[alarms], each) for alarms in (False, True))
    more = {name: round(loud[name] - calm.get(name, 0.0), 2) for name in loud}
    by_turn = [
        round((sum(with_alarms.values()) - sum(without.values())) / each * 1e3, 2)
        for without, with_alarms in zip(runs[False], runs[True], strict=True)
    ]
    return {
        "ms_per_alarm": round(sum(loud.values()) - sum(calm.values()), 2),
        "ms_by_turn": by_turn,
        "ms_by_thread": {name: more[name] for name in sorted(more, key=lambda name: -more[name]) if more[name]},
        "calm_ms": round(sum(calm.values()), 2),
        "alarms": each * times,
        "webhook_p50_ms": round(sorted(webhooks.took_ms)[len(webhooks.took_ms) // 2], 1),
    }


def _answered(webhooks: Timed) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while webhooks.waiting:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{webhooks.waiting} webhooks did not come")
        time.sleep(0.02)
    time.sleep(0.5)  # their outcome is stored


def _by_name(used: Mapping[int, float], before: Mapping[int, float], names: Mapping[int, str]) -> dict[str, float]:
    found = defaultdict[str, float](float)
    for number, seconds in used.items():
        name = names.get(number, "not Python's")
        found["asyncio" if name.startswith("asyncio_") else name] += seconds - before.get(number, 0.0)
    return found


def _mean(runs: list[dict[str, float]], each: int) -> dict[str, float]:
    """Ms an alarm, by thread."""
    names = {name for run in runs for name in run}
    return {name: sum(run.get(name, 0.0) for run in runs) / len(runs) / each * 1e3 for name in names}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--history", choices=["influxdb1", "duckdb"], default="duckdb")
    parser.add_argument("--frames", type=float, default=0.0, help="of others, a second")
    parser.add_argument("--streams", type=int, default=0, help="clients that follow the alarms")
    parser.add_argument("--times", type=int, default=4, help="turns of each kind")
    parser.add_argument("--rounds", type=int, default=2, help="alarms of each of 20 gateways in a turn of alarms")
    parser.add_argument("--rate", type=float, default=FRAMES_PER_S, help="frames a second; every other raises one")
    given = parser.parse_args()
    found = measure(given.history, given.frames, given.streams, given.times, given.rounds, given.rate)
    found["load"] = round(os.getloadavg()[0], 1)
    sys.stdout.write(json.dumps(found, indent=None if given.json else 2) + "\n")


if __name__ == "__main__":
    main()
