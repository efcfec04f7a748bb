"""The labels of rules by their code, for rules without one of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.domain.model.text import Text

LABELS: Final[Mapping[str, Text]] = {
    "LL": Text("低低报", "low-low"),
    "L": Text("低报", "low"),
    "H": Text("高报", "high"),
    "HH": Text("高高报", "high-high"),
    "RATE": Text("变化过快", "changes too fast"),
    "SLOPE": Text("变化超出物理可能", "faster than the process can"),
    "STEP": Text("水平突变", "level shifted"),
    "SPIKE": Text("尖峰干扰", "spike"),
    "DT": Text("进出水温差过大", "too much warmer than the inlet"),
    "DEV": Text("偏离设定值", "off its set-point"),
    "COUNT": Text("频繁动作", "too many times"),
    "FORECAST": Text("趋势预警", "on its way to a limit"),
    "DRIFT": Text("缓慢漂移", "drifting"),
    "PROFILE": Text("与往日同时段不符", "unlike this time of other days"),
    "STUCK": Text("数值卡死", "stuck"),
    "PINNED": Text("数值贴限", "pinned at a limit"),
    "NOISE": Text("噪声消失", "noise gone"),
    "CURRENT": Text("电流故障", "current fault"),
    "RANGE": Text("超量程", "out of range"),
    "BAD": Text("信号无效", "bad signal"),
    "SILENT": Text("数据中断", "silent"),
    "OFFLINE": Text("网关离线", "gateway offline"),
    "AHEAD": Text("超前", "ahead"),
    "BEHIND": Text("滞后", "behind"),
    "PHYS": Text("物理校核不符", "physically implausible"),
    "NEIGHBOUR": Text("与邻点不符", "unlike its neighbours"),
    "VOTES": Text("多点表决报警", "several instruments agree"),
    "FIRST": Text("首先动作", "first to go"),
    "SURPRISE": Text("异常意外", "surprising"),
    "T2": Text("多变量异常（T²）", "unusual combination (T²)"),
    "SPE": Text("变量关系异常（SPE）", "broken relation (SPE)"),
    "MAHALANOBIS": Text("多变量距离异常", "far from normal (Mahalanobis)"),
}
"""By code. A compound code (`FORECAST_HH`) gets both labels."""


def label_of(code: str) -> Text | None:
    """Return the code's label, or None for a code that needs one of its own.

    >>> label_of("FORECAST_HH").en
    'on its way to a limit (high-high)'
    """
    if code in LABELS:
        return LABELS[code]
    what, _, of = code.rpartition("_")
    if what not in LABELS or of not in LABELS:
        return None
    return Text(f"{LABELS[what].zh}（{LABELS[of].zh}）", f"{LABELS[what].en} ({LABELS[of].en})")
