"""Excursions beyond a limit that are known only from readings that came late, beside the spans of live alarms.

A violating reading that came late and lies in no span opens one or extends the ones next to it, at most a gap away; so
the order in which such readings arrive does not matter. What has been left alone for its while is settled: told as one
historical alarm, and told again when it grows later. No span overlaps another one of its rule.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from operator import attrgetter
from typing import Any, Final

OPEN: Final = 2**63 - 1
"""The end of what has not ended, and the due time of nothing."""

KEPT: Final = 32
"""Spans remembered of one rule. What lies before the oldest one forgotten can no longer be judged."""

HELD: Final = 10_000
"""Readings held back altogether; of more, those that wait longest are judged at once."""

_START: Final = attrgetter("start")


@dataclass(slots=True)
class Span:
    """When a rule's condition held. Times are ns since the epoch.

    Attributes:
        start, end: first and last violating reading; of a live alarm onset and return, `OPEN` while it stands.
        value: the value at `start`.
        due: arrival time at which it is settled; `OPEN` = there is nothing to tell.
        told: the start it was first told with; 0 = it was not told.
        live: whether a live alarm covers it.
        named: the key of its rule when it was first told, if it has another one now; "" otherwise.
    """

    start: int
    end: int
    value: float
    due: int = OPEN
    told: int = 0
    live: bool = False
    named: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A reading beyond a limit that is not live. `time`, `gap` (of its point) and `quiet` (of its excursion) in ns."""

    key: str
    time: int
    value: float
    gap: int
    quiet: int


class RetrospectiveAlarms:
    """Every rule's newest spans, by the rule's key. Pure: arrival times are passed in."""

    def __init__(self) -> None:
        self._spans: dict[str, list[Span]] = {}
        self._held: deque[tuple[int, Violation]] = deque()
        self._horizon: dict[str, int] = {}
        self.due = OPEN
        """When the next span is settled, or the next reading that is held back is judged."""

    def __len__(self) -> int:
        return sum(map(len, self._spans.values()))

    def began(self, key: str, onset: int) -> list[Span]:
        """A live alarm stands since `onset`. Gives what had to be forgotten for it, see `late`."""
        spans = self._spans.setdefault(key, [])
        if any(span.end == OPEN for span in spans):
            return []
        spans[:] = [span for span in spans if span.start < onset or span.told or span.live]
        for span in spans:
            if not span.told and not span.live:  # nothing that the live alarm covers is told a second time
                span.end = min(span.end, onset - 1)
        return self._insert(key, Span(onset, OPEN, 0.0, live=True))

    def ended(self, key: str, time: int) -> None:
        """The live alarm's condition is gone."""
        for span in self._spans.get(key, ()):
            if span.end == OPEN:
                span.end = max(time, span.start)

    def judged(self, key: str, time: int) -> bool:
        """Whether spans of that time are still remembered."""
        return time > self._horizon.get(key, 0)

    def hold(self, violation: Violation, until: int) -> None:
        """Hold a reading back that is newer than anything live: live ones of that time may still be on their way."""
        self._held.append((until, violation))
        self.due = 0 if len(self._held) > HELD else min(self.due, until)

    def late(self, violation: Violation, received: int) -> list[Span]:
        """Take in a violating reading that came late.

        Returns spans that had to be forgotten before they were settled: they have to be told now.
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
            if right is not None and not (left.told and right.told):
                if right.told:
                    left.told, left.named = right.told, right.named
                left.end = right.end
                left.due = left.due if right.due == OPEN else max(left.due, right.due)
                spans.remove(right)
        elif right is not None:
            right.start, right.value = time, violation.value
            right.due = due if right.due == OPEN else max(right.due, due)
        return []

    def settle(self, now: int) -> Iterator[tuple[str, int, Span]]:
        """What is due at `now`: (key, when it was due, span), in the order in which it was due.

        One by one: a span is to be told before the next is asked for, which may change it.
        """
        while self.due <= now:
            held = self._held[0][0] if self._held else OPEN
            yield from self._settle(min(now, held))
            if held <= now or len(self._held) > HELD:
                due, violation = self._held.popleft()
                due = min(due, now)
                yield from [(violation.key, due, span) for span in self.late(violation, due)]
            self.due = min(self.due, self._held[0][0] if self._held else OPEN)

    def _settle(self, now: int) -> list[tuple[str, int, Span]]:
        waiting = [(key, span) for key, spans in self._spans.items() for span in spans if span.due != OPEN]
        found = sorted(
            ((key, span.due, span) for key, span in waiting if span.due <= now),
            key=lambda one: (one[1], one[0], one[2].start),
        )
        for _, _, span in found:
            span.due = OPEN
        self.due = min((span.due for _, span in waiting), default=OPEN)
        return found

    def rename(self, now: Mapping[str, str]) -> None:
        """Rules that are in `now` have the key they have there; what was told of them is known by the one before."""
        for before, key in now.items():
            if before in self._spans:
                self._spans[key] = spans = self._spans.pop(before)
                for span in spans:
                    span.named = span.named or (before if span.told else "")
            if before in self._horizon:
                self._horizon[key] = self._horizon.pop(before)
        if now:
            self._held = deque(
                (until, replace(violation, key=now.get(violation.key, violation.key)))
                for until, violation in self._held
            )

    def shift(self, step: int) -> None:
        """The clock that arrivals are told by was set by `step`."""
        for span in (span for spans in self._spans.values() for span in spans if span.due != OPEN):
            span.due += step
        self._held = deque((until + step, violation) for until, violation in self._held)
        self.due += step if self.due != OPEN else 0

    def state(self) -> dict[str, Any]:
        """All of it, JSON-ready, the same for the same content."""
        return {
            "spans": {
                key: [_row(span) for span in self._spans[key]] for key in sorted(self._spans) if self._spans[key]
            },
            "horizon": dict(sorted(self._horizon.items())),
            "held": [[until, *astuple(violation)] for until, violation in self._held],
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> RetrospectiveAlarms:
        """What `state` gave."""
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
    row: list[int | float | bool | str] = [span.start, span.end, span.value, span.due, span.told, span.live]
    return [*row, span.named] if span.named else row
