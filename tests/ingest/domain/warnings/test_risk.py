"""The risk index: the formula of docs/risk.md, and the bands it falls into."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest

from ingest.domain.model.plant import Equipment, Plant, Point
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, Trait
from ingest.domain.warnings import risk
from ingest.domain.warnings.risks import assess, regions
from tests.ingest.domain.warnings.small import SECOND, fact

DOCS = Path(__file__).parents[4] / "docs" / "risk.md"
NOW = 100_000 * SECOND
NOTHING = Trait(0)


def casting(*, red: bool = True) -> Plant:
    """The worked example of docs/risk.md: a casting plant with 120 people and one machine with a red rule."""
    point = Point(0, "p", "CW", "ALC_CW_IN_P", Text("", ""), "MPa", "E", "GW", 0, 1, 15, None, (), (), red=red)
    machines = (Equipment("E", Text("机", "machine")), Equipment("F", Text("炉", "furnace")))
    return Plant(
        "p", Text("铝", "Al"), "91350100M000100Y43", "350583", "aluminium", 120, 0, None, machines, (), (point,),
        dt.date(2025, 12, 31), Text("", ""),
    )  # fmt: skip


def no_phases(_plant: str, _equipment: str | None) -> None:
    """Of equipment without phases."""


def test_the_worked_example_of_the_page() -> None:
    """Every number of the page is what the code gives."""
    plant = casting()
    low, red = fact("A", 0, 1), fact("B", 0, 2, Trait.RED)
    over = replace(red, gone=NOW - 1800 * SECOND)
    given = [
        risk.inherent(plant),
        risk.index(risk.inherent(plant), [], NOW),
        risk.index(risk.inherent(plant), [low], NOW),
        risk.index(risk.inherent(plant), [low, red], NOW),
        risk.index(risk.inherent(plant), [low, replace(red, traits=red.traits | Trait.CRITICAL_PHASE)], NOW),
        risk.index(risk.inherent(plant), [low, red, *(fact(f"C{n}", 0, 2) for n in range(9))], NOW),
        risk.index(risk.inherent(plant), [over], NOW),
        risk.region_index([92.4, 66.0, 42.0]),
    ]
    documented = re.findall(r"= \*\*([\d.]+)\*\*", DOCS.read_text(encoding="utf-8"))
    assert [float(number) for number in documented] == given


def test_the_page_names_every_constant_with_its_value() -> None:
    page = DOCS.read_text(encoding="utf-8")
    names = [name for name in vars(risk) if name.isupper() and not name.startswith("_")]
    assert [name for name in names if f"`{name}`" not in page] == []
    for name in names:
        value = getattr(risk, name)
        if isinstance(value, float | int | str):
            assert re.search(
                rf"`{name}`[^|]*\|[^|]*\b{re.escape(f'{value:g}' if not isinstance(value, str) else value)}\b", page
            ), name
    assert f"`MODEL` | {risk.MODEL} |" in page


@pytest.mark.parametrize(
    ("traits", "level", "weight"),
    [
        (Trait(0), 1, risk.PROCESS),
        (Trait(0), 2, risk.PROCESS * 4),
        (Trait.RED, 2, risk.RED * 4),
        (Trait.BYPASS | Trait.RED, 2, risk.BYPASS * 4),
        (Trait.FORECAST | Trait.RED, 1, risk.FORECAST),
        (Trait.LOST, 1, risk.LOST),
        (Trait.LOST | Trait.MANDATORY, 1, risk.LOST_MANDATORY),
        (Trait.OUT_OF_SERVICE | Trait.MANDATORY, 0, risk.OUT_OF_SERVICE),
        (Trait.FUNCTION_CHECK | Trait.MANDATORY, 0, risk.OUT_OF_SERVICE),
    ],
)
def test_a_fact_weighs_by_what_it_is(traits: Trait, level: int, weight: float) -> None:
    assert risk.weight(replace(fact("A", 0, 1), traits=traits, level=level)) == weight


def test_the_index_stays_within_0_and_100_and_forgets() -> None:
    many = [fact(f"{n}", 0, 2, Trait.RED) for n in range(50)]
    assert 42 < risk.index(42, many, NOW) < 100
    over = replace(many[0], gone=NOW - risk.FORGOTTEN_S * SECOND)
    assert risk.index(42, [over], NOW) == 42
    assert risk.index(42, [replace(many[0], since=NOW + 1)], NOW) == 42


@pytest.mark.parametrize("inherent", [28.0, 42.0, 48.0])
def test_of_two_plants_with_much_the_graver_one_has_the_higher_index(inherent: float) -> None:
    """From one alarm to a flood of hundreds, each time half as many more; also of their regions."""
    counts = [1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300]
    grave = [fact(f"{n}", 0, 2, Trait.RED) for n in range(counts[-1])]
    found = [risk.index(inherent, grave[:count], NOW) for count in counts]
    assert all(more > less for less, more in pairwise(found))
    assert max(found) < 100
    around = [risk.region_index([*found[-4:], added]) for added in found]
    assert around == sorted(around)
    assert max(found) < max(around) < 100
    assert risk.region_index(found) > risk.region_index(found[-2:]) > risk.region_index(found[-1:])


def test_bands_are_those_of_the_sum_and_not_of_how_it_is_shown() -> None:
    """The spreading above 85 moves nobody from one band to another."""
    for level, band in ((84.9, Colour.ORANGE), (85.0, Colour.RED), (86.0, Colour.RED), (5000.0, Colour.RED)):
        assert risk.band(risk.index(level, [], NOW)) is band


def test_a_quiet_plant_of_any_kind_is_blue() -> None:
    """What a plant is by itself never reaches yellow: colours come from what happens."""
    worst = replace(casting(), kind="aluminium", dust="aluminium", workers=10_000)
    assert risk.inherent(worst) < 50
    assert risk.inherent(replace(casting(red=False))) == risk.inherent(casting()) - risk.RED_RULES


def test_a_band_is_left_well_below_where_it_is_entered() -> None:
    values = [49.9, 50, 46, 45, 44.9, 70, 65, 64.9, 85, 80, 79.9]
    bands = accumulate(values, lambda before, value: risk.band(value, before), initial=Colour.BLUE)
    assert [str(band) for band in bands][1:] == [
        *("blue", "yellow", "yellow", "yellow", "blue"),
        *("orange", "orange", "yellow", "red", "red", "orange"),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_band_is_that_of_somebody_who_looked_every_ten_seconds(seed: int) -> None:
    """Whoever asks, and however seldom, gets the same: it follows from the facts and their times alone."""
    rng = np.random.default_rng(seed)
    begun = NOW - 9000 * SECOND
    facts = []
    for number in range(9):
        since = begun + int(rng.integers(900)) * 10 * SECOND
        over = since + int(rng.integers(400)) * 10 * SECOND
        traits = (NOTHING, Trait.LOST, Trait.RED)[int(rng.integers(3))]
        made = fact(f"P{number}", since // SECOND, 1 if rng.random() < 0.7 else 2, traits)
        facts.append(replace(made, gone=over) if rng.random() < 0.8 and over <= NOW else made)
    looked = Colour.BLUE
    for time in range(begun, NOW + 1, 10 * SECOND):
        then = [fact if fact.gone is None or fact.gone <= time else replace(fact, gone=None) for fact in facts]
        looked = risk.band(risk.index(42, then, time), looked)
    assert risk.band_at(42, facts, NOW) is looked


def test_equipment_plant_and_regions_are_assessed_together() -> None:
    near = fact("A", 0, 2)
    found = assess(casting(), [near], no_phases, NOW)
    machine, furnace = found.equipment
    assert machine.index > machine.inherent
    assert (furnace.index, furnace.inherent) == (furnace.inherent, machine.inherent - risk.RED_RULES)
    assert found.band is Colour.ORANGE
    places = regions([found, assess(replace(casting(), region="3502"), [], no_phases, NOW)])
    assert [(place.region, place.plants) for place in places] == [("35", 2), ("3502", 1), ("3505", 1), ("350583", 1)]
    assert all(place.band >= Colour.ORANGE for place in places if place.region in {"35", "3505", "350583"})
