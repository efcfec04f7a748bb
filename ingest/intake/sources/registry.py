"""Every kind of source by the class of its settings. `docs/extending.md`: how one is added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ingest.intake.sources.config import MqttConfig, SourceConfig
from ingest.intake.sources.feed import Feed
from ingest.intake.sources.mqtt import MqttSource
from ingest.intake.sources.source import Source


def _mqtt(config: MqttConfig, feed: Feed) -> Source:
    return MqttSource(
        config,
        feed.handover,
        feed.clock,
        expect_session=feed.known,
        admit=feed.admit,
        failed=feed.failed,
        pace=feed.pace,
    )


Sources = Mapping[type[SourceConfig], Callable[[Any, Feed], Source]]

SOURCES: Final[Sources] = {
    MqttConfig: _mqtt,
}


def open_source(config: SourceConfig, feed: Feed, sources: Sources = SOURCES) -> Source:
    """Build the source of these settings; it connects when it is started."""
    return sources[type(config)](config, feed)
