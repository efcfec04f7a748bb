"""Masks telephone numbers for callers that need not call anybody, such as a screen on a wall."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ingest.domain.cases.listed import Enterprise

FIELDS: Final = ("principal_phone", "safety_phone")


def masked(number: str | None) -> str | None:
    """Return a number with its digits hidden but the first three and the last two.

    >>> masked("0595-86380012")
    '059*-******12'
    """
    if number is None:
        return None
    digits = [found.start() for found in re.finditer(r"\d", number)]
    hidden = set(digits[3:-2])
    return "".join("*" if at in hidden else character for at, character in enumerate(number))


def without_phones(enterprise: Enterprise) -> Enterprise:
    """Return an enterprise whose numbers are masked."""
    record = enterprise.record
    principal, safety = masked(record.principal_phone), masked(record.safety_phone)
    return replace(enterprise, record=replace(record, principal_phone=principal, safety_phone=safety))


def detail_without_phones(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit trail tells of a change, its numbers masked."""
    return {key: masked(value) if key in FIELDS else value for key, value in detail.items()}
