"""Texts of the page on alarm metrics."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.text import Text

METRICS: Final[dict[str, Text]] = {
    "metrics.title": Text("报警指标", "Alarm metrics"),
    "metrics.hint": Text(
        "按操作岗位统计，对照公开指标（EEMUA 191、ISA-18.2）。这些数值不是法规要求。",
        "By operator position, beside published figures (EEMUA 191, ISA-18.2). None of them is regulation.",
    ),
    "metrics.none": Text("没有可查看的操作岗位。", "There is no operator position you may see."),
    "metrics.position": Text("操作岗位", "Position"),
    "metrics.span": Text("时间跨度", "Span"),
    "metrics.days": Text("{n} 天", "{n} d"),
    "metrics.standing": Text("当前报警", "standing now"),
    "metrics.unacknowledged": Text("未确认", "not acknowledged"),
    "metrics.stale": Text("长期未消除", "stale"),
    "metrics.hidden": Text("已隐藏", "hidden"),
    "metrics.last_10": Text("近 10 分钟", "last 10 min"),
    "metrics.raised": Text("期间呼叫次数", "calls in the span"),
    "metrics.split": Text("一级 / 二级", "level 1 / level 2"),
    "metrics.ack_median": Text("确认用时（中位）", "time to acknowledge (median)"),
    "metrics.ack_p95": Text("确认用时（95%）", "time to acknowledge (95 %)"),
    "metrics.ack_open": Text("期间未确认", "never acknowledged"),
    "metrics.rate": Text("每 10 分钟报警数", "Alarms per 10 min"),
    "metrics.flood_line": Text("泛滥线 {n}", "flood above {n}"),
    "metrics.flooding": Text("报警泛滥中", "flood now"),
    "metrics.floods": Text("报警泛滥", "Floods"),
    "metrics.flood_of": Text("共 {n} 条，10 分钟内最多 {peak} 条", "{n} alarms, at most {peak} in 10 min"),
    "metrics.top": Text("最频繁的十条规则", "The ten most frequent"),
    "metrics.chattering": Text("抖动规则", "Chattering"),
    "metrics.benchmarks": Text("对照指标", "Beside the benchmarks"),
    "metrics.figure": Text("指标", "Figure"),
    "metrics.value": Text("实际", "Value"),
    "metrics.verdict": Text("结论", "Verdict"),
    "metrics.good": Text("可接受", "Acceptable"),
    "metrics.bad": Text("超标", "Too much"),
}
VERDICTS: Final[dict[str, Text]] = {
    "good": Text("达标", "good"),
    "fair": Text("偏高", "high"),
    "bad": Text("超标", "too high"),
}
