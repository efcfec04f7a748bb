"""Pages of the console on alarms: the list in its sections, and an alarm with its actions and history."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ingest.domain.cases.causes import CAUSES, FALSE_ALARMS
from ingest.domain.cases.disposition import DispositionFilter
from ingest.plants.kinds.localized import seconds
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.alarm_display import show_among
from ingest.services.cases import works
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.console.alarm_actions import offers
from ingest.web.console.alarm_lists import AnyLevel, AnyState, alarm_lists
from ingest.web.console.alarm_rows import alarm_row
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.console.uploads import proofs
from ingest.web.routers import page_router

DISPOSITIONS_SHOWN: Final = 20
PARTS: Final = {"head": "_alarm_head.html", "body": "_alarm.html", "actions": "_alarm_actions.html"}
"""Fragments of an alarm's page that reload by themselves."""


def alarm_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on alarms."""
    router = page_router()

    @router.get("/alarms")
    @router.get("/alarms/table")
    def alarms(
        request: Request,
        caller: Caller,
        plant: str = "",
        level: AnyLevel = "",
        state: AnyState = "",
        cursor: str = "",
    ) -> Response:
        """Show alarms that are outstanding, hidden, waiting for feedback and past; or those the filters ask for."""
        fragment = request.url.path.endswith("/table")
        return render.page(
            request,
            "_alarms.html" if fragment else "alarms.html",
            lists=alarm_lists(ports, caller, plant, level, state, cursor),
            names=plant_names(ports, caller),
            chosen={"plant": plant, "level": level, "state": state},
            query=request.url.query,
        )

    @router.get("/alarms/count")
    def count(request: Request, caller: Caller) -> Response:
        """Show how many alarms nobody has acknowledged."""
        return render.page(request, "_count.html", count=_unacknowledged(ports, caller), of="alarms.unacknowledged")

    @router.get("/alarms/{alarm}")
    @router.get("/alarms/{alarm}/head")
    @router.get("/alarms/{alarm}/body")
    @router.get("/alarms/{alarm}/actions")
    def alarm(request: Request, caller: Caller, alarm: UUID) -> Response:
        """Show an alarm: its state, its actions, why it was raised, and its history."""
        found = caller_scope.alarm(ports, caller, alarm)
        rule = caller_scope.rule(ports, found)
        asked = rule.rationalization if rule else None
        work = works.during(ports, [found]).get(alarm, [])
        dispositions = ports.cases.store.dispositions(DispositionFilter(alarm=alarm), limit=DISPOSITIONS_SHOWN)
        return render.page(
            request,
            PARTS.get(request.url.path.rpartition("/")[2], "alarm.html"),
            row=alarm_row(ports, found, caller, show_among(ports, caller, [found]).get(alarm), work),
            work=work,
            rule=rule,
            asked=asked,
            respond=seconds(asked.respond_s) if asked else None,
            point=ports.live.configuration().find(found.plant, found.point),
            history=ports.alarms.alarm_history(alarm),
            offer=offers(ports, found, caller),
            causes=CAUSES,
            false_alarms=FALSE_ALARMS,
            dispositions=[(disposition, proofs(ports, disposition.evidence)) for disposition in dispositions],
        )

    return router


def _unacknowledged(ports: Ports, caller: Principal) -> str:
    return str(sum(counts.unacknowledged for counts in caller_scope.outstanding_alarms(ports, caller).values()))
