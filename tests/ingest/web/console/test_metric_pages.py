"""Alarm metrics: what a position was asked, drawn true to the counts, beside figures that say where they are from."""

from __future__ import annotations

import re
from html import escape
from xml.etree import ElementTree as ET

import pytest

from ingest.domain.alarms.benchmarks import BENCHMARKS
from ingest.web.console.metric_pages import figure
from ingest.web.console.rate_svg import NARROW, WIDE, Bars, Paper, bars_of, rate_svg
from ingest.web.texts.sources import source_in_chinese
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import STEEL
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn

SVG = "{http://www.w3.org/2000/svg}"
SECOND = 1_000_000_000
START = 1_763_877_600 * SECOND


def draw(counts: list[int], paper: Paper = WIDE, flood: int = 10) -> ET.Element:
    text = rate_svg(Bars(counts, START, 600 * SECOND), flood, paper, title="次数", flood_label="泛滥线 <10>")
    return ET.fromstring(text)  # noqa: S314  our own drawing


def bars(svg: ET.Element) -> list[ET.Element]:
    return [bar for bar in svg.iter(f"{SVG}rect") if "rate-bar" in bar.get("class", "")]


@pytest.mark.parametrize("paper", [WIDE, NARROW])
def test_a_bar_is_as_high_as_its_count_and_those_beyond_the_flood_line_differ(paper: Paper) -> None:
    drawn = bars(draw([2, 0, 4, 12, 10], paper))
    heights = [float(bar.get("height", "")) for bar in drawn]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.3)
    assert [("over" in bar.get("class", "")) for bar in drawn] == [False, False, True, False]


def test_the_flood_line_is_inside_the_drawing_however_quiet_or_loud() -> None:
    for counts in ([0, 0], [1000, 1]):
        (line,) = [
            drawn_line for drawn_line in draw(counts).iter(f"{SVG}line") if "trend-limit" in drawn_line.get("class", "")
        ]
        assert WIDE.top <= float(line.get("y1", "")) <= WIDE.height - WIDE.bottom


def test_bars_taken_together_keep_their_highest_count() -> None:
    """A flood of ten minutes is not averaged away over a month."""
    counts = [0] * 4320
    counts[1234] = 37
    bars = bars_of(counts, START, 600 * SECOND, 288)
    assert (max(bars.counts), len(bars.counts)) == (37, 288)
    assert bars.end >= START + 4320 * 600 * SECOND


@pytest.mark.parametrize("counts", [[], [0], [10**6]])
def test_every_count_can_be_drawn(counts: list[int]) -> None:
    assert draw(counts).findtext(f"{SVG}title") == "次数"


async def test_each_position_has_its_figures_its_drawing_and_every_benchmark_with_its_source(ask: Ask) -> None:
    page = (await ask(INSPECTOR).get("/alarms/metrics")).text
    assert page.count('class="trend rate"') == 3 * 2
    for benchmark in BENCHMARKS:
        assert page.count(benchmark.text.zh) >= 3
        assert escape(source_in_chinese(benchmark.source)) in page
    assert "这些数值不是法规要求" in page
    assert page.count("公开资料") >= 3


async def test_a_flood_is_reported_with_its_size_and_its_most_frequent_rule(hall: StandIn, ask: Ask) -> None:
    for n in range(15):
        hall.raise_alarm(STEEL, "GH_LVL-01", "HH", 91.0, ago_s=300 - n * 20)
    page = (await ask(OPERATOR).get(f"/alarms/metrics?position={STEEL}")).text
    assert "报警泛滥中" in page
    assert re.search(r"共 1[5-9] 条，10 分钟内最多 1[5-9] 条", page)
    top = page[page.index('class="top-ten"') :]
    assert top.index("煤气柜柜位") < top.index("<b>15</b>") < top.index("</li>")
    assert "超标" in page
    assert "rate-bar over" in page


async def test_only_positions_in_scope_are_shown(ask: Ask) -> None:
    page = (await ask(ELSEWHERE).get("/alarms/metrics")).text
    assert STEEL not in page
    assert page.count('class="trend rate"') == 2
    assert (await ask(ELSEWHERE).get(f"/alarms/metrics?position={STEEL}")).status_code == 404


def test_every_benchmark_has_its_figure(hall: StandIn) -> None:
    plants = {"all": tuple(hall.known.plants)}
    metrics = hall.load.metrics(plants, hall.time - 86_400 * SECOND, hall.time)["all"]
    present = hall.load.present(plants, hall.time)["all"]
    for benchmark in BENCHMARKS:
        assert figure(benchmark.metric, metrics, present) >= 0
