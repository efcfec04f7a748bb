"""Plant files for tests, put together from sound parts."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).with_name("data")


def plant(kind: str, points: str, *, name: str = "p", enterprise: str = "") -> str:
    """A sound plant file with one equipment and one gateway, and these points."""
    dust = 'dust = "wood"\n' if kind == "dust" and "dust =" not in enterprise else ""
    return f"""
[enterprise]
id = "{name}"
name = "厂"
name_en = "Plant"
uscc = "91350100M000100Y43"
region = "350583"
kind = "{kind}"
workers = 50
dust_workers = 12
{dust}{enterprise}

[[equipment]]
id = "E-1"
name = "设备"
name_en = "Machine"

[[gateways]]
id = "GW-1"
name = "网关"
name_en = "Gateway"

{points}
"""


def point(name: str, signal: str, text: str = "") -> str:
    """One sound point."""
    return f'[[points]]\nid = "{name}"\nsignal = "{signal}"\ngateway = "GW-1"\n{text}\n'
