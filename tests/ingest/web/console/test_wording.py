"""Numbers and times as people read them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import NotEvaluated
from ingest.domain.model.text import Text
from ingest.plants.gates import a_point_of
from ingest.plants.kinds.rule import SETPOINT
from ingest.plants.view import Latest
from ingest.web.console.rows import point_row
from ingest.web.console.wording import age, clock, decimals, limit, not_evaluated, number
from tests.ingest.web.made_up_plants import NOON, SECOND, STEEL
from tests.ingest.web.stand_in import StandIn

POINT = StandIn().known.plants[STEEL].points[0]


@pytest.mark.parametrize(
    ("unit", "low", "high", "digits"),
    [
        ("MPa", 0, 0.6, 3),
        ("℃", -20, 150, 1),
        ("%", 0, 100, 1),
        ("Pa", 0, 3000, 0),
        ("mm", 0, 8000, 0),
        ("ppm", 0, 1000, 0),
        ("", 0, 1, 0),
        ("", float("nan"), float("nan"), 0),
        ("m", float("nan"), float("nan"), 2),
    ],
)
def test_a_value_has_the_digits_its_instrument_deserves(unit: str, low: float, high: float, digits: int) -> None:
    assert decimals(replace(POINT, unit=unit, low=low, high=high)) == digits


def test_a_limit_is_never_rounded_into_another_one() -> None:
    assert limit(0.28, 3) == "0.280"
    assert limit(0.2855, 3) == "0.2855"
    assert limit(24.5, 0) == "24.5"


@pytest.mark.parametrize(
    ("value", "written"), [(23.9, "23.9"), (23.99999952, "24"), (24.4, "24.4"), (22.9, "23"), (159.99, "159.99")]
)
def test_a_value_is_never_rounded_onto_a_limit_it_has_not_reached(value: float, written: str) -> None:
    """CO-01 is shown in whole ppm, and judged at 24 and at 160."""
    row = point_row(POINT, Latest(NOON, value, 0, stale=False))
    assert row.value == Text(written, written)


def test_times_are_plant_time_and_unknown_is_a_dash() -> None:
    assert clock(NOON) == "11-23 14:12:30"
    assert (clock(None), clock(0), number(float("nan"), 2)) == ("—", "—", "—")


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [(5, "5 秒前", "5 s ago"),
     (400, "6 分钟前", "6 min ago"), (9000, "2 小时前", "2 h ago"), (300_000, "3 天前", "3 d ago"),
     (-5, "0 秒前", "0 s ago")],
)  # fmt: skip
def test_ages_are_in_the_largest_unit_that_tells_enough(seconds: int, zh: str, en: str) -> None:
    assert age(NOON - seconds * SECOND, NOON, "zh") == zh
    assert age(NOON - seconds * SECOND, NOON, "en") == en


def test_a_rule_not_judged_says_why_in_both_languages() -> None:
    assert not_evaluated(NotEvaluated("LL", SETPOINT), "zh") == "LL 缺少设定值"
    length = NotEvaluated("L", a_point_of("ALC_CAST_LEN"))
    assert not_evaluated(length, "en") == "L needs a point of Cast length (ALC_CAST_LEN)"
    assert not_evaluated(length, "zh") == "L 缺少测点：铸造长度（ALC_CAST_LEN）"


@pytest.mark.parametrize(
    ("latest", "value", "quality", "tone"),
    [
        (Latest(NOON, 23.4, 0, stale=False), "23", "正常", "good"),
        (Latest(NOON, 23.4, 0, stale=True), "—", "数据过期", "gone"),
        (Latest(NOON, 0.0, 0, stale=True), "—", "数据过期", "gone"),
        (Latest(0, None, 0, stale=True), "—", "从未收到", "gone"),
        (Latest(NOON, 23.4, Flag.BAD, stale=False), "—", "坏值", "gone"),
        (Latest(NOON, None, Flag.NO_VALUE, stale=False), "—", "无值", "gone"),
        (Latest(NOON, 1200.0, Flag.OUT_OF_RANGE, stale=False), "1200", "超量程", "poor"),
        (Latest(NOON, 23.4, Flag.UNCERTAIN, stale=False), "23", "存疑", "poor"),
    ],
)
def test_what_cannot_be_trusted_never_looks_like_a_value(latest: Latest, value: str, quality: str, tone: str) -> None:
    row = point_row(POINT, latest)
    assert (row.value.zh, row.quality[0].zh, row.tone) == (value, quality, tone)
