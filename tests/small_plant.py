"""A small steel plant for tests: two gateways with a CO point each, and round numbers."""

from __future__ import annotations

from pathlib import Path

from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering, Numbering

PLANT = "small"
ENTERPRISE = """
[enterprise]
id = "small"
name = "小钢厂"
name_en = "Small Steel"
uscc = "91350100M000100Y43"
region = "350583"
kind = "steel"
workers = 80
dust_workers = 0
"""
TEXT = (
    ENTERPRISE
    + """
[[gateways]]
id = "GW-01"
name = "一号网关"
name_en = "Gateway 1"

[[gateways]]
id = "GW-02"
name = "二号网关"
name_en = "Gateway 2"

[[points]]
id = "CO-01"
signal = "STL_CO"
gateway = "GW-01"
name = "1号炉前一氧化碳"
name_en = "CO at furnace 1"
disabled_rules = ["STUCK"]
[points.rules.H]
on = 24
off = 20
on_delay_s = 0
[points.rules.HH]
on = 160
off = 140
on_delay_s = 0

[[points]]
id = "CO-02"
signal = "STL_CO"
gateway = "GW-02"
disabled_rules = ["STUCK"]
"""
)


def write_plant(folder: Path, text: str = TEXT) -> Path:
    """A directory with the plant file in it."""
    plants = folder / "plants"
    plants.mkdir(exist_ok=True)
    (plants / f"{PLANT}.toml").write_text(text, encoding="utf-8")
    return plants


def small_configuration(folder: Path, numbering: Numbering | None = None, text: str = TEXT) -> PlantConfiguration:
    """The plant, compiled."""
    return load_configuration(write_plant(folder, text), numbering or MemoryNumbering(), version=1)
