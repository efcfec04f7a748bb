"""Parses gates (`when`, the condition under which a rule is evaluated) and finds the points they name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, cast

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.plant import Gate, GateOp
from ingest.domain.model.text import Text

ALWAYS: Final = "always"
"""Instead of a condition: evaluated at all times."""

EXPECTED: Final = Text(
    f'"{ALWAYS}"，或由信号或测点、比较符 == != < <= > >= 之一和一个数（或设定值的百分数）组成的条件，'
    "或用 and、or、not 连接的几个条件",
    f'"{ALWAYS}", or a signal or point, one of == != < <= > >=, and a number (or percent of its set-point);'
    " or several of them with and, or, not",
)

_WHEN: Final = re.compile(
    r"\s*\{?([A-Za-z0-9][A-Za-z0-9_.-]*)\}?\s*(==|!=|<=|>=|<|>)\s*([-+]?\d+(?:\.\d+)?)\s*(%?)\s*",
)


class Missing(Exception):
    """The plant file lacks something a rule needs: `key` is the rule's key that needs `what`."""

    def __init__(self, key: str, what: Text) -> None:
        super().__init__(f"needs {what.en}")
        self.key = key
        self.what = what


@dataclass(frozen=True, slots=True)
class When:
    """A comparison as written: `name` is a signal or a point; a percent is of that point's set-point."""

    name: str
    op: GateOp
    number: float
    percent: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The one name in it."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Peers:
    """Further points a rule reads, as written under `key`.

    Attributes:
        where: those on the same equipment or in the whole plant, or names.
        alike: only points of the same signal; otherwise all measured values.
        least: how many there must be.
    """

    key: str
    where: Literal["equipment", "plant"] | tuple[str, ...]
    alike: bool
    least: int = 1


@dataclass(frozen=True, slots=True)
class Nearby:
    """Further points a rule reads, by their ids or signals, as written under `key`.

    All of them on the same equipment; where it has none of `needed`, all of them in the plant. Names without a point
    are left out, as long as one of `needed` has one.
    """

    key: str
    names: tuple[str, ...]
    needed: frozenset[str]


class Candidate(Protocol):
    """What rules of other points need to know of a point."""

    @property
    def id(self) -> str:
        """Its id in the plant."""

    @property
    def signal(self) -> str:
        """Its catalogue code."""

    @property
    def equipment(self) -> str | None:
        """The machine it belongs to."""

    @property
    def setpoint(self) -> float | None:
        """Its set-point, if the plant gave one."""


def parse_when(text: str) -> When | None:
    """Parse one comparison; None for `always`.

    Raises:
        InvalidValue: it is neither; the message says what is expected.

    >>> parse_when("ALC_CAST_LEN >= 500")
    When(name='ALC_CAST_LEN', op='>=', number=500.0, percent=False)
    """
    if text == ALWAYS:
        return None
    found = _WHEN.fullmatch(text)
    if not found:
        raise InvalidValue(EXPECTED)
    return When(found[1], cast("GateOp", found[2]), float(found[3]), percent=bool(found[4]))


def gates_in(text: str) -> list[Gate]:
    """Return the comparisons of points with numbers in an expression of several, without those in percent.

    >>> gates_in("A-1 > 2 and not B == 1")
    [Gate(point='A-1', op='>', value=2.0), Gate(point='B', op='==', value=1.0)]
    """
    return [Gate(found[1], cast("GateOp", found[2]), float(found[3])) for found in _WHEN.finditer(text) if not found[4]]


def find_gate(when: When, equipment: str | None, points: Sequence[Candidate], key: str = "when") -> Gate:
    """Return the gate on a point of the plant.

    Raises:
        Missing: the plant has no such point, several that could be meant, or the point has no set-point to take a
            percent of.
    """
    point = find_point(when.name, equipment, points, key)
    if not when.percent:
        return Gate(point.id, when.op, when.number)
    if point.setpoint is None:
        raise Missing(key, setpoint_of(point.id))
    return Gate(point.id, when.op, point.setpoint * when.number / 100)


def find_point(name: str, equipment: str | None, points: Sequence[Candidate], key: str) -> Candidate:
    """Return the point of that id, else the one of that signal on the equipment, else the only one of that signal.

    Raises:
        Missing: there is none, or several could be meant.
    """
    known = next((p for p in points if p.id == name), None)
    if known is not None:
        return known
    alike = [p for p in points if p.signal == name]
    beside = [p for p in alike if equipment is not None and p.equipment == equipment]
    for found in (beside, alike):
        if len(found) == 1:
            return found[0]
    if not alike:
        raise Missing(key, a_point_of(name))
    ids = [point.id for point in alike]
    raise Missing(
        key,
        Text(
            f"同一设备上唯一的测点：{name}（现有 {'、'.join(ids)}，无法确定用哪一个）",
            f"one point of {name} on its equipment, to know which of {', '.join(ids)}",
        ),
    )


def a_point_of(*names: str) -> Text:
    """Return that a point of one of these signals or ids is needed."""
    zh = f"测点：{names[0]}" if len(names) == 1 else f"以下任一测点：{'、'.join(names)}"
    return Text(zh, f"a point of {' or '.join(names)}")


def setpoint_of(point: str) -> Text:
    """Return that a point's set-point is needed."""
    return Text(f"测点 {point} 的设定值", f"setpoint of {point}")


def known_name(name: str) -> Text:
    """Return that the name of a signal or point is expected instead of that one."""
    return Text(f"已知的信号或测点；{name} 不是", f"a known signal or point, which {name} is not")
