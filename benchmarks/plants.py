"""The sample plants under their own rules: which labelled faults are found, how soon, and how many alarms are false.

Every fault is played with many seeds, after a calm time, each alone; healthy days run with production, shifts, casts,
weather and interference, and every alarm on them is false, but for those that tell of what is ordinary and did happen,
as a single spark (`gateway_sim.sites.ORDINARY`): they are counted apart. All at 1 Hz with the rules of the sample
plants, whose delays are shortened so that a demonstration shows them: a real plant's longer delays raise fewer false
alarms.

Prints a table, or JSON. A fault counts as found when one of the rules it names trips on one of its points.
`plain_limit` are the same runs judged by rules of kind "limit" alone, any of which counts; `always_alarm` calls every
reading an alarm.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from statistics import median
from typing import Any, Final

from benchmarks.judged_plant import STEP_S, Verdict, evaluate_faulty, evaluate_healthy, missing_rules
from benchmarks.outcome import DAY_S, Outcome
from gateway_sim.faults import FAULTS, Fault
from gateway_sim.sites import ORDINARY, sample_sites

LEAD_S: Final = 600
"""Healthy running before a fault."""
GRACE_S: Final = 30
"""An alarm this long after a fault's end still counts: some conditions outlast their cause."""
FIRST_SEED: Final = 10_000
"""Of the runs with faults: no healthy day has the same."""


@dataclass(frozen=True, slots=True)
class Played:
    """A fault's runs, one a seed: what it explains of what tripped in each, and how much it does not explain."""

    fault: Fault
    begin_s: int
    runs: Sequence[Sequence[Verdict]]
    elsewhere: int

    def found(self, counts: Callable[[Verdict], bool]) -> Outcome:
        """Events, those found by the verdicts that count, and how soon."""
        delays = [at - self.begin_s for at in map(self.first(counts), self.runs) if at is not None]
        return Outcome(events=len(self.runs), found=len(delays), delays_s=tuple(delays))

    def first(self, counts: Callable[[Verdict], bool]) -> Callable[[Iterable[Verdict]], float | None]:
        """When the first verdict that counts came in a run, on one of the fault's points; None if none did."""
        ours = self.fault.points
        return lambda run: min((v.at_s for v in run if v.point in ours and counts(v)), default=None)

    def accepted(self, verdict: Verdict) -> bool:
        """Whether it is of a rule the fault names."""
        return verdict.code in self.fault.rules

    def leads_s(self) -> list[float]:
        """How long the forecast came before the limit's own alarm, in runs that have both."""
        forecasts = map(self.first(lambda v: v.code == "FORECAST"), self.runs)
        limits = map(self.first(is_limit), self.runs)
        pairs = zip(forecasts, limits, strict=True)
        return [limit - forecast for forecast, limit in pairs if forecast is not None and limit is not None]


def is_ordinary(verdict: Verdict) -> bool:
    """Whether it tells of something that does happen in a healthy plant."""
    return verdict.code in ORDINARY.get((verdict.plant, verdict.point), ())


def is_limit(verdict: Verdict) -> bool:
    """Whether it is of a plain limit."""
    return verdict.kind == "limit"


def play(fault: Fault, seeds: int, lead_s: int) -> Played:
    """Run a fault with so many seeds."""
    end_s = lead_s + math.ceil(fault.lasts_s)
    active = {second: [fault] for second in range(lead_s, end_s)}
    numbers = range(FIRST_SEED, FIRST_SEED + seeds)
    raised = [v for v in evaluate_faulty(fault.plant, end_s + GRACE_S, numbers, active) if v.raised]
    ours = [v for v in raised if v.at_s >= lead_s and v.point in fault.affects]
    runs = [[v for v in ours if v.copy == copy] for copy in range(seeds)]
    return Played(fault, lead_s, runs, len(raised) - len(ours))


def fault_report(played: Played) -> dict[str, Any]:
    """What is reported of a fault."""
    fault, outcome = played.fault, played.found(played.accepted)
    missing, leads = missing_rules(fault), played.leads_s()
    figures = outcome.figures()
    seen = Counter(code for run in played.runs for code in {v.code for v in run if v.point in fault.points})
    in_time = sum(delay <= fault.needed_s for delay in outcome.delays_s)
    return {
        "status": "missing rule" if len(missing) == len(fault.rules) else "judged",
        "rules": list(fault.rules),
        "missing_rules": missing,
        "recall": figures["event_recall"],
        "in_time": round(in_time / outcome.events, 4) if outcome.events else None,
        "median_delay_s": figures["median_delay_s"],
        "forecast_lead_s": round(median(leads), 1) if leads else None,
        "rules_seen": {code: round(runs / len(played.runs), 2) for code, runs in sorted(seen.items())},
        "alarms_elsewhere": played.elsewhere,
    }


@dataclass(frozen=True, slots=True)
class Quiet:
    """A plant's healthy days, and everything that tripped on them."""

    points: int
    days: float
    raised: Sequence[Verdict]

    @property
    def alarms(self) -> list[Verdict]:
        """The false ones."""
        return [verdict for verdict in self.raised if not is_ordinary(verdict)]

    def a_day(self, counts: Callable[[Verdict], bool] = lambda _: True) -> float:
        """False alarms per 100 points and day."""
        return 100 * sum(map(counts, self.alarms)) / (self.points * self.days)


def stay_healthy(plant: str, days: float, report: Callable[[str], None]) -> Quiet:
    """Run healthy days of a plant side by side; a part of a day makes all of them shorter."""
    copies = max(1, math.ceil(days))
    seconds = max(1, round(days / copies * DAY_S))
    alarms: list[Verdict] = []
    hour = 0
    for minute, part in enumerate(evaluate_healthy(plant, seconds, range(copies))):
        alarms += (verdict for verdict in part if verdict.raised)
        if minute // 60 > hour:
            hour = minute // 60
            report(f"{plant}: hour {hour} of {copies} days at once, {len(alarms)} alarms")
    return Quiet(len(sample_sites()[plant].points), copies * seconds / DAY_S, alarms)


def measure(
    seeds: int = 20, days: float = 30.0, report: Callable[[str], None] = lambda _: None, *, lead_s: int = LEAD_S
) -> dict[str, Any]:
    """All figures.

    Args:
        seeds: runs a fault.
        days: healthy days a plant; a fraction makes a quick run of the same code.
        report: told how far it is.
        lead_s: healthy running before a fault.
    """
    played = []
    for fault in FAULTS:
        report(f"fault {fault.id}")
        played.append(play(fault, seeds, lead_s))
    quiet = {plant: stay_healthy(plant, days, report) for plant in sample_sites()}
    found = reduce(add, (fault_run.found(fault_run.accepted) for fault_run in played)).figures()
    plain = reduce(add, (fault_run.found(is_limit) for fault_run in played)).figures()
    leads = [lead for fault_run in played if "FORECAST" in fault_run.fault.rules for lead in fault_run.leads_s()]
    watched = sum(quiet_run.points * quiet_run.days for quiet_run in quiet.values()) / 100
    alarms = [verdict for quiet_run in quiet.values() for verdict in quiet_run.alarms]
    return {
        "event_recall": found["event_recall"],
        "median_delay_s": found["median_delay_s"],
        "false_alarms_per_100_points_day": round(len(alarms) / watched, 3),
        "ordinary_alarms_per_100_points_day": round(
            sum(is_ordinary(verdict) for quiet_run in quiet.values() for verdict in quiet_run.raised) / watched, 3
        ),
        "forecast_lead_s": round(median(leads), 1) if leads else None,
        "faults": {quiet_run.fault.id: fault_report(quiet_run) for quiet_run in played},
        "false_alarms_by_rule": dict(Counter(verdict.code for verdict in alarms).most_common()),
        "false_alarms_by_point": _noisiest(alarms),
        "plants": {
            plant: {"points": quiet_run.points, "a_day": round(quiet_run.a_day(), 3)}
            for plant, quiet_run in quiet.items()
        },
        "points": sum(quiet_run.points for quiet_run in quiet.values()),
        "days": round(next(iter(quiet.values())).days, 4),
        "seeds": seeds,
        "step_s": STEP_S,
        "plain_limit": {
            "event_recall": plain["event_recall"],
            "median_delay_s": plain["median_delay_s"],
            "false_alarms_per_100_points_day": round(sum(map(is_limit, alarms)) / watched, 3),
        },
        "always_alarm": {
            "event_recall": 1.0,
            "median_delay_s": 0.0,
            "false_alarms_per_100_points_day": 100 * DAY_S / STEP_S,
        },
    }


def _noisiest(alarms: Iterable[Verdict]) -> Mapping[str, int]:
    """The ten rules that cry wolf most, as plant/point/code."""
    return dict(Counter(f"{v.plant}/{v.point}/{v.code}" for v in alarms).most_common(10))


def main() -> int:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.plants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seeds", type=int, default=20, help="runs a fault")
    parser.add_argument("--days", type=float, default=30.0, help="healthy days a plant")
    parser.add_argument("--data", help="not needed: the plants are simulated")
    asked = parser.parse_args()
    began = time.process_time()
    figures = measure(asked.seeds, asked.days, lambda words: print(words, file=sys.stderr))
    figures["cpu_s"] = round(time.process_time() - began, 1)
    if asked.json:
        print(json.dumps(figures, indent=2))
        return 0
    print(f"{'':24}{'recall':>8}{'delay s':>9}{'lead s':>8}  rules")
    for name, fault in figures["faults"].items():
        print(
            f"{name:24}{fault['recall']:8.2f}{_cell(fault['median_delay_s']):>9}{_cell(fault['forecast_lead_s']):>8}"
            f"  {' '.join(code for code in fault['rules'] if code not in fault['missing_rules']) or fault['status']}"
        )
    for name, line in {"all": figures, **{name: figures[name] for name in ("plain_limit", "always_alarm")}}.items():
        false = line["false_alarms_per_100_points_day"]
        print(f"{name:24}{line['event_recall']:8.2f}{_cell(line['median_delay_s']):>9}{'':8}  {false} false alarms")
    return 0


def _cell(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.1f}"


if __name__ == "__main__":
    sys.exit(main())
