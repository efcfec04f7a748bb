"""A histogram of durations that costs next to nothing to add to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.base.telemetry import REGISTRY, SECONDS


class Durations(Collector):
    """A Prometheus histogram in buckets of `SECONDS`, for durations that are added by one thread at a time.

    `prometheus_client.Histogram` takes a lock for each of its numbers, and looks for its bucket one by one: five times
    as dear, with every commit and every cycle.

    >>> took = Durations("doctest_seconds", "How long it takes")
    >>> took.add(0.0005)
    >>> took.add(0.7)
    >>> [(sample.labels["le"], sample.value) for sample in next(iter(took.collect())).samples if sample.labels][8:11]
    [('0.2', 1.0), ('0.5', 1.0), ('1.0', 2.0)]
    """

    def __init__(self, name: str, documentation: str) -> None:
        """Register it under that name."""
        self._name, self._documentation = name, documentation
        self._counts = [0] * (len(SECONDS) + 1)
        self._sum = 0.0
        REGISTRY.register(self)

    def add(self, seconds: float) -> None:
        """Add one duration."""
        self._counts[bisect_left(SECONDS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterable[Metric]:
        """Return the metric as it stands. From any thread."""
        bounds = [*map(str, map(float, SECONDS)), "+Inf"]
        counts = [*map(float, accumulate([*self._counts]))]
        buckets = [*zip(bounds, counts, strict=True)]
        yield HistogramMetricFamily(self._name, self._documentation, buckets=buckets, sum_value=self._sum)
