"""Ordinary sparks: what the rule on restarts after a fire costs in false alarms, by what counts as a trip.

    python -m benchmarks.sparks [--json] [--rates 0.3 1 3] [--days 20] [--seed 90000] [--trips any ...]

The hall of the accident of Changzhou works for so many days; its spark detector sees ordinary sparks, so many in 24 h
of work, and its water puts them out (`gateway_sim/physics/sparks.py`). Every `RESTART` there is false. The same rules
judge the accident by `RESTART` alone, without the thermometer in the collector, with each instrument missing by turns.
The seeds are not those that `benchmarks.accidents` judges by, so that a rule can be chosen here and judged there.

By rate and by what counts as a trip: `any`, every spark; `burst`, three within 60 s; `stop-60` and so on, those, and a
spark at most so many seconds before a stop. In JSON:

- `restarts_a_day`: false alarms in the hall, a day; `per_100_points_day`: the same by points;
- `sparks_a_day`: how many the rule `ON` told of;
- `seen`, `seen_one_missing`: share of accidents that `RESTART` alone tells of in time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.accidents import Run, replay, stay_healthy
from benchmarks.judged_plant import Verdict
from benchmarks.outcome import DAY_S
from gateway_sim.accidents import ACCIDENTS, PLANTS
from gateway_sim.accidents.grinding import GrindingHall
from gateway_sim.physics.sparks import SPARKS_A_DAY, SPARKS_RANGE

ACCIDENT: Final = ACCIDENTS["changzhou-dust-2024"]
SEED: Final = 90_000
TRIPS: Final[Mapping[str, str]] = {
    "any": "single = []",
    "burst": "stop_s = 1e-9",
    **{f"stop-{stop_s}": f"stop_s = {stop_s}" for stop_s in (60, 300, 1800)},
}
"""What counts as a trip, as a plant file has it."""


@contextmanager
def plants_with(rule: str) -> Iterator[Path]:
    """A folder with the plant file of the hall whose restart rules have these keys."""
    text = PLANTS.joinpath(f"{ACCIDENT.plant}.toml").read_text(encoding="utf-8")
    blocks = text.split("\n\n")
    for at, block in enumerate(blocks):
        if "DUST_FAN_RUN" in block or "DUST_PROC_RUN" in block:
            blocks[at] = f"{block}\n\n[points.rules.RESTART]\n{rule}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).joinpath(f"{ACCIDENT.plant}.toml").write_text("\n\n".join(blocks), encoding="utf-8")
        yield Path(folder)


MISSING: Final = GrindingHall(0).points
"""The instruments that fail by turns."""


def _restarts(alarm: Verdict) -> bool:
    return alarm.code == "RESTART"


def measure(
    rates: Sequence[float],
    days: int,
    seed: int = SEED,
    trips: Sequence[str] = tuple(TRIPS),
    accidents: int = 8,
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, dict[str, Any]]:
    """The figures by what counts as a trip; false alarms by rate."""
    found: dict[str, dict[str, Any]] = {}
    seeds = range(seed, seed + accidents)
    for name in trips:
        with plants_with(TRIPS[name]) as folder:
            whole = replay(ACCIDENT, [Run(each) for each in seeds], folder)
            missing = replay(ACCIDENT, [Run(each, missing=point) for point in MISSING for each in seeds], folder)
            by_rate: dict[str, Any] = {}
            for rate in rates:
                report(f"{name}, {rate:g} sparks a day")
                halls = [GrindingHall(seed + copy, rate) for copy in range(days)]
                alarms, watched = stay_healthy(ACCIDENT, halls, lambda _: None, folder)
                codes = Counter(alarm.code for alarm in alarms)
                many = ACCIDENT.healthy_s / DAY_S * days
                by_rate[f"{rate:g}"] = {
                    "restarts_a_day": round(codes["RESTART"] / many, 3),
                    "per_100_points_day": round(codes["RESTART"] / watched, 3),
                    "sparks_a_day": round(codes["ON"] / many, 3),
                    "others": {code: n for code, n in codes.items() if code not in {"RESTART", "ON"}},
                }
        found[name] = {
            "seen": whole.share(_restarts),
            "seen_one_missing": missing.share(_restarts),
            "rates": by_rate,
        }
    return found


def main() -> int:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.sparks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    low, high = SPARKS_RANGE
    parser.add_argument(
        "--rates", nargs="+", type=float, default=[low, SPARKS_A_DAY, high], help="sparks in 24 h of work"
    )
    parser.add_argument("--days", type=int, default=20, help="days without a fire")
    parser.add_argument("--seed", type=int, default=SEED, help="the first of the days and accidents")
    parser.add_argument("--trips", nargs="+", choices=list(TRIPS), default=list(TRIPS), help="what counts as a trip")
    options = parser.parse_args()
    found = measure(
        options.rates, options.days, options.seed, options.trips, report=lambda words: print(words, file=sys.stderr)
    )
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for name, row in found.items():
        cells = ", ".join(f"{rate} a day: {cell['per_100_points_day']:.2f}" for rate, cell in row["rates"].items())
        print(f"{name:10} seen {row['seen']:.2f}, one missing {row['seen_one_missing']:.2f}; false by rate: {cells}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
