"""The JSON form of times, texts and enterprises, common to all messages and API answers."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from ingest.domain.model.plant import PhaseName, Plant
from ingest.domain.model.text import Text

PLANT_TIME: Final = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
"""The time of day that people of a plant go by: China has one time and no summer time."""


def iso(time: int | None) -> str | None:
    """Format ns since the epoch as RFC 3339 in UTC with milliseconds; None stays None.

    >>> iso(1_763_884_800_000_000_000)
    '2025-11-23T08:00:00.000Z'
    """
    if time is None:
        return None
    return dt.datetime.fromtimestamp(time / 1e9, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def localized(text: Text) -> dict[str, str]:
    """Return a text in both languages as JSON-ready data."""
    return {"zh": text.zh, "en": text.en}


def phase_fields(phase: PhaseName | None) -> dict[str, Any] | None:
    """Return the phase an equipment was in; None: it has none."""
    return None if phase is None else {"code": phase.code, "name": localized(phase.text)}


def enterprise_fields(plant: Plant | None) -> dict[str, Any] | None:
    """Return the enterprise a message is about; None once the plant was removed."""
    if plant is None:
        return None
    return {"id": plant.id, "uscc": plant.uscc, "name": plant.name.zh, "region": plant.region, "kind": plant.kind}
