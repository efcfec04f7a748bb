"""Which version this is: that of the build, or of the sources as they are where they are run from a checkout."""

from __future__ import annotations

import runpy
from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def version() -> str:
    """The release, and after a plus which sources it is of."""
    return version_of(Path(__file__).resolve().parents[2])


def version_of(root: Path) -> str:
    """The same of the sources there; of the installed build where there are none.

    What was installed from a checkout knows only the sources of that day.
    """
    if (root / "pyproject.toml").is_file() and (root / "version.py").is_file():
        return str(runpy.run_path(str(root / "version.py"))["__version__"])
    return metadata.version("yujing")
