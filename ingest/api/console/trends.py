"""Trends of points as pictures, the small ones kept until they change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from ingest.api import reach
from ingest.api.console.rows import limits_of
from ingest.api.console.trend_svg import NARROW, SPARK, WIDE, Size, Window, trend_svg, window
from ingest.api.console.wording import Language, decimals
from ingest.api.errors import Away
from ingest.api.ports import Ports
from ingest.api.texts import TEXTS
from ingest.history.store import Trend
from ingest.model.plant import Point, Text

SPANS_S: Final = (600, 3600, 28_800, 86_400)
SPARK_SPAN_S: Final = 1800
MOST_BUCKETS: Final = 240
SPARK_BUCKETS: Final = 60
KEPT: Final = 5000


@dataclass(frozen=True, slots=True)
class Trends:
    """Draws trends. Small ones are kept: many browsers may ask for the same table every few seconds."""

    ports: Ports
    _kept: OrderedDict[tuple[Point, Window, Language], str] = field(default_factory=OrderedDict)

    def large(self, point: Point, span_s: int, lang: Language) -> tuple[str, str]:
        """Return the trend for wide and for narrow screens. Raises Away."""
        span = window(self.ports.now(), span_s, point.silence_s, MOST_BUCKETS)
        trend = reach.trend(self.ports, point, span.start, span.end, span.buckets)
        return self._draw(trend, span, point, WIDE, lang), self._draw(trend, span, point, NARROW, lang)

    def small(self, point: Point, lang: Language) -> str | None:
        """Return the sparkline, or None while the history store does not answer."""
        span = window(self.ports.now(), SPARK_SPAN_S, point.silence_s, SPARK_BUCKETS)
        key = (point, span, lang)
        drawn = self._kept.get(key)
        if drawn is None:
            try:
                trend = reach.trend(self.ports, point, span.start, span.end, span.buckets)
            except Away:
                return None
            drawn = self._kept[key] = self._draw(trend, span, point, SPARK, lang)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return drawn

    def _draw(self, trend: Trend, span: Window, point: Point, size: Size, lang: Language) -> str:
        say: Callable[[Text], str] = attrgetter(lang)
        states = point.states
        return trend_svg(
            trend,
            span,
            limits_of(point),
            size,
            title=f"{say(point.name)} {point.unit}".strip(),
            empty=say(TEXTS["point.no_data"]),
            decimals=decimals(point),
            states=None if states is None else (say(states[0]), say(states[1])),
        )


def refresh_s(span_s: int) -> int:
    """Return how often a trend of that span is worth drawing again."""
    return min(60, max(5, span_s // 120))
