"""Draws the phases of an equipment as a band below a trend, on the same axis of time. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Final

from ingest.domain.model.phase_record import PhaseSpan
from ingest.domain.model.plant import UNKNOWN_PHASE
from ingest.web.console.trend_svg import LOCAL, Size, Window

_XMLNS: Final = 'xmlns="http://www.w3.org/2000/svg"'
_HEIGHT: Final = 26
_WIDE_PX: Final = 12.5  # of a Chinese character
_NARROW_PX: Final = 6.5  # of any other


def phase_svg(spans: Sequence[PhaseSpan], window: Window, size: Size, names: Mapping[str, str], *, title: str) -> str:
    """Return the band as one `<svg>` element; where no phase is recorded it is empty.

    Args:
        spans: the phases within the window, in order.
        window: the span drawn.
        size: that of the trend above it.
        names: of the phases, in the order of the process, by code; a code without one is shown itself.
        title: what the band is, for people who cannot see it.
    """
    description = "; ".join(_described(span, names) for span in spans)
    parts = [
        f'<svg class="trend phases" viewBox="0 0 {size.width} {_HEIGHT}" role="img" {_XMLNS}>',
        f"<title>{escape(f'{title}: {description}' if description else title)}</title>",
    ]
    for span in spans:
        parts += _drawn(span, window, size, names)
    for before, span in pairwise(spans):  # the end of a process and its beginning may look alike
        if before.end == span.start and _kind(before, names) == _kind(span, names):
            parts.append(f'<path class="phase-edge" d="M{_x(span.start, window, size):.1f} 2V{_HEIGHT - 2}"/>')
    return "".join([*parts, "</svg>"])


def _kind(span: PhaseSpan, names: Mapping[str, str]) -> str:
    if span.phase == UNKNOWN_PHASE.code:
        return "unknown"
    place = [*names].index(span.phase) if span.phase in names else 0
    return ("even", "odd")[place % 2]


def _x(time: int, window: Window, size: Size) -> float:
    inner = size.width - size.left - size.right
    return size.left + inner * (time - window.start) / (window.end - window.start)


def _drawn(span: PhaseSpan, window: Window, size: Size, names: Mapping[str, str]) -> Iterator[str]:
    left, right = _x(span.start, window, size), _x(span.end, window, size)
    name, kind = names.get(span.phase, span.phase), _kind(span, names)
    yield f'<g data-phase="{escape(span.phase)}"><title>{escape(_described(span, names))}</title>'
    yield f'<rect class="phase-{kind}" x="{left:.1f}" y="2" width="{right - left:.1f}" height="{_HEIGHT - 4}"/>'
    if _length(name) + 4 <= right - left:
        yield f'<text x="{(left + right) / 2:.1f}" y="{_HEIGHT / 2 + 4:.0f}" text-anchor="middle">{escape(name)}</text>'
    yield "</g>"


def _described(span: PhaseSpan, names: Mapping[str, str]) -> str:
    begin, end = (dt.datetime.fromtimestamp(time / 1e9, LOCAL) for time in (span.start, span.end))
    return f"{names.get(span.phase, span.phase)} {begin:%H:%M:%S}–{end:%H:%M:%S}"


def _length(text: str) -> float:
    return sum(_NARROW_PX if char.isascii() else _WIDE_PX for char in text)
