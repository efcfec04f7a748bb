"""A step that is added to a table of verbs, and nowhere else, can be taken: use case, API and page know it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from ingest.domain.cases.errors import Impossible, Incomplete, NotTheirs
from ingest.domain.cases.hazard import Hazard, HazardSource
from ingest.domain.cases.hazard_steps import Action, HazardStep, HazardTable, Register, moves
from ingest.domain.cases.step_tables import actions_of, render
from ingest.domain.cases.verbs import Input, Kind, Verb, VerbTable
from ingest.domain.model.rights import AUTHORITY
from ingest.domain.model.text import Text
from ingest.services.access import Principal
from ingest.services.cases import hazards, steps
from ingest.services.errors import NotAllowed
from ingest.storage.state.audit import AuditStore
from ingest.web.console.hazard_pages import hazard_pages
from ingest.web.console.rendering import Renderer
from ingest.web.console.step_forms import step_forms
from ingest.web.rest.hazards import hazards_router
from ingest.web.routers import add_routes
from tests.ingest.web.filled import INSPECTOR, OPERATOR
from tests.ingest.web.made_up_plants import STEEL
from tests.ingest.web.stand_in import StandIn


@dataclass(frozen=True, slots=True)
class Entrust(Action):
    """委托整改."""

    contractor: Annotated[str, Input(Kind.NAME, "受托单位", "Contractor", to="responsible")]
    measure: Annotated[str, Input(Kind.PROSE, "委托内容", "Work", expected=Text("必填：做什么", "a text: what work"))]
    budget_fen: Annotated[int, Input(Kind.MONEY, "委托资金（元）", "Fee (yuan)", paired=True)]
    deadline: Annotated[dt.date, Input(Kind.DEADLINE, "完成时限", "Due", paired=True)]
    words: Annotated[str | None, Input(Kind.WORDS, "备注", "Remark")] = None


MAKE: Any = HazardTable  # mypy knows no enumeration that a call makes
TABLE: type[HazardTable] = MAKE(
    "HazardStep",
    {step.name: step.verb for step in HazardStep}
    | {
        "ENTRUST": Verb(
            "entrust",
            Text("委托整改", "entrust"),
            AUTHORITY,
            moves(".   M   .   .   .   .   .   ."),
            Entrust,
            "委托整改: somebody else rectifies.",
            stamp="planned",
            hint=Text("由受托单位整改。", "A contractor rectifies."),
        )
    },
)
GIVEN = {"contractor": "闽南检修", "measure": "更换变送器", "deadline": "2026-12-01"}


@pytest.fixture
def hazard(hall: StandIn) -> Hazard:
    """A hazard that is registered."""
    draft = Hazard(UUID(int=0), STEEL, "变送器失效", "无数据", "炉前", HazardSource.HAND, 0, "")
    found = hazards.open_hazard(hall.ports, OPERATOR, draft)
    registered: Hazard = steps.take(hall.ports, OPERATOR, TABLE, found.id, 1, Register())
    return registered


def serve(hall: StandIn, caller: Principal) -> httpx.AsyncClient:
    """A client of API and pages that are made of the table, as this caller."""
    app = FastAPI()

    @app.middleware("http")
    async def sign_in(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.principal, request.state.session = caller, None
        return await go_on(request)

    render = Renderer(hall.ports)
    pages = step_forms(TABLE)(hall.ports, render), hazard_pages(hall.ports, render, TABLE)
    add_routes(app, hazards_router(hall.ports, TABLE), *pages)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yujing.test")


def test_the_use_case_takes_it_by_the_rows_states_roles_and_fields(hall: StandIn, hazard: Hazard) -> None:
    form = Entrust("闽南检修", " 更换 ", 350_050, dt.date(2026, 12, 1))
    with pytest.raises(NotTheirs, match="entrust"):
        steps.take(hall.ports, OPERATOR, TABLE, hazard.id, 2, form)
    for wrong, parameter in (
        (Entrust("x", " ", 0, dt.date(2026, 12, 1)), "measure"),
        (Entrust("x", "x", -1, dt.date(2026, 12, 1)), "budget"),
        (Entrust("x", "x", 0, dt.date(2026, 11, 1)), "deadline"),
    ):
        with pytest.raises(Incomplete) as refused:
            steps.take(hall.ports, INSPECTOR, TABLE, hazard.id, 2, wrong)
        assert refused.value.parameter == parameter
    after = steps.take(hall.ports, INSPECTOR, TABLE, hazard.id, 2, form)
    assert after == hall.cases.store.hazard(hazard.id)
    assert (after.state, after.version, after.responsible, after.measure, after.budget_fen, after.planned) == (
        "rectifying", 3, "闽南检修", "更换", 350_050, hall.time,
    )  # fmt: skip
    line = hall.cases.store.hazard_history(hazard.id)[-1]
    (act, *_) = (row.act for row in AuditStore(hall.database.rows).acts(limit=9, subject=str(hazard.id)))
    assert (line.step, act.action, act.actor) == ("entrust", "entrust", INSPECTOR.name)
    assert act.detail == {**line.detail, "state": "rectifying"}
    with pytest.raises(Impossible, match="possible now: extend, submit"):
        steps.take(hall.ports, INSPECTOR, TABLE, hazard.id, 3, form)


async def test_the_api_has_an_operation_with_its_form(hall: StandIn, hazard: Hazard) -> None:
    async with serve(hall, INSPECTOR) as client:
        document = (await client.get("/openapi.json")).json()
        path, shapes = document["paths"]["/api/v1/hazards/{hazard}/entrust"]["post"], document["components"]["schemas"]
        assert path["description"] == "委托整改: somebody else rectifies. Inspectors and admins only."
        assert path["operationId"] == "entrust_api_v1_hazards__hazard__entrust_post"
        assert shapes["Entrust"]["required"] == ["version", "contractor", "measure", "budget_yuan", "deadline"]
        assert "entrust" in shapes["HazardStep"]["enum"]
        at = f"/api/v1/hazards/{hazard.id}"
        assert "entrust" in (await client.get(at)).json()["possible"]
        missing = await client.post(f"{at}/entrust", json={"version": 2} | GIVEN)
        assert (missing.status_code, missing.json()["detail"][0]["loc"]) == (422, ["body", "budget_yuan"])
        answer = await client.post(f"{at}/entrust", json={"version": 2, "budget_yuan": "3500.50"} | GIVEN)
    after = answer.json()
    assert (after["state"], after["budget_yuan"], after["history"][-1]["step"]) == ("rectifying", 3500.5, "entrust")
    assert after["history"][-1]["detail"] == GIVEN | {"budget_fen": 350_050}


async def test_the_page_offers_its_form_to_who_may_and_takes_it(hall: StandIn, hazard: Hazard) -> None:
    at = f"/hazards/{hazard.id}"
    form = {"version": "2", "budget": "3500.50", "words": " "} | GIVEN
    async with serve(hall, OPERATOR) as client:
        assert "entrust" not in (await client.get(at)).text
        with pytest.raises(NotAllowed):
            await client.post(f"{at}/entrust", data=form)
    async with serve(hall, INSPECTOR) as client:
        client.cookies.set("lang", "en")
        page = (await client.get(at)).text
        client.cookies.clear()
        chinese = (await client.get(at)).text
        assert (await client.post(f"{at}/entrust", data=form)).status_code == 303
        after = (await client.get(at)).text
    shown = page.partition('id="entrust"')[2].partition("</details>")[0]
    for text in ("entrust", "A contractor rectifies.", "Contractor", "Work", "Fee (yuan)", "Due", "Remark"):
        assert text in shown
    assert set(re.findall(r'name="(\w+)"', shown)) == {"csrf", "onward", *form}
    assert all(text in chinese for text in ("委托整改", "受托单位", "由受托单位整改。"))
    assert all(text in after for text in ("闽南检修", "3,500.50"))
    found = hall.cases.store.hazard(hazard.id)
    assert found is not None
    assert (found.state, found.responsible) == ("rectifying", "闽南检修")


def test_its_words_and_its_line_in_the_documentation_follow(hall: StandIn) -> None:
    tables: tuple[type[VerbTable], ...] = (TABLE,)
    assert actions_of(TABLE)["entrust"].zh == "委托整改"
    asked = "contractor, measure, budget, deadline, (words)"
    assert f"| 委托整改 | `entrust` | registered → rectifying | authority | {asked} |" in render(tables)
