"""The report of a trial: one HTML file without a script, and nothing in it that is loaded from elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from detectors.picture import Mark, Panel, draw
from detectors.workbench import Event
from ingest.base import build
from ingest.cli.trying import texts
from ingest.cli.trying.texts import NOT_KNOWN
from ingest.cli.trying.trial import HIGH, LOW, Trial
from ingest.domain.model.text import Text

MOST_EVENTS: Final = 500
MOST_PICTURES: Final = 60

_STYLE: Final = """
body{font:15px/1.55 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;color:#24303c;
 margin:0 auto;max-width:1000px;padding:24px 16px}
h1{font-size:24px;margin:0 0 4px}
h2{font-size:19px;margin:36px 0 8px;border-bottom:1px solid #dde3e9;padding-bottom:4px}
h3{font-size:16px;margin:24px 0 4px;overflow-wrap:anywhere}
.en{color:#5a6875}
.note{background:#fff7e0;border:1px solid #e6cf8a;border-radius:6px;padding:8px 16px}
.note li{margin:6px 0}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{border-bottom:1px solid #e3e8ed;padding:5px 8px;text-align:left;vertical-align:top;overflow-wrap:anywhere}
.time,.far{white-space:nowrap}
.wide{overflow-x:auto}
pre{background:#f4f6f8;border:1px solid #dde3e9;border-radius:6px;padding:12px;overflow-x:auto;font-size:13px}
svg{width:100%;height:auto;display:block}
@media print{h2{break-after:avoid}svg{break-inside:avoid}pre{white-space:pre-wrap}}
"""


def report(trial: Trial, toml: str, zone: ZoneInfo) -> str:
    """Return the report; `toml`: the suggested rules."""
    title, unused = trial.table.name, [*texts.facts(trial)]
    parts = [
        '<!doctype html><html lang="zh"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(title)} · yujing try</title><style>{_STYLE}</style></head><body>",
        f'<h1>数据试评 <span class="en">A trial of data</span></h1><p>{escape(title)}</p>',
        _summary(trial, zone),
        f'<div class="note"><strong>先读这里 <span class="en">Read this first</span></strong>{_list(NOT_KNOWN)}</div>',
        _heading("未使用的数据", "What of the data was not used"),
        _list(unused) if unused else _both("没有。", "Nothing."),
        _heading("发现", "Findings"),
        _events(trial, zone),
        *_pictures(trial, zone),
        _heading("各规则的报警次数", "How often each rule alarmed"),
        _rates(trial),
        _heading("建议的规则", "Suggested rules for a plant file"),
        f"<pre>{escape(toml)}</pre>",
        f'<p class="en">yujing {escape(build.version())} · {dt.datetime.now(zone):%Y-%m-%d %H:%M}</p></body></html>',
    ]
    return "\n".join(parts) + "\n"


def _summary(trial: Trial, zone: ZoneInfo) -> str:
    table, counts = trial.table, texts.counts_text(trial)
    first, lesson, last = (
        texts.local(np.datetime64(int(table.time[at]), "ns"), zone) for at in (0, trial.lesson - 1, -1)
    )
    return _table(
        (),
        [
            (_span("时间", "time"), f"{first} … {last} ({escape(str(zone))})"),
            (_span("行、列", "rows, columns"), f"{len(table)} × {len(table.columns)}"),
            (_span("学习期", "the lesson"), f"… {lesson}: {trial.lesson} {_span('行', 'rows')}"),
            (_span("发现", "findings"), f"{len(trial.events)}: {_span(counts.zh, counts.en)}"),
        ],
    )


def _events(trial: Trial, zone: ZoneInfo) -> str:
    if not trial.events:
        return _both(
            "学习期之后没有与学习期不同之处。",
            "Nothing behind the lesson differs from it, by these rules.",
        )
    rows = [_event(event, zone) for event in trial.events[:MOST_EVENTS]]
    left = len(trial.events) - len(rows)
    more = _both(f"另有 {left} 处，见 --json。", f"{left} more: see --json.") if left else ""
    head = (
        _span("开始", "from"), _span("结束", "to"), _span("列", "column"), _span("何种", "kind"),
        _span("程度", "how far"), _span("贡献", "contributions"),
    )  # fmt: skip
    return _table(head, rows) + more


def _event(event: Event, zone: ZoneInfo) -> tuple[str, ...]:
    kind, far, contributions = (
        texts.kind_text(event.rule, event.kind), texts.far_text(event), texts.contributions_text(event),
    )  # fmt: skip
    begin, end = texts.local(event.begin, zone), texts.local(event.end, zone)
    day = begin.split(" ")[0]
    return (
        f'<span class="time">{begin}</span>',
        f'<span class="time">{end.removeprefix(day)}</span>',
        escape(event.column),
        _span(kind.zh, kind.en),
        f'<span class="far">{escape(far.zh)}</span>' if far.zh == far.en else _span(far.zh, far.en),
        "" if contributions is None else _words(contributions),
    )


def _pictures(trial: Trial, zone: ZoneInfo) -> Iterator[str]:
    """Yield the group's score, then a picture a column, those with findings first."""
    lesson_s = float(trial.table.time[trial.lesson - 1]) / 1e9
    marks = [Mark(lesson_s, "学习期到此为止 · the lesson ends here")]
    names = [tried.placed.name for tried in trial.tried]
    if "mahalanobis" in names:
        found = [event for event in trial.events if event.kind == "mahalanobis"]
        panel = Panel("评分 score (1 = 限值 limit)", [trial.scores[:, names.index("mahalanobis")]], [1.0], 130)
        yield _heading("各列合在一起", "All columns together")
        yield draw(
            trial.score_s, [panel], _spans(found, trial), "各列合在一起 · all columns together", marks, zone=zone
        )
    yield _heading("各列", "Columns")
    columns = sorted(trial.table.columns, key=lambda column: not trial.events_of(column))
    if len(columns) > MOST_PICTURES:
        yield _both(
            f"只画前 {MOST_PICTURES} 列，有发现的在前；共 {len(columns)} 列。",
            f"Of {len(columns)} columns {MOST_PICTURES} are drawn, those with findings first.",
        )
    for column in columns[:MOST_PICTURES]:
        limits = [
            (1 if tried.placed.rule.name == HIGH else -1) * tried.placed.rule.on
            for tried in trial.tried
            if tried.placed.columns == (column,) and tried.placed.rule.name in {HIGH, LOW}
        ]
        events = trial.events_of(column)
        panel = Panel("", [trial.table.column(column)], limits, 150)
        yield f'<h3>{escape(column)} <span class="en">{len(events)} {_span("处发现", "findings")}</span></h3>'
        yield draw(trial.table.time / 1e9, [panel], _spans(events, trial), column, marks, zone=zone)
    yield _both(
        "虚线：学得的范围（不是安全限值）。红色：有规则动作的时段。",
        "Dashed: the learnt range, no safety limit. Red: some rule was tripped.",
    )


def _spans(events: Iterable[Event], trial: Trial) -> list[tuple[float, float]]:
    """Return the times in which rules were tripped, s, overlapping ones joined."""
    last = float(trial.table.time[-1]) / 1e9
    joined: list[tuple[float, float]] = []
    for event in events:
        begin = _second(event.begin)
        end = last if event.end is None else _second(event.end)
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _second(moment: np.datetime64) -> float:
    return float(moment.astype("datetime64[ns]").astype(np.int64)) / 1e9


def _rates(trial: Trial) -> str:
    rows = []
    for tried in sorted(trial.tried, key=lambda tried: -tried.alarms):
        placed = tried.placed
        kind, rate = texts.kind_text(placed.rule.name, placed.rule.kind), texts.rate_text(tried, trial)
        column = "—" if len(placed.columns) > 1 else placed.columns[0]
        rows.append((escape(column), _span(kind.zh, kind.en), _span(rate.zh, rate.en)))
    return _table((_span("列", "column"), _span("规则", "rule"), _span("报警", "alarms")), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = f"<tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>" if head else ""
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f'<div class="wide"><table>{top}{"".join(f"<tr>{line}</tr>" for line in lines)}</table></div>'


def _list(sentences: Iterable[Text]) -> str:
    items = (f'<li>{escape(text.zh)}<br><span class="en">{escape(text.en)}</span></li>' for text in sentences)
    return f"<ul>{''.join(items)}</ul>"


def _heading(zh: str, en: str) -> str:
    return f"<h2>{_span(zh, en)}</h2>"


def _both(zh: str, en: str) -> str:
    return f"<p>{_span(zh, en)}</p>"


def _words(text: Text) -> str:
    """Return a text in both languages, once if they are the same."""
    return escape(text.zh) if text.zh == text.en else _span(text.zh, text.en)


def _span(zh: str, en: str) -> str:
    return f'{escape(zh)} <span class="en">{escape(en)}</span>'
