"""Reads the sample files of `deploy/`, from a wheel or from the sources."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_PLACES: Final = (_PACKAGE / "deploy", _PACKAGE.parent / "deploy")
"""Their folder in a wheel (`force-include` in pyproject.toml), and in the sources."""


def sample(name: str) -> str:
    """Return the text of a sample file, by its path below `deploy/`.

    Raises:
        FileNotFoundError: this installation lacks it.
    """
    place = next((place for place in _PLACES if (place / name).is_file()), _PLACES[0])
    return (place / name).read_text(encoding="utf-8")
