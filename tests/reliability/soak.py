"""Every promise at its full count: `python -m tests.reliability.soak`, or `make soak`.

Figures are kept in a JSON file as soon as a promise is through, so that a soak that was broken off goes on with
`--resume`; from that file `docs/reliability.md` is written.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.base.telemetry import configure_logging
from tests.reliability import (
    test_brokers,
    test_disk_full,
    test_fuzz,
    test_kills,
    test_ledger,
    test_network,
    test_ordering,
    test_outage,
    test_poison,
    test_state_server,
    times,
)
from tests.reliability.page import page
from tests.reliability.promise import CannotTest, Figures, Promise, broken

PROMISES: Final[tuple[Promise, ...]] = (
    test_ordering.PROMISE,
    test_kills.PROMISE,
    test_ledger.PROMISE,
    test_brokers.PROMISE,
    test_outage.PROMISE,
    test_state_server.PROMISE,
    test_disk_full.PROMISE,
    test_poison.PROMISE,
    test_fuzz.PROMISE,
    times.PERMUTATIONS,
    times.CLOCK_STEPS,
    test_network.PROMISE,
)
ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reliability.md"
RESULTS: Final = ROOT / "docs" / "reliability.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 1 if a promise is broken."""
    asked = _arguments(arguments)
    results: dict[str, Any] = json.loads(asked.json.read_text("utf-8")) if asked.json.exists() else {}
    configure_logging(level="error")  # of the parts of the service that run in this process
    logging.disable(logging.CRITICAL)  # the gateway's client tells of every connection that we break
    console = Console(stderr=True)
    faults = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for promise in [p for p in PROMISES if asked.only is None or p.name in asked.only]:
            count = max(1, round(promise.count * asked.share))
            if asked.resume and _kept_in_full(results.get(promise.name), count):
                console.print(f"[dim]{promise.name}: kept from {results[promise.name]['date']}")
                continue
            result = _run(promise, count, asked.seed, progress)
            results[promise.name] = result
            asked.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            asked.out.write_text(page(PROMISES, results), encoding="utf-8")
            faults += result["state"] == "failed"
            console.print(f"{promise.name}: {result['state']} in {result['took_s']} s {'; '.join(result['faults'])}")
    asked.out.write_text(page(PROMISES, results), encoding="utf-8")
    return int(faults > 0)


def _run(promise: Promise, count: int, seed: int, progress: Progress) -> dict[str, Any]:
    """One promise in a folder of its own; what goes wrong is a result like any other."""
    task = progress.add_task(promise.name, total=count)
    began = time.monotonic()
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix=f"soak-{promise.name}-", ignore_cleanup_errors=True) as folder:
        try:
            figures = promise.run(count, seed, Path(folder) / "run", lambda done: progress.advance(task, done))
        except CannotTest as reason:
            state, faults = "not tested", [str(reason)]
        except Exception as error:  # noqa: BLE001  a test that breaks has not shown anything
            traceback.print_exc()
            state, faults = "failed", [f"{type(error).__name__}: {error}"[:500]]
        else:
            faults = broken(promise, figures)
            state = "failed" if faults else "kept"
    progress.remove_task(task)
    return {
        "state": state,
        "faults": faults,
        "asked": count,
        "figures": figures,
        "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "took_s": round(time.monotonic() - began),
        "machine": _machine(),
        "commit": _commit(),
    }


def _kept_in_full(result: dict[str, Any] | None, count: int) -> bool:
    return result is not None and result["state"] == "kept" and result["asked"] >= count


def _machine() -> str:
    """What kind of machine this is; no names."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GB, {system}, Python {platform.python_version()}"


def _commit() -> str:
    result = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return result.stdout.strip()


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.soak", description=__doc__)
    names = [promise.name for promise in PROMISES]
    parser.add_argument("--only", action="append", choices=names, help="this promise; may be given again")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write")
    parser.add_argument("--json", type=Path, default=RESULTS, help="the figures, kept as they come")
    parser.add_argument("--resume", action="store_true", help="keep what is kept in full already")
    parser.add_argument("--share", type=float, default=1.0, help="this share of each full count")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
