"""What a plant file says of daily duties: read as it is meant, or refused by name."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ingest.domain.model.daily import PledgeDuty
from ingest.domain.model.fault import InvalidConfig
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from tests.ingest.plants.samples import plant, point
from tests.small_plant import PLANT, TEXT


def loaded(folder: Path, enterprise: str = "", more: str = "") -> PlantConfiguration:
    """The small plant with these lines more."""
    text = TEXT.replace("dust_workers = 0\n", f"dust_workers = 0\n{enterprise}\n", 1) + more
    (folder / f"{PLANT}.toml").write_text(text, encoding="utf-8")
    return load_configuration(folder, MemoryNumbering(), 1)


def test_the_hour_of_the_pledge_is_the_plant_files(tmp_path: Path) -> None:
    assert loaded(tmp_path).plants[PLANT].pledge is None, "nothing is owed that nobody wrote down"
    known = loaded(tmp_path, 'pledge_by = "08:30"\npledge_since = 2026-12-01').plants[PLANT]
    assert known.pledge == PledgeDuty(dt.time(8, 30), dt.date(2026, 12, 1))


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('pledge_by = "24:00"\npledge_since = 2026-12-01', "pledge_by"),
        ('pledge_by = "8:30"\npledge_since = 2026-12-01', "pledge_by"),
        ('pledge_by = "08:30"', "pledge_since"),
        ("pledge_since = 2026-12-01", "pledge_since"),
        ('pledge_by = "08:30"\npledge_since = "soon"', "pledge_since"),
    ],
)
def test_half_an_hour_of_the_pledge_is_refused(lines: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig) as refused:
        loaded(tmp_path, lines)
    assert [fault.key for fault in refused.value.faults] == [f"enterprise.{key}"]


AREA = """
[[cleaning]]
id = "CLEAN-1"
name = "打磨间"
name_en = "Grinding"
method = "防爆吸尘器"
who = "打磨班"
"""


def dust(folder: Path, more: str) -> PlantConfiguration:
    """A wood plant with these lines more."""
    (folder / "p.toml").write_text(plant("dust", more), encoding="utf-8")
    return load_configuration(folder, MemoryNumbering(), 1)


def test_an_area_has_a_point_with_the_limits_of_its_plan_unless_a_gateway_measures_it(tmp_path: Path) -> None:
    other = AREA.replace("CLEAN-1", "CLEAN-2").replace("打磨间", "除尘间")
    known = dust(tmp_path, AREA + "every_h = 8\n" + other + 'every_shifts = 1\nshifts = ["08:00", "20:00"]\n')
    assert [area.longest_h for area in known.plants["p"].cleaning] == [8, 24]
    found = known.find("p", "CLEAN-1")
    assert found is not None
    assert (found.gateway, found.signal) == ("", "DUST_CLEAN_AGE")
    assert {rule.code: rule.limit for rule in found.rules if rule.kind == "limit"} == {"H": 8.0, "HH": 24.0}
    assert all("CLEAN-1" not in gateway.columns for gateway in known.gateways.values()), "no gateway may send it"
    measured = dust(tmp_path, point("AGE-1", "DUST_CLEAN_AGE") + AREA + 'every_h = 8\npoint = "AGE-1"\n')
    assert measured.find("p", "CLEAN-1") is None
    assert measured.plants["p"].cleaning[0].measured


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "every_h = 8\nevery_shifts = 1",
        "every_shifts = 1",
        'every_h = 8\nshifts = ["08:00"]',
        'every_shifts = 1\nshifts = ["20:00", "08:00"]',
        'every_h = 8\npoint = "NONE-1"',
        'every_h = 8\nequipment = "E-9"',
    ],
)
def test_half_a_plan_is_refused(lines: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig) as refused:
        dust(tmp_path, AREA + lines)
    assert all("cleaning" in fault.key for fault in refused.value.faults)


def test_only_plants_with_dust_have_areas(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig):
        loaded(tmp_path, more=AREA + "every_h = 8\n")
