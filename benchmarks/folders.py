"""Where the public data sets lie."""

from __future__ import annotations

from pathlib import Path


def of_set(data: Path, name: str) -> Path:
    """The folder of one data set: the one that was named, or the one of that name in it."""
    inner = data / name
    return inner if inner.is_dir() else data
