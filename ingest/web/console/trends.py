"""Draws trends of points; sparklines are cached until they change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from fastapi.concurrency import run_in_threadpool
from markupsafe import Markup

from ingest.domain.model.phase_record import PhaseSpan
from ingest.domain.model.plant import UNKNOWN_PHASE, Equipment, Point
from ingest.domain.model.text import Text
from ingest.services import caller_scope
from ingest.services.errors import Unavailable
from ingest.services.phase_history import phase_spans, reaches
from ingest.services.ports import Ports
from ingest.storage.history.store import Trend, TrendQuery
from ingest.web.console.phase_svg import phase_svg
from ingest.web.console.rows import limits_of
from ingest.web.console.trend_svg import NARROW, SPARK, WIDE, Size, Window, trend_svg, window
from ingest.web.console.wording import Language, decimals
from ingest.web.texts import TEXTS

SPANS_S: Final = (600, 3600, 28_800, 86_400)
SPARK_SPAN_S: Final = 1800
MOST_BUCKETS: Final = 240
SPARK_BUCKETS: Final = 60
KEPT: Final = 5000


@dataclass(frozen=True, slots=True)
class Sparklines:
    """A page's sparklines by point id; `missing`: the history did not answer, so that some of them are absent."""

    drawn: Mapping[str, Markup]
    missing: bool


@dataclass(frozen=True, slots=True)
class Trends:
    """Draws trends. Sparklines are cached: many browsers may request the same table every few seconds."""

    ports: Ports
    _kept: OrderedDict[tuple[Point, Window, Language], Markup] = field(default_factory=OrderedDict)

    async def large(
        self, point: Point, machine: Equipment | None, span_s: int, lang: Language
    ) -> tuple[Markup, Markup]:
        """Draw a trend and the phases of its equipment, for wide and for narrow screens. Raises Unavailable."""
        span = window(self.ports.now(), span_s, point.silence_s, MOST_BUCKETS)
        query = _query(point, span)
        (trend,) = await caller_scope.trends(self.ports, [query])
        phases: Sequence[PhaseSpan] = ()
        if machine is not None:
            reached = reaches([(query, trend)])
            phases = await phase_spans(self.ports, point.plant, machine, span.start, span.end, reached)

        def drawn(size: Size) -> Markup:
            svg = self._draw(trend, span, point, size, lang)
            return svg + _band(phases, span, machine, size, lang) if machine is not None else svg

        return await run_in_threadpool(lambda: (drawn(WIDE), drawn(NARROW)))

    async def small(self, points: Sequence[Point], lang: Language) -> Sparklines:
        """Return the sparklines; those not cached are read from the history in one query."""
        now = self.ports.now()
        keys = [(point, window(now, SPARK_SPAN_S, point.silence_s, SPARK_BUCKETS), lang) for point in points]
        wanted = [key for key in keys if key not in self._kept]
        try:
            found = await caller_scope.trends(self.ports, [_query(point, span) for point, span, _ in wanted])
        except Unavailable:
            wanted, found = [], ()
        drawn = await run_in_threadpool(
            lambda: [self._draw(trend, key[1], key[0], SPARK, lang) for key, trend in zip(wanted, found, strict=True)]
        )
        self._kept.update(zip(wanted, drawn, strict=True))
        shown = {key[0].id: self._kept[key] for key in keys if key in self._kept}
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return Sparklines(shown, missing=len(shown) < len(keys))

    def _draw(self, trend: Trend, span: Window, point: Point, size: Size, lang: Language) -> Markup:
        say: Callable[[Text], str] = attrgetter(lang)
        states = point.states
        svg = trend_svg(
            trend,
            span,
            limits_of(point),
            size,
            title=f"{say(point.name)} {point.unit}".strip(),
            empty=say(TEXTS["point.no_data"]),
            decimals=decimals(point),
            states=None if states is None else (say(states[0]), say(states[1])),
        )
        return Markup(svg)  # noqa: S704  it escapes every text it is given


def _band(phases: Sequence[PhaseSpan], window: Window, machine: Equipment, size: Size, lang: Language) -> Markup:
    """Draw the phases of an equipment; nothing if its process has none."""
    if not machine.phases:
        return Markup()
    say: Callable[[Text], str] = attrgetter(lang)
    names = {phase.code: say(phase.name) for phase in (*machine.phases, UNKNOWN_PHASE)}
    title = f"{say(machine.name)} {say(TEXTS['point.phase'])}"
    return Markup(phase_svg(phases, window, size, names, title=title))  # noqa: S704  it escapes every text it is given


def _query(point: Point, span: Window) -> TrendQuery:
    return TrendQuery(point.plant, point.id, span.start, span.end, span.buckets, point.was)


def refresh_s(span_s: int) -> int:
    """Return how often a trend of that span is reloaded, s."""
    return min(60, max(5, span_s // 120))
