"""Prints the explanation of a point as tables that fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingest.domain.model.plant import Rationalization
from ingest.domain.model.text import Text
from ingest.plants.explain import PLANT_FILE, Key, PointNote, RuleNote
from ingest.plants.kinds.localized import seconds
from ingest.web.texts.needs import needs_text

_ORIGIN = {PLANT_FILE: "企业文件 plant file", "catalogue": "目录 catalogue"}
_RED = "\n[red]单独触发红色预警 alone calls for red[/]"


def print_point(note: PointNote, instrument: Iterable[str], out: Console) -> None:
    """Print which rules evaluate a point, and where each number comes from; `instrument`: lines on its instrument."""
    low, high = note.range
    was = f" (原 was {escape(note.was)})" if note.was is not None else ""
    out.print(f"[bold]{escape(note.plant)}/{escape(note.id)}[/]{was} {note.name.zh} {note.name.en}")
    out.print(f"{note.signal} · 量程 range {low:g} … {high:g} {note.unit}".rstrip())
    setpoint = f"{note.setpoint:g} {note.unit}".rstrip() if note.setpoint is not None else "—"
    out.print(f"设定值 set-point {setpoint} · 最长静默 longest silence {note.silence_s:g} s")
    duty = "必设 mandatory · " if note.mandatory else ""
    out.print(f"{duty}依据 basis {note.basis or '—'}", markup=False)
    _list(out, "仪表 instrument", instrument)
    out.print(_rules(note))
    for rule in note.rules:
        _list(out, f"处置要点 what to do · {rule.code}", _asked(rule.rationalization))
    _list(out, "未评估 not judged", (f"{rule.code}: {needs_text(rule.needs)}" for rule in note.not_evaluated))
    _list(out, "已停用 disabled", (f"{code} ({_ORIGIN[by]})" for code, by in note.disabled))
    _list(
        out,
        "其他测点引用 looked at by rules of other points",
        (f"{dependent.point} {dependent.code}: {dependent.how}" for dependent in note.dependents),
    )


def _rules(note: PointNote) -> Table:
    table = Table(show_lines=True, expand=True)
    table.add_column("规则 rule", ratio=2, overflow="fold")
    table.add_column("说明 what it says", ratio=5, overflow="fold")
    table.add_column("数值出处 where its numbers are from", ratio=4, overflow="fold")
    for rule in note.rules:
        table.add_row(
            f"[bold]{rule.code}[/]\n{rule.kind}\n{rule.level} 级 level{_RED if rule.red else ''}",
            escape("\n".join(_description(rule))),
            escape("\n".join(_numbers(rule))),
        )
    return table


def _description(rule: RuleNote) -> Iterator[str]:
    yield rule.reason.zh
    yield rule.reason.en
    if rule.phases:
        yield f"阶段 phases {'、'.join(p.zh for p in rule.phases)} {', '.join(p.en for p in rule.phases)}"
    if rule.gate:
        yield f"仅当 only while {rule.gate}"
    for needed in rule.lacking:
        yield f"unless 未生效 left out: {needs_text(needed)}"


def _asked(asked: Rationalization | None) -> Iterator[str]:
    if asked is None:
        yield "无处置要点 no instruction on file"
        return
    soon = seconds(asked.respond_s)
    for label, text in (
        ("处置 action", asked.action),
        ("后果 consequence", asked.consequence),
        ("原因 cause", asked.cause),
        ("响应时间 time to respond", Text(f"{soon.zh}内", f"within {soon.en}")),
    ):
        yield f"{label}: {text.zh}"
        if text.en != text.zh:
            yield text.en
    yield f"{asked.source} ({asked.confidence})"


def _numbers(rule: RuleNote) -> Iterator[str]:
    for origin, label in _ORIGIN.items():
        keys = [_key(key) for key in rule.keys if key.origin == origin]
        if keys:
            yield f"{label}: {', '.join(keys)}"
    yield f"{rule.source} ({rule.confidence})"


def _key(key: Key) -> str:
    value = f"{key.value:g}" if isinstance(key.value, float) else str(key.value)
    return f"{key.name} = {value}"


def _list(out: Console, title: str, lines: Iterable[str]) -> None:
    known = list(lines)
    out.print(f"[bold]{title}[/]: {'—' if not known else ''}")
    for line in known:
        out.print(f"  {line}", markup=False)
