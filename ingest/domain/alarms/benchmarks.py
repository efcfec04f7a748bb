"""Published benchmarks for an operator position's alarm metrics, each with its source; none is a regulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark for one metric: at most `good` is acceptable, above `bad` is not. Never a regulation."""

    metric: str
    good: float
    bad: float
    unit: Text
    text: Text
    source: str
    confidence: Confidence


_IEC: Final = "IEC 62682 / ISA-18.2 table as an open-source alarm dashboard shows it; the standards were not at hand"
_PROSYS: Final = "ISA-18.2 as told by prosys.com (alarm floods)"

BENCHMARKS: Final = (
    Benchmark(
        "per_day", 150, 300, Text("次/日", "a day"),
        Text("每个操作岗位每日报警：约 150 可接受，约 300 为可管理上限", "alarms a day and operator position"),
        "EEMUA 191 / ISA-18.2 as told by inductiveautomation.com (self-audit): 150 manageable, 300 to be reduced",
        Confidence.PUBLISHED,
    ),
    Benchmark(
        "rate_mean", 1, 2, Text("次/10 分钟", "in 10 min"),
        Text("10 分钟平均报警数：约 1 可接受，约 2 为上限", "mean: about 1 acceptable, about 2 manageable at most"),
        _IEC, Confidence.PUBLISHED,
    ),
    Benchmark(
        "rate_max", 10, 10, Text("次/10 分钟", "in 10 min"),
        Text("任一 10 分钟内报警数", "most alarms in 10 min"), _IEC, Confidence.PUBLISHED,
    ),
    Benchmark(
        "above_10", 0.01, 0.01, Text("占比", "share"),
        Text("超过 10 次的 10 分钟时段占比", "share of 10-min slots with more than 10"), _IEC, Confidence.PUBLISHED,
    ),
    Benchmark(
        "flood_share", 0.01, 0.01, Text("占比", "share"),
        Text("处于报警泛滥的时间占比", "share of time in flood"), _PROSYS, Confidence.PUBLISHED,
    ),
    Benchmark(
        "top_share", 0.05, 0.05, Text("占比", "share"),
        Text("最频繁 10 条规则的占比", "share of the ten most frequent alarms"), _IEC, Confidence.PUBLISHED,
    ),
    Benchmark(
        "level_2_share", 0.05, 0.20, Text("占比", "share"),
        Text("二级报警占比", "share of level 2"),
        "engineering default: of three priorities 5 % high and 15 % medium (ISA-18.2, recalled, verify); here are two",
        Confidence.ENGINEERING_DEFAULT,
    ),
    Benchmark(
        "chattering", 0, 0, Text("条", "rules"), Text("抖动报警", "chattering alarms"), _IEC, Confidence.PUBLISHED,
    ),
    Benchmark(
        "stale", 4, 4, Text("条", "alarms"),
        Text("长期未消除报警（少于 5 条）", "stale alarms: fewer than 5 on any day"), _IEC, Confidence.PUBLISHED,
    ),
)  # fmt: skip
"""The benchmarks an operator position's metrics are compared with."""
