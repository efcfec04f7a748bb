"""What an unattended demonstration tells about itself: counted at every stage, and which faults were found when."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.domain.model.warning import Colour, WarningEvent, WarningEventKind
from ingest.runtime.service import Service

_GRACE_S = 30.0
"""An alarm this long after a fault's end still counts as its detection: some conditions outlast their cause."""


@dataclass(frozen=True, slots=True)
class Label:
    """A fault the simulator injected: where, when (ns since the epoch), and which alarms count as finding it."""

    plant: str
    fault: str
    points: frozenset[str]
    rules: frozenset[str]
    start: int
    end: int

    def found_by(self, events: Iterable[AlarmEvent]) -> float | None:
        """Seconds from the fault to the first alarm that names it, or None."""
        delays = [
            (event.time - self.start) / 1e9
            for event in events
            if event.kind is AlarmEventKind.RAISED
            and event.alarm.plant == self.plant
            and event.alarm.point in self.points
            and event.alarm.rule in self.rules
            and self.start <= event.time <= self.end + _GRACE_S * 1e9
        ]
        return min(delays, default=None)


def read_labels(file: Path) -> list[Label]:
    """The labels a fleet wrote: JSON lines."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    return [
        Label(r["plant"], r["fault"], frozenset(r["points"]), frozenset(r["rules"]), r["start"], r["end"]) for r in rows
    ]


def _all_events(service: Service) -> list[AlarmEvent]:
    """Every alarm event so far."""
    events: list[AlarmEvent] = []
    while more := service.alarms.events_after(events[-1].seq if events else 0, limit=1000):
        events += more
    return events


def _warnings(service: Service) -> dict[str, int]:
    """Episodes by their highest colour, and how often nobody answered in time."""
    events: list[WarningEvent] = []
    while more := service.warnings.warnings_after(events[-1].seq if events else 0, limit=1000):
        events += more
    peaks = Counter({event.warning.id: event.warning.peak for event in events}.values())
    escalated = sum(event.kind is WarningEventKind.ESCALATED for event in events)
    return {**{str(colour): peaks[colour] for colour in Colour}, "escalated": escalated}


def summarise(service: Service, webhook: str, labels: Iterable[Label], sent: int) -> dict[str, Any]:
    """The summary. Latency is from a frame's arrival to the first try of the webhook it led to."""
    events = _all_events(service)
    totals = service.journal.totals()
    outbox = service.outbox.totals().get(webhook)
    latency = np.array(service.outbox.latencies(webhook, "alarm")) / 1e6
    summary: dict[str, Any] = {
        "readings": {
            "sent": sent,
            "journaled": totals.readings,
            "stored": service.store.count_readings(),
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
        delay = label.found_by(events)
        summary["faults"].append(
            {
                "plant": label.plant,
                "fault": label.fault,
                "detected": delay is not None,
                "delay_s": None if delay is None else round(delay, 1),
            }
        )
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
