"""The workbench: the service's own bank of detectors, fed with the rows of a table, its scores and findings kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.bank import Bank
from detectors.detector import Reason
from detectors.readings import NO_CAUSE, Findings, Readings
from detectors.rules import GATE_OPS, NO_GATE, NO_POINT, GateTable, RuleTable
from detectors.runs import Runs
from detectors.workbench.events import Contribution, Event, Learning, OpenEvent
from detectors.workbench.placed import Setting, place
from detectors.workbench.rules import Rule

Floats = NDArray[np.float64]


class Workbench:
    """Judges rows as they come. How they are cut into batches changes nothing."""

    def __init__(self, columns: Sequence[str], rules: Sequence[Rule], setting: Setting) -> None:
        """Place the rules on the columns. Raises InvalidRule for unknown columns and names used twice."""
        self.columns = tuple(columns)
        self.placed = tuple(place(self.columns, rules, setting))
        self._point = {name: at for at, name in enumerate(self.columns)}
        by_kind: dict[str, list[int]] = {}
        for number, placed in enumerate(self.placed):
            by_kind.setdefault(placed.rule.kind, []).append(number)
        self._numbers = {kind: np.array(numbers, np.intp) for kind, numbers in by_kind.items()}
        tables = {kind: self._table(numbers) for kind, numbers in by_kind.items()}
        self._bank = Bank(tables, observe=self._observe)
        self._open: dict[int, OpenEvent] = {}
        self._judges_from = np.full(len(self.placed), np.iinfo(np.int64).max)
        self._row = 0
        self._batch = (np.empty(0, np.int64), np.empty((0, 0)))
        self._now = 0

    def feed(self, time: NDArray[np.int64], rows: Floats) -> tuple[list[Event], Floats]:
        """Judge rows.

        Args:
            time: int64[m], ns since the epoch, later than all before and increasing.
            rows: float64[m, d], a column each, NaN = no value.

        Returns:
            The events that ended in these rows, and float64[m, rules], the scores; NaN = the rule cannot tell.
        """
        many, wide = rows.shape
        scores = np.full((many, len(self.placed)), np.nan)
        if not many:
            return [], scores
        self._batch, self._now = (time, scores), int(time[-1])
        point = np.tile(np.arange(wide, dtype=np.int32), many)
        each = np.repeat(time, wide)
        found = self._bank.update(Readings(point, each, rows.ravel(), each, point), self._now)
        ended = self._take(found, time, rows, scores)
        known = ~np.isnan(scores)
        first = np.where(known.any(axis=0), time[known.argmax(axis=0)], self._judges_from)
        self._judges_from = np.minimum(self._judges_from, first)
        self._row += many
        return ended, scores

    def standing(self) -> list[Event]:
        """Return the events that have no end yet."""
        return [event.closed(None) for event in self._open.values()]

    def learning(self) -> list[Learning]:
        """Return how far each rule has come."""
        untold = self._bank.not_evaluated(self._now)
        reasons = dict(zip(untold.rule.tolist(), untold.reason.tolist(), strict=True))
        return [
            Learning(
                placed.name,
                None if placed.rule.form.group else placed.columns[0],
                placed.needed,
                None if first == np.iinfo(np.int64).max else np.datetime64(first, "ns"),
                Reason(reasons[number]).name.lower().replace("_", " ") if number in reasons else "",
            )
            for number, (placed, first) in enumerate(zip(self.placed, self._judges_from.tolist(), strict=True))
        ]

    def _observe(self, kind: str, runs: Runs, score: Floats) -> None:
        """Keep the scores of a batch by row and rule."""
        time, scores = self._batch
        scores[np.searchsorted(time, runs.time), self._numbers[kind][runs.row]] = score

    def _take(self, found: Findings, time: NDArray[np.int64], rows: Floats, scores: Floats) -> list[Event]:
        """Open and close events by what was found in a batch."""
        ended: list[Event] = []
        here = np.searchsorted(time, found.time).tolist()
        since = dict.fromkeys(self._open, 0)  # the row of the batch from which an open event's peak is to be seen
        findings = zip(found.rule.tolist(), found.raised.tolist(), found.time.tolist(), here, strict=True)
        for at, (number, raised, moment, row) in enumerate(findings):
            if raised:
                self._open[number] = self._opened(number, found, at, row, rows, scores)
                since[number] = row
            elif number in self._open:
                event = self._open.pop(number)
                _raise_peak(event, scores[since.pop(number) : row, number])
                ended.append(event.closed(moment))
        for number, row in since.items():
            _raise_peak(self._open[number], scores[row:, number])
        return ended

    def _opened(self, number: int, found: Findings, at: int, row: int, rows: Floats, scores: Floats) -> OpenEvent:
        placed, cause = self.placed[number], int(found.cause[at])
        column = placed.columns[0] if cause == NO_CAUSE else self.columns[cause]
        score = float(scores[row, number])
        value = float(rows[row, self._point[column]])
        return OpenEvent(
            placed.rule,
            placed.name,
            column,
            int(found.time[at]),
            self._row + row,
            value,
            score,
            score,
            self._contributions(found, at) or (Contribution(column, 1.0),),
        )

    def _contributions(self, found: Findings, at: int) -> tuple[Contribution, ...]:
        if found.contributions is None:
            return ()
        return tuple(
            Contribution(self.columns[each.point], each.share, each.aspect) for each in found.contributions.of(at)
        )

    def _table(self, numbers: Sequence[int]) -> RuleTable:
        """The table of one kind's rules."""
        placed = [self.placed[number] for number in numbers]
        rows = len(placed)
        others = [[self._point[name] for name in each.columns[1:]] for each in placed]
        widest = max(len(row) for row in others)
        inputs = np.array([[*row, *[NO_POINT] * (widest - len(row))] for row in others], np.int32)
        return RuleTable(
            key=tuple(each.name for each in placed),
            rule=np.array(numbers, np.int32),
            point=np.array([self._point[each.columns[0]] for each in placed], np.int32),
            on=np.array([each.rule.on for each in placed]),
            off=np.array([each.rule.off for each in placed]),
            on_delay=(np.array([each.rule.on_delay_s for each in placed]) * 1e9).astype(np.int64),
            off_delay=(np.array([each.rule.off_delay_s for each in placed]) * 1e9).astype(np.int64),
            gate=GateTable(
                np.full(rows, NO_GATE, np.int32), np.full(rows, GATE_OPS.index("=="), np.int8), np.zeros(rows)
            ),
            param={name: np.array([each.param[name] for each in placed]) for name in placed[0].param},
            inputs=inputs if widest else None,
        )


def _raise_peak(event: OpenEvent, scores: Floats) -> None:
    if (known := scores[~np.isnan(scores)]).size:
        event.peak = max(event.peak, float(known.max()))
