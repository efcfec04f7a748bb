"""The ledger of instruments over the API: who may enter what, what is due, and what stays on record."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest

from ingest.domain.cases.days import day_of
from ingest.domain.model.plant import InstrumentPoint
from ingest.domain.model.suppression import SuppressionState
from ingest.storage.state.audit import AuditStore
from tests.ingest.web.conftest import Ask
from tests.ingest.web.ledgers import certificate, check_instruments, key_of, overdue, put_in_place, take
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn

DAY = 86_400 * 10**9
PASSED = {"outcome": "passed", "person": "省计量院", "number": "JL-7"}


async def listed(ask: Ask, query: str = "", token: str = INSPECTOR) -> list[dict[str, Any]]:
    answer = await ask(token).get(f"/api/v1/instruments{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["instruments"]
    return found


async def test_a_calibration_is_entered_with_its_certificate_and_the_audit_trail_has_it(
    ask: Ask, hall: StandIn
) -> None:
    await check_instruments(hall)
    client, key = ask(OPERATOR), key_of(hall, STEEL, "CO-01")
    today = day_of(hall.time).isoformat()
    proof = await certificate(client, STEEL)
    answer = await take(client, key, "calibrate", **PASSED, day=today, evidence=[proof])
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    due = {check["check"]: check for check in shown["standing"]["due"]}
    assert due["calibration"]["last"] == {
        "day": today, "passed": True, "valid_until": None, "number": "JL-7", "person": "省计量院",
    }  # fmt: skip
    assert due["calibration"]["state"] == "in-order"
    assert due["function-test"]["state"] == "unknown"
    (entry,) = shown["entries"]
    assert (entry["step"], entry["by"], entry["detail"]["evidence"]) == ("calibrate", "中控室 王建国", [proof])
    (row,) = AuditStore(hall.database.rows).acts(limit=9, kind="instrument")
    assert (row.act.action, row.act.subject, row.act.plant) == ("calibrate", str(key), STEEL)
    assert row.act.detail["serial"] == "K-101"


@pytest.mark.parametrize(
    ("form", "parameter"),
    [
        ({"number": None}, "number"),
        ({"evidence": []}, "evidence"),
        ({"day": "2027-01-01"}, "day"),
        ({"outcome": "void"}, "outcome"),
        ({"valid_until": "2020-01-01"}, "valid_until"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_entered(
    form: dict[str, Any], parameter: str, ask: Ask, hall: StandIn
) -> None:
    await check_instruments(hall)
    client, key = ask(OPERATOR), key_of(hall, STEEL, "CO-01")
    good = {**PASSED, "day": day_of(hall.time).isoformat(), "evidence": [await certificate(client, STEEL)]}
    answer = await take(client, key, "calibrate", **{**good, **form})
    assert answer.status_code == 422, answer.text
    assert parameter in answer.text
    assert (await client.get(f"/api/v1/instruments/{key}")).json()["entries"] == []


async def test_evidence_of_another_plant_and_an_old_version_are_refused(ask: Ask, hall: StandIn) -> None:
    await check_instruments(hall)
    client, key = ask(OPERATOR), key_of(hall, STEEL, "CO-01")
    day = day_of(hall.time).isoformat()
    foreign = await certificate(client, ALUMINIUM)
    assert (await take(client, key, "calibrate", **PASSED, day=day, evidence=[foreign])).status_code == 422
    assert (await take(client, key, "inspect", day=day, outcome="passed", person="李工")).status_code == 200
    old = {"version": 1, "day": day, "outcome": "passed", "person": "李工"}
    assert (await client.post(f"/api/v1/instruments/{key}/inspect", json=old)).status_code == 409


async def test_who_may_not_see_the_plant_sees_no_instrument_of_it(ask: Ask, hall: StandIn) -> None:
    await check_instruments(hall)
    assert {instrument["plant"] for instrument in await listed(ask)} == {STEEL, ALUMINIUM}
    assert await listed(ask, token=ELSEWHERE) == []
    assert await listed(ask, f"?plant={STEEL}", ELSEWHERE) == []
    key = key_of(hall, STEEL, "CO-01")
    assert (await ask(ELSEWHERE).get(f"/api/v1/instruments/{key}")).status_code == 404
    refused = await take(ask(INSPECTOR), key, "inspect", day="2026-11-01", outcome="passed", person="王检查")
    assert refused.status_code == 403


async def test_the_list_comes_by_due_date_in_pages_that_leave_nothing_out(ask: Ask, hall: StandIn) -> None:
    await check_instruments(hall)
    client = ask(OPERATOR)
    for plant, name, ago in ((STEEL, "CO-01", 300), (STEEL, "CO-02", 400)):
        day = (day_of(hall.time) - dt.timedelta(days=ago)).isoformat()
        key, proof = key_of(hall, plant, name), await certificate(client, plant)
        assert (await take(client, key, "calibrate", **PASSED, day=day, evidence=[proof])).status_code == 200
    whole = await listed(ask)
    assert whole[0]["instrument"] == "CO-02"
    assert [instrument["instrument"] for instrument in await listed(ask, "?state=overdue")] == ["CO-02"]
    assert [instrument["instrument"] for instrument in await listed(ask, "?point=CO-01")] == ["CO-01"]
    seen, cursor = [], ""
    while True:
        page = (await client.get(f"/api/v1/instruments?limit=1{cursor}")).json()
        seen += [instrument["id"] for instrument in page["instruments"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [instrument["id"] for instrument in whole]


async def test_a_correction_counts_and_both_entries_stay(ask: Ask, hall: StandIn) -> None:
    await check_instruments(hall)
    client, key = ask(OPERATOR), key_of(hall, STEEL, "CO-01")
    today = day_of(hall.time)
    proof = await certificate(client, STEEL)
    shown = (await take(client, key, "calibrate", **PASSED, day=today.isoformat(), evidence=[proof])).json()
    wrong = shown["entries"][0]["id"]
    right = (today - dt.timedelta(days=30)).isoformat()
    form = {"entry": wrong, "day": right, "outcome": "passed", "person": "省计量院", "reason": "日期录错"}
    after = (await take(client, key, "correct", **form)).json()
    assert [entry["step"] for entry in after["entries"]] == ["calibrate", "correct"]
    assert after["standing"]["due"][0]["last"]["day"] == right
    void = (await take(client, key, "correct", **{**form, "outcome": "void"})).json()
    assert void["standing"]["due"][0]["last"] is None


async def test_out_of_service_is_applied_for_with_its_proof_approved_by_somebody_else_and_ended(
    ask: Ask, hall: StandIn
) -> None:
    """By the life of suppressions that there is: the ledger only applies, ends, and keeps the proof."""
    await check_instruments(hall)
    client, key = ask(OPERATOR), key_of(hall, STEEL, "CO-01")
    proof = await certificate(client, STEEL)
    form = {"planning": "planned", "reason": "送检", "evidence": [proof]}
    applied = await take(client, key, "out-of-service", **form)
    assert applied.status_code == 200, applied.text
    assert not applied.json()["standing"]["out_of_service"]
    assert (await take(client, key, "out-of-service", **form)).status_code == 409
    (waiting,) = hall.hidden.values()
    assert (waiting.point, waiting.state, waiting.reason) == ("CO-01", SuppressionState.APPLIED, "送检")
    approved = await ask(INSPECTOR).post(f"/api/v1/suppressions/{waiting.id}/approve", json={"raises": 99})
    assert approved.status_code == 200, approved.text
    shown = (await client.get(f"/api/v1/instruments/{key}")).json()
    assert shown["standing"]["out_of_service"]
    assert {instrument["state"] for instrument in shown["standing"]["due"]} == {"out-of-service"}
    back = (await take(client, key, "return", remark="送检合格，已装回")).json()
    assert not back["standing"]["out_of_service"]
    assert [entry["step"] for entry in back["entries"]] == ["out-of-service", "return"]
    assert (await take(client, key, "return", remark="再次")).status_code == 409


async def test_a_scrapped_device_stays_on_record_when_another_takes_its_place(ask: Ask, hall: StandIn) -> None:
    await check_instruments(hall)
    client, key = ask(OPERATOR), key_of(hall, STEEL, "CO-01")
    proof = await certificate(client, STEEL)
    assert (await take(client, key, "scrap", reason="进水损坏", evidence=[])).status_code == 422
    assert (await take(client, key, "scrap", reason="进水损坏", evidence=[proof])).status_code == 200
    assert {instrument["state"] for instrument in await listed(ask, "?point=CO-01")} == {"scrapped"}
    put_in_place(hall, STEEL, "CO-01", "K-201")
    await check_instruments(hall)
    new = key_of(hall, STEEL, "CO-01")
    assert new != key
    old = (await client.get(f"/api/v1/instruments/{key}")).json()
    assert (old["standing"], old["state"], old["others"]) == (None, "scrapped", [str(new)])
    assert (await take(client, key, "out-of-service", planning="planned", reason="x")).status_code == 409


async def test_the_list_leaves_as_csv_with_a_row_for_each_check(ask: Ask, hall: StandIn) -> None:
    await check_instruments(hall)
    answer = await ask(INSPECTOR).get(f"/api/v1/lists/instruments.csv?plant={STEEL}")
    assert answer.status_code == 200, answer.text
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["仪表位号"], row["项目"], row["状态"]) for row in rows] == [
        (name, check, "无记录") for name in ("CO-01", "CO-02") for check in ("检定（校准）", "功能测试")
    ]
    assert {row["出厂编号"] for row in rows} == {"K-101", "K-102"}


async def test_a_point_says_which_checks_of_its_instrument_are_overdue(ask: Ask, hall: StandIn) -> None:
    """Its readings are shown as before, beside that."""
    await check_instruments(hall)
    overdue(hall, STEEL, "CO-01", InstrumentPoint.CALIBRATION, 3.0)
    shown = (await ask(OPERATOR).get(f"/api/v1/plants/{STEEL}/points/CO-01")).json()
    assert shown["overdue_checks"] == ["calibration"]
    assert shown["latest"]["value"] is not None
    other = (await ask(OPERATOR).get(f"/api/v1/plants/{STEEL}/points/CO-02")).json()
    assert other["overdue_checks"] == []
