"""What a trial of a connection finds, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class Finding:
    """What a step found.

    Attributes:
        step: what was tried.
        good: None: it could not be told.
        detail: what was seen.
        advice: what to change; None where nothing is wrong.
    """

    step: Text
    good: bool | None
    detail: Text
    advice: Text | None = None
