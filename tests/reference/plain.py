"""The detectors once more, as plain loops over one reading at a time: slow, obvious, written without the fast ones."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

OPS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def at(value: float, limit: float, *made_of: float) -> float:
    """The value, or the limit if single precision cannot tell it from that; `made_of`: what it is the difference of."""
    unsure = 2.0**-24 * sum(abs(part) for part in made_of or (limit,))
    return limit if abs(value - limit) <= unsure else value


@dataclass
class World:
    """What is known of every point: the newest reading's time, the newest usable one's time and value; `log`: all."""

    newest: dict[int, int] = field(default_factory=dict)
    usable: dict[int, tuple[int, float]] = field(default_factory=dict)
    log: list[tuple[int, int, float]] = field(default_factory=list)

    def takes(self, point: int, time: int, value: float) -> bool:
        """Take note of a reading; False if it is no news (late, or sent twice)."""
        if time <= self.newest.get(point, -(2**62)):
            return False
        self.newest[point] = time
        self.log.append((point, time, value))
        if not math.isnan(value):
            self.usable[point] = (time, value)
        return True

    def value(self, point: int) -> float:
        """The newest usable value of a point, NaN if there was none."""
        return self.usable.get(point, (0, math.nan))[1]


@dataclass
class PlainRule:
    """One rule with plain values; times in ns."""

    kind: str
    number: int
    point: int
    on: float
    off: float
    on_delay: int
    off_delay: int
    param: dict[str, float]
    gate: tuple[int, str, float] | None = None
    inputs: tuple[int, ...] = ()
    need: int = 1
    of: int = 1
    memory: dict[str, Any] = field(default_factory=dict)
    condition: bool = False
    since: int = 0
    tripped: bool = False
    hits: list[bool] = field(default_factory=list)

    def judge(self, time: int, value: float, world: World, scores: Scores) -> tuple[bool, int] | None:
        """Take one reading; returns (tripped, since) if the verdict changed."""
        gate_value = world.value(self.gate[0]) if self.gate else 0.0
        known = not math.isnan(gate_value)
        judged = self.gate is None or (known and OPS[self.gate[1]](at(gate_value, self.gate[2]), self.gate[2]))
        score = scores[self.kind](self, time, value, judged, world)
        if not judged:
            score = -math.inf if known else math.nan
        if math.isnan(score):
            return None
        condition = self._condition(score)
        if condition != self.condition:
            self.condition, self.since = condition, time
        delay = self.on_delay if condition else self.off_delay
        if time - self.since < delay or condition == self.tripped:
            return None
        self.tripped = condition
        return condition, self.since

    @property
    def begins_anew(self) -> float:
        """The score at which kinds that begin anew once they have found something do."""
        return self.on

    def _condition(self, score: float) -> bool:
        on = (score if self.kind == "range" else at(score, self.on)) >= self.on
        off = (score if self.kind == "range" else at(score, self.off)) <= self.off
        if self.of > 1:
            self.hits = [*self.hits, on][-self.of :]
            return sum(self.hits) >= self.need
        if on:
            return True
        return False if off else self.condition


Score = Callable[[PlainRule, int, float, bool, World], float]
"""Score of a reading (time, value), judged or not (a closed gate); `rule.memory` is for what it must remember."""

Scores = Mapping[str, Score]


def run(
    rules: list[PlainRule], readings: list[tuple[int, int, float]], scores: Scores
) -> list[tuple[int, bool, int, int]]:
    """Judge readings (point, time, value) one by one; returns (rule, tripped, time, since), sorted as findings are."""
    return run_frames(rules, [[reading] for reading in readings], scores)


def run_frames(
    rules: list[PlainRule], frames: list[list[tuple[int, int, float]]], scores: Scores
) -> list[tuple[int, bool, int, int]]:
    """The same, of readings that came together: each is judged by what all of its frame say."""
    found, world = [], World()
    for frame in frames:
        for point, time, value in [reading for reading in frame if world.takes(*reading)]:
            verdicts = [(rule.number, rule.judge(time, value, world, scores)) for rule in rules if rule.point == point]
            found += [(number, verdict[0], time, verdict[1]) for number, verdict in verdicts if verdict is not None]
    return sorted(found, key=lambda f: (f[2], f[1], f[0]))
