"""REST on operator positions: what their alarms asked of them, beside figures that say where they are from."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.domain.alarms.config import AlarmsConfig
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, StandIn

METRICS = "/api/v1/alarms/metrics"


async def asked(ask: Ask, token: str = INSPECTOR, **query: str) -> dict[str, Any]:
    answer = await ask(token).get(METRICS, params={key.rstrip("_"): value for key, value in query.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_metrics_of_an_operator_position_are_those_of_its_alarms(hall: StandIn, ask: Ask) -> None:
    """A day back from now, where nothing else is asked for; the present comes with it."""
    for ago in range(1, 13):
        hall.raise_alarm(STEEL, "CW_DT-01", "HH", 21.0, ago_s=10 * ago)
    (steel,) = (await asked(ask, position=STEEL))["positions"]
    assert (steel["position"], steel["plants"]) == (STEEL, [STEEL])
    assert (steel["start"], steel["end"]) == ("2026-11-22T06:12:30.000Z", "2026-11-23T06:12:30.000Z")
    assert (steel["raised"], steel["level_1"], steel["level_2"]) == (14, 2, 12)
    assert (steel["rate_max"], steel["slots"], steel["above_10"]) == (12, 144, pytest.approx(1 / 144))
    assert [(flood["ended"], flood["alarms"], flood["peak"]) for flood in steel["floods"]] == [(None, 12, 12)]
    assert (steel["top"][0]["point"], steel["top"][0]["count"]) == ("CW_DT-01", 12)
    assert steel["chattering"] == [{"plant": STEEL, "point": "CW_DT-01", "rule": "HH"}]
    assert (steel["acknowledged"], steel["not_acknowledged"]) == (2, 12)
    now = steel["now"]
    assert (now["level_1"], now["level_2"], now["raised"], now["flood"]) == (1, 12, 12, True)
    assert now["chattering"] == 1


async def test_a_span_of_its_own_holds_only_what_called_in_it(hall: StandIn, ask: Ask) -> None:
    whole = (await asked(ask, position=WOOD))["positions"][0]
    part = (await asked(ask, position=WOOD, from_="2026-11-23T05:00:00Z", to="2026-11-23T06:00:00Z"))["positions"][0]
    assert (whole["raised"], part["raised"], part["slots"]) == (3, 1, 6)
    assert part["now"] == whole["now"]


async def test_every_benchmark_says_where_it_is_from(ask: Ask) -> None:
    found = await asked(ask)
    position = found["positions"][0]
    for benchmark in found["benchmarks"]:
        assert benchmark["source"]
        assert benchmark["confidence"] in {"published", "engineering default"}
        assert benchmark["metric"] in position or benchmark["metric"] in position["now"]


async def test_a_position_out_of_scope_does_not_exist(hall: StandIn, ask: Ask) -> None:
    """Nor one that is in scope only in part: its figures would tell of the other plants."""
    assert [position["position"] for position in (await asked(ask))["positions"]] == [ALUMINIUM, STEEL, WOOD]
    assert [position["position"] for position in (await asked(ask, ELSEWHERE))["positions"]] == [WOOD]
    assert (await ask(ELSEWHERE).get(METRICS, params={"position": STEEL})).status_code == 404
    hall.load.config = AlarmsConfig.model_validate({"positions": [{"name": "room", "plants": [STEEL, WOOD]}]})
    assert (await asked(ask, ELSEWHERE))["positions"] == []
    assert (await ask(ELSEWHERE).get(METRICS, params={"position": "room"})).status_code == 404
    (room,) = (await asked(ask, ADMIN, position="room"))["positions"]
    assert (room["plants"], room["raised"]) == ([STEEL, WOOD], 5)


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-11-23T06:00:00Z", "to": "2026-11-23T05:00:00Z"},
        {"from": "2026-11-24T06:00:00Z"},
        {"from": "2025-11-01T00:00:00Z"},
        {"from": "yesterday"},
    ],
)
async def test_a_span_that_cannot_be_measured_is_refused(query: dict[str, str], ask: Ask) -> None:
    answer = await ask(INSPECTOR).get(METRICS, params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "from"
