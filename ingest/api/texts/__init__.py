"""Every text of the console, Chinese first. Templates and pages name them by key; nothing else speaks to people."""

from __future__ import annotations

from typing import Final

from ingest.api.texts.alarms import ALARMS, EVENTS, STATES
from ingest.api.texts.common import COMMON
from ingest.api.texts.plants import CONFIDENCE, FLAGS, KINDS, PLANTS, UNJUDGED
from ingest.api.texts.service import SERVICE_PAGES
from ingest.model.plant import Text

TEXTS: Final[dict[str, Text]] = {**COMMON, **ALARMS, **PLANTS, **SERVICE_PAGES}

__all__ = ["CONFIDENCE", "EVENTS", "FLAGS", "KINDS", "STATES", "TEXTS", "UNJUDGED"]
