"""Physics of the three kinds of plant, reproducible by seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gateway_sim.physics.aluminium import CastingShop
from gateway_sim.physics.dust import DustCollectors
from gateway_sim.physics.signals import Physics
from gateway_sim.physics.steel import SteelWorks

PHYSICS: Final[Mapping[str, Callable[[int], Physics]]] = {
    "dust": DustCollectors,
    "steel": SteelWorks,
    "aluminium": CastingShop,
}
"""By the plant file's `kind`; each takes a seed."""

__all__ = ["PHYSICS", "Physics"]
