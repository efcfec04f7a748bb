"""The hand-over keeps order, holds back whoever is too fast, and lets nobody wait for ever."""

from __future__ import annotations

import threading

from ingest.intake.sources.handover import Handover
from ingest.intake.sources.raw import Raw

PATIENCE_S = 60.0


def raw(number: int, size: int = 1) -> Raw:
    return Raw(str(number), b"x" * size, number)


def test_messages_come_out_in_order_and_no_more_than_asked_for() -> None:
    handover = Handover(10)
    handover.put([raw(1), raw(2)], lambda: False)
    handover.put([raw(3)], lambda: False)
    assert [message.received for message in handover.take(2, 0)] == [1, 2]
    assert [message.received for message in handover.take(5, 0)] == [3]
    assert handover.take(5, 0) == []


def full(handover: Handover) -> bool:
    """Whether a `put` now would have to wait, and gives up."""
    return not handover.put([raw(9)], lambda: True)


def test_it_is_full_by_number_and_by_bytes_and_has_room_again_when_they_are_taken() -> None:
    by_number, by_bytes = Handover(2), Handover(100, most_bytes=10)
    by_number.put([raw(1), raw(2)], lambda: False)
    by_bytes.put([raw(1, size=10)], lambda: False)
    for handover in (by_number, by_bytes):
        assert full(handover)
        handover.take(1, 0)
        assert not full(handover)


def test_who_waits_for_room_goes_on_as_soon_as_there_is_some() -> None:
    handover = Handover(1)
    handover.put([raw(1)], lambda: False)
    waiting = threading.Thread(target=handover.put, args=([raw(2)], lambda: False))
    waiting.start()
    assert handover.take(1, PATIENCE_S)
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()
    assert [message.received for message in handover.take(1, 0)] == [2]


def test_a_waiting_reader_returns_when_woken() -> None:
    handover, taken = Handover(1), list[list[Raw]]()
    waiting = threading.Thread(target=lambda: taken.append(handover.take(1, PATIENCE_S)))
    waiting.start()
    while not taken:
        handover.wake()
        waiting.join(0.01)
    assert taken == [[]]
