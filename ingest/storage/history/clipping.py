"""Clips numbers too large for VictoriaMetrics to store beside others.

It stores neighbouring values of a series as 64-bit integers with one power of ten for all: beside 3.4e38, which some
devices send for "no value", 50.25 reads back as 0. Up to `MOST` the others keep six decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import httpx
import numpy as np

from ingest.base.telemetry import Event
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag

MOST: Final = 9.2e12
"""Just below 2^63 millionths."""


@dataclass(frozen=True, slots=True)
class HistoryClipped(Event, level="warning", amount="values"):
    """VictoriaMetrics got `kept` for larger numbers, since the others of their series would read back as 0.

    Attributes:
        values: how many there were in one write.
        plant, point, value: of the first.
    """

    values: int
    plant: str
    point: str
    value: float
    kept: float


def too_large(batch: Batch) -> list[int]:
    """The indices of the readings whose values are too large."""
    return np.flatnonzero(np.abs(batch.value) > MOST).tolist()


def events_too_large(events: Sequence[AlarmEvent]) -> list[int]:
    """The indices of the alarm events whose value or limit is too large."""
    return [at for at, event in enumerate(events) if _cut(event) is not event]


def clipped(batch: Batch) -> Batch:
    """The batch with values clipped to `MOST`; those have the flag `CLIPPED`."""
    over = np.abs(batch.value) > MOST
    flags = np.where(over, batch.flags | Flag.CLIPPED, batch.flags).astype(np.uint16)
    return replace(batch, value=np.clip(batch.value, -MOST, MOST), flags=flags)


def events_clipped(events: Sequence[AlarmEvent]) -> list[AlarmEvent]:
    """The alarm events with values and limits clipped to `MOST`."""
    return [_cut(event) for event in events]


def is_victoria_metrics(headers: httpx.Headers) -> bool:
    """Whether an answer to `/ping` is VictoriaMetrics': it names its host, where every InfluxDB names its build."""
    return "X-Server-Hostname" in headers and "X-Influxdb-Build" not in headers


def _cut(event: AlarmEvent) -> AlarmEvent:
    value, limit = event.alarm.value, event.alarm.limit
    if (value is None or not abs(value) > MOST) and not abs(limit) > MOST:
        return event
    value = None if value is None else min(max(value, -MOST), MOST)
    return replace(event, alarm=replace(event.alarm, value=value, limit=min(max(limit, -MOST), MOST)))
