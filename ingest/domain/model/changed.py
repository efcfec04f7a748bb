"""Errors for a decision about a record that has changed since the person saw it, with its present state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from ingest.domain.model.payload import PLANT_TIME, iso
from ingest.domain.model.text import Text


class Changed(ValueError):
    """A decision was refused because the record it is about has changed since it was shown.

    Attributes:
        text: what changed, for the person who decided.
        now: the present state, JSON-ready.
    """

    def __init__(self, text: Text, now: Mapping[str, Any]) -> None:
        super().__init__(text.en)
        self.text = text
        self.now = now


class DoneBefore(Changed):
    """The action was refused because somebody else has already taken it."""


def done_before(what: Text, by: str | None, time: int | None) -> DoneBefore:
    """Return the error that names who took the action already, and when (`time` in ns; shown in plant time)."""
    at = f"{dt.datetime.fromtimestamp(time / 1e9, PLANT_TIME):%m-%d %H:%M:%S}" if time else "—"
    text = Text(f"{by or '—'} 已于 {at} {what.zh}。", f"{by or '—'} {what.en} at {at}.")
    return DoneBefore(text, {"by": by, "at": iso(time)})
