"""What a channel does not tell people, as counted events."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.base.telemetry import Event


@dataclass(frozen=True, slots=True)
class EventNotChosen(Event, level="debug", labels=("connector",), amount="messages"):
    """Messages whose event the settings of a channel leave out: passed over, and kept here as ever."""

    connector: str
    messages: int


@dataclass(frozen=True, slots=True)
class TextCut(Event, level="debug", labels=("connector",)):
    """A text was too long for a channel: its end was left out, which it says, and its level and id stand in it."""

    connector: str
