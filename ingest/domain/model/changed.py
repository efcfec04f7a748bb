"""What somebody decided on is no longer what they saw: refused, and they are told what is so now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from ingest.domain.model.payload import PLANT_TIME, iso
from ingest.domain.model.text import Text


class Changed(ValueError):
    """A decision about an occurrence that is over, or about less than there is now.

    Attributes:
        said: what changed, for whoever decided.
        now: how it stands, JSON-ready.
    """

    def __init__(self, said: Text, now: Mapping[str, Any]) -> None:
        super().__init__(said.en)
        self.said = said
        self.now = now


class DoneBefore(Changed):
    """Somebody was faster: what was to be done is done."""


def done_before(what: Text, by: str | None, time: int | None) -> DoneBefore:
    """What to tell whoever decides on something that somebody has decided on: who it was, and when (ns; plant time)."""
    at = f"{dt.datetime.fromtimestamp(time / 1e9, PLANT_TIME):%m-%d %H:%M:%S}" if time else "—"
    said = Text(f"{by or '—'} 已于 {at} {what.zh}。", f"{by or '—'} {what.en} at {at}.")
    return DoneBefore(said, {"by": by, "at": iso(time)})
