"""REST: daily safety pledges (安全承诺)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from ingest.domain.cases.days import day_of
from ingest.domain.cases.pledge import Pledge, PledgeFilter, PledgeState
from ingest.domain.cases.pledge_steps import PledgeStep
from ingest.services.cases import pledges, records
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest import pledges_schemas as schemas
from ingest.web.rest.case_schemas import Day
from ingest.web.rest.case_steps import add_steps
from ingest.web.rest.router import rest_router

Region = Annotated[str, Query(pattern="^[0-9]{0,6}$", description="plants whose region (GB/T 2260) begins so")]
Month = Annotated[str, Query(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])]


def pledges_router(ports: Ports) -> APIRouter:
    """Return the routes on pledges."""
    router = rest_router("/pledges", tags=["cases"])

    @router.get("")
    def list_pledges(
        caller: Caller,
        plant: str | None = None,
        region: Region = "",
        state: PledgeState | None = None,
        since: Annotated[Day | None, Query(description="for this day or later")] = None,
        until: Annotated[Day | None, Query(description="for days before this one")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> schemas.PledgePage:
        """List pledges that were given, newest first."""
        plants = frozenset(each.id for each in pledges.enterprises(ports, caller, plant, region))
        which = PledgeFilter(plants, state, since, until)
        found = ports.cases.daily.pledges(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda pledge: (pledge.given, pledge.id))
        return schemas.PledgePage(pledges=out(page), next=following)

    @router.get("/month")
    def show_month(
        caller: Caller, month: Month | None = None, plant: str | None = None, region: Region = ""
    ) -> schemas.PledgeMonth:
        """Show how plants stand with each day of a month, today's if none is named: given, late, missing, missed."""
        first = dt.date.fromisoformat(f"{month}-01") if month else day_of(ports.now()).replace(day=1)
        found = pledges.days(ports, pledges.enterprises(ports, caller, plant, region), first, pledges.after(first))
        return schemas.PledgeMonth(month=f"{first:%Y-%m}", days=[schemas.day_out(day) for day in found])

    @router.post("", status_code=201)
    def give(caller: Actor, body: schemas.NewPledge) -> schemas.PledgeOut:
        """Give a plant's pledge for today, signed by the token. Operators and admins only."""
        return out([pledges.give(ports, caller, body.draft())])[0]

    @router.get("/{pledge}")
    def show_pledge(pledge: UUID, caller: Caller) -> schemas.PledgeOut:
        """Show one pledge."""
        return out([records.pledge(ports, caller, pledge)])[0]

    def out(found: Sequence[Pledge]) -> list[schemas.PledgeOut]:
        differing, plants = pledges.against_declared(ports, found), ports.live.configuration().plants
        return [
            schemas.pledge_out(
                pledge, plants[pledge.plant].pledge if pledge.plant in plants else None, differing[pledge.id]
            )
            for pledge in found
        ]

    add_steps(router, ports, PledgeStep, lambda after, _: out([after])[0], schemas.PledgeOut)
    return router
