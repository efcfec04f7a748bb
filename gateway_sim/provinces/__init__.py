"""Stand-ins for provincial platforms, by profile: written from what is known of each, not from our sender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gateway_sim.platform import PlatformStandIn
from gateway_sim.provinces.generic import GenericStandIn
from gateway_sim.provinces.hebei import HebeiStandIn
from gateway_sim.provinces.hj212 import Hj212StandIn
from gateway_sim.provinces.steel import SteelStandIn
from gateway_sim.stand_in import StandIn

STAND_INS: Final[Mapping[str, Callable[..., StandIn]]] = {
    "tianjin-dust-sm4": PlatformStandIn,
    "hebei-dust-v1.1": HebeiStandIn,
    "steel-module": SteelStandIn,
    "generic-json": GenericStandIn,
    "hj212-2017": Hj212StandIn,
}
"""Each is built of a directory and, by keyword, `port`, `slow_s` and `unknown`."""
