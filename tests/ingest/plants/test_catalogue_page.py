from __future__ import annotations

from pathlib import Path

import pytest

from ingest.plants.catalogue import load_catalogue
from ingest.plants.catalogue_page import PAGE, render

PAGE_HERE = Path(__file__).parents[3] / PAGE


def test_the_page_is_what_the_catalogue_says_now() -> None:
    """Red after a change of the catalogue: run `python -m ingest.plants.catalogue_page`."""
    assert PAGE_HERE.read_text(encoding="utf-8") == render(load_catalogue())


def test_the_page_says_how_it_is_made() -> None:
    assert "`python -m ingest.plants.catalogue_page`" in PAGE_HERE.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize(
    "row",
    [
        "| `DUST_HOPPER_TEMP` | HH 高高报<br>high-high | 2 | ≥ 70 ℃ | 65 ℃ | 10 s |",
        "| `ALC_CW_IN_P` | LL 低低报<br>low-low | 2 **red** | ≤ 80 % of set-point | 85 % of set-point | 2 s |",
        "| `ALC_PIT_LVL` | L 低报<br>low | 2 | per plant |",
    ],
)
def test_a_rule_stands_there_with_its_numbers(row: str) -> None:
    assert row in PAGE_HERE.read_text(encoding="utf-8")
