from __future__ import annotations

import random
from collections import defaultdict

import pytest

from ingest.base.backoff import RetrySchedule
from ingest.delivery.delivery_queue import NEW_WAIT_S, DeliveryQueue
from ingest.domain.model.outbox import Urgency, Waiting

SCHEDULE = RetrySchedule(slow_after_s=86_400, slow_s=3600)


def queue_of(*messages: Waiting, in_flight: int = 8, batch: int = 1) -> DeliveryQueue:
    queue = DeliveryQueue(SCHEDULE, in_flight=in_flight, batch=batch)
    queue.add(messages)
    return queue


def about(seq: int, subject: str | None, urgency: Urgency = Urgency.ROUTINE, plant: str = "p") -> Waiting:
    return Waiting(seq, "alarm" if subject else "readings", plant, subject, urgency)


def flapping(subject: str, first: int, count: int) -> list[Waiting]:
    """One alarm of level 2 that comes and goes: raised, returned, raised again."""
    kinds = [Urgency.FIRST, *[Urgency.ROUTINE, Urgency.URGENT] * count]
    return [about(first + at, subject, kinds[at]) for at in range(count)]


def serve(queue: DeliveryQueue, now: float, poison: frozenset[int] = frozenset(), *, well: bool = True) -> list[int]:
    """Deliver all that can begin at `now`, and what this lets begin; what was tried, in order."""
    tried: list[int] = []
    while True:
        under_way = []
        while taken := queue.take(now):
            under_way.append(taken)
        if not under_way:
            return tried
        for taken in under_way:
            failed = {waiting.seq: None for waiting in taken if not well or waiting.seq in poison}
            queue.settle(taken, failed, now, 0.0)
            tried += [waiting.seq for waiting in taken]


def test_a_fresh_alarm_passes_the_backlog_of_another() -> None:
    queue = queue_of(*flapping("A", 1, 300))
    serve(queue, 0, well=False)
    queue.add([about(301, "B", Urgency.FIRST)])
    tried = serve(queue, 1)
    assert tried[:2] == [301, 1], "the probe is the most urgent one that was not tried"
    assert tried[1:] == list(range(1, 301))


def test_alarms_take_turns() -> None:
    """Three alarms with a backlog: none gets a second event through before the others have had their first."""
    queue = queue_of(*(about(10 * at + of, f"A{of}") for of in range(3) for at in range(5)), in_flight=1)
    assert serve(queue, 0) == [10 * at + of for at in range(5) for of in range(3)]


def test_what_stands_before_something_urgent_of_its_alarm_is_urgent_too() -> None:
    backlog = [about(seq, f"A{seq}") for seq in range(1, 50)]
    queue = queue_of(*backlog, about(50, "X"), about(51, "X", Urgency.FIRST), in_flight=1)
    assert serve(queue, 0)[:2] == [50, 51]


def test_a_fresh_urgent_message_does_not_wait_out_a_long_back_off() -> None:
    queue = queue_of(about(1, "A"))
    now = 0.0
    for _ in range(20):
        serve(queue, now, well=False)
        now = queue.next_at(now) or pytest.fail("nothing is tried any more")
    last = now - 300
    assert queue.next_at(last) == now, "the back-off has come to its maximum"
    queue.add([about(2, "B"), about(3, "C", Urgency.FIRST)])
    assert (queue.next_at(last) or now) <= last + SCHEDULE.first_s
    assert serve(queue, last + SCHEDULE.first_s) == [3, 1, 2], "and what it finds well takes all the others along"


def test_the_delay_a_receiver_requests_holds_new_messages_for_half_a_minute_at_most() -> None:
    queue = queue_of(about(1, "A"))
    queue.settle(queue.take(0), {1: 3600.0}, 0, 0.0)
    assert queue.next_at(0) == 3600
    queue.add([about(2, "B", Urgency.FIRST)])
    assert queue.next_at(0) == NEW_WAIT_S


def test_many_messages_the_receiver_never_takes_keep_no_other_away() -> None:
    """Twenty urgent alarms are refused for ever, more than are under way at once; all others arrive, and soon."""
    poison = frozenset(range(1, 21))
    bad = [about(seq, f"A{seq}", Urgency.FIRST) for seq in poison]
    queue = queue_of(*bad, *(about(seq, f"B{seq}") for seq in range(21, 300)))
    tried: list[int] = []
    now = 0.0
    while not set(range(21, 300)) <= set(tried):
        tried += serve(queue, now, poison)
        now = max(now + 0.001, queue.next_at(now) or pytest.fail("nothing is tried any more"))
    assert now < 300
    assert sum(seq in poison for seq in tried) < 20 * 20, "and they are not tried without end meanwhile"
    queue.add([about(300, "C", Urgency.FIRST)])
    assert serve(queue, now + 1)[0] == 300, "a fresh one passes them all"


def test_messages_of_one_kind_and_plant_share_a_delivery() -> None:
    queue = queue_of(*(about(seq, None, Urgency.BULK, plant="pq"[seq % 2]) for seq in range(1, 11)), batch=4)
    taken = []
    while found := queue.take(0):
        taken.append([waiting.seq for waiting in found])
    assert taken == [[1, 3, 5, 7], [2, 4, 6, 8], [9], [10]]


class History:
    """Random outages, poison, arrivals and answers, beside a plain list of what waits."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  a test's
        self.in_flight = self.chance.choice([1, 2, 8])
        self.queue = DeliveryQueue(SCHEDULE, in_flight=self.in_flight, batch=self.chance.choice([1, 1, 3]))
        self.waits: dict[int, Waiting] = {}
        self.backs_off: set[str | None] = set()  # perhaps: of these it is not asked to be first
        self.under_way: list[list[Waiting]] = []
        self.done: dict[str | None, list[int]] = defaultdict(list)
        self.poison = {seq for seq in range(1, 200) if self.chance.random() < 0.05}
        self.now, self.seq, self.well = 0.0, 0, True

    def step(self) -> None:
        kind = self.chance.random()
        if kind < 0.35:
            self.arrive()
        elif kind < 0.5 and self.under_way:
            self.settle(self.under_way.pop(self.chance.randrange(len(self.under_way))))
        elif kind < 0.55:
            self.well = not self.well
        elif kind < 0.6:
            self.now += self.chance.choice([0.1, 1, 10, 400, 5000])
        else:
            self.take()

    def arrive(self) -> None:
        self.seq += 1
        subject, plant = self.chance.choice("ABCDEFGH"), self.chance.choice("pq")
        fresh = about(self.seq, subject, Urgency(self.chance.randrange(3)), plant)
        self.waits[self.seq] = fresh
        self.queue.add([fresh])

    def settle(self, taken: list[Waiting]) -> None:
        failed = {message.seq: None for message in taken if not self.well or message.seq in self.poison}
        was_down = self.queue.down
        self.queue.settle(taken, failed, self.now, self.chance.random())
        for message in taken:
            if message.seq not in failed:
                self.done[message.subject].append(message.seq)
                del self.waits[message.seq]
                self.backs_off.discard(message.subject)
            elif not self.queue.down or was_down:
                self.backs_off.add(message.subject)

    def pressing(self) -> dict[str | None, Urgency]:
        """How urgent each subject is that may be tried now."""
        busy = {waiting.subject for taken in self.under_way for waiting in taken} | self.backs_off
        found: dict[str | None, Urgency] = {}
        for wait in self.waits.values():
            if wait.subject not in busy:
                found[wait.subject] = min(wait.urgency, found.get(wait.subject, Urgency.BULK))
        return found

    def take(self) -> None:
        pressing, taken = self.pressing(), self.queue.take(self.now)
        if not taken:
            assert not pressing or self.queue.down or len(self.under_way) >= self.in_flight
            return
        assert len(self.under_way) < (1 if self.queue.down else self.in_flight)
        busy = {message.subject for other in self.under_way for message in other}
        assert len({message.subject for message in taken} - busy) == len(taken), "one message of an alarm at a time"
        assert len({(message.kind, message.plant) for message in taken}) == 1
        for message in taken:
            assert message.seq == min(s for s, w in self.waits.items() if w.subject == message.subject), (
                "in their order"
            )
        if not self.queue.down and pressing:
            first = min(w.urgency for w in self.waits.values() if w.subject == taken[0].subject)
            assert first <= min(pressing.values()), "nothing less urgent goes before"
        self.under_way.append(taken)

    def end(self) -> None:
        """All is well from now on: whatever waits is tried."""
        self.poison, self.well = set(), True
        for _ in range(1000):
            for taken in self.under_way:
                self.settle(taken)
            self.under_way = []
            while taken := self.queue.take(self.now):
                self.under_way.append(taken)
            due = self.queue.next_at(self.now)
            if not self.under_way and due is None:
                break
            self.now = max(self.now, due or self.now)
        assert self.waits == {}, "what waits would never be tried"


@pytest.mark.parametrize("seed", range(150))
def test_any_history_keeps_what_is_promised(seed: int) -> None:
    """Each once, those of one alarm in their order and one at a time, the urgent ones first, and none forgotten."""
    history = History(seed)
    for _ in range(300):
        history.step()
    history.end()
    assert sorted(seq for seqs in history.done.values() for seq in seqs) == list(range(1, history.seq + 1))
    assert all(seqs == sorted(seqs) for seqs in history.done.values())


def test_what_was_not_answered_together_is_tried_together_again_and_nothing_joins_it() -> None:
    """The same messages bear the same batch id, by which a platform knows that it has them."""
    queue = queue_of(about(1, "A"), about(2, "B"), about(3, "C"), in_flight=2, batch=2)
    first, second = queue.take(0), queue.take(0)
    assert [[waiting.seq for waiting in taken] for taken in (first, second)] == [[1, 2], [3]]
    queue.settle(first, {1: None, 2: None}, 2, 0.0)
    queue.settle(second, {3: None}, 2, 0.0)
    queue.add([about(4, "D")])
    seen = []
    for now in range(3, 4000):
        while taken := queue.take(now):
            seen.append([waiting.seq for waiting in taken])
            queue.settle(taken, {}, now, 0.0)
    assert sorted(seq for taken in seen for seq in taken) == [1, 2, 3, 4]
    assert [sorted(taken) for taken in seen if {1, 2} & {*taken}] == [[1, 2]]


def test_a_delivery_of_which_nothing_can_be_sent_is_no_sign_of_a_destination_that_is_back() -> None:
    queue = queue_of(about(1, "A"), about(2, "B"), in_flight=1)
    queue.settle(queue.take(0), {1: None}, 0, 0.0)
    assert queue.down
    begins = queue.next_at(0)
    assert begins is not None
    (taken,) = queue.take(begins)
    assert queue.drop([taken], {taken.seq}) == []
    assert queue.down
    left = {1, 2} - {taken.seq}
    assert {message.seq for now in range(int(begins), 4000) for message in queue.take(now)} == left
