"""The trend drawing: true to the data, gaps included."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from ingest.storage.history.store import Trend, TrendQuery
from ingest.web.console.trend_svg import NARROW, SPARK, WIDE, Limit, Size, Window, trend_svg, window

SECOND = 1_000_000_000
START = 1_763_877_600 * SECOND  # 14:00 in plant time
SPAN = Window(START, 60 * SECOND, 10)
SVG = "{http://www.w3.org/2000/svg}"


def trend(means: dict[int, float]) -> Trend:
    """Readings in the buckets named, each with a band of one either side."""
    mean = np.array(list(means.values()))
    time = np.array([START + bucket * SPAN.width for bucket in means], np.int64)
    return Trend(time, mean - 1, mean, mean + 1, np.full(len(mean), 5))


def draw(of: Trend, *limits: Limit, size: Size = WIDE, span: Window = SPAN, title: str = "温度 ℃") -> ET.Element:
    text = trend_svg(of, span, limits, size, title=title, empty="没有数据", decimals=1)
    assert "nan" not in text.lower()
    assert "inf" not in text.lower()
    return ET.fromstring(text)  # noqa: S314  our own drawing


def having(svg: ET.Element, kind: str) -> list[ET.Element]:
    return [element for element in svg.iter() if kind in element.get("class", "").split()]


def xs(line: ET.Element) -> list[float]:
    return [float(pair.split()[0]) for pair in re.findall(r"[\d.]+ [\d.]+", line.get("d", ""))]


def test_a_gap_is_a_gap_and_shaded() -> None:
    """Nothing is drawn, and nothing bridged, where no reading is known."""
    svg = draw(trend({0: 20, 1: 21, 2: 20, 6: 22, 7: 21, 8: 20, 9: 21}))
    first, second = having(svg, "trend-line")
    (gap,) = having(svg, "trend-gap")
    left, width = float(gap.get("x", "")), float(gap.get("width", ""))
    assert max(xs(first)) == pytest.approx(left, abs=0.11)
    assert min(xs(second)) == pytest.approx(left + width, abs=0.11)


def test_a_bucket_of_nulls_is_a_gap_too() -> None:
    svg = draw(trend({0: 20, 1: float("nan"), 2: 20, 3: 21, 4: 21, 5: 21, 6: 21, 7: 21, 8: 21, 9: 21}))
    assert len(having(svg, "trend-line")) == 2


def test_a_lone_bucket_is_as_wide_as_its_time() -> None:
    svg = draw(trend({4: 20}))
    (line,) = having(svg, "trend-line")
    inner = WIDE.width - WIDE.left - WIDE.right
    assert max(xs(line)) - min(xs(line)) == pytest.approx(inner / 10, abs=0.11)


def test_the_bucket_that_has_just_begun_is_not_yet_missing() -> None:
    assert having(draw(trend(dict.fromkeys(range(9), 20.0))), "trend-gap") == []
    assert len(having(draw(trend(dict.fromkeys(range(8), 20.0))), "trend-gap")) == 1


@pytest.mark.parametrize("size", [WIDE, NARROW, SPARK])
def test_limits_are_inside_the_drawing_however_far_from_the_data(size: Size) -> None:
    svg = draw(trend({n: 5.0 + n for n in range(10)}), Limit("HH 160", 160, 2), Limit("L -40", -40, 1), size=size)
    lines = having(svg, "trend-limit")
    assert len(lines) == 2
    assert all(size.top <= float(line.get("y1", "")) <= size.height - size.bottom for line in lines)
    assert [line.get("class", "").split()[-1] for line in lines] == ["level-2", "level-1"]


def test_labels_of_close_limits_do_not_cover_each_other() -> None:
    limits = [Limit(f"X{n} {n}", 100 + n / 100, 1) for n in range(4)]
    svg = draw(trend({0: 0.0, 1: 100.0}), *limits)
    heights = sorted(float(label.get("y", "")) for label in having(svg, "trend-limit-label"))
    assert all(b - a >= 14.9 for a, b in pairwise(heights))


def test_time_is_written_in_plant_time() -> None:
    labels = [element.text for element in draw(trend({0: 1.0})).iter(f"{SVG}text")]
    assert "14:00" in labels
    night = Window(START, 3600 * SECOND, 24)
    assert "11-24" in [element.text for element in draw(trend({}), span=night).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    "means", [{}, {3: float("nan")}, {0: 0.0}, {0: 1e300, 1: -1e300}, dict.fromkeys(range(10), 7.0)]
)
@pytest.mark.parametrize("size", [WIDE, NARROW, SPARK])
def test_every_trend_can_be_drawn(means: dict[int, float], size: Size) -> None:
    svg = draw(trend(means), size=size)
    drawn = having(svg, "trend-line")
    assert bool(drawn) == any(np.isfinite(value) for value in means.values())
    if not drawn and size.ticks:
        assert "没有数据" in [element.text for element in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize("means", [{}, {0: 0.0}, dict.fromkeys(range(10), 1.0)])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_switch_has_words_on_its_axis_and_both_of_them(means: dict[int, float], size: Size) -> None:
    text = trend_svg(trend(means), SPAN, (), size, title="x", empty="-", decimals=0, states=("停止<", "运行"))
    svg = ET.fromstring(text)  # noqa: S314  our own drawing
    words = {
        label.text: float(label.get("y", "")) for label in having(svg, "trend-axis") if label.get("text-anchor") is None
    }
    assert words.keys() == {"停止<", "运行"}
    assert size.top < words["运行"] < words["停止<"] < size.height - size.bottom
    assert {label.text for label in having(svg, "trend-axis")}.isdisjoint({"0", "1", "0.5"})


def test_texts_are_escaped() -> None:
    svg = draw(trend({0: 1.0}), Limit('<b>&"', 1.0, 1), title="<script>x</script>")
    assert svg.find(f"{SVG}script") is None
    assert svg.findtext(f"{SVG}title") == "<script>x</script>"


@pytest.mark.parametrize("span_s", [600, 3600, 28_800, 86_400])
@pytest.mark.parametrize("silence_s", [3, 15, 90, 3600])
def test_a_healthy_point_has_a_reading_in_every_bucket(span_s: int, silence_s: int) -> None:
    """Buckets are no shorter than a third of the allowed silence, and hold the present moment."""
    now = START + 123_456_789_012
    span = window(now, span_s, silence_s, 240)
    assert span.width >= silence_s * SECOND / 3
    asked = TrendQuery("p", "x", span.start, span.end, span.buckets)
    assert (asked.first, asked.width) == (span.start, span.width)
    assert span.buckets <= 240
    assert span.start < now < span.end <= now + span.width
    assert span.width * span.buckets >= 0.9 * span_s * SECOND
