"""How much those who only read, or only connect, delay the alarms of others: abused against undisturbed, in one run.

    python -m benchmarks.abuse [--json] [--seconds 20] [--rounds 3] [--scale 1] [--only exports sse_300 ...]

Real Mosquitto and the whole service as a process. Alarms are raised and cleared one after another and timed from the
publish of their frame to their webhook (`benchmarks.probe`), in peace and while somebody abuses the service, by turns:
a 99th percentile of one round is its few slowest alarms, and what else the machine does changes within minutes. All
rounds of a kind are one sample.

- `alarm_p99_ratio_exports`: a token of one plant saves 6,000 hazards as workbooks, 40 at once, again and again;
- `alarm_p99_ratio_sse_300`: 300 event streams are open, of a plant in which nothing happens;
- `alarm_p99_ratio_idle_600`: 600 connections are open and say nothing; `/health/live` is asked meanwhile;
- `alarm_p99_ratio_backfill`: three gateways of another plant send 72 h of 60 points, a hundred frames on their way.

Besides, what one gateway does to others (`benchmarks.neighbours`):

- `other_gateway_committed_share_junk`: frames of a gateway committed in time while another sends 1 MiB junk messages;
- `gateways_ms_boots_20000`: one `GET /api/v1/gateways` after 20,000 boots of one gateway;
- `start_s_boots_8000`: from start to ready with 8,000 boots of one gateway; `details` has the stop.

And what years do (`benchmarks.years`):

- `metrics_ratio_day400`: a scrape of `/metrics` after 400 days of alarms by one after a day.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from benchmarks.intake import rss_mb
from benchmarks.load import Load, load_command
from benchmarks.neighbours import FIGURES as NEIGHBOURS
from benchmarks.probe import GATEWAYS
from benchmarks.yard import TOKENS, Yard, yard
from benchmarks.years import FIGURES as YEARS
from ingest.base.telemetry import configure_logging
from tests.servers import HTTP

EXPORTS: Final = 40
STREAMS: Final = 300
IDLE: Final = 600

KEPT_S: Final = 72 * 3600
"""What a gateway kept that was cut off, s."""

FIGURES: Final = {**NEIGHBOURS, **YEARS}
"""Figures of one measure each, by name: given the seconds and the scale, what was measured and what else was seen."""

_INSTANTS: Final = 10  # in a frame of it
_QUIET_GATEWAY: Final = 100  # its first


@contextmanager
def exports(yard: Yard) -> Iterator[None]:
    """Many save a large list as a workbook at once, all with the token of one plant, again and again."""
    answers: Counter[int | str] = Counter()
    stop = threading.Event()

    def save() -> None:
        with httpx.Client(base_url=yard.service.url, headers=yard.reader(0), trust_env=False, timeout=120) as client:
            while not stop.is_set():
                try:
                    status = client.get("/api/v1/lists/hazards.xlsx").status_code
                except httpx.TransportError as error:
                    answers[type(error).__name__] += 1
                    continue
                answers[status] += 1
                if status != httpx.codes.OK:
                    stop.wait(0.25)  # a client that is refused and asks again at once, nearly

    threads = [threading.Thread(target=save, name=f"export-{n}") for n in range(yard.scaled(EXPORTS))]
    with _peak_rss(yard):
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    yard.seen["answers"] = {str(status): count for status, count in answers.items()}


@contextmanager
def sse_300(yard: Yard) -> Iterator[None]:
    """Many streams are open, each read as it comes."""
    stop = threading.Event()
    with ExitStack() as stack:
        held = [stack.enter_context(_connected(yard)) for _ in range(yard.scaled(STREAMS))]
        for number, connection in enumerate(held):
            token = yard.reader(number % TOKENS)["authorization"]
            head = f"GET /api/v1/alarms/stream HTTP/1.1\r\nhost: bench\r\nauthorization: {token}\r\n\r\n"
            connection.sendall(head.encode())
        yard.seen["open"] = sum(connection.recv(4096).startswith(b"HTTP/1.1 200") for connection in held)

        def drain() -> None:
            while not stop.wait(1.0):
                for connection in held:
                    connection.setblocking(False)
                    try:
                        connection.recv(65536)
                    except BlockingIOError:
                        continue

        reading = threading.Thread(target=drain, name="streams")
        reading.start()
        try:
            yield
        finally:
            stop.set()
            reading.join()


@contextmanager
def idle_600(yard: Yard) -> Iterator[None]:
    """Many connections are open and say nothing; whoever is thrown out comes back."""
    took: list[float] = []
    failed: Counter[str] = Counter()
    stop = threading.Event()
    supervising = threading.Thread(target=_supervise, args=(yard, stop, took, failed), name="supervisor")
    holding = threading.Thread(target=_hold, args=(yard, stop), name="idle")
    for thread in (holding, supervising):
        thread.start()
    try:
        yield
    finally:
        stop.set()
        supervising.join()
        holding.join()
    yard.seen["health_ms"] = round(float(np.percentile(took, 99)), 1) if took else None
    yard.seen["health_failed"] = dict(failed)


@contextmanager
def backfill(yard: Yard) -> Iterator[None]:
    """Gateways of the quiet plant send what they kept, oldest first, as fast as it is acknowledged."""
    kept_s = yard.scaled(KEPT_S)
    frames = kept_s * 3 // _INSTANTS
    first = _QUIET_GATEWAY + 3 * (next(yard.numbers) % (GATEWAYS // 3))  # nobody's past is told twice
    load = Load(frames, gateways=3, times=_INSTANTS, ago_s=kept_s, every_ms=1000, first=first, unread=100)
    command = load_command(("127.0.0.1", yard.broker), load)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as sending:  # noqa: S603  our own module
        try:
            yield
        finally:
            yard.seen["still_sending"] = sending.poll() is None
            sending.terminate()


def _supervise(yard: Yard, stop: threading.Event, took: list[float], failed: Counter[str]) -> None:
    """Ask whether the service lives, each time over a new connection."""
    while not stop.wait(0.2):
        began = time.perf_counter()
        try:
            answer = HTTP.get(f"{yard.service.url}/health/live", timeout=5)
        except httpx.TransportError as error:
            failed[type(error).__name__] += 1
            continue
        took.append((time.perf_counter() - began) * 1e3)
        if not answer.is_success:
            failed[str(answer.status_code)] += 1


def _hold(yard: Yard, stop: threading.Event) -> None:
    held = [_connected(yard) for _ in range(yard.scaled(IDLE))]
    while not stop.wait(0.5):
        for number, connection in enumerate(held):
            if _closed(connection):
                connection.close()
                held[number] = _connected(yard)
    for connection in held:
        connection.close()


def _closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True


ABUSES: Final[dict[str, Callable[[Yard], Any]]] = {
    "exports": exports,
    "sse_300": sse_300,
    "idle_600": idle_600,
    "backfill": backfill,
}
"""Every abuse: while its block runs, alarms are timed."""


def ratio(yard: Yard, abuse: Callable[[Yard], Any], rounds: int) -> dict[str, Any]:
    """The 99th percentile of alarms' milliseconds under abuse by that in peace, of so many alternating rounds of each.

    `p99_ms_by_round`, pairs of peace and abuse, shows how much of it is the machine's; `load` is that of the system.
    """
    yard.seen.clear()
    peace: list[list[float]] = []
    abused: list[list[float]] = []
    for _ in range(rounds):
        yard.at_rest()
        peace.append(yard.alarms())
        with abuse(yard):
            abused.append(yard.alarms())
    every = [[*itertools.chain(*rounds)] for rounds in (peace, abused)]
    p50, p99 = ([_percentile(ms, at) for ms in every] for at in (50, 99))
    return {
        "p99_ratio": round(p99[1] / p99[0], 2),
        "p50_ms": p50,
        "p99_ms": p99,
        "max_ms": [_percentile(ms, 100) for ms in every],
        "p99_ms_by_round": [[_percentile(ms, 99) for ms in pair] for pair in zip(peace, abused, strict=True)],
        "alarms": len(every[1]),
        "load": round(os.getloadavg()[0], 1),
        **yard.seen,
    }


def _percentile(ms: list[float], at: float) -> float:
    return round(float(np.percentile(ms, at)), 1)


def measure(seconds: float, rounds: int, only: list[str], scale: float = 1.0) -> dict[str, Any]:
    """Every figure asked for, by its name in the JSON; `details` has the rest."""
    figures: dict[str, Any] = {}
    details: dict[str, Any] = {}
    abuses = [name for name in only if name in ABUSES]
    if abuses:
        with yard(seconds, scale) as measured:
            for name in abuses:
                details[name] = ratio(measured, ABUSES[name], rounds)
                figures[f"alarm_p99_ratio_{name}"] = details[name]["p99_ratio"]
    for name in [name for name in only if name in FIGURES]:
        figures[name], details[name] = FIGURES[name](seconds, scale)
    return {**figures, "details": details}


def _connected(yard: Yard) -> socket.socket:
    return socket.create_connection(("127.0.0.1", yard.service.port), timeout=30)


@contextmanager
def _peak_rss(yard: Yard) -> Iterator[None]:
    """The most memory the service and its helpers hold meanwhile, MB."""
    peak, stop = 0.0, threading.Event()

    def sample() -> None:
        nonlocal peak
        while not stop.wait(0.2):
            peak = max(peak, sum(map(_rss_mb, _family(yard.service.pid))))

    sampler = threading.Thread(target=sample, name="memory")
    sampler.start()
    try:
        yield
    finally:
        stop.set()
        sampler.join()
    yard.seen["peak_rss_mb"] = round(peak)


def _family(pid: int) -> list[int]:
    """The process and its children."""
    with suppress(FileNotFoundError):
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [pid, *(int(child) for task in tasks for child in (task / "children").read_text().split())]
    return []


def _rss_mb(pid: int) -> float:
    with suppress(FileNotFoundError, ProcessLookupError):
        return rss_mb(pid)
    return 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long alarms are timed in a round")
    parser.add_argument("--rounds", type=int, default=3, help="so many in peace and so many abused, by turns")
    parser.add_argument("--scale", type=float, default=1.0, help="of the abuses; less, to try it out")
    parser.add_argument("--only", nargs="*", choices=[*ABUSES, *FIGURES], default=[*ABUSES, *FIGURES])
    given = parser.parse_args()
    configure_logging(level="warning")
    found = measure(given.seconds, given.rounds, given.only, given.scale)
    sys.stdout.write(json.dumps(found, indent=None if given.json else 2) + "\n")


if __name__ == "__main__":
    main()
