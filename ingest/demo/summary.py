"""Summarises a demonstration: readings counted at every stage, and the delay of each fault's detection."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.domain.model.warning import Colour, WarningEvent, WarningEventKind
from ingest.runtime.service import Service
from ingest.storage.history.store import TrendQuery

_DAY_NS = 86_400 * 10**9
_LONGEST_NS = 31 * _DAY_NS
"""Longer than any demonstration runs."""

_GRACE_S = 30.0
"""An alarm this long after a fault's end still counts as its detection: some conditions outlast their cause."""


@dataclass(frozen=True, slots=True)
class Label:
    """A fault the simulator injected: place, time (ns since the epoch), and the alarms that count as its detection.

    An accident has a point of no return, `no_return`, after which nothing counts any more.
    """

    plant: str
    fault: str
    points: frozenset[str]
    rules: frozenset[str]
    start: int
    end: int
    no_return: int | None = None

    def detection_delay(self, events: Iterable[AlarmEvent]) -> float | None:
        """Return the seconds from the fault to the first alarm that detects it, or None."""
        last = self.end + _GRACE_S * 1e9 if self.no_return is None else self.no_return
        delays = [
            (event.time - self.start) / 1e9
            for event in events
            if event.kind is AlarmEventKind.RAISED
            and event.alarm.plant == self.plant
            and event.alarm.point in self.points
            and event.alarm.rule in self.rules
            and self.start <= event.time <= last
        ]
        return min(delays, default=None)


def read_labels(file: Path) -> list[Label]:
    """Read the labels that a fleet wrote as JSON lines."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    return [
        Label(
            r["plant"],
            r["fault"],
            frozenset(r["points"]),
            frozenset(r["rules"]),
            r["start"],
            r["end"],
            r.get("no_return"),
        )
        for r in rows
    ]


def _all_events(service: Service) -> list[AlarmEvent]:
    """Return every alarm event so far."""
    events: list[AlarmEvent] = []
    while more := service.alarms.events_after(events[-1].seq if events else 0, limit=1000):
        events += more
    return events


def _warnings(service: Service) -> dict[str, int]:
    """Count episodes by their highest colour, and escalations."""
    events: list[WarningEvent] = []
    while more := service.warnings.warnings_after(events[-1].seq if events else 0, limit=1000):
        events += more
    peaks = Counter({event.warning.id: event.warning.peak for event in events}.values())
    escalated = sum(event.kind is WarningEventKind.ESCALATED for event in events)
    return {**{str(colour): peaks[colour] for colour in Colour}, "escalated": escalated}


def _from_records(service: Service) -> int:
    """Count the stored readings that no gateway sent: those of points which people's records drive."""
    now = time.time_ns()
    of_records = [
        TrendQuery(point.plant, point.id, now - _LONGEST_NS, now + _DAY_NS, 2)
        for point in service.engine.configuration.points
        if point is not None and not point.gateway and not point.is_device
    ]
    return sum(int(trend.count.sum()) for trend in service.store.trends(of_records)) if of_records else 0


def summarise(service: Service, webhook: str, labels: Iterable[Label], sent: int) -> dict[str, Any]:
    """Return the summary. Latency is from a frame's arrival to the first attempt of the webhook it led to."""
    events = _all_events(service)
    totals = service.journal.totals()
    outbox = service.outbox.totals().get(webhook)
    latency = np.array(service.outbox.latencies(webhook, "alarm")) / 1e6
    summary: dict[str, Any] = {
        "readings": {
            "sent": sent,
            "journaled": totals.readings,
            "stored": service.store.count_readings() - _from_records(service),
            "quarantined": totals.quarantined_readings,
        },
        "alarms": {
            "raised": sum(event.kind is AlarmEventKind.RAISED for event in events),
            "cleared": sum(event.kind is AlarmEventKind.RETURNED for event in events),
        },
        "warnings": _warnings(service),
        "webhooks": {
            "sent": outbox.attempted if outbox else 0,
            "delivered": outbox.delivered if outbox else 0,
        },
        "latency_ms": {
            name: round(float(np.percentile(latency, share)), 1) if len(latency) else None
            for name, share in (("p50", 50), ("p99", 99))
        },
        "faults": [],
    }
    for label in labels:
        delay = label.detection_delay(events)
        fault: dict[str, Any] = {
            "plant": label.plant,
            "fault": label.fault,
            "detected": delay is not None,
            "delay_s": None if delay is None else round(delay, 1),
        }
        if label.no_return is not None:
            left = (label.no_return - label.start) / 1e9
            fault["lead_s"] = None if delay is None else round(left - delay, 1)
        summary["faults"].append(fault)
    readings = summary["readings"]
    if not readings["sent"] == readings["journaled"] == readings["stored"]:
        summary["why"] = _why(readings)
    return summary


def _why(readings: dict[str, int]) -> str:
    lost = readings["sent"] - readings["journaled"] - readings["quarantined"]
    waiting = readings["journaled"] - readings["stored"]
    parts = []
    if lost > 0:
        parts.append(f"{lost} readings were sent but never reached the journal: the simulator was stopped too early")
    if waiting > 0:
        parts.append(f"{waiting} readings are in the journal and not yet in the history; they follow at the next start")
    return "; ".join(parts) or "readings were quarantined; see the quarantine page for the reasons"
