"""How long the modules are: small ones are read whole. `make check` prints it, and fails beyond the bounds.

python -m tests.module_sizes
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PRODUCT: Final = ("ingest", "detectors", "gateway_sim", "dashboards")
AROUND: Final = ("tests", "benchmarks")
MEDIAN, P90, LONGEST = 100, 220, 400
"""Lines: the median module of the product, the one that nine of ten do not exceed, and the longest of all."""


def lengths(packages: tuple[str, ...]) -> dict[str, int]:
    """Lines of every module of the packages; migrations apart, which are history."""
    listed = subprocess.run(
        ["git", "ls-files", *(f"{package}/**.py" for package in packages)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return {
        name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in listed if "/migrations/" not in name
    }


def main() -> None:
    """Print the figures; exit 1 where one is beyond its bound."""
    found, around = lengths(PRODUCT), lengths(AROUND)
    median, p90 = statistics.median(found.values()), statistics.quantiles(found.values(), n=10)[-1]
    longest = max(found, key=lambda name: found[name])
    sys.stdout.write(
        f"{len(found)} modules: median {median:.0f} lines (<= {MEDIAN}), 90 % <= {p90:.0f} ({P90}),"
        f" longest {found[longest]} ({LONGEST}): {longest}\n"
    )
    longest_around = max(around, key=lambda name: around[name])
    sys.stdout.write(
        f"{len(around)} modules of tests and benchmarks: median {statistics.median(around.values()):.0f} lines,"
        f" longest {around[longest_around]} ({LONGEST}): {longest_around}\n"
    )
    for name, lines in around.items():
        if LONGEST < lines < around[longest_around]:
            sys.stdout.write(f"also beyond {LONGEST}: {name} ({lines})\n")
    sys.exit(median > MEDIAN or p90 > P90 or max(found[longest], around[longest_around]) > LONGEST)


if __name__ == "__main__":
    main()
