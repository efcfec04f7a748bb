"""The console's pages on daily safety pledges (安全承诺), with the form that gives one."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from ingest.domain.cases.days import day_of
from ingest.domain.cases.labels import label
from ingest.domain.cases.pledge import SENTENCE, Contradiction, Pledge, PledgeFilter, PledgeStanding
from ingest.domain.cases.pledge_days import PledgeDay
from ingest.domain.cases.pledge_steps import PledgeStep
from ingest.domain.cases.work import SPECIAL, WorkKind
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text
from ingest.services.cases import pledges, records
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller
from ingest.web.console.fields import Name, Prose
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router

SHOWN: Final = 50

Units = Annotated[int, Form(ge=0, le=1000)]
Region = Annotated[str, Query(pattern="^[0-9]{0,6}$")]
Month = Annotated[str, Query(pattern="^(20[0-9]{2}-(0[1-9]|1[0-2]))?$")]


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A plant's month: the number of days by pledge status, and the missed ones."""

    plant: Plant
    count: Counter[PledgeStanding]
    missed: tuple[dt.date, ...]
    differing: int


def pledge_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on pledges and of their forms."""
    router = page_router("/pledges")

    @router.get("")
    def list_pledges(
        request: Request, caller: Caller, plant: str = "", region: Region = "", month: Month = "", cursor: str = ""
    ) -> Response:
        """Show how plants stand with today, with a month, and the pledges that were given in it."""
        today = day_of(ports.now())
        first = dt.date.fromisoformat(f"{month}-01") if month else today.replace(day=1)
        plants = pledges.enterprises(ports, caller, plant or None, region)
        until = pledges.after(first)
        which = PledgeFilter(frozenset(each.id for each in plants), None, first, until)
        given = ports.cases.daily.pledges(which, limit=SHOWN + 1, before=read_token(cursor or None))
        page, older = cut(given, SHOWN, lambda pledge: (pledge.given, pledge.id))
        present = pledges.days(ports, plants, today, today + dt.timedelta(days=1))
        return render.page(
            request,
            "pledges.html",
            present=sorted(present, key=lambda day: day.standing is not PledgeStanding.MISSING),
            month=f"{first:%Y-%m}",
            rows=month_rows(pledges.days(ports, plants, first, until)),
            exported={
                **({"plant": plant} if plant else {}),
                "since": first.isoformat(),
                "through": (until - dt.timedelta(days=1)).isoformat(),
            },
            given=page,
            older=older,
            differs=differs,
            special=SPECIAL,
            sentence=SENTENCE,
            names=plant_names(ports, caller),
            regions=sorted({each.region for each in pledges.enterprises(ports, caller, None, "")}),
            chosen={"plant": plant, "region": region, "month": month},
        )

    @router.post("", dependencies=[Depends(own_form)])
    def give(
        actor: Actor,
        plant: Annotated[str, Form(max_length=64)],
        assessment: Prose,
        text: Prose,
        person: Name,
        running: Units,
        stopped: Units,
        hot_work: Annotated[int, Form(ge=0, le=1000, alias="hot-work")] = 0,
        confined_space: Annotated[int, Form(ge=0, le=1000, alias="confined-space")] = 0,
        electrical: Units = 0,
        maintenance: Units = 0,
    ) -> Response:
        """Give a plant's pledge for today."""
        counts = (hot_work, confined_space, electrical, maintenance)
        kinds = (WorkKind.HOT_WORK, WorkKind.CONFINED_SPACE, WorkKind.ELECTRICAL, WorkKind.MAINTENANCE)
        works = {str(kind): count for kind, count in zip(kinds, counts, strict=True)}
        day = day_of(ports.now())
        draft = Pledge(UUID(int=0), plant, day, 0, assessment, text, person, running, stopped, 0, "", works=works)
        return go_on(f"/pledges/{pledges.give(ports, actor, draft).id}")

    @router.get("/{pledge}")
    def pledge(request: Request, caller: Caller, pledge: UUID) -> Response:
        """Show one pledge, and where it differs from what was declared."""
        found = records.pledge(ports, caller, pledge)
        plant = ports.live.configuration().plants.get(found.plant)
        return render.page(
            request,
            "pledge.html",
            pledge=found,
            plant=plant,
            late=found.late(plant.pledge if plant else None),
            special=SPECIAL,
            contradictions=[differs(each) for each in pledges.against_declared(ports, [found])[found.id]],
            names=plant_names(ports, caller),
            steps=PledgeStep.offered(found, caller.name, caller.role),
        )

    return router


def month_rows(days: Sequence[PledgeDay]) -> list[MonthRow]:
    """Return a row for each plant of which a pledge is owed, or was given."""
    rows = []
    for _, own in groupby(days, key=lambda day: day.plant.id):
        of = list(own)
        count = Counter(day.standing for day in of)
        missed = tuple(day.day for day in of if day.standing is PledgeStanding.MISSED)
        if set(count) != {PledgeStanding.NOT_OWED}:
            rows.append(MonthRow(of[0].plant, count, missed, sum(bool(day.contradictions) for day in of)))
    return sorted(rows, key=lambda row: -len(row.missed))


def differs(found: Contradiction) -> Text:
    """Return what a contradiction is, for people."""
    return found.sentence(label(WorkKind(found.kind)))
