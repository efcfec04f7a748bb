"""Page of the console on the alarm load of each operator position, compared with the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from numpy.typing import NDArray

from ingest.domain.alarms.benchmarks import BENCHMARKS, Benchmark
from ingest.domain.alarms.metrics import SLOT_S, AlarmMetrics
from ingest.domain.alarms.operator_load import OperatorLoad
from ingest.services import caller_scope
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.console.rate_svg import NARROW, WIDE, bars_of, rate_svg
from ingest.web.console.rendering import Renderer, language
from ingest.web.console.wording import Language, localized, number
from ingest.web.routers import page_router

DAYS: Final = (1, 7, 30)
MOST_BARS: Final = 288
_DAY: Final = 86_400 * 10**9

Days = Annotated[int, Query(ge=1, le=100)]
Verdict = Literal["good", "fair", "bad"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A position's figure compared with a benchmark; numbers as formatted texts."""

    benchmark: Benchmark
    value: str
    good: str
    bad: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class PositionView:
    """An operator position: metrics of the span, present load, and its charts for wide and for narrow screens."""

    name: str
    plants: tuple[str, ...]
    metrics: AlarmMetrics
    present: OperatorLoad
    comparisons: tuple[Comparison, ...]
    drawings: tuple[Markup, ...]


def metric_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the route of the page on alarm metrics. Include it before /alarms/{alarm}."""
    router = page_router()

    @router.get("/alarms/metrics")
    def metrics(request: Request, caller: Caller, position: str = "", days: Days = 1) -> Response:
        """Show each position in scope, or one."""
        now = ports.now()
        every = caller_scope.positions(ports, caller)
        chosen = caller_scope.positions(ports, caller, position) if position else every
        present = ports.load.present(chosen, now)
        start = now - days * _DAY
        found = ports.load.metrics(chosen, start, now)
        views = [
            PositionView(
                name,
                plants,
                found[name],
                present[name],
                tuple(compare(benchmark, found[name], present[name]) for benchmark in BENCHMARKS),
                _drawings(found[name].per_slot, start, ports.load.config.flood_begins_above, request),
            )
            for name, plants in chosen.items()
        ]
        return render.page(
            request,
            "metrics.html",
            views=views,
            positions=every,
            chosen={"position": position, "days": days},
            all_days=DAYS,
            plants=ports.live.configuration().plants,
            find=ports.live.configuration().find,
        )

    return router


def compare(benchmark: Benchmark, metrics: AlarmMetrics, present: OperatorLoad) -> Comparison:
    """Compare a position's figure with a benchmark."""
    value = figure(benchmark.metric, metrics, present)
    share = benchmark.unit.en == "share"
    figures = (value, benchmark.good, benchmark.bad)
    shown = [f"{100 * figure:.3g} %" if share else number(figure, None) for figure in figures]
    verdict: Verdict = "good" if value <= benchmark.good else "fair" if value <= benchmark.bad else "bad"
    return Comparison(benchmark, shown[0], shown[1], shown[2], verdict)


def figure(metric: str, metrics: AlarmMetrics, present: OperatorLoad) -> float:
    """Return the figure a benchmark is about."""
    return {
        "per_day": metrics.raised * _DAY / (metrics.end - metrics.start),
        "rate_mean": metrics.rate_mean,
        "rate_max": float(metrics.rate_max),
        "above_10": metrics.above[10],
        "flood_share": metrics.flood_share,
        "top_share": metrics.top_share,
        "level_2_share": metrics.levels[2] / metrics.raised if metrics.raised else 0.0,
        "chattering": float(len(metrics.chattering)),
        "stale": float(present.stale),
    }[metric]


def _drawings(slots: NDArray[np.int64], start: int, flood: int, request: Request) -> tuple[Markup, ...]:
    lang: Language = language(request)
    title, label = localized("metrics.rate", lang), localized("metrics.flood_line", lang).format(n=flood)
    papers = ((WIDE, MOST_BARS), (NARROW, MOST_BARS // 3))
    return tuple(
        Markup(  # noqa: S704  `rate_svg` escapes every text it is given
            rate_svg(bars_of(slots, start, SLOT_S * 10**9, most), flood, paper, title=title, flood_label=label)
        )
        for paper, most in papers
    )
