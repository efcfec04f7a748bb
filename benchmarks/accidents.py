"""Published accidents, replayed: is there an alarm before the point of no return, and how many are without reason?

    python -m benchmarks.accidents [--json] [--only ACCIDENT ...] [--seeds 20] [--healthy 100] [--plots FOLDER]

Each accident of `gateway_sim.accidents` runs with many seeds (noise, wandering, how often its gateway samples: every 1,
2, 5 or 10 s) through the detectors with the rules of its plant file; then once more for every instrument missing, and
once for every instrument stuck since a minute before. The same plant runs `--healthy` times without a fault: a cast of
a casting machine, a day elsewhere; every alarm there is false, but for those that tell of what is ordinary there and
did happen (a spark that the detector's water put out). A run counts as detected when a rule the accident names
trips between its beginning and its point of no return. In JSON, by accident:

- `detected`: share of the runs; `lead_median_s`, `lead_worst_s`: from the alarm to the point of no return (the worst
  is None when a run was missed); `delay_worst_s` from the beginning; `most_lead_s`: what the physics leaves;
- `seen_by`: by instrument, the share of runs in which it tells in time, and its median delay in s;
- `one_missing`, `one_stuck`: shares detected, and `blind_without`: instruments without which it is not;
- `plain_limits`: share in which any plain limit (L, LL, H, HH) of the plant says something in time;
- `false_alarms_per_100_points_day`, and `false_alarms_by_rule`; `ordinary_alarms_per_100_points_day`: those not false.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.accident_plot import plot
from benchmarks.judged_plant import SECOND, Evaluator, Verdict
from benchmarks.outcome import DAY_S
from gateway_sim.accidents import ACCIDENTS, PLANTS, Accident
from gateway_sim.physics.signals import Physics

EVERY_S: Final = (1, 2, 5, 10)
"""How often gateways sample, by turns of the seeds."""
BLOCK_S: Final = 60
STUCK_BEFORE_S: Final = 60
HEALTHY_SEED: Final = 50_000
PLAIN: Final = frozenset({"L", "LL", "H", "HH"})


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its seed, and an instrument that fails in it.

    Attributes:
        missing: a point that sends nothing at all.
        stuck: a point that repeats what it showed a minute before the accident.
    """

    seed: int
    missing: str | None = None
    stuck: str | None = None

    @property
    def every_s(self) -> int:
        """How often its gateway samples, s."""
        return EVERY_S[self.seed % len(EVERY_S)]


def measured_by(accident: Accident, seed: int, seconds: int) -> NDArray[np.float64]:
    """What sound instruments measure second by second: float64[seconds, points]."""
    physics = accident.physics(seed)
    healthy = math.ceil(accident.begins_s)
    return np.concatenate([physics.run(healthy, 1.0), physics.run(seconds - healthy, 1.0, (accident.id,))])


def shown_by(accident: Accident, run: Run, measured: NDArray[np.float64]) -> NDArray[np.float64]:
    """What its gateway sends second by second: float64[seconds, points], NaN where nothing is sent."""
    shown = measured.copy()
    columns = {point: column for column, point in enumerate(accident.physics(0).points)}
    if run.stuck is not None:
        since = int(accident.begins_s) - STUCK_BEFORE_S
        shown[since:, columns[run.stuck]] = shown[since, columns[run.stuck]]
    if run.missing is not None:
        shown[:, columns[run.missing]] = np.nan
    shown[(np.arange(len(shown)) + run.seed) % run.every_s != 0] = np.nan  # whenever it happens to sample
    return shown


def alarms_of(
    plant: str, points: Sequence[str], shown: Sequence[NDArray[np.float64]], folder: Path = PLANTS
) -> Iterator[Verdict]:
    """What trips in copies of a plant (its file is in `folder`) that show float64[seconds, points], NaN = not sent."""
    evaluator = Evaluator(plant, len(shown), folder)
    for begin in range(0, len(shown[0]), BLOCK_S):
        part = [copy[begin : begin + BLOCK_S] for copy in shown]
        yield from (verdict for verdict in evaluator.block(points, part, begin * SECOND) if verdict.raised)


@dataclass(frozen=True, slots=True)
class Replay:
    """The alarms of many runs of one accident, run by run."""

    accident: Accident
    runs: Sequence[Run]
    alarms: Sequence[Sequence[Verdict]]

    def first_s(self, counts: Callable[[Verdict], bool]) -> list[float | None]:
        """When the first alarm that counts came in each run while there was time; None: none did."""
        begin, end = self.accident.begins_s, self.accident.no_return_s
        return [
            min((alarm.at_s for alarm in alarms if begin <= alarm.at_s < end and counts(alarm)), default=None)
            for alarms in self.alarms
        ]

    def says(self, alarm: Verdict) -> bool:
        """Whether it is one the accident names."""
        return alarm.code in self.accident.says.get(alarm.point, ())

    def share(self, counts: Callable[[Verdict], bool]) -> float:
        """The share of runs in which such an alarm came in time."""
        return round(sum(at is not None for at in self.first_s(counts)) / len(self.runs), 4)


def replay(accident: Accident, runs: Sequence[Run], folder: Path = PLANTS) -> Replay:
    """Run an accident so many times; its plant file is in `folder`."""
    seconds = math.ceil(accident.ends_s)
    points = accident.physics(0).points
    measured = {seed: measured_by(accident, seed, seconds) for seed in {run.seed for run in runs}}
    alarms: list[list[Verdict]] = [[] for _ in runs]
    shown = [shown_by(accident, run, measured[run.seed]) for run in runs]
    for alarm in alarms_of(accident.plant, points, shown, folder):
        alarms[alarm.copy].append(alarm)
    return Replay(accident, runs, alarms)


def stay_healthy(
    accident: Accident, plants: Sequence[Physics], report: Callable[[str], None], folder: Path = PLANTS
) -> tuple[list[Verdict], float]:
    """The same plant without the accident, in several copies (its file is in `folder`).

    Returns its alarms, and hundreds of points times days watched.
    """
    seconds, times = math.ceil(accident.healthy_s), len(plants)
    evaluator = Evaluator(accident.plant, times, folder)
    alarms: list[Verdict] = []
    for begin in range(0, seconds, BLOCK_S):
        shown = [plant.run(min(BLOCK_S, seconds - begin), 1.0) for plant in plants]
        for copy, part in enumerate(shown):
            part[np.arange(begin, begin + len(part)) % EVERY_S[copy % len(EVERY_S)] != 0] = np.nan
        alarms += [alarm for alarm in evaluator.block(plants[0].points, shown, begin * SECOND) if alarm.raised]
        if begin % 3600 == 0:
            report(f"{accident.id}: healthy, {begin // 3600} h of {seconds / 3600:.1f}, {len(alarms)} alarms")
    return alarms, len(plants[0].points) * times * seconds / DAY_S / 100


def figures(accident: Accident, seeds: int, healthy: int, report: Callable[[str], None]) -> dict[str, Any]:
    """All figures of one accident."""
    report(f"{accident.id}: {seeds} runs")
    points = accident.physics(0).points
    whole = replay(accident, [Run(seed) for seed in range(seeds)])
    few = range(min(seeds, len(EVERY_S)))
    missing = replay(accident, [Run(seed, missing=point) for point in points for seed in few])
    stuck = replay(accident, [Run(seed, stuck=point) for point in points for seed in few])
    found = [at for at in whole.first_s(whole.says) if at is not None]
    leads = [accident.no_return_s - at for at in found]
    plants = [accident.physics(HEALTHY_SEED + copy) for copy in range(healthy)]
    alarms, watched = stay_healthy(accident, plants, report) if healthy else ([], math.nan)
    false = [alarm for alarm in alarms if alarm.code not in accident.ordinary.get(alarm.point, ())]
    return {
        "detected": whole.share(whole.says),
        "lead_median_s": round(median(leads), 1) if leads else None,
        "lead_worst_s": round(min(leads), 1) if len(leads) == seeds else None,
        "delay_worst_s": round(max(found) - accident.begins_s, 1) if found else None,
        "needed_s": accident.needed_s,
        "most_lead_s": accident.most_lead_s,
        "seen_by": {point: _seen(whole, point) for point in accident.says},
        "one_missing": missing.share(missing.says),
        "one_stuck": stuck.share(stuck.says),
        "blind_without": _blind(missing, stuck),
        "plain_limits": whole.share(lambda alarm: alarm.kind == "limit" and alarm.code in PLAIN),
        "rules_seen": dict(Counter(f"{a.point}/{a.code}" for run in whole.alarms for a in run if whole.says(a))),
        "false_alarms_per_100_points_day": round(len(false) / watched, 3) if healthy else None,
        "ordinary_alarms_per_100_points_day": round((len(alarms) - len(false)) / watched, 3) if healthy else None,
        "false_alarms_by_rule": dict(Counter(f"{a.point}/{a.code}" for a in false).most_common(10)),
    }


def _seen(whole: Replay, point: str) -> list[float | None]:
    """The share of runs in which an instrument raises an alarm in time, and its median delay, s."""
    found = [at for at in whole.first_s(lambda alarm: alarm.point == point and whole.says(alarm)) if at is not None]
    delay = round(median(found) - whole.accident.begins_s, 1) if found else None
    return [round(len(found) / len(whole.runs), 4), delay]


def _blind(*replays: Replay) -> list[str]:
    """Instruments whose failure hid the accident in some run."""
    return sorted(
        {
            run.missing or run.stuck or ""
            for each in replays
            for run, at in zip(each.runs, each.first_s(each.says), strict=True)
            if at is None
        }
    )


def write_plot(accident: Accident, folder: Path) -> None:
    """Draw one run of an accident: what its signals showed, the alarms, the point of no return."""
    run = Run(0)
    shown = shown_by(accident, run, measured_by(accident, run.seed, math.ceil(accident.ends_s)))
    once = replay(accident, [run])
    announced = [alarm for alarm in once.alarms[0] if once.says(alarm)]
    (folder / f"{accident.id}.svg").write_text(
        plot(accident, accident.physics(0).points, shown, announced), encoding="utf-8"
    )


def measure(
    accidents: Sequence[Accident], seeds: int, healthy: int, report: Callable[[str], None] = lambda _: None
) -> Mapping[str, Mapping[str, Any]]:
    """The figures of each accident by its id."""
    return {accident.id: figures(accident, seeds, healthy, report) for accident in accidents}


def main() -> int:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.accidents", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", nargs="+", choices=list(ACCIDENTS), default=list(ACCIDENTS), help="accidents")
    parser.add_argument("--seeds", type=int, default=20, help="runs an accident")
    parser.add_argument("--healthy", type=int, default=100, help="casts or days without a fault")
    parser.add_argument("--plots", type=Path, help="folder for a picture an accident")
    options = parser.parse_args()
    accidents = [ACCIDENTS[name] for name in options.only]
    if options.plots is not None:
        options.plots.mkdir(parents=True, exist_ok=True)
        for accident in accidents:
            write_plot(accident, options.plots)
    found = measure(accidents, options.seeds, options.healthy, lambda words: print(words, file=sys.stderr))
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    print(f"{'':24}{'detected':>9}{'lead':>7}{'worst':>7}{'missing':>9}{'stuck':>7}{'plain':>7}{'false':>8}")
    for name, row in found.items():
        print(
            f"{name:24}{row['detected']:9.2f}{_cell(row['lead_median_s']):>7}{_cell(row['lead_worst_s']):>7}"
            f"{row['one_missing']:9.2f}{row['one_stuck']:7.2f}{row['plain_limits']:7.2f}"
            f"{_cell(row['false_alarms_per_100_points_day'], 2):>8}"
        )
    return 0


def _cell(figure: float | None, digits: int = 0) -> str:
    return "-" if figure is None else f"{figure:.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
