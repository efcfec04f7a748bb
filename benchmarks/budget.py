"""What kinds that learn find where there is nothing to find, beside what was promised.

Every kind judges every point of every record without a fault. The promise is so many findings on 100 points in 30 days
(`--budget`), of each kind, over the time in which its rules say that they can tell. `ratio` is what was `seen` over
what was `promised`. A record is `within` the promise if the ratio is at most 2, or if so many findings are what chance
gives one time in twenty to a rule that keeps it (Poisson): a promise of .3 findings is kept by one finding. It must
also be at least .3, or what chance gives as often, of what was promised of rules whose limit was raised for their
budget: what is found seldom by a rule's own limit keeps the promise. `long_enough` counts only records of which a
finding or more was promised; the others can do little but confirm. So that most can say more than that, the sample
plants are simulated for 30 days at each pace of `--paces`, several of a kind side by side as one record, each with a
seed of its own; nothing of it is stored.

Kinds that judge a group are one rule on all points of a record, and promised what a rule on one point is. `neighbour`
is left out: no record has two instruments on one thing. Kinds that cannot keep a budget (`benchmarks.learning_rules`)
judge by their own limits, with `--own-limits` all do. Settings are in readings, the same for all records; floors are
.1 % of what each point spans. The limit that is forecast lies a quarter of the span beyond it. With
`--promised` each record has a budget of its own, so large that so many findings are promised on it, however short it
is.

`python -m benchmarks.budget --data DIR --json`
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.halves import HALVES, by_half
from benchmarks.healthy_records import SEEDS, USUAL_PACES, HealthyRecord, healthy_records
from benchmarks.learning_rules import LEARNING, rules
from detectors import Bank, Readings, RuleTable
from detectors.calibration import USUAL_BUDGET
from detectors.detector import Reason

LEAST_RATIO: Final = 0.3
MOST_RATIO: Final = 2.0
CHANCE: Final = 0.05
PIECES: Final = 64
"""A record is judged in so many pieces; after each it is asked which rules can tell."""
_CANNOT_TELL: Final = frozenset({*Reason}) - {
    Reason.MEMBER_UNKNOWN,
    Reason.OVER_BUDGET,
    Reason.OPERATING_POINT_UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Account:
    """One kind on one record: findings promised and seen, and what share of the time its rules could tell.

    `raised`: the share of its rules whose limit is above their own.
    """

    kind: str
    record: str
    promised: float
    seen: int
    evaluated: float
    raised: float = 0.0

    @property
    def within(self) -> bool:
        """Whether the promise was kept, as far as the record can say."""
        most = max(MOST_RATIO * self.promised, poisson_bound(self.promised, 1 - CHANCE))
        of_raised = self.promised * self.raised
        least = min(LEAST_RATIO * of_raised, poisson_bound(of_raised, CHANCE))
        return least <= self.seen <= most

    def figures(self) -> dict[str, Any]:
        """All of it."""
        return {
            "promised": round(self.promised, 3),
            "seen": self.seen,
            "ratio": _ratio(self.seen, self.promised),
            "evaluated": round(self.evaluated, 3),
            "within": self.within,
        }


def _ratio(seen: float, promised: float) -> float | None:
    return round(seen / promised, 2) if promised > 0 else None


def poisson_bound(expected: float, share: float) -> int:
    """The least count that is not exceeded in this share of cases, if so many are expected.

    >>> [poisson_bound(mean, 0.95) for mean in (0.0, 0.05, 0.3, 1.0, 10.0)], poisson_bound(10.0, 0.05)
    ([0, 0, 1, 3, 15], 5)
    """
    if expected > 500:  # exp(-expected) leaves the range of doubles: by the normal distribution
        deviation = 1.6449 if share > 0.5 else -1.6449
        return round(expected + deviation * math.sqrt(expected))
    count, term = 0, math.exp(-expected)
    total = term
    while total < share:
        count += 1
        term *= expected / count
        total += term
    return count


def judged(kind: str, record: HealthyRecord, budget: float, *, own: bool = False) -> Account:
    """Judge a record by rules of one kind; `own`: by their own limits, whatever the budget."""
    table = rules(kind, record, math.inf if own else budget)
    bank = Bank({kind: table})
    seen, could, edges = 0, 0.0, np.linspace(0, len(record.rows), min(PIECES, len(record.rows)) + 1).astype(int)
    for begin, end in pairwise(edges.tolist()):
        readings = frame(record.time_s[begin:end], record.rows[begin:end])
        now = int(readings.time[-1])
        seen += int(np.count_nonzero(bank.update(readings, now).raised))
        missing = bank.not_evaluated(now)
        silent = np.isin(missing.reason, [*_CANNOT_TELL])
        could += (1 - len(np.unique(missing.rule[silent])) / len(table)) * (end - begin) / len(record.rows)
    promised = budget * len(table) / 100 * record.days / 30 * could
    return Account(kind, record.name, promised, seen, could, raised(bank, table))


def raised(bank: Bank, table: RuleTable) -> float:
    """The share of rules whose limit is now above their own."""
    spending = bank.spending()
    own = table.on[spending.rule]
    return float(np.count_nonzero(spending.limit > own + 1e-6 * np.abs(own)) / len(table))


def frame(time_s: NDArray[np.float64], rows: NDArray[np.float64]) -> Readings:
    """The rows as readings; the first point of a group, whose readings trigger its evaluation, follows the others."""
    count, points = rows.shape
    point = np.tile(np.arange(points, dtype=np.int32)[::-1], count)
    time = np.repeat(np.round(time_s * 1e9).astype(np.int64), points)
    return Readings(point, time, rows[:, ::-1].ravel(), time, point)


def summary(accounts: Sequence[Account]) -> dict[str, Any]:
    """What several accounts say together."""
    telling = [account for account in accounts if account.promised >= 1]
    promised, seen = sum(account.promised for account in accounts), sum(account.seen for account in accounts)
    return {
        "promised": round(promised, 2),
        "seen": seen,
        "ratio": _ratio(seen, promised),
        "within": _share(accounts),
        "within_long_enough": _share(telling),
        "long_enough": len(telling),
        "evaluated": round(float(np.mean([account.evaluated for account in accounts])), 3),
    }


def _share(accounts: Iterable[Account]) -> float | None:
    kept = [account.within for account in accounts]
    return round(sum(kept) / len(kept), 3) if kept else None


def measure(
    data: Path | None,
    days: float = 30.0,
    budget: float = USUAL_BUDGET,
    promised: float | None = None,
    kinds: Iterable[str] = LEARNING,
    report: Callable[[str], None] = lambda _: None,
    *,
    own: bool = False,
    paces: Iterable[float] = USUAL_PACES,
) -> dict[str, Any]:
    """All figures: altogether, by half, by kind and by record; see `main` for the arguments."""
    accounts: list[Account] = []
    kinds = list(kinds)

    def each(kind: str, record: HealthyRecord) -> float:
        count = record.plants if LEARNING[kind].group else record.points
        return budget if promised is None else promised / (count / 100 * record.days / 30)

    for record in healthy_records(data, days, paces):
        report(f"{record.name}: {record.points} points, {record.days:.2f} days")
        accounts += [judged(kind, record, each(kind, record), own=own) for kind in kinds]
    named = [(account.record, account) for account in accounts]
    return {
        "budget": budget if promised is None else None,
        **summary(accounts),
        **by_half(named, summary),
        "kinds": {kind: summary([account for account in accounts if account.kind == kind]) for kind in kinds},
        "records": {
            record: {account.kind: account.figures() for account in accounts if account.record == record}
            for record in dict.fromkeys(record for record, _ in named)
        },
    }


def _table(figures: dict[str, Any]) -> None:
    print(f"{'':16}{'promised':>10}{'seen':>8}{'ratio':>10}{'evaluated':>11}{'within':>8}{'of long ones':>14}")
    lines = {"all": figures, **{half: figures[half] for half in HALVES if figures[half]}, **figures["kinds"]}
    for name, line in lines.items():
        ratio, long = line["ratio"], line["within_long_enough"]
        shown = f"{'-' if ratio is None else ratio:>10}{line['evaluated']:11.2f}{line['within']:8.2f}"
        print(f"{name:16}{line['promised']:10.2f}{line['seen']:8}{shown}{'-' if long is None else long:>14}")


def main() -> int:
    """Print the figures, as a table or as JSON; 2 = there is no data."""
    parser = argparse.ArgumentParser(prog="benchmarks.budget", description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument(
        "--data", type=Path, help="folder that holds batadal, cranfield, skab, tep, nab or some of them"
    )
    parser.add_argument("--days", type=float, default=30.0, help="how long the sample plants are simulated")
    parser.add_argument(
        "--paces",
        type=lambda text: [float(pace) for pace in text.split(",")],
        default=[*USUAL_PACES],
        help=f"seconds between readings of the sample plants, by commas, of {', '.join(f'{pace:g}' for pace in SEEDS)}",
    )
    parser.add_argument("--budget", type=float, default=USUAL_BUDGET, help="findings on 100 points in 30 days")
    parser.add_argument("--promised", type=float, help="instead: findings promised on each record")
    parser.add_argument("--own-limits", action="store_true", help="judge by the limits of the rules, not by the budget")
    parser.add_argument("--kinds", default=",".join(LEARNING), help="kinds, by commas")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    try:
        figures = measure(
            asked.data,
            asked.days,
            asked.budget,
            asked.promised,
            asked.kinds.split(","),
            lambda name: print(name, file=sys.stderr),
            own=asked.own_limits,
            paces=asked.paces,
        )
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(figures, indent=1))
    else:
        _table(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
