from __future__ import annotations

from itertools import pairwise

from gateway_sim.buffer import RESEND_MOST_S, FrameBuffer


def _filled(frames: int, **settings: int) -> FrameBuffer:
    buffer = FrameBuffer(resend_s=3.0, **settings)
    for seq in range(1, frames + 1):
        buffer.add(seq, b"%d" % seq)
    return buffer


def _take_all(buffer: FrameBuffer, now: float) -> list[int]:
    taken = []
    while (frame := buffer.take(now)) is not None:
        taken.append(frame[0])
    return taken


def test_frames_go_out_oldest_first_and_only_a_window_of_them_without_commit() -> None:
    buffer = _filled(10, window=4)
    assert _take_all(buffer, 0.0) == [1, 2, 3, 4]
    buffer.commit(2, [], 0.1)
    assert _take_all(buffer, 0.1) == [5, 6]
    assert len(buffer) == 8


def test_only_a_commit_makes_the_buffer_forget() -> None:
    buffer = _filled(3)
    assert _take_all(buffer, 0.0) == [1, 2, 3]
    assert len(buffer) == 3
    buffer.commit(3, [(2, 2)], 0.1)
    assert len(buffer) == 1
    buffer.commit(3, [], 0.2)
    assert len(buffer) == 0


def test_missing_frames_are_sent_again_but_not_while_they_may_be_on_their_way() -> None:
    buffer = _filled(5)
    _take_all(buffer, 0.0)
    buffer.commit(5, [(2, 3)], 0.5)
    assert _take_all(buffer, 0.5) == []
    buffer.commit(5, [(2, 3)], 3.0)
    assert _take_all(buffer, 3.0) == [2, 3]
    assert buffer.resent == 2


def test_without_a_commit_a_frame_is_sent_again_with_growing_patience() -> None:
    buffer = _filled(1)
    sent = [tenth / 10 for tenth in range(1200) if buffer.take(tenth / 10) is not None]
    gaps = [round(b - a) for a, b in pairwise(sent)]
    assert gaps[:4] == [3, 6, 12, 15]
    assert max(gaps) == RESEND_MOST_S


def test_a_sign_of_life_ends_the_patience() -> None:
    """After a long outage the first commit makes the rest go out at once, not up to 15 s later."""
    buffer = _filled(2, window=2)
    for now in (0.0, 3.0, 9.0, 21.0):
        assert _take_all(buffer, now) == [1, 2]
    buffer.commit(1, [], 25.0)
    assert _take_all(buffer, 25.0) == [2]


def test_a_new_connection_sends_everything_kept_again() -> None:
    buffer = _filled(4)
    _take_all(buffer, 0.0)
    buffer.commit(1, [], 0.1)
    buffer.send_all_again()
    assert _take_all(buffer, 0.2) == [2, 3, 4]


def test_a_full_buffer_drops_the_oldest_and_counts_it() -> None:
    buffer = _filled(5, most=3)
    assert buffer.dropped == 2
    assert _take_all(buffer, 0.0) == [3, 4, 5]


def test_next_due_is_when_to_check_again() -> None:
    buffer = _filled(2)
    assert buffer.next_due() is None
    buffer.take(1.0)
    buffer.take(2.0)
    assert buffer.next_due() == 4.0
