"""The sample files of `deploy/`, wherever this program was installed from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_PLACES: Final = (_PACKAGE / "deploy", _PACKAGE.parent / "deploy")
"""In a wheel, which carries them in the package (`force-include` in pyproject.toml); in the sources."""


def sample(name: str) -> str:
    """The text of a sample file, by its path below `deploy/`.

    Raises:
        FileNotFoundError: this installation lacks it.
    """
    place = next((place for place in _PLACES if (place / name).is_file()), _PLACES[0])
    return (place / name).read_text(encoding="utf-8")
