from __future__ import annotations

from dataclasses import dataclass

import pytest

from ingest.domain.model.plant import Gate
from ingest.plants.gates import Missing, find_gate, parse_when


@dataclass(frozen=True)
class At:
    id: str
    signal: str
    equipment: str | None = None
    setpoint: float | None = None


POINTS = [At("LEN-1", "LEN", "E-1"), At("LEN-2", "LEN", "E-2"), At("FLOW", "CW", setpoint=200.0), At("P", "PRESSURE")]


def found(text: str, equipment: str | None = None) -> Gate:
    when = parse_when(text)
    assert when is not None
    return find_gate(when, equipment, POINTS)


def test_a_signal_means_the_point_on_the_same_equipment() -> None:
    assert found("LEN >= 500", "E-2") == Gate("LEN-2", ">=", 500.0)


def test_a_signal_measured_once_means_that_point_wherever_it_is() -> None:
    assert found("CW != -1.5", "E-2") == Gate("FLOW", "!=", -1.5)


def test_a_point_id_means_that_point_even_on_other_equipment() -> None:
    assert found("LEN-1 < 5", "E-2") == Gate("LEN-1", "<", 5.0)


def test_percent_is_of_the_other_points_setpoint() -> None:
    assert found("CW < 80%") == Gate("FLOW", "<", 160.0)


@pytest.mark.parametrize(
    ("text", "needs"),
    [("LEN > 0", "which of LEN-1, LEN-2"), ("SPEED > 0", "a point of SPEED"), ("P < 80%", "setpoint of P")],
)
def test_a_gate_that_is_not_there_or_not_clear_says_what_it_needs(text: str, needs: str) -> None:
    with pytest.raises(Missing, match=needs):
        found(text, "E-3")


@pytest.mark.parametrize("text", ["", "LEN", "LEN = 5", "LEN > x", "LEN > 5 and P > 1", "> 5", "LEN > inf"])
def test_anything_but_one_comparison_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="always"):
        parse_when(text)


def test_always_is_no_gate() -> None:
    assert parse_when("always") is None
