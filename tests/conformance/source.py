"""What every source promises intake. A new one subclasses the suite and gives its fixture `far`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from typing import Final, Protocol

import pytest

from ingest.intake.sources.handover import Handover
from ingest.intake.sources.raw import Raw
from ingest.intake.sources.source import Source
from ingest.intake.wire.frame import Committed, Refusal, decode_committed
from ingest.intake.wire.topics import frame_topic

PATIENCE_S: Final = 60.0
TOPIC: Final = frame_topic("p", "g")


def _not_expected(error: BaseException) -> None:
    raise error


class FarSide(Protocol):
    """What stands between gateways and the source; it holds what is sent, whoever is there."""

    def source(
        self, handover: Handover, *, known: bool, failed: Callable[[BaseException], None] = _not_expected
    ) -> Source:
        """A source, not started; `known`: one was here before, `failed`: takes the error that ends its thread."""

    def leave(self) -> None:
        """Be out of reach; what is held stays where it is."""

    def come_back(self) -> None:
        """Be in reach again, with all that was held."""

    def send(self, *payloads: bytes) -> None:
        """Frames of gateway g of plant p, each taken by the far side when this returns."""

    def settle(self, source: Source) -> None:
        """Return once what was acknowledged and announced has left us."""

    def heard(self) -> bytes | None:
        """The newest announcement to gateway g of what is committed."""


@dataclass
class Ours:
    """A started source, and what it handed over."""

    source: Source
    handover: Handover
    subscribed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def next(self) -> Raw:
        """The next message."""
        (message,) = self.handover.take(1, PATIENCE_S)
        return message

    def all(self, count: int) -> list[Raw]:
        """So many messages, each acknowledged as intake does: the far side may hold back more than a few."""
        found = []
        for _ in range(count):
            found.append(self.next())
            self.source.acknowledge(found[-1:])
            self.source.flush()
        return found

    def take(self, count: int) -> list[bytes]:
        """Their payloads."""
        return [message.payload for message in self.all(count)]


@contextmanager
def started(far: FarSide, *, known: bool = False, most: int = 100) -> Iterator[Ours]:
    """A source that is subscribed for the length of the block."""
    handover = Handover(most)
    ours = Ours(far.source(handover, known=known), handover)
    ours.source.start(ours.subscribed.release)
    try:
        assert ours.subscribed.acquire(timeout=PATIENCE_S)
        yield ours
    finally:
        ours.source.stop()


class SourcePromises:
    """Every message in its order, until it is acknowledged; nothing is dropped when we are slow."""

    def test_messages_come_as_they_were_sent_in_their_order(self, far: FarSide) -> None:
        payloads = [b"", b"{}", bytes(range(256)), "锅炉".encode(), *(str(n).encode() for n in range(200))]
        with started(far) as ours:
            before = time.time_ns()
            far.send(*payloads)
            messages = ours.all(len(payloads))
        assert [message.payload for message in messages] == payloads
        assert {message.topic for message in messages} == {TOPIC}
        times = [message.received for message in messages]
        assert before - 10**9 <= times[0]
        assert times == sorted(times)

    def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(self, far: FarSide) -> None:
        with started(far) as ours:
            far.send(b"kept", b"lost in a crash")
            first, second = ours.next(), ours.next()
            assert (first.payload, second.payload) == (b"kept", b"lost in a crash")
            ours.source.acknowledge([first])
            ours.source.flush()
            far.settle(ours.source)
        far.send(b"while away")
        with started(far, known=True) as ours:
            assert ours.take(2) == [b"lost in a crash", b"while away"]
            far.send(b"last")
            assert ours.take(1) == [b"last"], "and nothing stood between"

    def test_a_full_hand_over_holds_the_far_side_back_and_loses_nothing(self, far: FarSide) -> None:
        payloads = [str(n).encode() for n in range(100)]
        with started(far, most=2) as ours:
            far.send(*payloads)
            assert ours.take(len(payloads)) == payloads

    def test_a_source_that_waits_for_room_can_be_stopped(self, far: FarSide) -> None:
        """Nobody takes anything any more; what was not acknowledged is there for the next start."""
        with started(far, most=1) as ours:
            far.send(*[b"waits"] * 20)
            ours.next()
        with started(far, known=True) as ours:
            assert ours.take(20) == [b"waits"] * 20

    def test_it_says_that_it_reads_and_why_it_does_not(self, far: FarSide) -> None:
        source = far.source(Handover(10), known=False)
        assert not source.reading
        assert source.trouble
        with started(far) as ours:
            until(lambda: ours.source.reading and ours.source.connected)
            assert ours.source.trouble is None
            assert ours.source.unmet == 0

    def test_a_far_side_that_goes_away_and_comes_back_costs_nothing(self, far: FarSide) -> None:
        """Intake goes on meanwhile: what it acknowledges and announces may be lost, and is repeated; it never fails."""
        with started(far) as ours:
            far.send(b"before")
            before = ours.next()
            far.leave()
            until(lambda: not ours.source.reading and ours.source.trouble is not None)
            ours.source.acknowledge([before])
            ours.source.announce([("p", "g", Committed("b1", 1))])
            ours.source.refuse("p", "g", Refusal("b1", 1, "schema", "seq = 0; expected 1", 1, 1))
            ours.source.flush()
            far.come_back()
            until(lambda: ours.source.reading and ours.source.trouble is None)
            assert ours.subscribed.acquire(timeout=PATIENCE_S), "so that what was committed meanwhile is announced"
            far.send(b"after")
            while (payload := ours.take(1)[0]) != b"after":
                assert payload == b"before", "it was not acknowledged as far as they know"

    def test_a_fault_that_ends_its_thread_is_passed_on(self, far: FarSide) -> None:
        """A service that receives nothing any more must not appear healthy: it ends, and is started again."""

        class Broken(Handover):
            def put(self, messages: Sequence[Raw], give_up: Callable[[], bool]) -> bool:
                raise RuntimeError("a fault of ours")

        errors = Queue[BaseException]()
        source = far.source(Broken(1), known=False, failed=errors.put)
        subscribed = threading.Event()
        source.start(subscribed.set)
        try:
            assert subscribed.wait(PATIENCE_S)
            far.send(b"one")
            assert str(errors.get(timeout=PATIENCE_S)) == "a fault of ours"
        finally:
            source.stop()

    def test_a_gateway_hears_what_is_committed(self, far: FarSide) -> None:
        committed = Committed("b1", 7, [(2, 3)])
        with started(far) as ours:
            until(lambda: ours.source.connected)
            assert [*ours.source.announce([("p", "g", committed)])] == [committed]
            ours.source.flush()
            far.settle(ours.source)
            until(lambda: far.heard() is not None)
        assert decode_committed(far.heard() or b"") == committed

    def test_nothing_acknowledged_twice_or_unknown_does_harm(self, far: FarSide) -> None:
        with started(far) as ours:
            far.send(b"one")
            message = ours.next()
            for _ in range(2):
                ours.source.acknowledge([message])
                ours.source.flush()
            far.send(b"two")
            assert ours.take(1) == [b"two"]


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            pytest.fail("it never became true")
        time.sleep(0.01)
