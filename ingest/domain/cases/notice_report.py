"""The JSON form in which notices leave the service."""

from __future__ import annotations

from typing import Any

from ingest.domain.model.notice import MATTERS, Notice
from ingest.domain.model.payload import enterprise_fields, iso, localized
from ingest.domain.model.plant import Plant


def notice_body(notice: Notice, plant: Plant | None) -> dict[str, Any]:
    """Return the body of the newest event of a notice; `plant` is None once it was removed."""
    return {
        "event": notice.event,
        "time": iso(notice.given if notice.ended is None else notice.ended),
        "notice": notice_fields(notice),
        "enterprise": enterprise_fields(plant),
    }


def notice_fields(notice: Notice) -> dict[str, Any]:
    """Return a notice in its present state."""
    return {
        "id": str(notice.id),
        "plant": notice.plant,
        "matter": str(notice.matter),
        "title": localized(MATTERS[notice.matter]),
        "subject": notice.subject,
        "text": localized(notice.text),
        "due": iso(notice.due),
        "given": iso(notice.given),
        "ended": iso(notice.ended),
    }
