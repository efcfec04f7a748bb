"""Where the public data sets lie, and the command that a benchmark on one of them is."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def of_set(data: Path, name: str) -> Path:
    """The folder of one data set: the one that was named, or the one of that name in it."""
    inner = data / name
    return inner if inner.is_dir() else data


def command(
    name: str,
    doc: str | None,
    holds: str,
    measure: Callable[[Path], Mapping[str, Any]],
    table: Callable[[Mapping[str, Any]], None],
) -> int:
    """Measure on a data set and print it, as a `table` or as JSON; the exit code, 2 = there is no data.

    Args:
        name: of the benchmark and of its data set.
        doc: what it says of itself.
        holds: what its folder holds.
        measure: gives the figures for a folder; FileNotFoundError says what is missing there.
        table: prints them for people.
    """
    parser = argparse.ArgumentParser(prog=f"benchmarks.{name}", description=doc)
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {holds}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    try:
        figures = measure(of_set(asked.data, name))
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(figures, indent=2))
    else:
        table(figures)
    return 0
