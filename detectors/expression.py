"""Compiles expressions over points, of a short list of permitted forms, to NumPy.

Numbers; names of points, plain (`CAST_LEN`) or in braces (`{CW_IN_P-01}`); `+ - * /`; comparisons; `and or not`;
`abs(x)`, `min(a, b, ...)`, `max(a, b, ...)`; `lag(x, seconds)`, x as it was; `mean(x, seconds)`, its moving mean.
Truth is 1 and 0. Sides that single precision cannot tell apart are equal (`detectors.precision`). What is not known
(NaN) stays unknown, but `and`, `or` are decided as soon as one side decides them (Kleene's three-valued logic).

>>> of = compile_expression("{OUT-T} - IN_T > 15 and RUN == 1")
>>> of.names
('OUT-T', 'IN_T', 'RUN')
>>> of.evaluate([np.array([60.0, 60.0, 60.0]), np.array([40.0, 50.0, np.nan]), np.array([1.0, 1.0, 0.0])]).tolist()
[1.0, 0.0, 0.0]
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.masks import anywhere
from detectors.precision import SINGLE

Vector = NDArray[np.float64]
LookBack = Callable[[int, Vector], Vector]
"""Evaluates a call that looks back, from its number and the present values of its argument."""

LONGEST: Final = 1000
_MOST_PARTS: Final = 200
_BRACED: Final = re.compile(r"\{([^{}]*)\}")
_LOOK_BACK: Final = frozenset({"lag", "mean"})
_POINT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(slots=True)
class _Given:
    """The inputs of an evaluation; `sure`: nothing in it is unknown, so that truth has two values."""

    values: Sequence[Vector]
    numbers: Sequence[Vector]
    look_back: LookBack
    sure: bool


_Part = Callable[[_Given], Vector]


def _no_past(_call: int, now: Vector) -> Vector:
    return np.full(len(now), np.nan)


class ExpressionError(ValueError):
    """The text is not a valid expression: what was found, and what was expected."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"{found!r}: expected {expected}")
        self.found = found
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Remembered:
    """A call that looks back: `lag` or `mean`, over `seconds`."""

    function: str
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A compiled expression.

    Attributes:
        text: as written.
        names: the points it names, in the order of their first mention.
        calls: its calls that look back, in their order; they need state.
        numbers: its numbers, in their order.
        shape: the text without its numbers and names of points: equal shapes do the same arithmetic.
    """

    text: str
    names: tuple[str, ...]
    calls: tuple[Remembered, ...]
    numbers: tuple[float, ...]
    shape: str
    _value: _Part = field(repr=False)
    _plain: bool = field(repr=False)  # nothing in it can become unknown by itself

    def evaluate(
        self, values: Sequence[Vector], look_back: LookBack = _no_past, numbers: Sequence[Vector] = ()
    ) -> Vector:
        """The value (float64[k]) where the named points have `values` (one float64[k] a name), in their order.

        `numbers` (one float64[k] or a scalar array each) take the place of its own.
        """
        known = not any(anywhere(np.isnan(value)) for value in values)
        with np.errstate(all="ignore"):
            found = self.worth(values, look_back, numbers, known=known)
        return np.where(np.isfinite(found), found, np.nan)  # what a division by zero gives is not known

    def worth(self, values: Sequence[Vector], look_back: LookBack, numbers: Sequence[Vector], *, known: bool) -> Vector:
        """The same, for callers that know whether all is `known` (no value is NaN) and silence NumPy's warnings.

        A result that is not finite is returned as it is.
        """
        sure = self._plain and known
        found = self._value(_Given(values, numbers or [np.array(number) for number in self.numbers], look_back, sure))
        return found if found.ndim else np.full(len(values[0]), found)


def compile_expression(text: str) -> Expression:
    """Compile an expression as a person wrote it.

    Raises:
        ExpressionError: it uses anything but the permitted forms.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"{text[:40]}...", f"at most {LONGEST} characters")
    points: dict[str, str] = {}

    def plain(braced: re.Match[str]) -> str:
        if not _POINT.fullmatch(braced[1]):
            raise ExpressionError(braced[0], "the id of a point in braces")
        return points.setdefault(braced[1], f"_{len(points)}")

    python = _BRACED.sub(plain, text.strip())
    try:
        tree = ast.parse(python, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(text, "an expression such as OUT_T - IN_T, or LEN >= 500 and LEN <= 6300") from None
    if sum(1 for _ in ast.walk(tree)) > _MOST_PARTS:
        raise ExpressionError(f"{text[:40]}...", f"at most {_MOST_PARTS} parts")
    compiler = _Compiler({given: name for name, given in points.items()})
    value = compiler.compiled(tree.body)
    if not compiler.names:
        raise ExpressionError(text, "at least one point")
    sure = not compiler.calls and not any(isinstance(node, ast.Div) for node in ast.walk(tree))
    shape = ast.unparse(_Shaped({name: f"p{at}" for at, name in enumerate(compiler.names)}, points).visit(tree))
    return Expression(text, tuple(compiler.names), tuple(compiler.calls), tuple(compiler.numbers), shape, value, sure)


_ARITHMETIC: Final[dict[type, Callable[..., Vector]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_COMPARISONS: Final = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_FORMS: Final = "numbers, points, + - * /, comparisons, and, or, not, abs, min, max, lag, mean"


class _Shaped(ast.NodeTransformer):
    """Replaces numbers and names of points in a tree by placeholders; seconds of calls that look back stay."""

    def __init__(self, names: dict[str, str], braced: dict[str, str]) -> None:
        self._names = names | {given: names[name] for name, given in braced.items()}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        looks_back = isinstance(node.func, ast.Name) and node.func.id in _LOOK_BACK
        node.args = [self.visit(arg) for arg in node.args[:1]] + (
            node.args[1:] if looks_back else [self.visit(arg) for arg in node.args[1:]]
        )
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._names[node.id])

    def visit_Constant(self, node: ast.Constant) -> ast.AST:  # noqa: ARG002  named by ast
        return ast.Name("n")


class _Compiler:
    """One pass over the tree: every node becomes a function of the points' values."""

    def __init__(self, braced: dict[str, str]) -> None:
        self.names: list[str] = []
        self.calls: list[Remembered] = []
        self.numbers: list[float] = []
        self._braced = braced

    def compiled(self, node: ast.expr) -> _Part:  # noqa: PLR0911  one return a permitted form
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return self._number(node, float(number))
            case ast.Name(id=name):
                return self._point(self._braced.get(name, name))
            case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
                return _joined(_ARITHMETIC[type(op)], self.compiled(left), self.compiled(right))
            case ast.UnaryOp(ast.USub(), operand):
                return _joined(np.negative, self.compiled(operand))
            case ast.UnaryOp(ast.Not(), operand):
                part = self._truth(operand)
                return lambda given: 1.0 - part(given)
            case ast.BoolOp(op, values):
                parts = [self._truth(value) for value in values]
                join = _and if isinstance(op, ast.And) else _or
                return lambda given: join([part(given) for part in parts], sure=given.sure)
            case ast.Compare(left, ops, comparators):
                return self._comparison([left, *comparators], ops)
            case ast.Call(ast.Name(id=function), args, []):
                return self._call(node, function, args)
        raise ExpressionError(ast.unparse(node), _FORMS)

    def _truth(self, node: ast.expr) -> _Part:
        """A part that gives 1 or 0, converted only where its form does not."""
        part = self.compiled(node)
        match node:
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not()):
                return part
        return lambda given: _truth(part(given), sure=given.sure)

    def _number(self, node: ast.expr, number: float) -> _Part:
        if not np.isfinite(number):
            raise ExpressionError(ast.unparse(node), "a finite number")
        self.numbers.append(number)
        at = len(self.numbers) - 1
        return lambda given: given.numbers[at]

    def _point(self, name: str) -> _Part:
        if name not in self.names:
            self.names.append(name)
        at = self.names.index(name)
        return lambda given: given.values[at]

    def _comparison(self, sides: list[ast.expr], ops: list[ast.cmpop]) -> _Part:
        for op in ops:
            if type(op) not in _COMPARISONS:
                raise ExpressionError(type(op).__name__, "one of < <= > >= == !=")
        parts = [self.compiled(side) for side in sides]
        tests = [
            _compared(_COMPARISONS[type(op)], left, right)
            for op, left, right in zip(ops, parts, parts[1:], strict=False)
        ]
        return tests[0] if len(tests) == 1 else lambda given: _and([test(given) for test in tests], sure=given.sure)

    def _call(self, node: ast.expr, function: str, args: list[ast.expr]) -> _Part:
        match function, args:
            case "abs", [one]:
                return _joined(np.abs, self.compiled(one))
            case (("min" | "max"), [_, _, *_]):
                join = np.minimum if function == "min" else np.maximum
                parts = [self.compiled(arg) for arg in args]
                return lambda given: reduce(join, (part(given) for part in parts))
            case (name, [of, ast.Constant(value=int() | float() as seconds)]) if name in _LOOK_BACK and seconds > 0:
                part, number = self.compiled(of), len(self.calls)
                self.calls.append(Remembered(function, float(seconds)))
                return lambda given: given.look_back(number, part(given))
        raise ExpressionError(ast.unparse(node), "abs(x), min(a, b), max(a, b), lag(x, seconds) or mean(x, seconds)")


def _joined(function: Callable[..., Vector], *parts: _Part) -> _Part:
    return lambda given: function(*(part(given) for part in parts))


def _compared(test: Callable[[Vector, Vector], NDArray[np.bool_]], left: _Part, right: _Part) -> _Part:
    def compared(given: _Given) -> Vector:
        a, b = left(given), right(given)
        same = np.abs(a - b) <= SINGLE * np.maximum(np.abs(a), np.abs(b))
        truth = test(np.where(same, b, a) if anywhere(same) else a, b).astype(np.float64)
        return truth if given.sure else np.where(np.isnan(a + b), np.nan, truth)

    return compared


def _truth(value: Vector, *, sure: bool) -> Vector:
    truth = (value != 0).astype(np.float64)
    return truth if sure else np.where(np.isnan(value), np.nan, truth)


def _and(truths: Sequence[Vector], *, sure: bool) -> Vector:
    least = reduce(np.minimum, truths)  # NaN wherever one is unknown
    if sure:
        return least
    return np.where(reduce(np.logical_or, [truth == 0 for truth in truths]), 0.0, least)


def _or(truths: Sequence[Vector], *, sure: bool) -> Vector:
    most = reduce(np.maximum, truths)
    if sure:
        return most
    return np.where(reduce(np.logical_or, [truth == 1 for truth in truths]), 1.0, most)
