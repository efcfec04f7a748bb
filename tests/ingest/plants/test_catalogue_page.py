from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.plants.catalogue import Signal, load_catalogue
from ingest.plants.catalogue_page import FOLDER, INDEX, pages

ROOT = Path(__file__).parents[3]
WRITTEN = sorted({INDEX, *(file.relative_to(ROOT) for file in (ROOT / FOLDER).glob("*"))})


def read(page: Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_the_pages_are_what_the_catalogue_says_now() -> None:
    """Red after a change of the catalogue: run `python -m ingest.plants.catalogue_page`."""
    assert {page: read(page) for page in WRITTEN} == pages(load_catalogue())


@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_a_page_says_how_it_is_made(page: Path) -> None:
    assert "`python -m ingest.plants.catalogue_page`" in read(page).splitlines()[0]


def test_every_signal_has_its_row_on_the_page_of_its_kind() -> None:
    catalogue = load_catalogue()
    named: dict[str, Mapping[str, Signal]] = {
        "common": {**catalogue.shared, **catalogue.gateway},
        "service": catalogue.service,
        "instrument": catalogue.instrument,
    }
    for kind, signals in catalogue.signals.items():
        named[kind] = {code: signal for code, signal in signals.items() if code not in catalogue.shared}
    for name, signals in named.items():
        page = read(FOLDER / f"{name}.md")
        assert [code for code in signals if page.count(f"| `{code}` | {signals[code].name.zh}<br>") != 1] == []


@pytest.mark.parametrize(
    ("page", "row"),
    [
        ("dust", "| `DUST_HOPPER_TEMP` | HH 高高报<br>high-high | 2 | ≥ 70 ℃ | 65 ℃ | 10 s |"),
        (
            "aluminium",
            "| `ALC_CW_IN_P` | LL 低低报<br>low-low | 2 **red** | ≤ 80 % of set-point | 85 % of set-point | 2 s |",
        ),
        ("aluminium", "| `ALC_PIT_LVL` | L 低报<br>low | 2 | per plant |"),
    ],
)
def test_a_rule_stands_there_with_its_numbers(page: str, row: str) -> None:
    assert row in read(FOLDER / f"{page}.md")
