"""The plant configuration: all plant files in force, compiled to the arrays the hot path works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors import Derived, RuleTable
from ingest.domain.model.batch import Batch
from ingest.domain.model.instrument import Instrument
from ingest.domain.model.plant import SERVICE, GatewayPoint, Plant, Point, Rule, rule_key
from ingest.domain.quality.check import check_quality
from ingest.domain.quality.contact_table import ContactTable
from ingest.domain.quality.sentinels import SentinelTable
from ingest.plants.plant_budget import PlantBudget
from ingest.plants.rules import AllRules, rule_with


@dataclass(frozen=True, slots=True, eq=False)
class GatewayConfiguration:
    """What intake needs to know of one gateway.

    Attributes:
        columns: point id -> configuration index, for the points this gateway may send.
        device: configuration index of the gateway's own point (online or not).
        own: configuration indices of what the service monitors of it.
    """

    columns: Mapping[str, int]
    device: int
    own: Mapping[GatewayPoint, int]

    @property
    def clock(self) -> int:
        """Configuration index of the point for how far its clock is ahead."""
        return self.own[GatewayPoint.CLOCK]


@dataclass(frozen=True, slots=True, eq=False)
class PlantConfiguration:
    """All plants at one moment. Immutable: a changed plant file gives a new configuration.

    A point keeps its index for ever (`Numbering`), so arrays, journal entries and detector state stay valid over
    reloads; the index of a removed point stays unused.

    Attributes:
        version: counts up with every reload.
        plants: by plant id; the service itself is among them, as `SERVICE`, and last.
        points: by index; None where a point was removed.
        rules: every rule; detectors name a rule by its place here.
        gateways: by (plant id, gateway id).
        low, high: float64[p], instrument range (NaN where unused).
        carrier: int32[p], index of the own point of the gateway that carries the point (itself for that one, and for
            points of the service).
        tables: rules by detector name, for `detectors.registry`; only those that have any.
        sentinels: those of all points; None: no point has any.
        derived: expressions with their channels, numbered after all points; `tables` refer to these channels.
        renamed: (plant, former id) -> id, of renamed points.
        instruments: by plant, of those that name any.
        contacts: the status contacts of instruments; None: no instrument has any.
        budgets: what the rules that learn may find, of each plant that has any.
    """

    version: int
    plants: Mapping[str, Plant]
    points: tuple[Point | None, ...]
    rules: Sequence[Rule]
    gateways: Mapping[tuple[str, str], GatewayConfiguration]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    carrier: NDArray[np.int32]
    tables: Mapping[str, RuleTable]
    derived: tuple[Derived, ...] = ()
    sentinels: SentinelTable | None = None
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    instruments: Mapping[str, tuple[Instrument, ...]] = field(default_factory=dict)
    contacts: ContactTable | None = None
    budgets: Mapping[str, PlantBudget] = field(default_factory=dict)
    _by_id: dict[str, dict[str, Point]] = field(default_factory=dict, init=False, repr=False)  # of plants asked for
    # [p + 1]: the last entry stands for all points numbered later.
    _low: NDArray[np.float64] = field(init=False, repr=False)
    _high: NDArray[np.float64] = field(init=False, repr=False)
    _enrolled: NDArray[np.bool_] = field(init=False, repr=False)
    _loop: NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Precompute the columns that every batch needs."""
        low, high = np.append(self.low, np.nan), np.append(self.high, np.nan)
        loop = np.zeros(len(low), bool)
        if "current" in self.tables:
            evaluated = self.tables["current"].point
            loop[evaluated[evaluated < len(self.low)]] = True  # others are expressions, which no loop carries
        for name, column in {"_low": low, "_high": high, "_enrolled": ~np.isnan(low), "_loop": loop}.items():
            object.__setattr__(self, name, column)

    def enterprises(self) -> list[Plant]:
        """Return the plants that are enterprises: all but the service itself."""
        return [plant for plant in self.plants.values() if plant.id != SERVICE]

    def enrolled(self, batch: Batch) -> Batch:
        """Return the readings of points that exist now; a removed point may still have some in the journal."""
        known = self._enrolled.take(batch.point, mode="clip")
        return batch if np.count_nonzero(known) == len(known) else batch.take(known)

    def ranges(self, point: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return low and high end of each point's instrument range; NaN for points that do not exist now."""
        return self._low.take(point, mode="clip"), self._high.take(point, mode="clip")

    def checked(self, batch: Batch) -> Batch:
        """Return the readings with what their value alone says against them."""
        return check_quality(batch, *self.ranges(batch.point), self._loop, self.sentinels)

    def number(self, rule: Rule) -> int:
        """Return the rule's index in `rules`; -1 if it does not exist now."""
        point = self.find(rule.plant, rule.point)
        codes = [rule.code for rule in point.rules] if point is not None else []
        if point is None or rule.code not in codes:
            return -1
        if isinstance(self.rules, AllRules):
            return int(self.rules.first[point.index]) + codes.index(rule.code)
        return self.rules.index(rule)

    def renamed_rules(self) -> dict[str, str]:
        """Return the rule keys of renamed points: former -> present."""
        return {
            rule_key(plant, former, rule.code): rule_key(plant, now, rule.code)
            for (plant, former), now in self.renamed.items()
            if (point := self.find(plant, now)) is not None
            for rule in point.rules
        }

    def rule(self, plant: str, point: str, code: str) -> Rule | None:
        """Return the rule of that code that the point has now, or None."""
        found = self.find(plant, point)
        return rule_with(found.rules, code) if found is not None else None

    def has_rule(self, plant: str, point: str, code: str) -> bool:
        """Whether that point has a rule of that code now."""
        return self.rule(plant, point, code) is not None

    def is_signed(self, plant: str, point: str, rule: str) -> bool:
        """Whether the alarm of a rule is reset only with a signed inspection; False for one that is not configured."""
        found = self.rule(plant, point, rule)
        return found is not None and found.signed

    def find(self, plant: str, point: str) -> Point | None:
        """Return the point of that plant with that id, or None."""
        points = self._by_id.get(plant)
        if points is None:
            known = self.plants.get(plant)
            if known is None:
                return None
            points = self._by_id[plant] = {point.id: point for point in known.points}
        return points.get(point)
