"""The four lists and the yearly summary leave in four shapes with the same figures, and nothing in them runs."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import openpyxl
import pytest

from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn
from tests.ingest.web.test_hazards import opened, through

LISTS = ("enterprises", "hazards", "rectification", "responsibility")
HOSTILE = (
    '=HYPERLINK("http://x")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    "<script>alert(1)</script>",
    "http://x",
)


async def fetch(ask: Ask, path: str, token: str = INSPECTOR) -> bytes:
    answer = await ask(token).get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.content


async def table(ask: Ask, path: str, token: str = INSPECTOR) -> list[dict[str, Any]]:
    answer = await ask(token).get(f"/api/v1/{path}.json")
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


async def test_each_list_tells_of_the_records(ask: Ask, hall: StandIn) -> None:
    note = {"version": 0, "principal": "陈总", "principal_phone": "13800000000"}
    await ask(OPERATOR).patch(f"/api/v1/enterprises/{ALUMINIUM}", json=note)
    planned = await through(ask, await opened(ask), "register", "grade", "rectify")
    hall.time += 1
    await opened(ask, plant=WOOD, point=None, title="积尘")
    firms = {row["name"]: row for row in await table(ask, "lists/enterprises")}
    assert len(firms) == 3
    assert firms["南安市示范铝业有限公司"]["principal"] == "陈总"
    hazards = await table(ask, "lists/hazards")
    assert [(row["title"], row["level"], row["state"]) for row in hazards] == [
        (planned["title"], "一般隐患", "整改中"), ("积尘", None, "已发现"),
    ]  # fmt: skip
    (plan,) = await table(ask, "lists/rectification")
    assert (plan["responsible"], plan["budget"], plan["deadline"], plan["late_days"]) == (
        "李工",
        3500.5,
        "2026-12-04",
        None,
    )
    hall.time += 12 * 86_400 * 10**9
    (plan,) = await table(ask, "lists/rectification")
    assert (plan["in_time"], plan["late_days"]) == ("逾期", 1)
    duties = [row for row in await table(ask, "lists/responsibility") if row["plant"] == "南安市示范铝业有限公司"]
    assert [(row["duty"], row["person"], row["standing"]) for row in duties] == [
        ("安全生产全面责任", "陈总", ""), ("安全管理", None, ""),
        ("企业自查", "陈总", "未到期"), ("隐患整改", "李工", "逾期"),
    ]  # fmt: skip


async def shapes_agree(ask: Ask, name: str, query: str = "") -> None:
    """A list has the same figures as JSON, CSV, XLSX and page for the printer, and some at all."""
    answer = (await ask(INSPECTOR).get(f"/api/v1/{name}.json{query}")).json()
    heads = [column["zh"] for column in answer["columns"]]
    rows = [list(row.values()) for row in answer["rows"]]
    assert rows
    raw = await fetch(ask, f"{name}.csv{query}")
    assert raw.startswith(b"\xef\xbb\xbf"), "by which Excel knows UTF-8"
    first, *lines = csv.reader(io.StringIO(raw[3:].decode("utf-8")))
    assert (first, len(lines)) == (heads, len(rows))
    book = openpyxl.load_workbook(io.BytesIO(await fetch(ask, f"{name}.xlsx{query}")))
    (page,) = book.worksheets
    cells = [list(row) for row in page.iter_rows(min_row=3, values_only=True)]
    assert cells[0] == heads
    assert len(cells) - 1 == len(rows)
    for kind, *column in zip((column["kind"] for column in answer["columns"]), *rows, *lines, *cells[1:], strict=True):
        json_column, written, counted = (column[n * len(rows) : (n + 1) * len(rows)] for n in range(3))
        if kind in {"count", "share", "money"}:
            assert [None if text == "" else float(text) for text in written] == json_column
            assert counted == json_column
        elif kind == "text":
            assert [None if text == "" else text for text in written] == [value or None for value in json_column]
            assert [value or None for value in counted] == [value or None for value in json_column]
    html = (await fetch(ask, f"{name}.html{query}")).decode()
    assert [unescape(head) for head in re.findall("<th [^>]*>(.*?)</th>", html)] == heads
    assert html.count("<tr>") == len(rows) + 1


async def test_the_four_shapes_say_the_same(ask: Ask) -> None:
    await through(ask, await opened(ask), "register", "grade", "rectify", "submit")
    for name in (*(f"lists/{list_name}" for list_name in LISTS), "summary/2026"):
        await shapes_agree(ask, name)


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_text_can_be_no_formula_no_link_and_no_markup(text: str, ask: Ask) -> None:
    await opened(ask, title=f"x{text}", description=text.strip() or "x", place="x")
    hazard = await opened(ask, title="x", description="x", place=text.strip())
    kept = hazard["place"]
    raw = (await fetch(ask, "lists/hazards.csv")).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(raw)):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in row)
    book = openpyxl.load_workbook(io.BytesIO(await fetch(ask, "lists/hazards.xlsx")))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert kept in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells if isinstance(cell.value, str)} == {"s"}, "never f"
    assert all(cell.hyperlink is None for cell in cells)
    page = (await fetch(ask, "lists/hazards.html")).decode()
    assert "<script" not in page
    assert "<a " not in page


async def test_the_page_for_the_printer_has_its_own_style_and_no_script(ask: Ask) -> None:
    answer = await ask(INSPECTOR).get("/api/v1/lists/enterprises.html")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert 'lang="zh-CN"' in answer.text
    style = await ask(INSPECTOR).get("/static/print.css")
    assert "A4 landscape" in style.text
    for ending, kind in (("csv", "text/csv; charset=utf-8"), ("xlsx", "application/vnd.openxml")):
        file = await ask(INSPECTOR).get(f"/api/v1/lists/enterprises.{ending}")
        assert file.headers["content-type"].startswith(kind)
        assert file.headers["content-disposition"] == f"attachment; filename=enterprises.{ending}"


async def test_lists_and_summary_are_of_the_callers_plants(ask: Ask) -> None:
    await opened(ask)
    for name in (*(f"lists/{list_name}" for list_name in LISTS), "summary/2026"):
        for ending in ("json", "csv", "html"):
            text = (await fetch(ask, f"{name}.{ending}", ELSEWHERE)).decode()
            assert "南安市示范铝业" not in text
            assert "冷却水压力变送器" not in text
    assert (await ask(ELSEWHERE).get("/api/v1/lists/hazards.json", params={"plant": STEEL})).status_code == 404
    rows = await table(ask, "summary/2026", ELSEWHERE)
    assert [row["name"] for row in rows] == ["晨光木业有限公司", "粉尘涉爆小计", "合计"]


async def test_one_plants_list_is_of_that_plant(ask: Ask) -> None:
    await opened(ask)
    await opened(ask, plant=WOOD, point=None, title="积尘")
    answer = (await ask(INSPECTOR).get("/api/v1/lists/hazards.json", params={"plant": WOOD})).json()
    assert [row["title"] for row in answer["rows"]] == ["积尘"]


@pytest.mark.parametrize("path", ["lists/hazards.pdf", "lists/secrets.csv", "summary/1999.csv", "summary/x.csv"])
async def test_what_is_no_list_is_refused(path: str, ask: Ask) -> None:
    assert (await ask(INSPECTOR).get(f"/api/v1/{path}")).status_code == 422
