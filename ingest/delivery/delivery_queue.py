"""What waits for one destination, and what is tried next (pure: times of the steady clock are passed in).

Messages of one subject (an alarm, a warning) go in their order, one at a time; subjects go by urgency, and in turn
among equals. A subject is as urgent as its most urgent message that waits: whatever stands before that one must go
first.

A failure while the destination is known to be well is the message's own: its subject backs off by itself. Any other one
means that the destination is away: then one delivery at a time probes it, with what was probed least and is most
urgent, the newest first. What was probed already waits out an ever longer back-off; what was not, and so whatever is
new, waits a moment only. The first success releases everything that waited for the destination.

What failed together goes out together again: whether an unanswered delivery was taken in nobody knows, and the same
messages bear the same batch id.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.base.backoff import RetrySchedule
from ingest.domain.model.outbox import Urgency, Waiting

WELL_S: Final = 5.0
"""A destination that accepted something is taken to be well for so long."""

NEW_WAIT_S: Final = 30.0
"""The longest a new message waits for a destination's own wish (Retry-After): our default."""

_LOOK: Final = 64
"""Subjects looked through for those that can share one delivery."""

_CLASSES: Final = len(Urgency)


@dataclass(slots=True, eq=False)
class _Subject:
    """Messages that keep their order."""

    messages: deque[Waiting] = field(default_factory=deque)
    counts: list[int] = field(default_factory=lambda: [0] * _CLASSES)  # of messages, by urgency
    turn: int = 0  # of its newest entry in a heap, older ones are void; 0: under way
    probes: int = 0  # failures since the destination is away
    own: int = 0  # failures of its first message while the destination was well
    own_since: float = math.inf
    tied: tuple[_Subject, ...] = ()  # whose first messages went out together, this one among them, and must again

    @property
    def urgency(self) -> int:
        return next(urgency for urgency, count in enumerate(self.counts) if count)

    def append(self, message: Waiting) -> None:
        self.messages.append(message)
        self.counts[message.urgency] += 1

    def pop(self) -> None:
        self.counts[self.messages.popleft().urgency] -= 1
        self.probes, self.own, self.own_since, self.tied = 0, 0, math.inf, ()


class DeliveryQueue:
    """One destination's messages, those that are under way included.

    Attributes:
        failures: deliveries in a row that found the destination away.
    """

    def __init__(self, schedule: RetrySchedule, *, in_flight: int, batch: int) -> None:
        """`in_flight`: deliveries at once; `batch`: most messages of one kind and plant in one delivery."""
        self._schedule = schedule
        self._in_flight, self._batch = in_flight, batch
        self._subjects: dict[str | int, _Subject] = {}
        self._ready: list[tuple[int, int, int, _Subject]] = []  # probes while away, urgency, place
        self._delayed: list[tuple[float, int, _Subject]] = []  # not before, turn
        self._under_way: dict[int, float] = {}  # seq of a delivery's first message -> when it began
        self._turn = 0
        self._well_at = -math.inf
        self._missed = 0  # deliveries that failed since the last success
        self.failures = 0
        self._away_since: float | None = None
        self._probe_at = -math.inf  # not before
        self._new_at = -math.inf  # the same for what was not probed yet

    @property
    def away(self) -> bool:
        """Whether the destination is taken to be away."""
        return self._away_since is not None

    def add(self, messages: Iterable[Waiting]) -> None:
        """More messages, later than all of the same subject before."""
        for message in messages:
            key = _key(message)
            subject = self._subjects.get(key)
            if subject is None:
                subject = self._subjects[key] = _Subject()
                subject.append(message)
                self._queue(subject)
            else:
                before = subject.urgency
                subject.append(message)
                hurries = subject.urgency < before or (subject.own and message.urgency <= Urgency.URGENT)
                if hurries and subject.turn:
                    self._queue(subject)

    def take(self, now: float) -> list[Waiting]:
        """The messages of the next delivery, now under way; none: nothing can begin now."""
        begins = self.next_at(now)
        if begins is None or begins > now:
            return []
        taken: list[Waiting] = []
        passed: list[tuple[int, int, int, _Subject]] = []
        while self._ready and len(taken) < self._batch and len(passed) < _LOOK:
            entry = heapq.heappop(self._ready)
            subject = entry[3]
            if abs(entry[2]) != subject.turn:
                continue
            head = subject.messages[0]
            if subject.tied and not taken:
                others = [one for one in subject.tied if one is not subject]
                taken = [self._begin(one) for one in (subject, *others)]
                break
            if taken and (subject.tied or (head.kind, head.plant) != (taken[0].kind, taken[0].plant)):
                passed.append(entry)
                continue
            taken.append(self._begin(subject))
        for entry in passed:
            heapq.heappush(self._ready, entry)
        if taken:
            self._under_way[taken[0].seq] = now
        return taken

    def give_up(self, delivery: Sequence[Waiting], unreadable: Collection[int]) -> list[Waiting]:
        """Those of a delivery under way that cannot be sent leave the queue, which says nothing of the destination.

        Returns:
            What is left of the delivery, to be settled; nothing: it is over.
        """
        began = self._under_way.pop(delivery[0].seq)
        left = [message for message in delivery if message.seq not in unreadable]
        if left:
            self._under_way[left[0].seq] = began
        for message in delivery:
            if message.seq in unreadable:
                self._accepted(self._subjects[_key(message)], _key(message))
        return left

    def settle(
        self, delivery: Sequence[Waiting], failed: Mapping[int, float | None], now: float, jitter: float
    ) -> float | None:
        """What became of a delivery; `failed`: the destination's wish (s) by seq of each message that was not accepted.

        Returns:
            Seconds until what failed may be tried again, if anything failed.
        """
        began = self._under_way.pop(delivery[0].seq)
        if len(failed) < len(delivery):
            self._succeeded(now)
        else:
            self._missed += 1
        own = len(failed) < len(delivery) or now - self._well_at <= WELL_S or self._well_at >= began
        if failed and (not own or self._missed >= self._in_flight):
            self._went_away(began, now, jitter, max(wish or 0.0 for wish in failed.values()))
        delays = [0.0]
        together = [self._subjects[_key(message)] for message in delivery] if len(failed) == len(delivery) > 1 else []
        for subject in together:
            subject.tied = tuple(together)
        for message in delivery:
            subject = self._subjects[_key(message)]
            if message.seq not in failed:
                self._accepted(subject, _key(message))
                continue
            if not together:
                subject.tied = ()
            if own:
                delays.append(self._back_off(subject, now, jitter, failed[message.seq]))
            else:
                subject.probes += 1
                self._queue(subject)
        if not failed:
            return None
        return max(*delays, self._probe_at - now if self.away else 0.0)

    def next_at(self, now: float) -> float | None:
        """When `take` gives something next, as far as only time has to pass; None: something else must happen first."""
        self._wake(now)
        if len(self._under_way) >= (1 if self.away else self._in_flight):
            return None
        while self._ready and abs(self._ready[0][2]) != self._ready[0][3].turn:
            heapq.heappop(self._ready)
        times = [self._delayed[0][0]] if self._delayed else []
        if self._ready:
            probed = self._ready[0][0] > 0
            times.append(max(now, self._probe_at if probed else self._new_at) if self.away else now)
        return min(times, default=None)

    def _begin(self, subject: _Subject) -> Waiting:
        """The subject's first message, under way from now on."""
        subject.turn = 0
        return subject.messages[0]

    def _accepted(self, subject: _Subject, key: str | int) -> None:
        subject.pop()
        if subject.messages:
            self._queue(subject)
        else:
            del self._subjects[key]

    def _succeeded(self, now: float) -> None:
        self._well_at, self._missed = now, 0
        if self.away:
            self._away_since, self.failures = None, 0
            self._order_anew()

    def _went_away(self, began: float, now: float, jitter: float, wish_s: float) -> None:
        """The destination is away, or still is: as seen by a delivery that began at `began`."""
        if self._away_since is None:
            self._away_since = now
            self._order_anew()
        elif began < self._away_since:
            return  # that was known already
        self.failures += 1
        delay_s = self._schedule.delay_s(self.failures, now - self._away_since, jitter, wish_s)
        self._probe_at = now + delay_s
        self._new_at = now + min(delay_s, max(self._schedule.first_s, min(wish_s, NEW_WAIT_S)))

    def _back_off(self, subject: _Subject, now: float, jitter: float, wish_s: float | None) -> float:
        subject.own += 1
        subject.own_since = min(subject.own_since, now)
        delay_s = self._schedule.delay_s(subject.own, now - subject.own_since, jitter, wish_s)
        self._turn += 1
        subject.turn = self._turn
        heapq.heappush(self._delayed, (now + delay_s, subject.turn, subject))
        return delay_s

    def _queue(self, subject: _Subject) -> None:
        """Behind its equals, or before them while the destination is away: what is new was not refused yet."""
        self._turn += 1
        subject.turn = self._turn
        probes, place = (subject.probes, -subject.turn) if self.away else (0, subject.turn)
        heapq.heappush(self._ready, (probes, subject.urgency, place, subject))

    def _wake(self, now: float) -> None:
        """Those that have backed off for long enough wait for their turn."""
        while self._delayed and (self._delayed[0][0] <= now or self._delayed[0][1] != self._delayed[0][2].turn):
            _, turn, subject = heapq.heappop(self._delayed)
            if turn == subject.turn:
                self._queue(subject)

    def _order_anew(self) -> None:
        """The destination went away or came back: all are candidates but those that back off by themselves."""
        waiting = sorted((turn, entry[3]) for entry in self._ready if (turn := abs(entry[2])) == entry[3].turn)
        self._ready = []
        for _, subject in waiting:
            subject.probes = 0
            self._queue(subject)


def _key(message: Waiting) -> str | int:
    return message.seq if message.subject is None else message.subject
