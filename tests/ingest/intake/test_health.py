"""A gateway's health is reported at once when there is trouble, and seldom when all is well: a fleet costs little."""

from __future__ import annotations

from ingest.domain.model.plant import GatewayPoint
from ingest.intake.health import WINDOW, Health, Tally
from tests.movable_clock import SECOND


def history(health: Health, *, start_s: int, until_s: int, refused: float = 0.0) -> list[tuple[GatewayPoint, float]]:
    """The reports while one frame a second comes."""
    return [
        share
        for second in range(start_s, until_s)
        for share in health.add(Tally(second * SECOND, frames=1, refused=refused))
    ]


def test_refusals_are_reported_with_the_first_frame_and_their_end_within_two_windows() -> None:
    health = Health(0)
    assert history(health, start_s=0, until_s=1, refused=0.5) == [(GatewayPoint.REFUSED, 50.0)]
    later = history(health, start_s=1, until_s=700)
    shares = [value for point, value in later if point is GatewayPoint.REFUSED]
    assert shares == sorted(shares, reverse=True), "the share of one refused frame falls, and never rises"
    assert shares[-1] == 0.0


def test_a_reused_number_is_reported_at_once_and_counted() -> None:
    health = Health(0)
    history(health, start_s=0, until_s=400)
    assert health.add(Tally(400 * SECOND, reused=1)) == [(GatewayPoint.REUSED, 1.0)]
    assert health.add(Tally(401 * SECOND, reused=3)) == [], "not ten times a second"
    assert health.add(Tally(431 * SECOND, reused=1)) == [(GatewayPoint.REUSED, 5.0)]


def test_all_is_well_is_reported_only_for_a_whole_window() -> None:
    """After a start nobody knows what was before: an outstanding alarm stays so."""
    health = Health(0)
    whole = WINDOW // SECOND
    assert history(health, start_s=0, until_s=whole) == []
    shares = history(health, start_s=whole, until_s=2 * whole)
    assert shares == [(GatewayPoint.REFUSED, 0.0), (GatewayPoint.REUSED, 0.0), (GatewayPoint.THROTTLED, 0.0)]


def test_a_healthy_gateway_costs_a_few_readings_an_hour() -> None:
    health = Health(0)
    history(health, start_s=0, until_s=3600)
    assert len(history(health, start_s=3600, until_s=7200)) <= 18
