"""Halves every data set by file: settings are chosen on one half and judged on the other.

The half of a file follows from its name alone, so that nobody can choose it, and a set that grows keeps its halves.
Both are printed side by side: a gap between them says how much of a figure is fitting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

HALVES: Final = ("tune", "judge")

T = TypeVar("T")


def half(name: str) -> str:
    """The half in which a file is, by its name without folders: the parity of its SHA-256's first byte.

    >>> [half(name) for name in ("valve1/0.csv", "0.csv", "d01", "d02")]
    ['tune', 'tune', 'tune', 'judge']
    """
    return HALVES[hashlib.sha256(name.rpartition("/")[2].encode()).digest()[0] & 1]


def by_half(files: Iterable[tuple[str, T]], figures: Callable[[list[T]], Any]) -> dict[str, Any]:
    """The figures of what was seen of each half's files; None where it has none."""
    seen = list(files)
    of = {name: [what for file, what in seen if half(file) == name] for name in HALVES}
    return {name: figures(what) if what else None for name, what in of.items()}
