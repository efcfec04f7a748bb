"""Finds the running version: that of the installed build, or of the sources of a checkout."""

from __future__ import annotations

import runpy
from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def version() -> str:
    """Return the release, and after a plus the sources it was built from."""
    return version_of(Path(__file__).resolve().parents[2])


def version_of(root: Path) -> str:
    """Return the version of the sources in `root`, or of the installed build if there are none.

    A build installed from a checkout has the version of the sources at that time.
    """
    if (root / "pyproject.toml").is_file() and (root / "version.py").is_file():
        return str(runpy.run_path(str(root / "version.py"))["__version__"])
    return metadata.version("yujing")
