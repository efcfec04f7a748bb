"""Draws a point's trend as SVG: the mean as a line in its min-max band, limits, and gaps left open. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

import numpy as np

from ingest.domain.model.payload import PLANT_TIME
from ingest.storage.history.bucket_edges import ceil_to, whole_width
from ingest.storage.history.store import Trend

LOCAL: Final = PLANT_TIME
"""Plant time. China keeps one zone and no summer time, so no zone database is needed."""

_SECOND: Final = 1_000_000_000
_STEPS_S: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400)
_LABEL_GAP: Final = 15.0  # px between labels of limits that lie close together


_Row = tuple[int, float, float, float]  # bucket, low, mean, high


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit to draw: "HH 0.450" at 0.45, level 2."""

    label: str
    value: float
    level: Literal[1, 2]


@dataclass(frozen=True, slots=True)
class Size:
    """A drawing's size in px, its margins, and about how many time labels fit; no margins: no axes."""

    width: int
    height: int
    left: int = 0
    right: int = 0
    top: int = 4
    bottom: int = 4
    ticks: int = 0


WIDE: Final = Size(960, 340, left=62, right=86, top=14, bottom=30, ticks=8)
NARROW: Final = Size(380, 280, left=48, right=72, top=14, bottom=30, ticks=3)
SPARK: Final = Size(168, 40)


@dataclass(frozen=True, slots=True)
class Window:
    """The span of time drawn: `buckets` buckets of `width` ns, from `start` to `end` (ns)."""

    start: int
    width: int
    buckets: int

    @property
    def end(self) -> int:
        """The end, not included."""
        return self.start + self.width * self.buckets


def window(now: int, span_s: float, silence_s: float, most: int) -> Window:
    """Return the window that ends now, in at most `most` buckets.

    A bucket is never shorter than a third of the point's allowed silence: a healthy point then has a reading in
    every bucket, and a gap in the drawing is a gap in the data. Buckets are those of every trend (`bucket_edges`), so
    their edges do not move as time goes on.
    """
    width = whole_width(math.ceil(max(span_s / most, silence_s / 3, 1.0) * _SECOND))
    buckets = max(1, round(span_s * _SECOND / width))
    return Window(ceil_to(now + 1, width) - buckets * width, width, buckets)


def trend_svg(
    trend: Trend,
    span: Window,
    limits: Sequence[Limit],
    size: Size,
    *,
    title: str,
    empty: str,
    decimals: int,
    states: tuple[str, str] | None = None,
) -> str:
    """Return the drawing as one `<svg>` element, coloured by the console's style sheet.

    Args:
        trend: what the store answered for the span; buckets it left out are gaps.
        span: the span drawn.
        limits: limits to draw, all of them inside the drawing.
        size: one of WIDE, NARROW, SPARK.
        title: what the drawing is, for people who cannot see it.
        empty: what to write where there is nothing to draw.
        decimals: digits after the point on the value axis.
        states: what 0 and 1 mean, for the value axis of a switch; None: it has numbers.
    """
    index = np.rint((trend.time - span.start) / span.width).astype(np.int64)
    usable = (index >= 0) & (index < span.buckets) & np.isfinite(trend.mean + trend.low + trend.high)
    columns = (column[usable].tolist() for column in (index, trend.low, trend.mean, trend.high))
    rows: list[_Row] = list(zip(*columns, strict=True))
    known = [limit for limit in limits if math.isfinite(limit.value)]
    frame = _Frame(size, span, *_domain(rows, known, (0.0, 1.0) if states is not None else ()))
    runs = list(_runs(rows))
    parts = [
        f'<svg class="trend" viewBox="0 0 {size.width} {size.height}" role="img" xmlns="http://www.w3.org/2000/svg">',
        f"<title>{escape(title)}</title>",
    ]
    if size.ticks:
        values = _value_axis(frame, decimals) if states is None else _lines(frame, (0.0, 1.0))
        parts += [*values, *_time_axis(frame), *_gaps(frame, runs)]
    parts += _limits(frame, known)
    for run in runs:
        parts += _run(frame, run)
    if size.ticks and states is not None:
        parts += _words(frame, states)
    if not runs and size.ticks:
        middle = (size.left + size.width - size.right) / 2
        parts.append(
            f'<text class="trend-empty" x="{middle:.1f}" y="{size.height / 2:.1f}" text-anchor="middle">'
            f"{escape(empty)}</text>"
        )
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a bucket edge and a value lie on the drawing."""

    size: Size
    span: Window
    low: float
    high: float

    def x(self, bucket: float) -> float:
        inner = self.size.width - self.size.left - self.size.right
        return self.size.left + inner * bucket / self.span.buckets

    def y(self, value: float) -> float:
        inner = self.size.height - self.size.top - self.size.bottom
        return self.size.top + inner * (self.high - value) / (self.high - self.low)


def _domain(rows: Sequence[_Row], limits: Sequence[Limit], always: Sequence[float]) -> tuple[float, float]:
    values = [v for _, low, _, high in rows for v in (low, high)] + [limit.value for limit in limits] + [*always]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    pad = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    return low - pad, high + pad


def _runs(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Yield the readings in runs of neighbouring buckets."""
    run: list[_Row] = []
    for row in rows:
        if run and row[0] != run[-1][0] + 1:
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _run(frame: _Frame, run: Sequence[_Row]) -> Iterator[str]:
    """Draw from the left edge of the first bucket to the right edge of the last, so that a lone bucket is seen."""
    first, last = run[0], run[-1]
    at = [frame.x(first[0]), *(frame.x(row[0] + 0.5) for row in run), frame.x(last[0] + 1)]
    padded = [first, *run, last]
    low, mean, high = ([frame.y(row[column]) for row in padded] for column in (1, 2, 3))
    yield f'<path class="trend-band" d="M{_joined(at, high)}L{_joined(at[::-1], low[::-1])}Z"/>'
    yield f'<path class="trend-line" d="M{_joined(at, mean)}"/>'


def _joined(xs: Sequence[float], ys: Sequence[float]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))


def _gaps(frame: _Frame, runs: Sequence[Sequence[_Row]]) -> Iterator[str]:
    """Shade what is missing; a single bucket at the right edge has only just begun and is not missing."""
    edges = [0, *(edge for run in runs for edge in (run[0][0], run[-1][0] + 1)), frame.span.buckets]
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin > (1 if end == frame.span.buckets else 0):
            yield _rect("trend-gap", frame.x(begin), frame.x(end), frame)


def _rect(kind: str, left: float, right: float, frame: _Frame) -> str:
    height = frame.size.height - frame.size.top - frame.size.bottom
    return f'<rect class="{kind}" x="{left:.1f}" y="{frame.size.top}" width="{right - left:.1f}" height="{height}"/>'


def _limits(frame: _Frame, limits: Sequence[Limit]) -> Iterator[str]:
    size = frame.size
    previous = -math.inf
    for limit in sorted(limits, key=lambda limit: -limit.value):
        y = frame.y(limit.value)
        yield (
            f'<line class="trend-limit level-{limit.level}" x1="{size.left}" x2="{size.width - size.right}"'
            f' y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        if size.ticks:
            previous = max(y + 4, previous + _LABEL_GAP)
            x = size.width - size.right + 6
            yield (
                f'<text class="trend-limit-label level-{limit.level}" x="{x}" y="{previous:.1f}">'
                f"{escape(limit.label)}</text>"
            )


def _value_axis(frame: _Frame, decimals: int) -> Iterator[str]:
    size = frame.size
    rough = (frame.high - frame.low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough)
    decimals = max(decimals if step < 1 else 0, -math.floor(math.log10(step)), 0)
    values = [number * step for number in range(math.ceil(frame.low / step), math.floor(frame.high / step) + 1)]
    for line, value in zip(_lines(frame, values), values, strict=True):
        yield line
        yield (
            f'<text class="trend-axis" x="{size.left - 8}" y="{frame.y(value) + 4:.1f}" text-anchor="end">'
            f"{value:.{decimals}f}</text>"
        )


def _lines(frame: _Frame, values: Iterable[float]) -> Iterator[str]:
    size = frame.size
    for value in values:
        y = frame.y(value)
        yield f'<line class="trend-grid" x1="{size.left}" x2="{size.width - size.right}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _words(frame: _Frame, states: tuple[str, str]) -> Iterator[str]:
    """Write each above its line, within the drawing: words may be longer than the margin is wide."""
    for value, word in enumerate(states):
        y = frame.y(value) - 5
        yield f'<text class="trend-axis" x="{frame.size.left + 6}" y="{y:.1f}">{escape(word)}</text>'


def _time_axis(frame: _Frame) -> Iterator[str]:
    span, size = frame.span, frame.size
    seconds = (span.end - span.start) / _SECOND
    step = next((s for s in _STEPS_S if seconds / s <= size.ticks), _STEPS_S[-1])
    offset = 8 * 3600
    first = math.ceil((span.start / _SECOND + offset) / step) * step - offset
    for at in range(first, math.ceil(span.end / _SECOND), step):
        x = frame.x((at * _SECOND - span.start) / span.width)
        local = dt.datetime.fromtimestamp(at, LOCAL)
        label = f"{local:%m-%d}" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"
        bottom = size.height - size.bottom
        yield f'<line class="trend-grid" x1="{x:.1f}" x2="{x:.1f}" y1="{size.top}" y2="{bottom}"/>'
        yield f'<text class="trend-axis" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{label}</text>'
