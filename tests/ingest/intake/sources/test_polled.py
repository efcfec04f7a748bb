"""A source that polls keeps what `Source` promises beyond its conformance suite, which the toy passes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ingest.base.pace import Pace
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.feed import Feed
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.polled import Leaf, PolledSource
from ingest.intake.wire.frame import Committed, Refusal, decode_committed
from ingest.intake.wire.topics import frame_topic
from tests.conformance.source import PATIENCE_S, until

BUSY, CALM = frame_topic("p", "busy"), frame_topic("p", "calm")


class Shelf(PolledSource):
    """Messages in a dictionary, with what the test wants to go wrong."""

    interval_s = 0.01

    def __init__(self, feed: Feed) -> None:
        super().__init__(feed)
        self.waiting: dict[int, tuple[str, bytes]] = {}
        self.sent: dict[tuple[str, str, Leaf], bytes] = {}
        self.away: OSError | None = None
        self._newest = 0

    def fetch(self) -> None:
        self._require()
        for packet in sorted(packet for packet in self.waiting if packet > self._newest):
            if not self.hand_over(*self.waiting[packet], packet=packet):
                return
            self._newest = packet

    def forget(self, packet: int) -> None:
        self._require()
        self.waiting.pop(packet, None)

    def send(self, plant: str, gateway: str, leaf: Leaf, payload: bytes) -> None:
        self._require()
        self.sent[plant, gateway, leaf] = payload

    def _require(self) -> None:
        if self.away is not None:
            raise self.away


@contextmanager
def reading(
    handover: Handover, admit: Callable[[str, int], bool] = lambda _topic, _size: True
) -> Iterator[tuple[Shelf, threading.Semaphore]]:
    """A started source, and a semaphore that counts its subscriptions."""
    subscribed, errors = threading.Semaphore(0), list[BaseException]()
    shelf = Shelf(Feed(handover, Clock(), False, admit, errors.append, Pace(0)))
    shelf.start(subscribed.release)
    try:
        assert subscribed.acquire(timeout=PATIENCE_S)
        yield shelf, subscribed
    finally:
        shelf.stop()
    assert errors == []


def test_a_gateway_beyond_its_share_is_acknowledged_unread_and_others_are_read() -> None:
    """So that it sends again what was not taken, and nobody waits behind it."""
    handover = Handover(10)
    with reading(handover, lambda topic, size: topic != BUSY or size <= 3) as (shelf, _):
        shelf.waiting |= {1: (BUSY, b"abc"), 2: (BUSY, b"abcd"), 3: (CALM, b"abcd")}
        found = [message for _ in range(3) for message in handover.take(1, PATIENCE_S)]
        assert [(message.packet, message.payload, message.unread) for message in found] == [
            (1, b"abc", False), (2, b"", True), (3, b"abcd", False),
        ]  # fmt: skip
        shelf.acknowledge(found)
        assert shelf.waiting == {}


@pytest.mark.parametrize("times", [1, 2])
def test_while_the_other_side_is_away_nothing_fails_and_the_reason_is_given(times: int) -> None:
    handover, committed = Handover(10), Committed("b1", 7)
    with reading(handover) as (shelf, subscribed):
        for number in range(1, times + 1):
            shelf.waiting[number] = CALM, b""
            message = handover.take(1, PATIENCE_S)
            shelf.away = OSError(5, "Input/output error", "/mnt/share")
            until(lambda: shelf.trouble == "Input/output error")
            assert not shelf.connected
            shelf.acknowledge(message)
            assert [*shelf.announce([("p", "calm", committed)])] == [committed]
            assert not shelf.refuse("p", "calm", Refusal("b1", number, "schema", "", 1, 1)), "it has to be sent later"
            assert number in shelf.waiting
            assert shelf.sent == {}
            shelf.away = None
            assert subscribed.acquire(timeout=PATIENCE_S), "so that what was committed meanwhile is announced"
        assert shelf.reading
        shelf.announce([("p", "calm", committed)])
        assert shelf.refuse("p", "calm", Refusal("b1", 9, "schema", "", 1, 1))
    assert decode_committed(shelf.sent["p", "calm", "committed"]) == committed
    assert {leaf for *_, leaf in shelf.sent} == {"committed", "refused"}


def test_its_thread_bears_its_name_and_ends_with_it() -> None:
    with reading(Handover(1)) as (shelf, _):
        assert "Shelf" in {thread.name for thread in threading.enumerate()}
        shelf.waiting |= dict.fromkeys(range(1, 20), (CALM, b""))
    assert "Shelf" not in {thread.name for thread in threading.enumerate()}
