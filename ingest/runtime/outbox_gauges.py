"""Gauges of the outbox: what waits for each connector, since when, and whether its destination is down.

What the sender holds is known to it, so that a scrape costs the same however much waits. Only what nobody holds in
memory is counted in the database, up to `MOST`: readings beyond the sender's page, and messages of connectors that are
not in use.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import Final

from prometheus_client.metrics_core import GaugeMetricFamily

from ingest.delivery.lane import Standing
from ingest.delivery.sender import OutboxSender
from ingest.storage.state.outbox_store import OutboxStore

MOST: Final = 10_000
"""Up to so many messages of a kind are counted in the database at a scrape."""


class OutboxGauges:
    """Yields the gauges at each scrape."""

    def __init__(self, sender: OutboxSender, outbox: OutboxStore, connectors: Collection[str]) -> None:
        """`connectors`: every connector that messages are or were written for."""
        self._sender = sender
        self._outbox = outbox
        self._connectors = connectors

    def __call__(self) -> Iterator[GaugeMetricFamily]:
        """The gauges. Raises StateUnavailable."""
        standing, now = self._sender.standing(), time.time_ns()
        waiting = GaugeMetricFamily("yujing_outbox_messages_waiting", "Not yet delivered", labels=["connector"])
        oldest = GaugeMetricFamily("yujing_outbox_oldest_seconds", "Age of the oldest waiting", labels=["connector"])
        down = GaugeMetricFamily("yujing_receiver_down", "1 while one try at a time probes it", labels=["connector"])
        for connector in self._connectors:
            waiting.add_metric([connector], self._waiting(connector, standing.get(connector)))
            created = self._outbox.oldest(connector)
            oldest.add_metric([connector], 0.0 if created is None else max(0, now - created) / 1e9)
        for connector, known in standing.items():
            down.add_metric([connector], float(known.down))
        yield from (waiting, oldest, down)

    def _waiting(self, connector: str, known: Standing | None) -> int:
        if known is None or not known.loaded:
            return self._outbox.count(connector, MOST)
        beyond = 0 if known.beyond is None else self._outbox.count(connector, MOST, ["readings"], known.beyond)
        return known.queued + beyond
