"""Labelled faults of the sample plants, and the timetable by which they come and go.

A fault changes the physics, the channel or the network; whether an alarm follows is for the service to say.
Process faults develop at demonstration speed, much faster than in a real plant.
"""

from __future__ import annotations

from typing import Final

from gateway_sim.faults.fault import Fault, Shows, Where
from gateway_sim.faults.quick import QUICK
from gateway_sim.faults.slow import SLOW
from gateway_sim.faults.timetable import Slot, timetable

FAULTS: Final = (*QUICK, *SLOW)
"""All of them."""

__all__ = ["FAULTS", "QUICK", "SLOW", "Fault", "Shows", "Slot", "Where", "timetable"]
