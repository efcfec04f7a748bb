"""Pictures of a detector at work, as SVG: what it judged above, how it scored it below, when it was tripped in red."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WIDTH: Final = 760
_LEFT: Final = 64
_RIGHT: Final = 12
_GAP: Final = 18
_HEADED_GAP: Final = 30
_APART: Final = 15  # px between the numbers of two moments
_STEPS_S: Final = (
    10,
    20,
    30,
    60,
    120,
    300,
    600,
    1200,
    1800,
    3600,
    7200,
    21_600,
    43_200,
    *(86_400 * d for d in (1, 2, 4, 7, 14, 30, 61, 91, 183, 365)),
)
_COLOURS: Final = ("#1f5fae", "#9aa6b2", "#c2a878", "#86b29a")
_STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#41505f}.grid{stroke:#e3e8ed}.limit{stroke:#c0392b;stroke-dasharray:5 4}"
    ".tripped{fill:#c0392b;opacity:.13}.line{fill:none;stroke-width:1.4}.frame{fill:#fff;stroke:#c9d1d9}"
)
_MARK: Final = 'stroke="#41505f" stroke-dasharray="2 3"'
_BOLD_MARK: Final = 'stroke="#c0392b" stroke-width="3"'


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment drawn down all panels, with what happened then; a bold one is the moment that matters."""

    at_s: float
    label: str
    bold: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One pair of axes.

    Attributes:
        label: what the vertical axis shows.
        lines: float64[n] each, the first one in the foreground; NaN = a gap.
        limits: levels drawn across.
        height: px.
    """

    label: str
    lines: Sequence[NDArray[np.float64]]
    limits: Sequence[float] = ()
    height: int = 110


def draw(
    time_s: NDArray[np.float64],
    panels: Sequence[Panel],
    tripped: Sequence[tuple[float, float]],
    title: str,
    marks: Sequence[Mark] = (),
    *,
    headed: bool = False,
    zone: dt.tzinfo | None = None,
) -> str:
    """The picture.

    Args:
        time_s: float64[n], increasing.
        panels: from top to bottom, over the same time.
        tripped: stretches (from, to), s, in which the verdict stood.
        title: what it shows, for people who cannot see it.
        marks: moments to point out, numbered above the panels and named below them.
        headed: the title stands above the panels, a line a language, and each panel's label above it.
        zone: `time_s` is since the epoch, and shown as dates and times there; else it is shown as a duration.
    """
    gap = _HEADED_GAP if headed else _GAP
    numbers_y = 56 if headed else 16
    head = (40 if headed else 0) + (14 if marks else 0) + (gap - _GAP)
    height = head + sum(panel.height + gap for panel in panels) + 28 + 18 * len(marks)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
    ]
    for line, words in enumerate(title.split(" · ") if headed else ()):
        parts.append(f'<text x="{_LEFT}" y="{18 + 18 * line}" style="font:bold 14px system-ui">{escape(words)}</text>')
    top = 8 + head
    for panel in panels:
        parts += _panel(_Axes(time_s, panel, top), tripped, top - 5 if headed else top + 15)
        top += panel.height + gap
    axes = _Axes(time_s, panels[-1], top - panels[-1].height - gap)
    free = -math.inf  # where the next number fits
    for number, mark in enumerate(marks, 1):
        x, style = axes.x(mark.at_s), _BOLD_MARK if mark.bold else _MARK
        weight = ' font-weight="bold"' if mark.bold else ""
        parts.append(f'<line {style} x1="{x:.1f}" x2="{x:.1f}" y1="{8 + head}" y2="{top - gap}"/>')
        free = max(x, free)
        parts.append(f'<text x="{free:.1f}" y="{numbers_y}" text-anchor="middle"{weight}>{number}</text>')
        free += _APART
        below = top - gap + _GAP + 6 + 18 * number
        parts.append(f'<text x="{_LEFT}" y="{below}"{weight}>{number}  {escape(mark.label)}</text>')
    for second, shown in _moments(float(time_s[0]), float(time_s[-1]), zone):
        x, y = axes.x(second), top - gap + _GAP + 2
        parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{shown}</text>')
    return "\n".join([*parts, "</svg>", ""])


class _Axes:
    """Where a moment and a value lie."""

    def __init__(self, time_s: NDArray[np.float64], panel: Panel, top: int) -> None:
        shown = np.concatenate([*panel.lines, np.array([*panel.limits])])
        shown = shown[np.isfinite(shown)]
        low, high = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 1.0)
        pad = (high - low) * 0.07 or abs(high) * 0.1 or 1.0
        self.low, self.high, self.top, self.panel = low - pad, high + pad, top, panel
        self.time_s = time_s

    def x(self, second: float) -> float:
        first, last = float(self.time_s[0]), float(self.time_s[-1])
        return _LEFT + (second - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (self.high - value) / (self.high - self.low)
        return self.top + min(max(share, 0.0), 1.0) * self.panel.height


def _panel(axes: _Axes, tripped: Sequence[tuple[float, float]], label_y: int) -> Iterator[str]:
    panel, right, bottom = axes.panel, _WIDTH - _RIGHT, axes.top + axes.panel.height
    width = right - _LEFT
    yield f'<rect class="frame" x="{_LEFT}" y="{axes.top}" width="{width}" height="{panel.height}"/>'
    for level in _ticks(axes.low, axes.high, 4):
        y = axes.y(level)
        yield f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{level:g}</text>'
    for begin, end in tripped:
        x = axes.x(begin)
        wide = max(axes.x(end) - x, 1.5)
        yield f'<rect class="tripped" x="{x:.1f}" y="{axes.top}" width="{wide:.1f}" height="{panel.height}"/>'
    for limit in panel.limits:
        yield f'<line class="limit" x1="{_LEFT}" x2="{right}" y1="{axes.y(limit):.1f}" y2="{axes.y(limit):.1f}"/>'
    for number in reversed(range(len(panel.lines))):
        colour = _COLOURS[min(number, len(_COLOURS) - 1)]
        yield f'<path class="line" stroke="{colour}" d="{_path(axes, panel.lines[number])}"/>'
    yield f'<text x="{_LEFT + 6}" y="{label_y}">{escape(panel.label)}</text>'
    yield f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'


def _path(axes: _Axes, line: NDArray[np.float64]) -> str:
    """The line, in at most two points a pixel (the lowest and the highest of each), broken where nothing is known."""
    known = np.flatnonzero(np.isfinite(line))
    if not len(known):
        return ""
    pixel = known * (_WIDTH - _LEFT) // len(line)
    piece = np.cumsum(np.diff(known, prepend=known[0]) > 3 * np.median(np.diff(known, append=known[-1] + 1)))
    starts = np.flatnonzero((np.diff(pixel, prepend=-1) != 0) | (np.diff(piece, prepend=0) != 0))
    steps, drawn = [], -1
    for part, of in zip(np.split(known, starts[1:]), piece[starts].tolist(), strict=True):
        for at in sorted({int(part[np.argmin(line[part])]), int(part[np.argmax(line[part])])}):
            x, y = axes.x(float(axes.time_s[at])), axes.y(float(line[at]))
            steps.append(f"{'L' if of == drawn else 'M'}{x:.1f} {y:.1f}")
            drawn = of
    return "".join(steps)


def _ticks(low: float, high: float, about: int) -> list[float]:
    rough = (high - low) / about or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough)
    return [round(number * step, 10) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _moments(first: float, last: float, zone: dt.tzinfo | None) -> Iterator[tuple[int, str]]:
    """Yield round moments, s, with what is written there; at most seven."""
    step = next((step for step in _STEPS_S if (last - first) / step <= 7), _STEPS_S[-1])
    ahead = _ahead_s(first, zone)
    for second in range(math.ceil((first + ahead) / step) * step, int(last + ahead) + 1, step):
        yield second - ahead, _clock(second) if zone is None else _date(second, step, last - first)


def _ahead_s(second: float, zone: dt.tzinfo | None) -> int:
    offset = dt.datetime.fromtimestamp(second, zone).utcoffset() if zone is not None else None
    return int(offset.total_seconds()) if offset is not None else 0


def _date(local_s: int, step_s: int, span_s: float) -> str:
    """The time of day, the date where it is not plain, and the year where the span is long."""
    date = "%Y-%m-%d" if span_s > 300 * 86_400 else "%m-%d"
    time = "%H:%M" if step_s >= 60 else "%H:%M:%S"
    shown = date if step_s >= 86_400 else f"{date} {time}" if span_s > 86_400 else time
    return dt.datetime.fromtimestamp(local_s, dt.UTC).strftime(shown)


def _clock(second: int) -> str:
    if second >= 7200 and second % 3600 == 0:
        return f"{second // 3600} h"
    return f"{second // 60} min" if second >= 120 and second % 60 == 0 else f"{second} s"
