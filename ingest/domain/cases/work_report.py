"""The JSON form in which an alarm tells of the declared work it was raised during: webhooks, streams and the API."""

from __future__ import annotations

from typing import Any

from ingest.domain.cases.labels import label
from ingest.domain.cases.work import Work, sentence
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.payload import iso, localized
from ingest.domain.model.text import Text


def raised(alarm: Alarm) -> int:
    """The time that counts for an alarm: its last raise; its onset where it is known only from late data."""
    return alarm.onset if alarm.historical else alarm.annunciated


def work_text(work: Work, alarm: Alarm) -> Text:
    """The sentence on the work that is shown with the alarm."""
    return sentence(work, label(work.kind), raised(alarm))


def work_fields(work: Work, alarm: Alarm) -> dict[str, Any]:
    """Return a piece of declared work as an alarm shows it."""
    return {
        "id": str(work.id),
        "kind": str(work.kind),
        "state": str(work.state),
        "begins": iso(work.begins),
        "ends": iso(work.ends),
        "area": work.area,
        "equipment": work.equipment,
        "guardian": work.guardian,
        "overran": work.overran_at(raised(alarm)),
        "text": localized(work_text(work, alarm)),
    }
