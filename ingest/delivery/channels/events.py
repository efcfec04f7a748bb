"""What a channel does not tell people, as a counted event."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.base.telemetry import Event


@dataclass(frozen=True, slots=True)
class TextCut(Event, level="debug", labels=("connector",)):
    """A text was too long for a channel: its end was left out, which it says, and its level and id stand in it."""

    connector: str
