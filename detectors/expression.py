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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.comparisons import truth
from detectors.masks import anywhere
from detectors.rules import GATE_OPS

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
    truths: Sequence[Vector]
    look_back: LookBack
    sure: bool


Part = Callable[[_Given], Vector]
"""What a piece of an expression gives."""


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
class Comparison:
    """A comparison of a point with a number, or of two points: many such can be made at once.

    Attributes:
        left, right: its sides: which of the expression's names; or what gives a number from its numbers.
        test: index in `detectors.rules.GATE_OPS`.
    """

    left: int | Part
    right: int | Part
    test: int

    def sides(self, values: Sequence[Vector], numbers: Sequence[Vector]) -> tuple[Vector, Vector]:
        """What both sides are, given the values of the names, and the numbers of the expression."""
        left, right = (values[s] if isinstance(s, int) else constant(s, numbers) for s in (self.left, self.right))
        return left, right


def constant(part: Part, numbers: Iterable[Vector]) -> Vector:
    """What a part without points gives for these numbers."""
    return part(_Given((), [*numbers], (), _no_past, sure=True))


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A compiled expression.

    Attributes:
        text: as written.
        names: the points it names, in the order of their first mention.
        calls: its calls that look back, in their order; they need state.
        numbers: its numbers, in their order.
        shape: the text without its numbers and names of points: equal shapes do the same arithmetic.
        comparisons: those of its comparisons that can be made for many expressions at once.
        decided: what they give decides it, since it names points nowhere else.
    """

    text: str
    names: tuple[str, ...]
    calls: tuple[Remembered, ...]
    numbers: tuple[float, ...]
    shape: str
    comparisons: tuple[Comparison, ...]
    decided: bool
    _value: Part = field(repr=False)
    _plain: bool = field(repr=False)  # nothing in it can become unknown by itself

    def evaluate(
        self, values: Sequence[Vector], look_back: LookBack = _no_past, numbers: Sequence[Vector] = ()
    ) -> Vector:
        """The value (float64[k]) where the named points have `values` (one float64[k] a name), in their order.

        `numbers` (one float64[k] or a scalar array each) take the place of its own.
        """
        known = not any(anywhere(np.isnan(value)) for value in values)
        numbers = numbers or [np.array(number) for number in self.numbers]
        with np.errstate(all="ignore"):
            found = self.worth(values, look_back, numbers, None, known=known)
        return np.where(np.isfinite(found), found, np.nan)  # what a division by zero gives is not known

    def worth(
        self,
        values: Sequence[Vector],
        look_back: LookBack,
        numbers: Sequence[Vector],
        compared: Sequence[Vector] | None,
        *,
        known: bool,
    ) -> Vector:
        """The same, for callers that know whether all is `known` (no value is NaN) and silence NumPy's warnings.

        `compared`: what its `comparisons` give (1, 0 or NaN, one float64[k] each), for callers that made them. A
        result that is not finite is returned as it is.
        """
        if compared is None:
            compared = [
                truth(*comparison.sides(values, numbers), comparison.test, known=known and self._plain)
                for comparison in self.comparisons
            ]
        found = self._value(_Given(values, numbers, compared, look_back, self._plain and known))
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
    return Expression(
        text,
        tuple(compiler.names),
        tuple(compiler.calls),
        tuple(compiler.numbers),
        shape,
        tuple(compiler.comparisons),
        compiler.decided and not compiler.calls,
        value,
        sure,
    )


_ARITHMETIC: Final[dict[type, Callable[..., Vector]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_COMPARISONS: Final[dict[type, int]] = {
    ast.Lt: GATE_OPS.index("<"),
    ast.LtE: GATE_OPS.index("<="),
    ast.Eq: GATE_OPS.index("=="),
    ast.NotEq: GATE_OPS.index("!="),
    ast.GtE: GATE_OPS.index(">="),
    ast.Gt: GATE_OPS.index(">"),
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
        self.comparisons: list[Comparison] = []
        self.decided = True
        self._braced = braced

    def compiled(self, node: ast.expr) -> Part:  # noqa: PLR0911  one return a permitted form
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return self._number(node, float(number))
            case ast.Name():
                self.decided = False
                at = self._named(node)
                return lambda given: given.values[at]
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

    def _truth(self, node: ast.expr) -> Part:
        """A part that gives 1 or 0, converted only where its form does not."""
        part = self.compiled(node)
        match node:
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not()):
                return part
        return lambda given: _truth(part(given), sure=given.sure)

    def _number(self, node: ast.expr, number: float) -> Part:
        if not np.isfinite(number):
            raise ExpressionError(ast.unparse(node), "a finite number")
        self.numbers.append(number)
        at = len(self.numbers) - 1
        return lambda given: given.numbers[at]

    def _named(self, node: ast.Name) -> int:
        """Which of the names it is."""
        name = self._braced.get(node.id, node.id)
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def _comparison(self, sides: list[ast.expr], ops: list[ast.cmpop]) -> Part:
        for op in ops:
            if type(op) not in _COMPARISONS:
                raise ExpressionError(type(op).__name__, "one of < <= > >= == !=")
        if not all(isinstance(side, ast.Name) or not any(_points(side)) for side in sides):
            parts = [self.compiled(side) for side in sides]
            tests = [
                _compared(_COMPARISONS[type(op)], left, right)
                for op, left, right in zip(ops, parts, parts[1:], strict=False)
            ]
        else:
            simple = [self._named(side) if isinstance(side, ast.Name) else self.compiled(side) for side in sides]
            first = len(self.comparisons)
            self.comparisons += [
                Comparison(left, right, _COMPARISONS[type(op)])
                for op, left, right in zip(ops, simple, simple[1:], strict=False)
            ]
            tests = [partial(_compared_before, at) for at in range(first, len(self.comparisons))]
        return tests[0] if len(tests) == 1 else lambda given: _and([test(given) for test in tests], sure=given.sure)

    def _call(self, node: ast.expr, function: str, args: list[ast.expr]) -> Part:
        match function, args:
            case "abs", [arg]:
                return _joined(np.abs, self.compiled(arg))
            case (("min" | "max"), [_, _, *_]):
                join = np.minimum if function == "min" else np.maximum
                parts = [self.compiled(arg) for arg in args]
                return lambda given: reduce(join, (part(given) for part in parts))
            case (name, [of, ast.Constant(value=int() | float() as seconds)]) if name in _LOOK_BACK and seconds > 0:
                part, number = self.compiled(of), len(self.calls)
                self.calls.append(Remembered(function, float(seconds)))
                return lambda given: given.look_back(number, part(given))
        raise ExpressionError(ast.unparse(node), "abs(x), min(a, b), max(a, b), lag(x, seconds) or mean(x, seconds)")


def _joined(function: Callable[..., Vector], *parts: Part) -> Part:
    return lambda given: function(*(part(given) for part in parts))


def _compared(test: int, left: Part, right: Part) -> Part:
    return lambda given: truth(left(given), right(given), test, known=given.sure)


def _compared_before(at: int, given: _Given) -> Vector:
    return given.truths[at]


def _points(node: ast.expr) -> Iterator[ast.expr]:
    """All in a tree that is no number: names of points and calls."""
    return (part for part in ast.walk(node) if isinstance(part, ast.Name | ast.Call))


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
