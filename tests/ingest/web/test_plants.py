"""REST on plants, points and readings."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from detectors.detector import Reason
from ingest.domain.model.budget import RuleBudget
from ingest.domain.model.flags import Flag
from ingest.plants.view import Latest
from ingest.storage.history.store import Trend, TrendQuery
from ingest.web.rest.plants import fill_buckets
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, NOON, SECOND, STEEL, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn

POINT = f"/api/v1/plants/{ALUMINIUM}/points/CW_IN_P-01"


async def test_a_token_lists_its_plants_and_no_others(ask: Ask) -> None:
    listed = (await ask(ELSEWHERE).get("/api/v1/plants")).json()
    assert [plant["id"] for plant in listed] == [WOOD]
    assert len((await ask(INSPECTOR).get("/api/v1/plants")).json()) == 3


async def test_a_plant_says_how_it_stands(ask: Ask) -> None:
    plant = (await ask(OPERATOR).get(f"/api/v1/plants/{WOOD}")).json()
    assert plant["standing"] == {"level_1": 1, "level_2": 1}
    assert (plant["gateways_online"], plant["gateways"]) == (0, 1)
    assert plant["connect_by"] == "2024-12-31"
    assert plant["name"]["zh"] == "晨光木业有限公司"


async def test_a_point_names_its_rules_with_their_source_and_what_is_not_evaluated(ask: Ask) -> None:
    point = (await ask(OPERATOR).get(POINT)).json()
    rule = next(rule for rule in point["rules"] if rule["code"] == "LL")
    assert (rule["limit"], rule["unit"], rule["level"]) == (0.28, "MPa", 2)
    assert rule["confidence"] == "engineering default"
    assert rule["gate"] == {"point": "CAST_LEN-01", "op": ">=", "value": 500.0}
    assert rule["when"] == "CAST_LEN-01 >= 500"
    assert (rule["of"], rule["inputs"], rule["latch"]) == ("", [], False)
    assert rule["reason"]["zh"] == "数值越过 0.28 MPa：低低报"
    pit = (await ask(OPERATOR).get(f"/api/v1/plants/{ALUMINIUM}/points/PIT_LVL-01")).json()
    assert pit["unjudged"] == ["L: needs setpoint", "H: needs setpoint"]


async def test_a_point_says_which_duty_asks_for_it_and_which_rule_calls_for_red(hall: StandIn, ask: Ask) -> None:
    points = list(hall.known.points)
    at = next(point.index for point in points if point is not None and point.id == "CO-01")
    point = points[at]
    assert point is not None
    red = tuple(replace(rule, red=rule.code == "HH") for rule in point.rules)
    changed = replace(point, mandatory=True, basis="duty: some article", rules=red)
    points[at] = changed
    plant = hall.known.plants[STEEL]
    plant = replace(plant, points=tuple(changed if other is point else other for other in plant.points))
    hall.known = replace(hall.known, points=tuple(points), plants={**hall.known.plants, STEEL: plant})
    shown = (await ask(OPERATOR).get(f"/api/v1/plants/{STEEL}/points/CO-01")).json()
    assert (shown["mandatory"], shown["basis"]) == (True, "duty: some article")
    assert {rule["code"] for rule in shown["rules"] if rule["red"]} == {"HH"}


async def test_a_rule_that_says_nothing_has_its_reason_and_the_others_null(hall: StandIn, ask: Ask) -> None:
    for reason in Reason:
        hall.silent[ALUMINIUM, "CW_IN_P-01", "L"] = reason
        rules = (await ask(OPERATOR).get(POINT)).json()["rules"]
        standing = {rule["code"]: rule["standing"] for rule in rules}
        assert standing == {"L": reason.name.lower(), "LL": None, "SILENT": None}


async def test_a_rule_tells_its_budget_and_the_others_null(hall: StandIn, ask: Ask) -> None:
    hall.spending[ALUMINIUM, "CW_IN_P-01", "L"] = RuleBudget(30.0, 2, 1.5, 0.0, None)
    rules = (await ask(OPERATOR).get(POINT)).json()["rules"]
    budget = {"budget": 30.0, "spent": 2, "expected": 1.5, "needed_s": 0.0, "limit": None}
    assert {rule["code"]: rule["budget"] for rule in rules} == {"L": budget, "LL": None, "SILENT": None}


async def test_the_openapi_document_knows_every_reason(ask: Ask) -> None:
    document = (await ask(OPERATOR).get("/api/v1/openapi.json")).json()
    named, _ = document["components"]["schemas"]["RuleOut"]["properties"]["standing"]["anyOf"]
    assert named["enum"] == [reason.name.lower() for reason in Reason]


@pytest.mark.parametrize(
    ("latest", "quality"),
    [
        (Latest(NOON, 0.0, 0, stale=True), []),
        (Latest(NOON, 0.3, Flag.BAD, stale=False), ["bad"]),
        (Latest(NOON, None, Flag.NO_VALUE, stale=False), ["no_value"]),
        (Latest(NOON, float("nan"), 0, stale=False), []),
        (Latest(0, None, 0, stale=True), []),
    ],
    ids=["stale", "bad", "no value", "nan", "never seen"],
)
async def test_an_unknown_value_is_null_never_a_number(
    latest: Latest, quality: list[str], hall: StandIn, ask: Ask
) -> None:
    hall.put(ALUMINIUM, "CW_IN_P-01", latest)
    shown = (await ask(OPERATOR).get(POINT)).json()["latest"]
    assert shown["value"] is None
    assert shown["quality"] == quality


async def test_a_value_out_of_range_is_shown_and_marked(ask: Ask) -> None:
    shown = (await ask(OPERATOR).get(f"/api/v1/plants/{STEEL}/points/GH_LVL-01")).json()["latest"]
    assert (shown["value"], shown["quality"]) == (101.2, ["out_of_range"])


async def test_an_instrument_without_a_range_has_null_for_it(hall: StandIn, ask: Ask) -> None:
    """Switches have no range: the configuration keeps NaN, which JSON cannot say."""
    point = hall.known.find(WOOD, "FAN-01")
    assert point is not None
    object.__setattr__(point, "low", float("nan"))
    shown = (await ask(OPERATOR).get(f"/api/v1/plants/{WOOD}/points/FAN-01")).json()
    assert shown["low"] is None


async def test_readings_default_to_the_last_hour(ask: Ask) -> None:
    shown = (await ask(OPERATOR).get(f"{POINT}/readings")).json()
    assert (shown["start"], shown["end"]) == ("2026-11-23T05:12:30.000Z", "2026-11-23T06:12:30.000Z")
    assert len(shown["buckets"]) == 120
    assert shown["bucket_s"] == 30
    assert all(bucket["low"] <= bucket["mean"] <= bucket["high"] for bucket in shown["buckets"])


async def test_buckets_without_readings_are_null_not_missing(hall: StandIn, ask: Ask) -> None:
    hall.time += 1800 * SECOND
    shown = (await ask(OPERATOR).get(f"{POINT}/readings?buckets=120")).json()["buckets"]
    assert [bucket["mean"] is None for bucket in shown] == [False] * 60 + [True] * 60
    assert shown[-1]["count"] == 0


def test_a_bucket_of_nulls_has_a_count_and_no_values() -> None:
    nan = np.array([np.nan])
    (first, second) = fill_buckets(
        Trend(np.array([0]), nan, nan, nan, np.array([4])), TrendQuery("p", "x", 0, 20 * SECOND, 2)
    )
    assert (first.mean, first.count) == (None, 4)
    assert (second.mean, second.count) == (None, 0)


async def test_buckets_are_of_whole_units_and_the_first_begins_with_the_span(ask: Ask) -> None:
    """Whatever moment it is asked for: half a day goes by minutes, and there are at most the buckets asked for."""
    span = {"from": "2026-11-22T18:00:07.5Z", "to": "2026-11-23T06:00:07.5Z", "buckets": "240"}
    shown = (await ask(OPERATOR).get(f"{POINT}/readings", params=span)).json()
    times = [bucket["time"] for bucket in shown["buckets"]]
    assert (shown["bucket_s"], len(times)) == (240, 181)
    assert times[:2] == [shown["start"], "2026-11-22T18:04:00.000Z"]
    assert times[-1] == "2026-11-23T06:00:00.000Z"


async def test_a_span_is_named_in_any_zone(ask: Ask) -> None:
    span = {"from": "2026-11-23T14:00:00+08:00", "to": "2026-11-23T06:10:00Z", "buckets": "10"}
    shown = (await ask(OPERATOR).get(f"{POINT}/readings", params=span)).json()
    assert (shown["start"], len(shown["buckets"])) == ("2026-11-23T06:00:00.000Z", 10)


@pytest.mark.parametrize(
    ("query", "parameter", "expected"),
    [
        ({"from": "yesterday"}, "from", "RFC 3339"),
        ({"from": "2026-11-23"}, "from", "RFC 3339"),
        ({"from": "2026-11-23T06:00:00"}, "from", "with its zone"),
        ({"to": "1763884800"}, "to", "RFC 3339"),
        ({"to": "9999-01-01T00:00:00Z"}, "to", "RFC 3339"),
        ({"buckets": "0"}, "buckets", "greater than or equal to 1"),
        ({"buckets": "many"}, "buckets", "a valid integer"),
        ({"from": "2026-11-23T07:00:00Z", "to": "2026-11-23T06:00:00Z"}, "from", "a time before"),
    ],
)
async def test_a_wrong_parameter_is_named_with_its_value_and_what_was_expected(
    query: dict[str, str], parameter: str, expected: str, ask: Ask
) -> None:
    answer = await ask(OPERATOR).get(f"{POINT}/readings", params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["parameter"] == parameter
    assert expected in error["expected"]
    assert query[parameter][:10] in str(error["value"])


async def test_history_that_is_away_says_when_to_come_back(hall: StandIn, ask: Ask) -> None:
    """In both languages, and nothing of where it is: the last answer is of one that is suspended by now."""
    hall.history_away = True
    failed = (
        r"暂无趋势数据：历史库出错或没有及时应答，请 7 秒后再试。.+",
        r"history: trends are missing; it failed or did not answer in time, try again in 7 s",
    )
    suspended = (
        r"暂无趋势数据：历史库已有 \d+ 秒没有应答，服务会自行再次询问，请 5 秒后再试。.+",
        r"history: trends are missing; it has answered nothing for \d+ s and is asked again by itself, .+ 5 s",
    )
    for wait, (zh, en) in (("7", failed), ("7", failed), ("5", suspended)):
        answer = await ask(OPERATOR).get(f"{POINT}/readings")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, wait)
        message = answer.json()["message"]
        assert re.fullmatch(zh, message["zh"])
        assert re.fullmatch(en, message["en"])
        assert answer.json()["detail"] == message["en"]
        assert "10.0.0.7" not in answer.text


async def test_the_openapi_document_shows_examples_and_problems(ask: Ask) -> None:
    document = (await ask(OPERATOR).get("/api/v1/openapi.json")).json()
    assert document["components"]["schemas"]["PointOut"]["properties"]["id"]["examples"] == ["CW_IN_P-01"]
    assert "HTTPBearer" in document["components"]["securitySchemes"]
    operation = document["paths"]["/api/v1/plants/{plant}/points/{point}/readings"]["get"]
    assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert "/signin" not in json.dumps(document["paths"])
