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
