"""Ordinary sparks come as seldom as is assumed, while work goes on, and the hall stays as it is without them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.judged_plant import evaluate_healthy
from gateway_sim.accidents.grinding import GrindingHall
from gateway_sim.physics import PHYSICS
from gateway_sim.physics.dust import DustCollectors
from gateway_sim.physics.signals import Physics
from gateway_sim.physics.sparks import WATER_S, OrdinarySparks

HOUR = 3600


def closings(sparks: OrdinarySparks, seconds: int, *, working: bool = True) -> tuple[int, int]:
    """How often the contact closes, and how long it is closed altogether, s."""
    shown = [sparks.advance(1.0, working=working) for _ in range(seconds)]
    return sum(now and not before for before, now in zip([False, *shown], shown, strict=False)), sum(shown)


def test_as_many_come_as_asked_for_and_each_closes_the_contact_while_the_water_runs() -> None:
    many, closed = closings(OrdinarySparks(1, a_day=480.0), 100 * HOUR)  # 1.2 an event, with those that follow
    assert many == pytest.approx(2000 * 1.2, rel=0.1)
    assert closed / many == pytest.approx(WATER_S, rel=0.1)


def test_without_work_there_are_no_sparks_and_a_seed_decides_them_all() -> None:
    assert closings(OrdinarySparks(1, a_day=480.0), HOUR, working=False) == (0, 0)
    assert closings(OrdinarySparks(1, a_day=0.0), HOUR) == (0, 0)
    first, again, other = (closings(OrdinarySparks(seed, a_day=480.0), 10 * HOUR) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("hall", [GrindingHall, DustCollectors])
def test_they_change_nothing_else_in_the_hall(hall: Callable[[int, float], Physics]) -> None:
    quiet, sparking = (hall(3, a_day).run(2 * HOUR, 1.0) for a_day in (0.0, 480.0))
    column = hall(0, 0.0).points.index("SPARK-01")
    assert not quiet[:, column].any()
    assert sparking[:, column].any()
    assert (np.delete(quiet, column, axis=1) == np.delete(sparking, column, axis=1)).all()


def test_a_spark_of_the_demonstration_is_reported_and_nothing_turns_red(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight times as many as are assumed, over the break of the shifts: machines and fans stop and start again."""
    monkeypatch.setitem(PHYSICS, "dust", lambda seed: DustCollectors(seed, 8.0))
    raised = [v for minute in evaluate_healthy("demo-dust", 5 * HOUR, range(4)) for v in minute if v.raised]
    assert {(verdict.point, verdict.code) for verdict in raised} == {("SPARK-01", "ON")}
    assert len(raised) >= 3
