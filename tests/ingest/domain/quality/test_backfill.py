"""Back-fill is distinguished from live frames by how fast time passes in them, never by their age alone."""

from __future__ import annotations

import random

import pytest

from ingest.domain.quality.backfill import BURST, FRESH, Backfill

SECOND = 10**9
WHO = ("p", "g")


@pytest.mark.parametrize("off_s", [0, -3600, -86400 * 365, 3600], ids=["right", "behind", "years behind", "ahead"])
@pytest.mark.parametrize("every_s", [0.1, 1, 30, 600])
def test_a_gateway_that_sends_in_real_time_is_live_for_ever(off_s: int, every_s: float) -> None:
    """However wrong the clock and however long a frame, what is sent at the pace of time is never held back."""
    backfill, every = Backfill(), int(every_s * SECOND)
    now = 10**18
    for _ in range(500):
        first = now + off_s * SECOND - every
        assert not backfill.catches_up(WHO, first, first + every, now)
        now += every


def test_a_link_that_stays_slow_is_live() -> None:
    """A gateway an hour behind that gains nothing sends the best that is known of its plant."""
    backfill, now = Backfill(), 10**18
    for _ in range(1000):
        assert not backfill.catches_up(WHO, now - 3601 * SECOND, now - 3600 * SECOND, now)
        now += SECOND


def test_what_a_short_outage_leaves_is_live_and_three_days_are_not() -> None:
    backfill, now = Backfill(), 10**18
    short = [backfill.catches_up(WHO, now - (90 - at) * SECOND, now - (89 - at) * SECOND, now) for at in range(90)]
    assert not any(short)
    start, held = now - 72 * 3600 * SECOND, []
    for at in range(0, 72 * 3600, 10):
        now += SECOND // 1000
        held.append(backfill.catches_up(("p", "other"), start + at * SECOND, start + (at + 9) * SECOND, now))
    assert not any(held[: BURST // (10 * SECOND)])
    assert all(held[BURST // (9 * SECOND) + 1 : -FRESH // (10 * SECOND) - 3])
    assert not any(held[-3:]), "what is newer than a minute is live, whatever came before it"


def test_one_gateway_that_catches_up_holds_back_no_other() -> None:
    backfill, now = Backfill(), 10**18
    for at in range(100):
        backfill.catches_up(WHO, at * 100 * SECOND, (at + 1) * 100 * SECOND, now)
        assert not backfill.catches_up(("p", "live"), now - 3600 * SECOND, now - 3600 * SECOND, now)
        now += SECOND


def test_a_gateway_is_live_again_soon_after_it_has_caught_up_by_a_clock_that_is_wrong() -> None:
    """Its times stay old for ever; what ends the back-fill is that they go on no faster than time does."""
    backfill, now, behind = Backfill(), 10**18, 7200 * SECOND
    for at in range(1000):
        backfill.catches_up(WHO, now - behind - (1000 - at) * SECOND, now - behind - (999 - at) * SECOND, now)
    seen = []
    for _ in range(120):
        now += SECOND
        seen.append(backfill.catches_up(WHO, now - behind, now - behind, now))
    assert not any(seen[61:])


def test_frames_sent_again_in_any_order_never_count_against_what_is_fresh() -> None:
    generator, backfill, now = random.Random(5), Backfill(), 10**18  # noqa: S311  which frames, not secrets
    for _ in range(5000):
        now += SECOND // 50
        old = now - generator.randrange(2, 400_000) * SECOND
        backfill.catches_up(WHO, old, old + generator.randrange(0, 60) * SECOND, now)
        assert not backfill.catches_up(WHO, now, now, now)
