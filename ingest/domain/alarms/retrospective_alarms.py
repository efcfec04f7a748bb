"""Finds excursions beyond a limit that are known only from late readings, outside the spans of live alarms.

A late violating reading outside all spans opens one, or extends those at most a gap away; so the order in which such
readings arrive does not matter. A span that has not changed for a while is settled: reported as one historical alarm,
and reported again if it grows later. No span overlaps another one of its rule.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from operator import attrgetter
from typing import Any, Final

OPEN: Final = 2**63 - 1
"""The end of a span that has not ended, and the due time if nothing is due."""

KEPT: Final = 32
"""Spans remembered per rule. Readings before the newest forgotten span can no longer be evaluated."""

HELD: Final = 10_000
"""Readings held back in total; beyond that, the longest-waiting ones are evaluated at once."""

_START: Final = attrgetter("start")


@dataclass(slots=True)
class Span:
    """A time span in which a rule's condition held. Times are ns since the epoch.

    Attributes:
        start, end: first and last violating reading; of a live alarm onset and return, `OPEN` while it is active.
        value: the value at `start`.
        due: arrival time at which it is settled; `OPEN` = there is nothing to report.
        reported: the start it was first reported with; 0 = not reported.
        live: whether a live alarm covers it.
        reported_key: the key of its rule when it was first reported, if that has changed since; "" otherwise.
    """

    start: int
    end: int
    value: float
    due: int = OPEN
    reported: int = 0
    live: bool = False
    reported_key: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A reading beyond a limit that is not live. `time`, `gap` (of its point) and `quiet` (of its excursion) in ns."""

    key: str
    time: int
    value: float
    gap: int
    quiet: int


class RetrospectiveAlarms:
    """Keeps every rule's newest spans by the rule's key. Pure: arrival times are passed in."""

    def __init__(self) -> None:
        self._spans: dict[str, list[Span]] = {}
        self._held: deque[tuple[int, Violation]] = deque()
        self._horizon: dict[str, int] = {}
        self.due = OPEN
        """When the next span is settled or the next held-back reading is evaluated."""

    def __len__(self) -> int:
        return sum(map(len, self._spans.values()))

    def open_span(self, key: str, onset: int) -> list[Span]:
        """Open the span of a live alarm at its `onset`. Returns spans forgotten for it, as `add` does."""
        spans = self._spans.setdefault(key, [])
        if any(span.end == OPEN for span in spans):
            return []
        spans[:] = [span for span in spans if span.start < onset or span.reported or span.live]
        for span in spans:
            if not span.reported and not span.live:  # what the live alarm covers is not reported twice
                span.end = min(span.end, onset - 1)
        return self._insert(key, Span(onset, OPEN, 0.0, live=True))

    def close_span(self, key: str, time: int) -> None:
        """Close the span of a live alarm whose condition has ended."""
        for span in self._spans.get(key, ()):
            if span.end == OPEN:
                span.end = max(time, span.start)

    def remembers(self, key: str, time: int) -> bool:
        """Whether the rule's spans of that time are still remembered."""
        return time > self._horizon.get(key, 0)

    def hold(self, violation: Violation, until: int) -> None:
        """Hold back a reading newer than all live ones until `until`: live ones of that time may still arrive."""
        self._held.append((until, violation))
        self.due = 0 if len(self._held) > HELD else min(self.due, until)

    def add(self, violation: Violation, received: int) -> list[Span]:
        """Add a late violating reading.

        Returns spans that had to be forgotten before they were settled: they have to be reported now.
        """
        key, time, gap = violation.key, violation.time, violation.gap
        spans, due = self._spans.setdefault(key, []), received + violation.quiet
        inside = next((span for span in spans if span.start <= time <= span.end), None)
        if inside is not None:
            if inside.due != OPEN:
                inside.due = max(inside.due, due)
            return []
        at = bisect_right(spans, time, key=_START)
        before, after = spans[at - 1] if at else None, spans[at] if at < len(spans) else None
        left = before if before is not None and not before.live and time - before.end <= gap else None
        right = after if after is not None and not after.live and after.start - time <= gap else None
        self.due = min(self.due, due)
        if left is None and right is None:
            return self._insert(key, Span(time, time, violation.value, due))
        if left is not None:
            left.end = time
            left.due = due if left.due == OPEN else max(left.due, due)
            if right is not None and not (left.reported and right.reported):
                if right.reported:
                    left.reported, left.reported_key = right.reported, right.reported_key
                left.end = right.end
                left.due = left.due if right.due == OPEN else max(left.due, right.due)
                spans.remove(right)
        elif right is not None:
            right.start, right.value = time, violation.value
            right.due = due if right.due == OPEN else max(right.due, due)
        return []

    def settle(self, now: int) -> Iterator[tuple[str, int, Span]]:
        """Yield the spans due at `now` in the order they became due: (key, when it was due, span).

        Report each span before taking the next, which may change it.
        """
        while self.due <= now:
            held = self._held[0][0] if self._held else OPEN
            yield from self._settle(min(now, held))
            if held <= now or len(self._held) > HELD:
                due, violation = self._held.popleft()
                due = min(due, now)
                yield from [(violation.key, due, span) for span in self.add(violation, due)]
            self.due = min(self.due, self._held[0][0] if self._held else OPEN)

    def _settle(self, now: int) -> list[tuple[str, int, Span]]:
        pending = [(key, span) for key, spans in self._spans.items() for span in spans if span.due != OPEN]
        found = sorted(
            ((key, span.due, span) for key, span in pending if span.due <= now),
            key=lambda entry: (entry[1], entry[0], entry[2].start),
        )
        for _, _, span in found:
            span.due = OPEN
        self.due = min((span.due for _, span in pending), default=OPEN)
        return found

    def rename(self, now: Mapping[str, str]) -> None:
        """Move spans to new rule keys, former -> now; what was reported already keeps the key it was reported under."""
        for before, key in now.items():
            if before in self._spans:
                self._spans[key] = spans = self._spans.pop(before)
                for span in spans:
                    span.reported_key = span.reported_key or (before if span.reported else "")
            if before in self._horizon:
                self._horizon[key] = self._horizon.pop(before)
        if now:
            self._held = deque(
                (until, replace(violation, key=now.get(violation.key, violation.key)))
                for until, violation in self._held
            )

    def shift(self, step: int) -> None:
        """Shift arrival times by `step`, by which the service's clock was set."""
        for span in (span for spans in self._spans.values() for span in spans if span.due != OPEN):
            span.due += step
        self._held = deque((until + step, violation) for until, violation in self._held)
        self.due += step if self.due != OPEN else 0

    def state(self) -> dict[str, Any]:
        """Return everything, JSON-ready and deterministic."""
        return {
            "spans": {
                key: [_row(span) for span in self._spans[key]] for key in sorted(self._spans) if self._spans[key]
            },
            "horizon": dict(sorted(self._horizon.items())),
            "held": [[until, *astuple(violation)] for until, violation in self._held],
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> RetrospectiveAlarms:
        """Restore from what `state` returned."""
        made = cls()
        made._spans = {key: [Span(*row) for row in rows] for key, rows in state["spans"].items()}
        made._horizon = dict(state["horizon"])
        made._held = deque((until, Violation(*rest)) for until, *rest in state["held"])
        spans = (span.due for row in made._spans.values() for span in row)
        made.due = min([*spans, *(until for until, _ in made._held)], default=OPEN)
        return made

    def _insert(self, key: str, span: Span) -> list[Span]:
        spans = self._spans[key]
        spans.insert(bisect_right(spans, span.start, key=_START), span)
        if len(spans) <= KEPT:
            return []
        oldest = next(span for span in spans if span.end != OPEN)
        spans.remove(oldest)
        self._horizon[key] = max(self._horizon.get(key, 0), oldest.end)
        return [oldest] if oldest.due != OPEN else []


def _row(span: Span) -> list[int | float | bool | str]:
    row: list[int | float | bool | str] = [span.start, span.end, span.value, span.due, span.reported, span.live]
    return [*row, span.reported_key] if span.reported_key else row
