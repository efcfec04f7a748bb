"""Computes the risk index (风险指数), 0 to 100, of equipment, plants and regions; docs/risk.md explains it.

    L = S * (1 + sum of w * level * decay)
    R = L, and above SPREAD_ABOVE: 100 - (100 - SPREAD_ABOVE) / (1 + ln(L / SPREAD_ABOVE))

S is the inherent risk of a plant or an equipment, the sum its present facts. No official formula could be found: every
number here is an engineering default, and `MODEL` counts up with each change of any of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from ingest.domain.model.plant import Equipment, Plant
from ingest.domain.model.warning import Colour, Fact, Trait

MODEL: Final = "3"

HIGHEST: Final = 100.0
"""The bound that R approaches and never reaches."""

SPREAD_ABOVE: Final = 85.0
"""Above it R grows with the logarithm of L, so that of two plants with many facts the graver still ranks higher."""

KIND: Final[Mapping[str, float]] = {"aluminium": 34, "steel": 32, "dust": 28}
"""S begins with what the plant does: molten metal over water, molten metal and gas, dust that explodes."""

DUST: Final[Mapping[str, float]] = {"aluminium": 6, "magnesium": 6, "metal": 5, "wood": 3}
OTHER_DUST: Final = 2.0
"""S grows with the dust: by so much, or OTHER_DUST for any other."""

PEOPLE: Final = ((100, 5.0), (30, 4.0), (10, 2.0))
"""S grows with the people at risk (粉尘: 涉粉人数): at least so many, by so much."""

RED_RULES: Final = 3.0
"""S of an equipment grows by this if it has a rule marked red; that of a plant, if it has such equipment."""

LEVEL: Final[Mapping[int, float]] = {0: 1, 1: 1, 2: 4}
"""The factor of an alarm's level; a point out of service or under function check has level 0."""

CRITICAL: Final = 1.5
"""The factor of an alarm of level 2 besides, while its equipment is in a critical phase or nobody knows in which."""

PROCESS: Final = 0.18
RED: Final = 0.3
BYPASS: Final = 0.3
FORECAST: Final = 0.08
LOST_MANDATORY: Final = 0.25
LOST: Final = 0.05
OUT_OF_SERVICE: Final = 0.1
"""w, by the kind of fact."""

HALF_LIFE_S: Final = 1800
"""decay is 1 while a fact holds; after its end it halves every so many seconds."""

FORGOTTEN_S: Final = 4 * HALF_LIFE_S
"""Seconds after its end at which a fact no longer counts."""

REGION_SHARE: Final = 0.1
REGION_ABOVE: Final = 50.0
"""A region has the index of its gravest plant, plus this share of what each other one has above REGION_ABOVE, damped
near 100."""

BANDS: Final = ((Colour.RED, 85.0), (Colour.ORANGE, 70.0), (Colour.YELLOW, 50.0))
HYSTERESIS: Final = 5.0
"""An index enters a band at its number and leaves it this much lower; below all of them it is blue."""


def inherent(plant: Plant, equipment: Equipment | None = None) -> float:
    """Return S of a plant, or of one equipment of it."""
    people = plant.dust_workers if plant.kind == "dust" else plant.workers
    grave = {point.equipment for point in plant.points if point.red}
    marked = bool(grave) if equipment is None else equipment.id in grave
    dust = DUST.get(plant.dust, OTHER_DUST) if plant.dust else 0.0
    crowd = next((more for least, more in PEOPLE if people >= least), 0.0)
    return KIND.get(plant.kind, 0.0) + dust + crowd + (RED_RULES if marked else 0.0)


def weight(fact: Fact) -> float:
    """Return w * level of a fact."""
    critical = CRITICAL if fact.level == 2 and Trait.CRITICAL_PHASE in fact.traits else 1.0
    return _kind(int(fact.traits)) * LEVEL[fact.level] * critical


def index(inherent_: float, facts: Iterable[Fact], now: int) -> float:
    """Return R at `now` (ns) for this S and these facts."""
    return _spread(inherent_ * (1 + sum(weight(fact) * _decay(fact, now) for fact in facts)))


def region_index(plants: Iterable[float]) -> float:
    """Return R of a region from those of its plants."""
    ordered = sorted(plants, reverse=True)
    gravest = max(ordered, default=0.0)
    more, room = REGION_SHARE * sum(max(0.0, other - REGION_ABOVE) for other in ordered[1:]), HIGHEST - gravest
    return round(gravest + room * more / (more + room), 1) if more else gravest


def band(value: float, before: Colour = Colour.BLUE) -> Colour:
    """Return the band of an index that was in band `before`.

    >>> [str(band(value, Colour.ORANGE)) for value in (85.0, 84.9, 65.0, 64.9)]
    ['red', 'orange', 'orange', 'yellow']
    """
    for colour, least in BANDS:
        if value >= (least - HYSTERESIS if before >= colour else least):
            return colour
    return Colour.BLUE


def band_at(inherent_: float, facts: Iterable[Fact], now: int) -> Colour:
    """Return the band at `now` (ns) for this S and these facts, following the index over their history.

    It depends on the facts alone, so the answer is the same at any time and after any restart.
    """
    known = list(facts)
    steps: dict[int, list[tuple[float, float]]] = {}  # by time: what more stands, and what more fades
    for fact in known:
        w = weight(fact)
        steps.setdefault(fact.since, []).append((w, 0.0))
        if fact.gone is not None:
            gone = max(fact.gone, fact.since)
            steps.setdefault(gone, []).append((-w, w))
            steps.setdefault(gone + FORGOTTEN_S * 10**9, []).append((0.0, -w * _faded(FORGOTTEN_S * 10**9)))
    stands, fades, last = 0.0, 0.0, 0
    found = band(_spread(inherent_))
    for time in sorted(time for time in steps if time <= now):
        fades *= _faded(time - last)
        found = band(_spread(inherent_ * (1 + stands + fades)), found)
        stands += sum(more for more, _ in steps[time])
        fades += sum(more for _, more in steps[time])
        found = band(_spread(inherent_ * (1 + stands + fades)), found)
        last = time
    return band(index(inherent_, known, now), found)


def forgotten(fact: Fact, now: int) -> bool:
    """Whether a fact that has ended no longer counts."""
    return fact.gone is not None and now - fact.gone >= FORGOTTEN_S * 10**9


@cache
def _kind(bits: int) -> float:
    traits = Trait(bits)
    if (Trait.OUT_OF_SERVICE | Trait.FUNCTION_CHECK) & traits:
        return OUT_OF_SERVICE
    if Trait.LOST in traits:
        return LOST_MANDATORY if Trait.MANDATORY in traits else LOST
    if Trait.FORECAST in traits:
        return FORECAST
    if Trait.BYPASS in traits:
        return BYPASS
    return RED if Trait.RED in traits else PROCESS


def _decay(fact: Fact, now: int) -> float:
    if fact.since > now or forgotten(fact, now):
        return 0.0
    return 1.0 if fact.gone is None else _faded(max(0, now - fact.gone))


def _faded(ns: int) -> float:
    """Return the decay after that long."""
    return float(0.5 ** (ns / (HALF_LIFE_S * 1e9)))


def _spread(value: float) -> float:
    if value <= SPREAD_ABOVE:
        return round(max(0.0, value), 1)
    return round(HIGHEST - (HIGHEST - SPREAD_ABOVE) / (1 + math.log(value / SPREAD_ABOVE)), 1)
