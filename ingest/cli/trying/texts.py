"""What `yujing try` says, in Chinese and English."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from detectors.contributions import Aspect
from detectors.workbench import Contribution, Event, Fact, Learning
from ingest.cli.trying.trial import DAY_S, HIGH, Trial, Tried, still
from ingest.domain.model.contribution import ASPECTS, PointAspect
from ingest.domain.model.text import Text

NOT_KNOWN: Final = (
    Text(
        "本文件没有告诉程序哪里出过故障：“发现”是与学习期不同之处，不一定是故障；没有发现也不说明一切正常。",
        "Nobody has told what was a fault: a finding is what differs from the lesson, and not necessarily a fault. No"
        " finding does not mean that all is well.",
    ),
    Text(
        "学习期被当作正常运行；学习期内一直存在的故障，此后就被当作正常。",
        "The lesson is taken for healthy running: a fault that was there all the while counts as normal afterwards.",
    ),
    Text(
        "学得的范围只说明这段数据里通常是多少。它不是安全限值，也不是法规要求；安全限值取自标准、设计文件和本企业的规程。",
        "A learnt range says what was usual in this data. It is no safety limit and no regulation: those come from"
        " standards, the design and the plant's own procedures.",
    ),
    Text(
        "每天的报警次数只对这段数据成立；列的含义、单位和设备状态（停机、检修）程序不知道。",
        "Alarms a day are those of this data alone. What a column means, its unit and whether the equipment ran is not"
        " known.",
    ),
)
"""What a trial cannot know."""

_KINDS: Final = {
    "surprise": Text("该列少见的变化", "rare for this column"),
    "mahalanobis": Text("各列合起来不同以往", "the columns together are unlike the lesson"),
}
_HIGH: Final = Text("高于学习期范围", "above the range of the lesson")
_LOW: Final = Text("低于学习期范围", "below the range of the lesson")

_FACTS: Final = {
    "bad cells": Text("不是数字的单元格，按无值处理", "cells that are no number, taken for no value"),
    "text": Text("不是数字的列，未使用", "no numbers: the column was left out"),
    "empty": Text("空列，未使用", "an empty column, left out"),
    "no time": Text("时间无法读取的行，未使用", "rows whose time cannot be read, left out"),
    "repeated time": Text("时间重复的行，只取第一行", "rows with a time that was there already: the first one counts"),
    "out of order": Text("时间早于上一行，已按时间排序", "rows earlier than the one before: sorted by time"),
    "misshapen": Text("列数与表头不同的行，未使用", "lines with another number of cells than the header, left out"),
    "preamble": Text("表头之前的行，已跳过", "lines above the header, passed over"),
}


_UNITS: Final = ((DAY_S, "天", "days"), (3600.0, "小时", "h"), (60.0, "分钟", "min"))


def fact_text(fact: Fact) -> Text:
    """Return what was left out of the data, where, and the first of it."""
    words = _FACTS[fact.what]
    column_zh, column_en = (f"列 {fact.column}：", f"column {fact.column}: ") if fact.column else ("", "")
    first_zh = f"，第一处在第 {fact.line} 行" if fact.line is not None else ""
    first_en = f", first in line {fact.line}" if fact.line is not None else ""
    value_zh = f"（{fact.value}）" if fact.value else ""
    value_en = f" ({fact.value})" if fact.value else ""
    return Text(
        f"{column_zh}{fact.many} 处{words.zh}{first_zh}{value_zh}",
        f"{column_en}{fact.many} {words.en}{first_en}{value_en}",
    )


def facts(trial: Trial) -> Iterator[Text]:
    """Yield everything that was left out of the data or could not be learnt from."""
    if trial.table.time_column is None:
        yield Text(
            "没有时间列：各行的时间是编排的，从 2024-01-01 08:00（北京时间）起",
            "no column of times: those shown are made up, from 2024-01-01T00:00Z on",
        )
    for fact in trial.table.facts:
        yield fact_text(fact)
    for column in still(trial.table, trial.lesson):
        yield Text(
            f"列 {column}：学习期内没有变化，学不到范围",
            f"column {column}: it stood still in the lesson, no range is learnt",
        )
    for learning in trial.learning:
        if learning.judges_from is None:
            yield learning_text(learning)


def learning_text(learning: Learning) -> Text:
    """Return that a rule is still learning."""
    return Text(
        f"规则 {learning.rule}：仍在学习，需要 {learning.needed} 次可用读数",
        f"rule {learning.rule}: still learning until {learning.needed} readings were usable",
    )


def counts_text(trial: Trial) -> Text:
    """Return how many findings there are of each kind, the most frequent first."""
    counts = Counter(kind_text(event.rule, event.kind) for event in trial.events).most_common()
    listed = [(f"{text.zh} {many}", f"{text.en} {many}") for text, many in counts]
    return Text("，".join(zh for zh, _ in listed), ", ".join(en for _, en in listed))


def kind_text(rule: str, kind: str) -> Text:
    """Return what a rule finds; `rule`: its name."""
    if kind == "limit":
        return _HIGH if rule.endswith(HIGH) else _LOW
    return _KINDS[kind]


def far_text(event: Event) -> Text:
    """Return how far an event went."""
    if event.kind == "limit":
        side, sign = ("≥", 1) if event.rule.endswith(HIGH) else ("≤", -1)
        reached = f"{sign * event.peak:.6g} {side} {sign * event.on:.6g}"
        return Text(reached, reached)
    if event.kind == "surprise":
        return Text(f"评分 {event.peak:.2f}，界限 {event.on:g}", f"score {event.peak:.2f}, limit {event.on:g}")
    times = event.peak / event.on
    return Text(f"正常限值的 {times:.1f} 倍", f"{times:.1f} times its normal limit")


def contributions_text(event: Event) -> Text | None:
    """Return the columns, or the aspects of the column, that explain an event, largest first; None: the column does."""
    if [each.aspect for each in event.contributions] == [Aspect.WHOLE]:
        return None
    named = [(_contributor(each), f" {each.share:.0%}") for each in event.contributions]
    return Text(
        "，".join(name.zh + share for name, share in named), ", ".join(name.en + share for name, share in named)
    )


def _contributor(contribution: Contribution) -> Text:
    if contribution.aspect is Aspect.WHOLE:
        return Text(contribution.column, contribution.column)
    return ASPECTS[PointAspect[contribution.aspect.name]]


def rate_text(tried: Tried, trial: Trial) -> Text:
    """Return how often a rule would have alarmed on the data behind the lesson."""
    rate = f"{tried.a_day:.2g}" if tried.a_day < 100 else f"{tried.a_day:.0f}"
    span = _long(trial.days * DAY_S)
    few = (Text("折合", ""), Text("", " at that rate")) if trial.days < 1 else (Text("", ""), Text("", ""))
    return Text(
        f"本数据上 {span.zh}内报警 {tried.alarms} 次，{few[0].zh}每天 {rate} 次",
        f"{tried.alarms} alarms in {span.en} of this data, {rate} a day{few[1].en}",
    )


def _long(span_s: float) -> Text:
    """Return a span of time in its largest unit, to three digits."""
    size, zh, en = next((unit for unit in _UNITS if span_s >= unit[0]), (1.0, "秒", "s"))
    return Text(f"{span_s / size:.3g} {zh}", f"{span_s / size:.3g} {en}")


def local(moment: np.datetime64 | None, zone: ZoneInfo) -> str:
    """Return a time in the zone of the data, to the second; none: the event stands."""
    if moment is None:
        return "—"
    second = int(moment.astype("datetime64[s]").astype(np.int64))
    return dt.datetime.fromtimestamp(second, zone).strftime("%Y-%m-%d %H:%M:%S")
