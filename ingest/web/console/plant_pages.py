"""Pages of the console on plants and their points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from ingest.domain.alarms.suppressions import reaches
from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.plant import Plant, Point
from ingest.domain.model.suppression import Suppression
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import instruments
from ingest.services.errors import Unavailable
from ingest.services.ports import Ports
from ingest.services.status_contacts import contact_states
from ingest.web.caller import Caller
from ingest.web.console import rows
from ingest.web.console.alarm_actions import MINUTES
from ingest.web.console.rendering import Renderer, language
from ingest.web.console.trends import SPANS_S, Sparklines, Trends, refresh_s
from ingest.web.console.warning_views import plant_risks, warnings_by_plant
from ingest.web.routers import page_router

Span = Annotated[int, Query(json_schema_extra={"enum": list(SPANS_S)})]


def plant_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on plants."""
    router = page_router()
    trends = Trends(ports)

    @router.get("/plants")
    @router.get("/plants/table")
    def plants(request: Request, caller: Caller) -> Response:
        """Show the plants, the gravest warnings and risks first."""
        found = rows.plant_rows(
            caller_scope.plants(ports, caller),
            caller_scope.outstanding_alarms(ports, caller),
            caller_scope.gateways(ports, caller),
        )
        warned, risks = warnings_by_plant(ports, caller), plant_risks(ports, caller)
        fragment = request.url.path.endswith("/table")
        hidden, checked = caller_scope.uncalled_points(ports, caller)
        return render.page(
            request,
            "_plants.html" if fragment else "plants.html",
            rows=rows.by_colour(found, warned, risks),
            warned=warned,
            risks=risks,
            hidden=hidden,
            checked=checked,
            held=caller_scope.held_back(ports, caller),
        )

    @router.get("/plants/{plant}")
    @router.get("/plants/{plant}/table")
    async def plant(request: Request, caller: Caller, plant: str) -> Response:
        """Show a plant's points with their newest readings."""
        found = caller_scope.plant(ports, caller, plant)
        sparks = await trends.small(rows.shown_points(found), language(request))
        return await run_in_threadpool(plant_page, request, caller, found, sparks)

    def plant_page(request: Request, caller: Principal, found: Plant, sparks: Sparklines) -> Response:
        plant = found.id
        fragment = request.url.path.endswith(f"/{plant}/table")
        points = _point_rows(ports, caller, found)
        return render.page(
            request,
            "_points.html" if fragment else "plant.html",
            plant=found,
            overdue_checks=instruments.overdue_checks(ports, plant),
            groups=rows.point_groups(found, points),
            statuses=_status_counts(points),
            sparks=sparks,
            history_refuses=ports.live.history_refuses(),
            outstanding=caller_scope.outstanding_alarms(ports, caller, plant).get(
                plant, caller_scope.OutstandingCounts()
            ),
            views=[view for view in caller_scope.gateways(ports, caller) if view.plant == plant],
            names={},
            warning=warnings_by_plant(ports, caller).get(plant),
            risk=plant_risks(ports, caller, plant).get(plant),
        )

    @router.get("/plants/{plant}/points/{point}")
    async def point(request: Request, caller: Caller, plant: str, point: str, span: Span = 3600) -> Response:
        """Show a point's trend with its limits, and its rules."""
        found, of = caller_scope.point(ports, caller, plant, point), caller_scope.plant(ports, caller, plant)
        drawn = await drawing(of, found, span, request)
        return await run_in_threadpool(point_page, request, caller, of, found, drawn)

    def point_page(request: Request, caller: Principal, of: Plant, found: Point, drawn: dict[str, Any]) -> Response:
        row = _point_row(ports, caller, of, found)
        return render.page(
            request,
            "point.html",
            plant=of,
            row=row,
            overdue_checks=instruments.overdue_checks(ports, of.id),
            contacts=list(contact_states(ports, found)),
            instruments=instruments.of_plants(ports, frozenset({of.id}), found.id),
            hidden=_hidden_rules(ports, found, row.hidden),
            machine=_machine(of, found),
            silent=ports.live.not_evaluated(found.rules),
            budgets=ports.live.budgets(found.rules),
            check=caller_scope.function_check(ports, of.id, found.id),
            minutes=[minutes for minutes in MINUTES if minutes * 60 <= ports.load.config.function_check_max_s],
            spans=SPANS_S,
            **drawn,
        )

    @router.get("/plants/{plant}/points/{point}/trend")
    async def trend(request: Request, caller: Caller, plant: str, point: str, span: Span = 3600) -> Response:
        """Reload a point's trend."""
        found, of = caller_scope.point(ports, caller, plant, point), caller_scope.plant(ports, caller, plant)
        drawn = await drawing(of, found, span, request)
        return await run_in_threadpool(
            lambda: render.page(request, "_trend.html", row=_point_row(ports, caller, of, found), **drawn)
        )

    async def drawing(of: Plant, point: Point, span: int, request: Request) -> dict[str, Any]:
        span = min(SPANS_S, key=lambda known: abs(known - span))
        machine = _machine(of, point)
        try:
            drawings = await trends.large(point, machine, span, language(request))
        except Unavailable:
            drawings = None
        refuses = ports.live.history_refuses()
        return {
            "span": span,
            "every": refresh_s(span),
            "drawings": drawings,
            "banded": bool(machine and machine.phases),
            "history_refuses": refuses,
        }

    @router.get("/plants/{plant}/points/{point}/rules")
    def rules(request: Request, caller: Caller, plant: str, point: str) -> Response:
        """Reload a point's rules, and whether each is evaluated."""
        found = caller_scope.point(ports, caller, plant, point)
        hidden = _hidden_rules(ports, found, caller_scope.hiding(ports, plant, point).get(point, ()))
        return render.page(
            request,
            "_rules.html",
            point=found,
            silent=ports.live.not_evaluated(found.rules),
            budgets=ports.live.budgets(found.rules),
            hidden=hidden,
        )

    return router


def _point_rows(ports: Ports, caller: Principal, plant: Plant) -> list[rows.PointRow]:
    alarms, hidden = rows.in_alarm(ports, caller, plant), caller_scope.hiding(ports, plant.id)
    return [
        rows.point_row(point, ports.live.latest(point.index), alarms.get(point.id), hidden.get(point.id, ()))
        for point in rows.shown_points(plant)
    ]


def _status_counts(points: Sequence[rows.PointRow]) -> dict[DeviceStatus, int]:
    """Count the points of each status but good, the gravest first."""
    found = Counter(row.status for row in points)
    bad = [status for status in reversed(DeviceStatus) if status is not DeviceStatus.GOOD]
    return {status: found[status] for status in bad if found[status]}


def _point_row(ports: Ports, caller: Principal, plant: Plant, point: Point) -> rows.PointRow:
    alarms, hidden = rows.in_alarm(ports, caller, plant, point.id), caller_scope.hiding(ports, plant.id, point.id)
    return rows.point_row(point, ports.live.latest(point.index), alarms.get(point.id), hidden.get(point.id, ()))


def _hidden_rules(ports: Ports, point: Point, hidden: Sequence[Suppression]) -> dict[str, Suppression]:
    """Return by rule code the strongest suppression of each rule whose alarms are hidden now."""
    highest = ports.load.config.suppress_level_2
    return {
        rule.code: suppression
        for suppression in reversed(hidden)
        for rule in point.rules
        if suppression.covers(point.plant, point.id, rule.code) and reaches(suppression, rule.level, highest=highest)
    }


def _machine(plant: Plant, point: Point) -> Any:
    return next((machine for machine in plant.equipment if machine.id == point.equipment), None)
