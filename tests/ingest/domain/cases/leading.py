"""Steps of a lead, as the table of verbs has them, taken by somebody who may."""

from __future__ import annotations

from ingest.domain.cases.lead import Lead
from ingest.domain.cases.lead_steps import Close, LeadStep, Take
from ingest.domain.cases.verbs import advance


def take(lead: Lead, *, by: str, time: int) -> Lead:
    """Look into it."""
    return advance(LeadStep, lead, Take(), by=by, role="inspector", time=time)


def close(lead: Lead, *, by: str, time: int, remark: str) -> Lead:
    """Settle it."""
    return advance(LeadStep, lead, Close(remark), by=by, role="inspector", time=time)
