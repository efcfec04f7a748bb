"""Which roles have which side's rights, stated once: pages, the API and the rules of the closed loop all ask here."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.audit import ActRole

ENTERPRISE: Final[frozenset[ActRole]] = frozenset({"operator", "admin"})
"""Work at a plant: act on alarms, look into the quarantine, rectify hazards."""

AUTHORITY: Final[frozenset[ActRole]] = frozenset({"inspector", "admin"})
"""Supervise plants: inspect, grade and close hazards, decide on what is out of service."""
