"""Expressions over points (`of`, compound `when` and `unless`): checked when read, bound to points of a plant later."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from detectors import ExpressionError, compile_expression
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text
from ingest.domain.model.translations import translated, translations
from ingest.plants.gates import EXPECTED as CONDITION
from ingest.plants.gates import Candidate, Missing, When, parse_when, setpoint_of

EXPECTED: Final = Text(
    "由信号或测点组成的算式，如 OUT_T - IN_T", "an expression of signals or points, such as OUT_T - IN_T"
)

_EXPRESSIONS: Final = translations(
    (
        (r"at most (\d+) characters", r"至多 \1 个字符"),
        (r"at most (\d+) parts", r"至多 \1 个组成部分"),
        (r"the id of a point in braces", "花括号内为测点编号"),
        (r"an expression such as (.+), or (.+)", r"算式，如 \1 或 \2"),
        (r"at least one point", "至少一个测点"),
        (r"numbers, points, (.+), comparisons, (.+)", r"数、测点、\1、比较、\2"),
        (r"a finite number", "有限的数"),
        (r"one of ([<>=! ]+)", r"\1 之一"),
        (r"(abs.+) or (.+)", r"\1 或 \2"),
    )
)
"""Chinese of what `detectors.ExpressionError` expects."""

_SETPOINT: Final = re.compile(r"\bsetpoint\(\s*(?:\{([^{}]*)\}|([A-Za-z0-9_]+))\s*\)")
_NAME: Final = re.compile(r"\{([^{}]*)\}|\b([A-Za-z_][A-Za-z0-9_]*)\b(?!\s*\()")
_COMPARES: Final = re.compile(r"[<>]|[=!]=")
_WORDS: Final = frozenset({"and", "or", "not"})
_NESTING: Final = re.compile(r"\{[^{}]*\}|[()]|\bor\b")


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression as written.

    Attributes:
        text: with `setpoint(NAME)` in it.
        points: names whose values it needs, in the order of first use.
        setpoints: names whose set-points it needs.
    """

    text: str
    points: tuple[str, ...]
    setpoints: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name in it."""
        return tuple(dict.fromkeys((*self.points, *self.setpoints)))


@dataclass(frozen=True, slots=True)
class BoundFormula:
    """An expression bound to points of a plant.

    Attributes:
        text: for `detectors.compile_expression`; set-points are numbers in it.
        points: ids of the points its names stand for, in their order.
        shown: the same for people, with ids for names.
    """

    text: str
    points: tuple[str, ...]
    shown: str


def parse_formula(text: str) -> Formula:
    """Parse an expression.

    Raises:
        InvalidValue: it is not one; the message says what is wrong and what is expected.

    >>> parse_formula("LEN <= setpoint(LEN) - 200 and {IN_P-01} > 0.1").points
    ('LEN', 'IN_P-01')
    """
    setpoints = tuple(dict.fromkeys(braced or plain for braced, plain in _SETPOINT.findall(text)))
    try:
        found = compile_expression(_SETPOINT.sub("1", text))
    except ExpressionError as error:
        expected = expression_text(error.expected)
        raise InvalidValue(
            Text(
                f"{EXPECTED.zh}；{error.found!r} 处应为：{expected.zh}",
                f"{EXPECTED.en}; at {error.found!r}: {expected.en}",
            )
        ) from None
    return Formula(text, found.names, setpoints)


def condition(text: str) -> When | Formula | None:
    """Parse `when` or `unless`: one comparison, an expression of several, or None for `always`.

    Raises:
        InvalidValue: it is neither; the message says what is expected.
    """
    try:
        return parse_when(text)
    except InvalidValue:
        if not _COMPARES.search(text):
            raise
    try:
        return parse_formula(text)
    except InvalidValue as error:
        zh, en = f"{CONDITION.zh}；{error.expected.zh}", f"{CONDITION.en}; {error.expected.en}"
        raise InvalidValue(Text(zh, en)) from None


def expression_text(expected: str) -> Text:
    """Return what the detection core expects of an expression in both languages; an unknown text as it is.

    >>> expression_text("at least one point").zh
    '至少一个测点'
    """
    return Text(translated(expected, _EXPRESSIONS) or expected, expected)


def alternatives(text: str) -> tuple[str, ...]:
    """Return the parts of a condition of which any one is enough: those joined by `or` outside of parentheses.

    >>> alternatives("A > 5 or B > 0 and (C > 1 or D > 1)")
    ('A > 5', 'B > 0 and (C > 1 or D > 1)')
    """
    parts, depth, begin = [], 0, 0
    for found in _NESTING.finditer(text):
        match found[0]:
            case "(":
                depth += 1
            case ")":
                depth -= 1
            case "or" if depth == 0:
                parts.append(text[begin : found.start()].strip())
                begin = found.end()
    return (*parts, text[begin:].strip())


def bind(formula: Formula, find: Callable[[str], Candidate], key: str) -> BoundFormula:
    """Bind an expression to points.

    Args:
        formula: the expression.
        find: returns the point a name stands for; raises Missing.
        key: the rule's key it is the value of.

    Raises:
        Missing: a point, or its set-point, is not there.
    """

    def setpoint(found: re.Match[str]) -> str:
        point = find(found[1] or found[2])
        if point.setpoint is None:
            raise Missing(key, setpoint_of(point.id))
        return f"{point.setpoint:.12g}"

    ids = {name: find(name).id for name in formula.points}
    text = _SETPOINT.sub(setpoint, formula.text)
    shown = _NAME.sub(lambda found: ids.get(found[1] or found[2], found[0]), text)
    return BoundFormula(text, tuple(ids[name] for name in formula.points), shown)


def quoted_name(name: str) -> str:
    """Return a name in the form expressions accept.

    >>> quoted_name("CAST_LEN"), quoted_name("CAST_LEN-01")
    ('CAST_LEN', '{CAST_LEN-01}')
    """
    return name if name.isidentifier() and name not in _WORDS else f"{{{name}}}"
