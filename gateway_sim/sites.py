"""The sample plants as the simulator needs them: which gateway carries which points."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

PLANTS = Path(str(files("gateway_sim"))) / "plants"
"""The folder of the sample plant files."""

ORDINARY: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {("demo-dust", "SPARK-01"): ("ON",)}
"""Plant and point -> rules whose alarms on healthy days are true: they tell of something that did happen there."""


@dataclass(frozen=True, slots=True)
class Site:
    """A plant to be simulated."""

    plant: str
    kind: str
    gateways: Mapping[str, tuple[str, ...]]  # gateway id -> ids of the points it carries

    @property
    def points(self) -> frozenset[str]:
        """Every measuring point of the plant."""
        return frozenset(point for carried in self.gateways.values() for point in carried)


@cache
def sites(folder: Path) -> Mapping[str, Site]:
    """The plants of a folder of plant files by id."""
    plants = sorted(folder.glob("*.toml"))
    found = [_site(tomllib.loads(p.read_text(encoding="utf-8"))) for p in plants]
    return {site.plant: site for site in found}


def sample_sites() -> Mapping[str, Site]:
    """The sample plants by id."""
    return sites(PLANTS)


def _site(document: Mapping[str, Any]) -> Site:
    carried: dict[str, list[str]] = {gateway["id"]: [] for gateway in document["gateways"]}
    for point in document["points"]:
        carried[point["gateway"]].append(point["id"])
    enterprise = document["enterprise"]
    return Site(enterprise["id"], enterprise["kind"], {gateway: tuple(ids) for gateway, ids in carried.items()})
