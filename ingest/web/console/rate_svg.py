"""Draws alarms per 10 min as SVG bars, with the line beyond which they are a flood. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.web.console.trend_svg import LOCAL

_SECOND: Final = 1_000_000_000
_STEPS_S: Final = (3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000)


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars to draw: the most alarms in 10 min of each bar's time, from `start` (ns), each bar `width` ns long."""

    counts: Sequence[int]
    start: int
    width: int

    @property
    def end(self) -> int:
        """The end, not included."""
        return self.start + self.width * len(self.counts)


@dataclass(frozen=True, slots=True)
class Paper:
    """A drawing's size in px and about how many time labels fit."""

    width: int
    height: int
    ticks: int
    left: int = 34
    right: int = 8
    top: int = 18
    bottom: int = 26


WIDE: Final = Paper(960, 190, 8)
NARROW: Final = Paper(360, 170, 4)


def bars_of(counts: Sequence[int] | NDArray[np.int64], start: int, width: int, most: int) -> Bars:
    """Return at most `most` bars; each keeps the highest count it stands for, so no flood is averaged away.

    >>> bars_of([1, 5, 2, 0, 3], 0, 10, 3).counts
    [5, 2, 3]
    """
    together = max(1, math.ceil(len(counts) / most))
    starts = np.arange(0, len(counts), together)
    highest: list[int] = np.maximum.reduceat(counts, starts).tolist() if len(counts) else []
    return Bars(highest, start, width * together)


def rate_svg(bars: Bars, flood: int, paper: Paper, *, title: str, flood_label: str) -> str:
    """Draw the bars; those beyond the flood line differ in colour and show their number."""
    top = max([*bars.counts, flood, 1]) * 1.08
    inner_height = paper.height - paper.top - paper.bottom
    inner_width = paper.width - paper.left - paper.right
    step = inner_width / max(1, len(bars.counts))

    def y(count: float) -> float:
        return paper.top + inner_height * (1 - count / top)

    box = f'viewBox="0 0 {paper.width} {paper.height}" role="img" xmlns="http://www.w3.org/2000/svg"'
    parts = [
        f'<svg class="trend rate" {box}><title>{escape(title)}</title>',
        *_scale(top, y, paper),
        *_times(bars, paper),
    ]
    for at, count in enumerate(bars.counts):
        if count:
            x, high = paper.left + at * step, y(count)
            kind = "rate-bar over" if count > flood else "rate-bar"
            gap = min(1.0, step * 0.15)
            parts.append(
                f'<rect class="{kind}" x="{x:.1f}" y="{high:.1f}" width="{step - gap:.2f}"'
                f' height="{paper.height - paper.bottom - high:.1f}"/>'
            )
    line = y(flood)
    parts.append(
        f'<line class="trend-limit level-2" x1="{paper.left}" x2="{paper.width - paper.right}"'
        f' y1="{line:.1f}" y2="{line:.1f}"/>'
        f'<text class="trend-limit-label level-2" x="{paper.left + 4}" y="{line - 4:.1f}">{escape(flood_label)}</text>'
    )
    return "".join([*parts, "</svg>"])


def _scale(top: float, y: Callable[[float], float], paper: Paper) -> Iterator[str]:
    step = next(n * 10**k for k in range(7) for n in (1, 2, 5) if top / (n * 10**k) <= 5)
    for count in range(0, int(top) + 1, step):
        at = y(count)
        ends = f'x1="{paper.left}" x2="{paper.width - paper.right}"'
        yield f'<line class="trend-grid" {ends} y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text x="{paper.left - 6}" y="{at + 4:.1f}" text-anchor="end">{count}</text>'


def _times(bars: Bars, paper: Paper) -> Iterator[str]:
    seconds = (bars.end - bars.start) / _SECOND
    step = next((s for s in _STEPS_S if seconds / s <= paper.ticks), _STEPS_S[-1])
    offset = 8 * 3600
    first = math.ceil((bars.start / _SECOND + offset) / step) * step - offset
    inner = paper.width - paper.left - paper.right
    for at in range(first, math.ceil(bars.end / _SECOND), step):
        x = paper.left + inner * (at * _SECOND - bars.start) / (bars.end - bars.start)
        local = dt.datetime.fromtimestamp(at, LOCAL)
        label = f"{local:%m-%d}" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"
        yield f'<text x="{x:.1f}" y="{paper.height - 8}" text-anchor="middle">{label}</text>'
