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
PACKAGES: Final = ("ingest", "detectors", "gateway_sim", "dashboards")
MEDIAN, P90, LONGEST = 100, 220, 400
"""Lines: the median module, the one that nine of ten do not exceed, and the longest."""


def lengths() -> dict[str, int]:
    """Lines of every module; migrations apart, which are history."""
    listed = subprocess.run(
        ["git", "ls-files", *(f"{package}/**.py" for package in PACKAGES)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return {
        name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in listed if "/migrations/" not in name
    }


def main() -> None:
    """Print the figures; exit 1 where one is beyond its bound."""
    found = lengths()
    median, p90 = statistics.median(found.values()), statistics.quantiles(found.values(), n=10)[-1]
    longest = max(found, key=lambda name: found[name])
    sys.stdout.write(
        f"{len(found)} modules: median {median:.0f} lines (<= {MEDIAN}), 90 % <= {p90:.0f} ({P90}),"
        f" longest {found[longest]} ({LONGEST}): {longest}\n"
    )
    sys.exit(median > MEDIAN or p90 > P90 or found[longest] > LONGEST)


if __name__ == "__main__":
    main()
