"""What every form has in common: its session's token, fields with names, texts that are only texts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from ingest.services.config import ApiConfig
from ingest.web.app import build_api
from ingest.web.console import fields
from ingest.web.texts import FIELD_LABELS
from tests.ingest.web.conftest import Ask
from tests.ingest.web.filled import fill
from tests.ingest.web.made_up_plants import STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, StandIn

SILENT = {"csrf", "onward", "version", "token", "lang", "files"}
"""Fields that nobody fills in by hand, or that speak for themselves."""

HOSTILE = '"><img src=x onerror=alert(1)>{{ 7 * 7 }}'


def routes() -> list[tuple[str, Any]]:
    """The forms of the console: address and route."""
    app = build_api(StandIn().ports, ApiConfig())
    return sorted(
        (str(context.path), context.route)
        for context in iter_route_contexts(app.routes)
        if "POST" in (context.methods or ()) and not str(context.path).startswith("/api/")
    )


ROUTES = dict(routes())
FORMS = list(ROUTES)


@asynccontextmanager
async def signed_in(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yujing.test") as client:
        await client.post("/signin", data={"token": ADMIN})
        yield client


def test_the_walk_sees_every_form() -> None:
    assert {"/alarms/{alarm}/shelve", "/hazards/submit", "/inspections/conclude", "/dispositions"} <= set(FORMS)
    assert len(FORMS) >= 35


@pytest.mark.parametrize("csrf", [{}, {"csrf": "x"}])
async def test_no_form_is_taken_without_its_sessions_token(csrf: dict[str, str], app: FastAPI, hall: StandIn) -> None:
    """A cookie alone does nothing, whatever else was sent."""
    alarm, before = next(iter(hall.book)), len(hall.log)
    async with signed_in(app) as client:
        for path in FORMS:
            if path not in {"/signin", "/language"}:
                where = re.sub(r"{\w+}", str(alarm), path)
                answer = await client.post(where, data={"comment": "x", "reason": "x", **csrf})
                assert answer.status_code == 403, path
                assert "没有完成：打开此表单之后又重新登录过" in answer.text
    assert (len(hall.log), hall.hidden) == (before, {})


async def test_every_form_on_every_page_carries_the_token(app: FastAPI, hall: StandIn) -> None:
    filled = await fill(hall)
    async with signed_in(app) as client:
        page = (await client.get("/alarms")).text
        (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', page))
        warning = hall.warned[-1].warning.id
        for path in ("/alarms", *(f"/alarms/{alarm}" for alarm in hall.book), f"/warnings/{warning}", "/suppressions",
                     *(f"/hazards/{key}" for key in filled.hazards.values()), "/hazards/new", "/inspections/new",
                     f"/inspections/{filled.inspection}", f"/leads/{filled.lead}", "/leads", f"/enterprises/{STEEL}",
                     "/self-inspections"):  # fmt: skip
            page = (await client.get(path)).text
            forms = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)
            assert forms, path
            for form in forms:
                assert f'name="csrf" value="{csrf}"' in form or 'action="/language"' in form, path


@pytest.mark.parametrize("path", FORMS)
def test_every_field_has_a_name_in_both_languages(path: str) -> None:
    """So that what is wrong in a form can be named to whoever filled it in."""
    names = {field.alias for field in ROUTES[path].dependant.body_params} - SILENT
    assert names <= set(FIELD_LABELS)


async def test_what_people_write_is_text_on_every_page_and_nothing_else(hall: StandIn, ask: Ask) -> None:
    client = ask(ADMIN)
    alarm = next(a for a in hall.book.values() if a.point == "CO-01")
    await client.post(f"/alarms/{alarm.id}/comment", data={"comment": HOSTILE})
    await client.post(f"/alarms/{alarm.id}/assign", data={"to": HOSTILE})
    await client.post(f"/alarms/{alarm.id}/shelve", data={"minutes": "30", "reason": HOSTILE})
    await client.post(f"/alarms/{alarm.id}/out-of-service", data={"reason": HOSTILE})
    form = {"alarm": str(alarm.id), "cause": "process.gas", "measure": HOSTILE, "person": HOSTILE, "words": HOSTILE}
    await client.post("/dispositions", data=form, files=[("files", (HOSTILE, b"%PDF-1", "application/pdf"))])
    draft = {"plant": WOOD, "title": HOSTILE, "place": HOSTILE, "description": HOSTILE}
    hazard = (await client.post("/hazards", data=draft)).headers["location"]
    lead = (await client.post("/leads", data={"plant": WOOD, "text": HOSTILE})).headers["location"]
    plan = {"plant": WOOD, "inspectors": HOSTILE, "day": "2026-11-24", "scope": HOSTILE, "reference": HOSTILE}
    inspection = (await client.post("/inspections", data=plan)).headers["location"]
    note = {"version": "0", "principal": HOSTILE, "address": HOSTILE, "insurance": HOSTILE}
    await client.post(f"/enterprises/{WOOD}/note", data=note)
    await client.post(f"/enterprises/{WOOD}/classify", data={"version": "1", "risk_class": "red", "reason": HOSTILE})
    warning = hall.warned[-1].warning.id
    await client.post(f"/warnings/{warning}/feedback", data={"cause": HOSTILE, "measure": HOSTILE})
    seen = 0
    own = (hazard, lead, inspection, f"/alarms/{alarm.id}", f"/alarms/{alarm.id}/actions", f"/enterprises/{WOOD}")
    lists = ("/alarms", "/suppressions", "/audit", "/hazards", "/leads", "/inspections", "/enterprises", "/warnings")
    asked = (f"/hazards/new?point={HOSTILE}", f"/audit?subject={HOSTILE}")
    for path in (*own, *lists, *asked, f"/warnings/{warning}", "/lists/hazards", "/lists/enterprises"):
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert "<img src=x" not in answer.text, path
        seen += "&lt;img src=x" in answer.text
    assert seen >= 15


@pytest.mark.parametrize(
    ("onward", "led"), [("/alarms?level=2", "/alarms?level=2"), ("https://evil.example", "/"), ("//evil.example", "/")]
)
async def test_a_form_leads_nowhere_else(onward: str, led: str, hall: StandIn, ask: Ask) -> None:
    alarm = next(iter(hall.book))
    answer = await ask(ADMIN).post(f"/alarms/{alarm}/comment", data={"comment": "x", "onward": onward})
    assert answer.headers["location"] == led


@pytest.mark.parametrize(
    "text", ["2026-11-23", "2026-13-01T00:00", "2026-11-23T14:12Z", "2026-11-23T14:12+08:00", "x" * 17]
)
def test_a_moment_is_plant_time_or_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|month|isoformat"):
        fields.parse_moment(text)


@pytest.mark.parametrize("text", ["", "nan", "1e3.0", "0.001", "-1", "1e30", "一百"])
def test_a_sum_is_exact_or_refused(text: str) -> None:
    with pytest.raises(ValueError, match="yuan"):
        fields.parse_fen(text)


@pytest.mark.parametrize("text", ["2026-W01-1", "20261123", "2026-02-30", "yesterday"])
def test_a_day_is_a_day_or_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|isoformat"):
        fields.parse_day(text)
