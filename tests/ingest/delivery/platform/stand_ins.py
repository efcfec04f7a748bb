"""Stand-ins for provinces with the settings that fit what they issued."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway_sim.provinces import STAND_INS
from gateway_sim.stand_in import StandIn


@contextmanager
def started(name: str, folder: Path, **more: Any) -> Iterator[StandIn]:
    """The stand-in for a profile, with files in the folder."""
    platform = STAND_INS[name](folder / "platform", **more)
    platform.start()
    try:
        yield platform
    finally:
        platform.stop()


def settings_for(name: str, platform: StandIn, folder: Path, plant: str, points: Iterable[str]) -> dict[str, Any]:
    """`[connectors.platform]`, with a file of codes where the platform needs one."""
    issued = platform.issued
    given: dict[str, Any] = {
        "profile": name,
        "url": platform.url,
        "ca_file": str(platform.ca),
        "timeout_s": 2,
        **{key: {"file": str(platform.files[key])} for key in ("appsecret", "key", "iv") if key in issued},
        **({"appid": issued["appid"]} if "appid" in issued else {}),
    }
    codes = [key for key in ("enterprise", "gateway", "mn", "st") if key in issued]
    if codes:
        own = "".join(f'{key} = "{issued[key]}"\n' for key in codes)
        coded = "".join(f'"{point}" = "{code_of(name, issued, at)}"\n' for at, point in enumerate(points, start=1))
        file = folder / "codes.toml"
        file.write_text(f'["{plant}"]\n{own}["{plant}".points]\n{coded}', encoding="utf-8")
        given["codes"] = str(file)
    return given


def code_of(name: str, issued: Any, at: int) -> str:
    """The code of a plant's point by its number."""
    if name.startswith("hj212"):
        return f"a{at:05d}"
    return f"{issued['enterprise']}0101{at:03d}" if name.startswith("hebei") else f"BIT-{at}"


def as_toml(table: str, values: dict[str, Any]) -> str:
    """The table as it stands in a settings file."""
    lines = (
        f"{key} = {{ file = {json.dumps(value['file'])} }}"
        if isinstance(value, dict)
        else f"{key} = {json.dumps(value)}"
        for key, value in values.items()
    )
    return "\n".join([f"[{table}]", *lines, ""])
