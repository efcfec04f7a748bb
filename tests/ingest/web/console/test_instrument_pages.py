"""The pages on instruments: the list by due date, the ledger of one, and its forms as each role is offered them."""

from __future__ import annotations

import re

import httpx

from ingest.domain.cases.days import day_of
from ingest.domain.model.plant import InstrumentPoint
from tests.ingest.web.conftest import Ask
from tests.ingest.web.filled import fill
from tests.ingest.web.ledgers import PDF, check_instruments, key_of, overdue
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn

FILE = [("files", ("证书.pdf", PDF, "application/pdf"))]


async def sent(client: httpx.AsyncClient, hall: StandIn, step: str, **form: str) -> httpx.Response:
    """A form of the ledger's page, as a browser sends it: fields that were left empty are there, too."""
    key = key_of(hall, STEEL, "CO-01")
    page = (await client.get(f"/instruments/{key}")).text
    assert f'action="/instruments/{step}"' in page, step
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    data = {"instrument": str(key), "version": version, **form}
    return await client.post(f"/instruments/{step}", data=data, files=FILE)


async def test_a_certificate_is_entered_by_the_form_and_the_page_shows_it(hall: StandIn, ask: Ask) -> None:
    await check_instruments(hall)
    client, today = ask(OPERATOR), day_of(hall.time).isoformat()
    form = {"day": today, "outcome": "passed", "person": "省计量院", "number": "JL-9", "valid_until": "", "remark": ""}
    answer = await sent(client, hall, "calibrate", **form)
    assert answer.status_code == 303, answer.text
    page = (await client.get(answer.headers["location"])).text
    for word in ("JL-9", "省计量院", "证书.pdf", "有效"):
        assert word in page, word


async def test_an_entry_is_corrected_taken_out_of_service_and_scrapped_by_forms(hall: StandIn, ask: Ask) -> None:
    await check_instruments(hall)
    client, today = ask(OPERATOR), day_of(hall.time).isoformat()
    form = {"day": today, "outcome": "passed", "person": "李工", "number": "", "valid_until": "", "remark": "正常"}
    assert (await sent(client, hall, "inspect", **form)).status_code == 303
    ledger = hall.cases.store.ledger(key_of(hall, STEEL, "CO-01"))
    assert ledger is not None
    wrong = {**form, "entry": str(ledger.entries[0].id), "outcome": "void", "reason": "录错仪表"}
    assert (await sent(client, hall, "correct", **wrong)).status_code == 303
    away = {"planning": "unplanned", "reason": "探头损坏", "until": ""}
    assert (await sent(client, hall, "out-of-service", **away)).status_code == 303
    assert [suppression.point for suppression in hall.hidden.values()] == ["CO-01"]
    assert (await sent(client, hall, "return", remark="已修复")).status_code == 303
    assert (await sent(client, hall, "scrap", reason="寿命到期")).status_code == 303
    page = (await client.get(f"/instruments/{key_of(hall, STEEL, 'CO-01')}")).text
    assert "已报废" in page
    assert "#1" in page, "which entry was corrected"


async def test_the_list_says_what_is_overdue_and_what_is_not_in_any_ledger(hall: StandIn, ask: Ask) -> None:
    await fill(hall)
    page = (await ask(INSPECTOR).get(f"/instruments?plant={STEEL}")).text
    assert "逾期 15 天" in page
    assert re.search(r"宏远钢铁有限公司：\d 个测点未列入仪表台账", page)
    assert (await ask(INSPECTOR).get("/instruments?state=overdue")).text.count("<tr data-instrument=") == 1
    assert "没有符合条件的仪表" in (await ask(INSPECTOR).get("/instruments?state=scrapped")).text
    assert "还没有仪表：在企业文件中用 [[instruments]] 写明" in (await ask(ELSEWHERE).get("/instruments")).text


async def test_an_inspector_reads_the_ledger_and_is_offered_no_form(hall: StandIn, ask: Ask) -> None:
    filled = await fill(hall)
    page = (await ask(INSPECTOR).get(f"/instruments/{filled.ledger}")).text
    assert "JL-2025-118" in page
    assert 'action="/instruments/' not in page


async def test_a_point_and_its_plant_mark_an_overdue_calibration_beside_the_reading(hall: StandIn, ask: Ask) -> None:
    await check_instruments(hall)
    overdue(hall, STEEL, "CO-01", InstrumentPoint.CALIBRATION, 4.0)
    client = ask(OPERATOR)
    for path in (f"/plants/{STEEL}", f"/plants/{STEEL}/points/CO-01"):
        assert (await client.get(path)).text.count("▲ 检定（校准）逾期") == 1, path
    assert "▲ 检定" not in (await client.get(f"/plants/{ALUMINIUM}")).text
