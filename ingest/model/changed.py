"""What somebody decided on is no longer what they saw: refused, and they are told what is so now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.model.plant import Text


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
