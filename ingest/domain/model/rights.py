"""The roles that have an enterprise's rights and those that have an authority's, for pages, API and closed loop."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.audit import ActRole

ENTERPRISE: Final[frozenset[ActRole]] = frozenset({"operator", "admin"})
"""Work at a plant: act on alarms, inspect the quarantine, rectify hazards."""

AUTHORITY: Final[frozenset[ActRole]] = frozenset({"inspector", "admin"})
"""Supervise plants: inspect, grade and close hazards, decide on what is out of service."""
