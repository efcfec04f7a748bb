"""Every kind of source by the class of its settings. `docs/extending.md`: how one is added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ingest.base.pace import Pace
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.config import MqttConfig, SourceConfig
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.mqtt import MqttSource
from ingest.intake.sources.source import Source


@dataclass(frozen=True, slots=True)
class Feed:
    """What the service lends the source.

    Attributes:
        handover: where messages go.
        clock: gives their time of arrival.
        known: whether a gateway was heard before, so that the other side should know us.
        admit: whether a message on that topic, of so many bytes, is to be read.
        failed: takes the error that ended the source's thread.
        pace: pace of its reads.
    """

    handover: Handover
    clock: Clock
    known: bool
    admit: Callable[[str, int], bool]
    failed: Callable[[BaseException], None]
    pace: Pace


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
