"""Rules for a plant file, suggested by a trial: TOML to paste below the points that the columns are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ingest.cli.trying.texts import kind_text, rate_text
from ingest.cli.trying.trial import HIGH, Trial, Tried
from ingest.domain.model.text import Text

MOST_A_DAY: Final = 1.0
"""Alarms a day beyond which a rule that tripped more than once is written as a comment."""

_CODES: Final = {"surprise": "SURPRISE", "mahalanobis": "GROUP"}
_NOT_AN_ID: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_MOST: Final = 64  # characters of a point's id
_HEAD: Final = (
    Text(
        "由 yujing try 从数据学得的建议，不是安全限值，也不是法规要求。使用前由懂工艺的人核对。",
        "Suggested by yujing try, learnt from data: no safety limits and no regulation. Somebody who knows the process"
        " checks them before they are used.",
    ),
    Text(
        "把每一段粘贴到对应测点的 [[points]] 之下；peers 中写本企业文件的测点编号。",
        "Paste each part below the [[points]] of the point that the column is; peers are ids of points of that file.",
    ),
)


def point_ids(columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the id of the point that each column is: as given, else made of its name.

    >>> point_ids(["Volume Flow (l/min)", "温度", "P"], {"P": "P-01"})
    {'Volume Flow (l/min)': 'Volume-Flow-l-min', '温度': 'COLUMN-2', 'P': 'P-01'}
    """
    found: dict[str, str] = {}
    for number, column in enumerate(columns, 1):
        made = _NOT_AN_ID.sub("-", column).strip("-_.")[:_MOST] or f"COLUMN-{number}"
        wanted = given.get(column, made)
        found[column] = f"{wanted[: _MOST - 4]}-{number}" if wanted in found.values() else wanted
    return found


def too_often(tried: Tried) -> bool:
    """Whether a rule would have alarmed so often that it is not suggested."""
    return tried.alarms > 1 and tried.a_day > MOST_A_DAY


def suggested(trial: Trial, ids: Mapping[str, str]) -> str:
    """Return the suggested rules as TOML, point by point; those that alarm too often are comments."""
    lines = [f"# {text}" for head in _HEAD for text in (head.zh, head.en)]
    for column in trial.table.columns:
        rules = [tried for tried in trial.tried if tried.placed.columns[0] == column]
        if rules:
            lines += ["", f"# ── {_line(column)} → [[points]] id = {_text(ids[column])}"]
        for tried in rules:
            lines += ["", *_rule(tried, trial, ids)]
    return "\n".join([*lines, ""])


def _rule(tried: Tried, trial: Trial, ids: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of one rule."""
    rate, kind = rate_text(tried, trial), kind_text(tried.placed.rule.name, tried.placed.rule.kind)
    yield f"# {kind.zh}；{rate.zh}"
    yield f"# {kind.en}; {rate.en}"
    mark = ""
    if too_often(tried):
        yield "# 报警太多，未建议：先查明原因，或用更长的正常数据学习。"
        yield "# Too often, not suggested: find out why, or learn from more healthy running."
        mark = "# "
    for line in _table(tried, trial, ids):
        yield f"{mark}{line}"


def _table(tried: Tried, trial: Trial, ids: Mapping[str, str]) -> Iterator[str]:
    placed = tried.placed
    rule, param = placed.rule, placed.param
    learnt = f"the first {trial.lesson} rows of {Path(trial.table.name).name}"
    source = f"yujing try: learnt from {learnt}, no safety limit, no regulation"
    yield f"[points.rules.{_CODES.get(rule.kind, rule.name)}]"
    yield f"kind = {_text(rule.kind)}"
    yield "level = 1"
    label = kind_text(rule.name, rule.kind)
    yield f"label = {_text(label.zh)}"
    yield f"label_en = {_text(label.en)}"
    if rule.kind == "limit":
        side = 1 if rule.name == HIGH else -1
        yield f'side = "{"high" if side > 0 else "low"}"'
        yield f"on = {side * rule.on!r}"
        yield f"off = {side * rule.off!r}"
    elif rule.kind == "surprise":
        yield f"least = {param['least']!r}"
        yield f"offset_s = {param['offset_s']!r}"
    else:
        yield f"peers = [{', '.join(_text(ids[column]) for column in placed.columns[1:])}]"
        yield f"train = {int(param['train'])}"
        yield f"fresh_s = {param['fresh_s']!r}"
        yield f"gap_s = {param['gap_s']!r}"
    yield f"source = {_text(source)}"
    yield 'confidence = "engineering default"'


def _text(text: str) -> str:
    """Return a TOML string."""
    escaped = {"\\": "\\\\", '"': '\\"'}
    shown = (f"\\u{ord(char):04x}" if ord(char) < 32 or ord(char) == 127 else escaped.get(char, char) for char in text)
    return f'"{"".join(shown)}"'


def _line(text: str) -> str:
    """Return a text that stays on one line of a comment."""
    return " ".join(text.split())
