"""Orders the pending messages of one destination and decides when each is tried next (pure: times are passed in).

Messages of one subject (an alarm, a warning) are sent in order, one at a time; subjects by urgency, round-robin among
equals. A subject is as urgent as its most urgent pending message, since those before that one must be sent first.

A failure while the destination is known to be up is the message's own: only its subject backs off. Any other failure
means that the destination is down: then one delivery at a time probes it, with the subject that was probed least, is
most urgent and newest. Subjects probed already wait out an ever longer back-off; others, and so new ones, only a
moment. The first success releases everything that waited for the destination.

Messages that failed together are sent together again: an unanswered delivery may have been accepted, and the same
messages have the same batch id.
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

UP_S: Final = 5.0
"""How long a destination counts as up after it accepted something."""

NEW_WAIT_S: Final = 30.0
"""The longest a new message waits because a destination asked for it (Retry-After): our default."""

_MOST_SKIPPED: Final = 64
"""Subjects skipped in search of those that can share one delivery."""

_CLASSES: Final = len(Urgency)


@dataclass(slots=True, eq=False)
class _Subject:
    """Pending messages of one subject, in order."""

    messages: deque[Waiting] = field(default_factory=deque)
    counts: list[int] = field(default_factory=lambda: [0] * _CLASSES)  # of messages, by urgency
    ticket: int = 0  # of its newest entry in a heap, older ones are void; 0: in flight
    probes: int = 0  # failures since the destination is down
    failures: int = 0  # of its first message while the destination was up
    failing_since: float = math.inf
    batch: tuple[_Subject, ...] = ()  # sent together with its first message, itself included, and to be again

    @property
    def urgency(self) -> int:
        return next(urgency for urgency, count in enumerate(self.counts) if count)

    def append(self, message: Waiting) -> None:
        self.messages.append(message)
        self.counts[message.urgency] += 1

    def pop(self) -> None:
        self.remove(self.messages[0])

    def remove(self, message: Waiting) -> None:
        """Remove one; without its first message it knows nothing of failures, nor its batch of it."""
        if message == self.messages[0]:
            for other in self.batch:
                other.batch = ()
            self.probes, self.failures, self.failing_since, self.batch = 0, 0, math.inf, ()
        self.messages.remove(message)
        self.counts[message.urgency] -= 1


class DeliveryQueue:
    """Pending messages of one destination, including those in flight.

    Attributes:
        failures: deliveries in a row that found the destination down.
        waiting: messages in it, those in flight included.
        readings: of these, reports of readings.
    """

    def __init__(self, schedule: RetrySchedule, *, in_flight: int, batch: int) -> None:
        """`in_flight`: most deliveries at once; `batch`: most messages of one kind and plant in each."""
        self._schedule = schedule
        self._in_flight, self._batch = in_flight, batch
        self._subjects: dict[str | int, _Subject] = {}
        self._ready: list[tuple[int, int, int, _Subject]] = []  # probes while down, urgency, place
        self._delayed: list[tuple[float, int, _Subject]] = []  # not before, ticket
        self._in_flight_since: dict[int, float] = {}  # seq of a delivery's first message -> its start
        self._withdrawn: set[int] = set()  # seq of those in flight: not tried again
        self._ticket = 0
        self._up_at = -math.inf
        self._failed = 0  # deliveries in a row of which nothing was accepted
        self.failures = 0
        self.waiting = self.readings = 0
        self._down_since: float | None = None
        self._probe_at = -math.inf  # not before
        self._new_at = -math.inf  # the same for what was not probed yet

    @property
    def down(self) -> bool:
        """Whether the destination counts as down."""
        return self._down_since is not None

    def add(self, messages: Iterable[Waiting]) -> None:
        """Add messages that come later than all pending ones of the same subject."""
        for message in messages:
            self._count(message, 1)
            key = _key(message)
            subject = self._subjects.get(key)
            if subject is None:
                subject = self._subjects[key] = _Subject()
                subject.append(message)
                self._queue(subject)
            else:
                before = subject.urgency
                subject.append(message)
                rises = subject.urgency < before or (subject.failures and message.urgency <= Urgency.URGENT)
                if rises and subject.ticket:
                    self._queue(subject)

    def take(self, now: float) -> list[Waiting]:
        """Take the messages of the next delivery, which are in flight then; an empty list if none can start now."""
        start = self.next_at(now)
        if start is None or start > now:
            return []
        taken: list[Waiting] = []
        skipped: list[tuple[int, int, int, _Subject]] = []
        while self._ready and len(taken) < self._batch and len(skipped) < _MOST_SKIPPED:
            entry = heapq.heappop(self._ready)
            subject = entry[3]
            if abs(entry[2]) != subject.ticket:
                continue
            head = subject.messages[0]
            if subject.batch and not taken:
                others = [other for other in subject.batch if other is not subject]
                taken = [self._begin(each) for each in (subject, *others)]
                break
            if taken and (subject.batch or (head.kind, head.plant) != (taken[0].kind, taken[0].plant)):
                skipped.append(entry)
                continue
            taken.append(self._begin(subject))
        for entry in skipped:
            heapq.heappush(self._ready, entry)
        if taken:
            self._in_flight_since[taken[0].seq] = now
        return taken

    def upcoming(self, most: int) -> list[int]:
        """The numbers of up to so many messages that are next, roughly in order; those in flight are not among them."""
        entries: list[tuple[int, int, int, _Subject]] = []
        while self._ready and len(entries) < most:
            entry = heapq.heappop(self._ready)
            if abs(entry[2]) == entry[3].ticket:
                entries.append(entry)
        for entry in entries:
            heapq.heappush(self._ready, entry)
        return [entry[3].messages[0].seq for entry in entries]

    def retry(self) -> None:
        """Wait for no back-off any more: what waits out its own is due, and so is the next probe."""
        self._probe_at = self._new_at = -math.inf
        delayed, self._delayed = sorted(self._delayed, key=lambda entry: entry[1]), []
        for _, ticket, subject in delayed:
            if ticket == subject.ticket:
                self._queue(subject)

    def holds(self, message: Waiting) -> bool:
        """Whether it is in the queue."""
        subject = self._subjects.get(_key(message))
        return subject is not None and message in subject.messages

    def withdraw(self, messages: Iterable[Waiting]) -> list[Waiting]:
        """Remove these, as far as it has them; one in flight is not tried again if it fails.

        Returns:
            Those that it had, those in flight included.
        """
        found = []
        for message in messages:
            key = _key(message)
            if not self.holds(message):
                continue
            subject = self._subjects[key]
            found.append(message)
            first = message == subject.messages[0]
            if first and not subject.ticket:
                self._withdrawn.add(message.seq)
                continue
            self._count(message, -1)
            subject.remove(message)
            if not subject.messages:
                subject.ticket = 0
                del self._subjects[key]
            elif first:
                self._queue(subject)
        return found

    def withdrawn(self, delivery: Iterable[Waiting]) -> set[int]:
        """The numbers of those that were withdrawn since they are in flight."""
        return {message.seq for message in delivery if message.seq in self._withdrawn} if self._withdrawn else set()

    def drop(self, delivery: Sequence[Waiting], unsent: Collection[int]) -> list[Waiting]:
        """Drop the messages of a delivery in flight that are not sent, without blaming the destination.

        Returns:
            What is left of the delivery, to be settled; if empty, the delivery is over.
        """
        began = self._in_flight_since.pop(delivery[0].seq)
        left = [message for message in delivery if message.seq not in unsent]
        if left:
            self._in_flight_since[left[0].seq] = began
        for message in delivery:
            if message.seq in unsent:
                self._accepted(self._subjects[_key(message)], _key(message))
        return left

    def settle(
        self,
        delivery: Sequence[Waiting],
        failed: Mapping[int, float | None],
        now: float,
        jitter: float,
        *,
        disliked: bool = False,
    ) -> float | None:
        """Record the result of a delivery.

        Args:
            delivery: the messages.
            failed: requested delay (s) by seq of each that was not accepted, and is to be tried again.
            now: by the steady clock.
            jitter: 0 to 1.
            disliked: whether the destination named a message as what is wrong: it answers, and is not down for it.

        Returns:
            Seconds until the failed messages may be tried again; None if none is.
        """
        began = self._in_flight_since.pop(delivery[0].seq)
        if len(failed) < len(delivery):
            self._mark_up(now)
        else:
            self._failed += 1
        own = disliked or len(failed) < len(delivery) or now - self._up_at <= UP_S or self._up_at >= began
        if failed and (not own or self._failed >= self._in_flight):
            self._mark_down(began, now, jitter, max(requested or 0.0 for requested in failed.values()))
        delays, again = [0.0], False
        together = [self._subjects[_key(message)] for message in delivery] if len(failed) == len(delivery) > 1 else []
        for subject in together:
            subject.batch = tuple(together)
        for message in delivery:
            subject = self._subjects[_key(message)]
            if message.seq not in failed or message.seq in self._withdrawn:
                self._accepted(subject, _key(message))
                continue
            again = True
            if not together:
                subject.batch = ()
            if own:
                delays.append(self._back_off(subject, now, jitter, failed[message.seq]))
            else:
                subject.probes += 1
                self._queue(subject)
        if not again:
            return None
        return max(*delays, self._probe_at - now if self.down else 0.0)

    def next_at(self, now: float) -> float | None:
        """When the next delivery can start; None if that depends on something other than time."""
        self._end_back_offs(now)
        if len(self._in_flight_since) >= (1 if self.down else self._in_flight):
            return None
        while self._ready and abs(self._ready[0][2]) != self._ready[0][3].ticket:
            heapq.heappop(self._ready)
        times = [self._delayed[0][0]] if self._delayed else []
        if self._ready:
            probed = self._ready[0][0] > 0
            times.append(max(now, self._probe_at if probed else self._new_at) if self.down else now)
        return min(times, default=None)

    def _count(self, message: Waiting, change: int) -> None:
        self.waiting += change
        self.readings += change if message.kind == "readings" else 0

    def _begin(self, subject: _Subject) -> Waiting:
        """Mark the subject's first message as in flight and return it."""
        subject.ticket = 0
        return subject.messages[0]

    def _accepted(self, subject: _Subject, key: str | int) -> None:
        """Go on with the subject's next message; the first one is accepted, or not tried any more."""
        self._count(subject.messages[0], -1)
        self._withdrawn.discard(subject.messages[0].seq)
        subject.pop()
        if subject.messages:
            self._queue(subject)
        else:
            del self._subjects[key]

    def _mark_up(self, now: float) -> None:
        self._up_at, self._failed = now, 0
        if self.down:
            self._down_since, self.failures = None, 0
            self._requeue_all()

    def _mark_down(self, began: float, now: float, jitter: float, requested_s: float) -> None:
        """Note that the destination is, or still is, down, as found by a delivery that began at `began`."""
        if self._down_since is None:
            self._down_since = now
            self._requeue_all()
        elif began < self._down_since:
            return  # that was known already
        self.failures += 1
        delay_s = self._schedule.delay_s(self.failures, now - self._down_since, jitter, requested_s)
        self._probe_at = now + delay_s
        self._new_at = now + min(delay_s, max(self._schedule.first_s, min(requested_s, NEW_WAIT_S)))

    def _back_off(self, subject: _Subject, now: float, jitter: float, requested_s: float | None) -> float:
        subject.failures += 1
        subject.failing_since = min(subject.failing_since, now)
        delay_s = self._schedule.delay_s(subject.failures, now - subject.failing_since, jitter, requested_s)
        self._ticket += 1
        subject.ticket = self._ticket
        heapq.heappush(self._delayed, (now + delay_s, subject.ticket, subject))
        return delay_s

    def _queue(self, subject: _Subject) -> None:
        """Queue the subject behind its equals; while the destination is down before them, as it was not refused yet."""
        self._ticket += 1
        subject.ticket = self._ticket
        probes, place = (subject.probes, -subject.ticket) if self.down else (0, subject.ticket)
        heapq.heappush(self._ready, (probes, subject.urgency, place, subject))

    def _end_back_offs(self, now: float) -> None:
        """Queue the subjects whose own back-off is over."""
        while self._delayed and (self._delayed[0][0] <= now or self._delayed[0][1] != self._delayed[0][2].ticket):
            _, ticket, subject = heapq.heappop(self._delayed)
            if ticket == subject.ticket:
                self._queue(subject)

    def _requeue_all(self) -> None:
        """Rebuild the queue when the destination goes down or comes up; subjects that back off stay out."""
        waiting = sorted((ticket, entry[3]) for entry in self._ready if (ticket := abs(entry[2])) == entry[3].ticket)
        self._ready = []
        for _, subject in waiting:
            subject.probes = 0
            self._queue(subject)


def _key(message: Waiting) -> str | int:
    return message.seq if message.subject is None else message.subject
