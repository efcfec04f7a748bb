"""Every kind's score in plain loops."""

from __future__ import annotations

from tests.reference import basic, change, drift, forecast, honesty, logic, mahalanobis, principal, seasonal, surprise
from tests.reference.plain import Scores

SCORES: Scores = {
    **basic.SCORES,
    **forecast.SCORES,
    **seasonal.SCORES,
    **drift.SCORES,
    **change.SCORES,
    **honesty.SCORES,
    **logic.SCORES,
    **mahalanobis.SCORES,
    **principal.SCORES,
    **surprise.SCORES,
}
