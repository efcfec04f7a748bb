"""The scores of one rule, reading by reading: by the scorer in batches, and by its plain loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import Readings
from detectors.detector import Blaming, Scorer, ScoringDetector
from detectors.feed import Known, make_feed
from detectors.registry import SCORERS
from detectors.runs import Runs
from detectors.trip import Arrays
from tests.detectors.rule_tables import SECOND, table
from tests.reference.plain import OPS, PlainRule, World
from tests.reference.scores import SCORES

START = 1_700_000_000 * SECOND


@dataclass(frozen=True)
class Scored:
    """One reading's score; the cause is -1 where the kind names none."""

    time: int
    score: float
    cause: int = -1


Row = tuple[int, int, float]  # point, time, value


def side_by_side(values: Sequence[float], others: Sequence[Sequence[float]] = (), since: int = 0) -> list[Row]:
    """Readings once a second from second `since` on: points 1, 2, ... and then point 0."""
    columns = [*enumerate(others, 1), (0, values)]
    return [
        (point, START + (since + place) * SECOND, float(column[place]))
        for place in range(len(values))
        for point, column in columns
    ]


def as_readings(rows: Sequence[Row], before: int = 0) -> Readings:
    """The rows as arrays, after so many `before` them; each arrives by itself, whenever it was taken."""
    point = np.array([row[0] for row in rows], np.int32)
    time = np.array([row[1] for row in rows], np.int64)
    received = before + np.arange(len(rows))
    return Readings(point, time, np.array([row[2] for row in rows], np.float64), received, point)


def scored(
    rule: PlainRule, values: Sequence[float], others: Sequence[Sequence[float]] = (), since: int = 0
) -> list[Scored]:
    """What the scorer makes of every reading of point 0, all in one batch."""
    return scored_rows(rule, side_by_side(values, others, since))


class Spy:
    """A scorer that passes everything on and keeps what it gave."""

    reports: Final = "score"

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.found: list[Scored] = []

    def score(self, runs: Runs) -> NDArray[np.float64]:
        score = self._scorer.score(runs)
        cause = self._scorer.cause.tolist() if isinstance(self._scorer, Blaming) else [-1] * len(runs)
        self.found += [Scored(*row) for row in zip(runs.time.tolist(), score.tolist(), cause, strict=True)]
        return score

    def blind(self, now: int) -> NDArray[np.bool_]:
        return self._scorer.blind(now)

    def arrays(self) -> Arrays:
        return self._scorer.arrays()


def scored_rows(rule: PlainRule, rows: Sequence[Row], cuts: Sequence[int] = ()) -> list[Scored]:
    """What the scorer makes of every reading of the rule's point, whatever its limit."""
    rules = table([replace(rule, on=-math.inf, off=-math.inf)])
    points = max([rules.points(), *(row[0] + 1 for row in rows)])
    spy, known = Spy(SCORERS[rule.kind](rules)), Known(points)
    detector = ScoringDetector(rules, spy, points)
    for begin, end in pairwise([0, *sorted(cuts), len(rows)]):
        feed = make_feed(as_readings(rows[begin:end], begin), known)
        detector.gates.conditions.begin_batch(feed)
        detector.update(feed, 0)
        detector.gates.conditions.end_batch()
        known.learn(feed)
    return spy.found


def plain_rows(rule: PlainRule, rows: Sequence[Row]) -> list[Scored]:
    """The same by the plain loop, with the cause where its state holds one."""
    world, found = World(), []
    for point, time, value in rows:
        if not world.takes(point, time, value) or point != rule.point:
            continue
        judged = rule.gate is None or OPS[rule.gate[1]](world.value(rule.gate[0]), rule.gate[2])
        score = SCORES[rule.kind](rule, time, value, judged, world)
        first = rule.memory.get("cause")
        found.append(Scored(time, score, -1 if first is None else first))
    return found
