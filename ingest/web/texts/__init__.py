"""Every text of the console in both languages, Chinese first; templates and pages name them by key."""

from __future__ import annotations

from typing import Final

from ingest.domain.alarms.labels import EVENTS, STATES
from ingest.domain.model.text import Text
from ingest.web.texts.acts import ACTIONS, FIELD_LABELS
from ingest.web.texts.alarms import ALARMS, WORDS
from ingest.web.texts.bypasses import BYPASSES
from ingest.web.texts.calls import CALLS
from ingest.web.texts.cases import CASES
from ingest.web.texts.daily import DAILY
from ingest.web.texts.frame import FRAME
from ingest.web.texts.instruments import INSTRUMENTS
from ingest.web.texts.metrics import METRICS, VERDICTS
from ingest.web.texts.notices import NOTICES
from ingest.web.texts.outbox import OUTBOX
from ingest.web.texts.plants import CONFIDENCE, DEVICE_STATUSES, FLAGS, KINDS, NOT_EVALUATED, PLANTS
from ingest.web.texts.service import SERVICE_PAGES
from ingest.web.texts.suppressions import (
    ACT_KINDS,
    ROLES,
    SUPPRESSION_ENDS,
    SUPPRESSION_KINDS,
    SUPPRESSION_STATES,
    SUPPRESSIONS,
)
from ingest.web.texts.warnings import WARNING_ASKED, WARNING_EVENTS, WARNING_STATES, WARNINGS

TEXTS: Final[dict[str, Text]] = {
    **FRAME,
    **INSTRUMENTS,
    **ALARMS,
    **BYPASSES,
    **CALLS,
    **CASES,
    **DAILY,
    **METRICS,
    **NOTICES,
    **OUTBOX,
    **PLANTS,
    **SERVICE_PAGES,
    **SUPPRESSIONS,
    **WARNINGS,
}

__all__ = [
    "ACTIONS",
    "ACT_KINDS",
    "CONFIDENCE",
    "DEVICE_STATUSES",
    "EVENTS",
    "FIELD_LABELS",
    "FLAGS",
    "KINDS",
    "NOT_EVALUATED",
    "ROLES",
    "STATES",
    "SUPPRESSION_ENDS",
    "SUPPRESSION_KINDS",
    "SUPPRESSION_STATES",
    "TEXTS",
    "VERDICTS",
    "WARNING_ASKED",
    "WARNING_EVENTS",
    "WARNING_STATES",
    "WORDS",
]
