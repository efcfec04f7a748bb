"""The band of phases lies under the trend, on the same axis of time."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from ingest.domain.model.phase_record import PhaseSpan
from ingest.web.console.phase_svg import phase_svg
from ingest.web.console.trend_svg import NARROW, WIDE, Size, Window

SECOND = 10**9
WINDOW = Window(1_763_884_800 * SECOND, 60 * SECOND, 60)
NAMES = {"idle": "待机", "start": "起铸", "unknown": "未知"}


def span(first: float, last: float, phase: str) -> PhaseSpan:
    """Minutes of the window."""
    return PhaseSpan(WINDOW.start + int(first * 60) * SECOND, WINDOW.start + int(last * 60) * SECOND, phase)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_each_phase_begins_and_ends_where_its_times_are(size: Size) -> None:
    svg = phase_svg([span(0, 15, "idle"), span(15, 60, "start")], WINDOW, size, NAMES, title="阶段")
    inner = size.width - size.left - size.right
    drawn = [(float(x), float(w)) for x, w in re.findall(r'<rect [^>]*x="([\d.]+)" y="2" width="([\d.]+)"', svg)]
    expected = [(size.left, inner / 4), (size.left + inner / 4, inner * 3 / 4)]
    assert drawn == [pytest.approx(each, abs=0.06) for each in expected]


def test_neighbours_differ_and_unknown_is_drawn_as_such() -> None:
    svg = phase_svg([span(0, 9, "idle"), span(9, 20, "start"), span(20, 60, "unknown")], WINDOW, WIDE, NAMES, title="x")
    assert re.findall(r'class="phase-(\w+)"', svg) == ["even", "odd", "unknown"]


def test_a_name_is_written_where_it_fits_and_in_every_tooltip() -> None:
    svg = phase_svg([span(0, 0.5, "idle"), span(0.5, 60, "start")], WINDOW, WIDE, NAMES, title="浇铸机 阶段")
    assert re.findall(r"<text[^>]*>([^<]+)<", svg) == ["起铸"]
    assert "<title>待机 16:00:00–16:00:30</title>" in svg
    assert svg.startswith("<svg")
    assert "<title>浇铸机 阶段: 待机 16:00:00–16:00:30; 起铸 16:00:30–17:00:00</title>" in svg


def test_neighbours_that_look_alike_have_an_edge_between_them() -> None:
    """The end of a process and its beginning; not where the shade, or a time without a record, parts them."""
    names = {"idle": "待机", "start": "起铸", "steady": "稳定"}

    def edges(*phases: PhaseSpan) -> list[str]:
        return re.findall(r'class="phase-edge" d="M([0-9.]+) ', phase_svg(phases, WINDOW, WIDE, names, title="x"))

    assert edges(span(0, 9, "start"), span(9, 20, "steady"), span(20, 60, "start")) == []
    (edge,) = edges(span(0, 30, "steady"), span(30, 60, "idle"))
    assert float(edge) == pytest.approx(WIDE.left + (WIDE.width - WIDE.left - WIDE.right) / 2, abs=0.1)
    assert edges(span(0, 30, "steady"), span(40, 60, "idle")) == []


def test_a_phase_that_the_plant_file_no_longer_has_is_shown_by_its_code_and_escaped() -> None:
    svg = phase_svg([span(0, 60, "<b>")], WINDOW, WIDE, NAMES, title='"&')
    ET.fromstring(svg)  # noqa: S314  our own
    assert "<b>" not in svg
    assert ">&lt;b&gt;<" in svg
