"""What every message and answer says in the same way: times, texts, enterprises."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text

PLANT_TIME: Final = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
"""The time of day that people of a plant go by: China has one time and no summer time."""


def iso(time: int | None) -> str | None:
    """Ns since the epoch as RFC 3339 in UTC with milliseconds, or None.

    >>> iso(1_763_884_800_000_000_000)
    '2025-11-23T08:00:00.000Z'
    """
    if time is None:
        return None
    return dt.datetime.fromtimestamp(time / 1e9, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def localized(text: Text) -> dict[str, str]:
    """A text in both languages."""
    return {"zh": text.zh, "en": text.en}


def enterprise_fields(plant: Plant | None) -> dict[str, Any] | None:
    """Whom a message is about; None once the plant was removed."""
    if plant is None:
        return None
    return {"id": plant.id, "uscc": plant.uscc, "name": plant.name.zh, "region": plant.region, "kind": plant.kind}
