"""Back-fill gets a quarter of the time at most, and some of it always."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.intake.backfill_release import STARVED_S, BackfillRelease

POLL_S = 0.005


def shares(piece_s: float, live: float, seconds: float = 60.0, seed: int = 1) -> tuple[float, float]:
    """Which part of the time an engine judges back-fill, and the longest pause between two pieces, s.

    `live`: the chance that something live waits to be judged, whenever it is looked at.
    """
    random, feeding = np.random.default_rng(seed), BackfillRelease()
    began: list[float] = []
    busy_until, now = 0.0, 0.0
    while now < seconds:
        if feeding.due(now, caught_up=now >= busy_until and random.random() >= live):
            feeding.joined(4000, now)
            began.append(now)
            busy_until = max(now, busy_until) + piece_s
        now += POLL_S
    return len(began) * piece_s / seconds, float(np.diff(began).max())


@pytest.mark.parametrize("piece_s", [0.002, 0.008, 0.05, 0.2])
@pytest.mark.parametrize("live", [0.0, 0.3, 0.9])
def test_at_most_a_quarter_of_the_time_goes_into_it(piece_s: float, live: float) -> None:
    """However slow the machine is, as long as it does not starve: what is live mostly finds an engine that waits."""
    share, pause_s = shares(piece_s, live)
    assert share <= max(1 / 4, piece_s / STARVED_S) + 0.005
    assert pause_s <= max(STARVED_S, 4 * piece_s) + 2 * POLL_S


def test_it_is_not_held_up_for_nothing() -> None:
    """With nothing live a machine that judges a piece in 8 ms goes on every 40."""
    share, _ = shares(0.008, 0.0)
    assert share >= 0.2


@pytest.mark.parametrize("piece_s", [0.008, 2.0])
def test_it_never_starves(piece_s: float) -> None:
    """Something live always waits, or the engine can not keep up at all."""
    _, pause_s = shares(piece_s, 1.0)
    assert pause_s <= STARVED_S + 2 * POLL_S


def test_the_first_piece_waits_for_nothing() -> None:
    assert BackfillRelease().due(1.0, caught_up=False)


def test_what_comes_now_and_then_waits_for_nothing() -> None:
    """A piece is rested from by how long it took, and not by how long nobody asked."""
    feeding = BackfillRelease()
    for frame in range(20):
        now = frame * 0.1
        assert feeding.due(now, caught_up=True)
        feeding.joined(100, now)
        while feeding.evaluating:
            now += POLL_S
            feeding.due(now, caught_up=True)
