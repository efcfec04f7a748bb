"""An announcement is never larger than the broker takes, and never wrong."""

from __future__ import annotations

import random

from gateway_sim.buffer import FrameBuffer
from ingest.intake.wire.chunks import fitting
from ingest.intake.wire.frame import Committed, encode_committed


def test_a_piece_is_true_as_short_as_asked_for_and_as_long_as_can_be() -> None:
    """For random gaps and every room: against trying each number of gaps from the most on."""
    dice = random.Random(7)  # noqa: S311
    for _ in range(30):
        ends = sorted(dice.sample(range(1, 10 ** dice.randint(2, 18)), 2 * dice.randint(1, 20)))
        missing = [(ends[at], ends[at + 1]) for at in range(0, len(ends), 2)]
        whole = Committed("b", ends[-1] + dice.randint(1, 9), missing)
        pieces = [whole, *(Committed("b", missing[n][0] - 1, missing[:n]) for n in reversed(range(len(missing))))]
        for room in range(len(encode_committed(whole)) + 1):
            announced = fitting(whole, room)
            assert announced == next((piece for piece in pieces if len(encode_committed(piece)) <= room), None)


def test_a_gateway_with_partial_announcements_keeps_what_is_missing_and_ends_with_nothing() -> None:
    """The reference gateway's store against a service that has every second frame, and a broker with little room."""
    buffer, arrived = FrameBuffer(window=1000, resend_s=1.0), set[int]()
    for seq in range(1, 201):
        buffer.add(seq, b"")
    now = 0.0
    while buffer.take(now) is not None:
        pass
    arrived |= {*range(2, 201, 2)}
    while len(buffer):
        now += 2.0
        missing = [(seq, seq) for seq in range(1, 201) if seq not in arrived]
        piece = fitting(Committed("b", 200, missing), 120)
        assert piece is not None
        buffer.commit(piece.seq, piece.missing, now)
        assert {*buffer._kept} >= {seq for seq, _ in missing}
        while (sent := buffer.take(now)) is not None:
            arrived.add(sent[0])
    assert arrived == {*range(1, 201)}
