"""Published accidents as physical scenarios: would the service have said something in time?"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.haian import HAIAN

PLANTS: Final = Path(str(files("gateway_sim.accidents"))) / "plants"
"""The folder of the plant files the accidents happen in."""

ACCIDENTS: Final[Mapping[str, Accident]] = {accident.id: accident for accident in (HAIAN,)}
"""All of them by id."""

__all__ = ["ACCIDENTS", "PLANTS", "Accident", "Moment"]
