"""The console's pages and the fragments that its module fetches anew: the same templates, so one way to draw."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from ingest.alarms.lifecycle import STANDING
from ingest.api import reach
from ingest.api.access import Actor, Caller, Principal
from ingest.api.console import rows
from ingest.api.console.rendering import Renderer, language, plant_names
from ingest.api.console.trends import SPANS_S, Trends, refresh_s
from ingest.api.errors import Away
from ingest.api.ports import Ports
from ingest.api.rest.alarms import read_cursor, write_cursor
from ingest.model.alarm import AlarmFilter, AlarmState
from ingest.model.plant import Plant, Point

STANDING_SHOWN: Final = 500
PAST_SHOWN: Final = 50
QUARANTINE_SHOWN: Final = 50

AnyLevel = Literal["", "1", "2"]
AnyState = AlarmState | Literal[""]
Span = Annotated[int, Query(json_schema_extra={"enum": list(SPANS_S)})]


def pages_router(ports: Ports, render: Renderer) -> APIRouter:  # noqa: C901  one route each
    """Return the routes of the console's pages."""
    router = APIRouter(include_in_schema=False)
    trends = Trends(ports)

    @router.get("/")
    def home() -> Response:
        """Begin at the alarms."""
        return RedirectResponse("/alarms", 303)

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        """Return a file of the console."""
        return render.asset(name)

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
        """Show what stands, most urgent first, then what is over; or what the filters ask for."""
        values = _alarm_lists(ports, caller, plant, level, state, cursor)
        fragment = request.url.path.endswith("/table")
        return render.page(
            request,
            "_alarms.html" if fragment else "alarms.html",
            **values,
            names=plant_names(ports, caller),
            chosen={"plant": plant, "level": level, "state": state},
            query=request.url.query,
        )

    @router.get("/alarms/count")
    def count(request: Request, caller: Caller) -> Response:
        """Show how many alarms nobody has acknowledged."""
        return render.page(request, "_count.html", count=_unacknowledged(ports, caller))

    @router.get("/alarms/{alarm}")
    @router.get("/alarms/{alarm}/body")
    def alarm(request: Request, caller: Caller, alarm: UUID) -> Response:
        """Show one alarm: why it was raised and what became of it."""
        found = reach.alarm(ports, caller, alarm)
        roster = ports.live.roster()
        return render.page(
            request,
            "_alarm.html" if request.url.path.endswith("/body") else "alarm.html",
            row=rows.alarm_row(ports, found, caller),
            rule=reach.rule(ports, found),
            point=roster.find(found.plant, found.point),
            history=ports.alarms.alarm_history(alarm),
        )

    @router.get("/plants")
    @router.get("/plants/table")
    def plants(request: Request, caller: Caller) -> Response:
        """Show the plants, the most pressing first."""
        found = rows.plant_rows(
            reach.plants(ports, caller), reach.standing(ports, caller), reach.gateways(ports, caller)
        )
        fragment = request.url.path.endswith("/table")
        return render.page(request, "_plants.html" if fragment else "plants.html", rows=found)

    @router.get("/plants/{plant}")
    @router.get("/plants/{plant}/table")
    def plant(request: Request, caller: Caller, plant: str) -> Response:
        """Show a plant's points as they read now."""
        found = reach.plant(ports, caller, plant)
        fragment = request.url.path.endswith(f"/{plant}/table")
        return render.page(
            request,
            "_points.html" if fragment else "plant.html",
            plant=found,
            groups=rows.point_groups(found, _point_rows(ports, found)),
            sparks=_sparks(trends, found, request),
            standing=reach.standing(ports, caller, plant).get(plant, reach.Standing()),
            views=[view for view in reach.gateways(ports, caller) if view.plant == plant],
            names={},
        )

    @router.get("/plants/{plant}/points/{point}")
    def point(request: Request, caller: Caller, plant: str, point: str, span: Span = 3600) -> Response:
        """Show a point's trend with its limits, and everything it is judged by."""
        found = reach.point(ports, caller, plant, point)
        return render.page(
            request,
            "point.html",
            plant=reach.plant(ports, caller, plant),
            row=rows.point_row(found, ports.live.latest(found.index)),
            machine=_machine(reach.plant(ports, caller, plant), found),
            silent=ports.live.unjudged(found.rules),
            spans=SPANS_S,
            **_trend(trends, found, span, request),
        )

    @router.get("/plants/{plant}/points/{point}/trend")
    def trend(request: Request, caller: Caller, plant: str, point: str, span: Span = 3600) -> Response:
        """Draw a point's trend anew."""
        found = reach.point(ports, caller, plant, point)
        row = rows.point_row(found, ports.live.latest(found.index))
        return render.page(request, "_trend.html", row=row, **_trend(trends, found, span, request))

    @router.get("/plants/{plant}/points/{point}/rules")
    def rules(request: Request, caller: Caller, plant: str, point: str) -> Response:
        """Show anew what a point is judged by, and whether it is."""
        found = reach.point(ports, caller, plant, point)
        return render.page(request, "_rules.html", point=found, silent=ports.live.unjudged(found.rules))

    @router.get("/gateways")
    @router.get("/gateways/table")
    def gateways(request: Request, caller: Caller, plant: str = "") -> Response:
        """Show the gateways, or those of one plant: online or not, their clocks, what is on disk, what is missing."""
        fragment = request.url.path.endswith("/table")
        return render.page(
            request,
            "_gateways.html" if fragment else "gateways.html",
            views=[view for view in reach.gateways(ports, caller) if plant in {"", view.plant}],
            names={} if plant else plant_names(ports, caller),
        )

    @router.get("/quarantine")
    def quarantine(request: Request, actor: Actor, before: int | None = None) -> Response:
        """Show messages that could not be read, and why."""
        found = reach.quarantined(ports, actor, limit=QUARANTINE_SHOWN, before=before)
        return render.page(
            request,
            "quarantine.html",
            records=[(record, reach.excerpt(record.payload)) for record in found],
            older=found[-1].id if len(found) == QUARANTINE_SHOWN else None,
        )

    return router


def _alarm_lists(
    ports: Ports, caller: Principal, plant: str, level: AnyLevel, state: AnyState, cursor: str
) -> dict[str, Any]:
    """Return standing alarms and one page of those that are over, or of the one state asked for."""
    scope, grade = reach.narrowed(caller, plant or None), int(level) if level else None
    before = read_cursor(cursor) if cursor else None
    standing = None
    if not state and not cursor:
        which = AlarmFilter(plants=scope, states=STANDING, level=grade)
        found = rows.by_urgency(ports.alarms.alarms(which, limit=STANDING_SHOWN))
        standing = [rows.alarm_row(ports, alarm, caller) for alarm in found]
    which = AlarmFilter(plants=scope, states=frozenset({state or AlarmState.NORMAL}), level=grade)
    past = ports.alarms.alarms(which, limit=PAST_SHOWN + 1, before=before)
    page = past[:PAST_SHOWN]
    return {
        "standing": standing,
        "full": standing is not None and len(standing) == STANDING_SHOWN,
        "most": STANDING_SHOWN,
        "past": [rows.alarm_row(ports, alarm, caller) for alarm in page],
        "older": write_cursor(page[-1]) if len(past) > PAST_SHOWN else None,
    }


def _unacknowledged(ports: Ports, caller: Principal) -> str:
    standing = reach.standing(ports, caller).values()
    count = sum(one.unacknowledged for one in standing)
    return f"{count}+" if any(one.more for one in standing) else str(count)


def _point_rows(ports: Ports, plant: Plant) -> list[rows.PointRow]:
    return [rows.point_row(point, ports.live.latest(point.index)) for point in rows.shown_points(plant)]


def _sparks(trends: Trends, plant: Plant, request: Request) -> dict[str, Markup]:
    """Return the sparklines by point id. Markup: `trend_svg` escapes every text it is given."""
    lang = language(request)
    drawn = {point.id: trends.small(point, lang) for point in rows.shown_points(plant)}
    return {key: Markup(svg) for key, svg in drawn.items() if svg}  # noqa: S704


def _trend(trends: Trends, point: Point, span: int, request: Request) -> dict[str, Any]:
    span = min(SPANS_S, key=lambda known: abs(known - span))
    values: dict[str, Any] = {"span": span, "every": refresh_s(span), "drawings": ()}
    try:
        drawings = trends.large(point, span, language(request))
    except Away:
        return values
    return {**values, "drawings": tuple(map(Markup, drawings))}  # escaped by `trend_svg`


def _machine(plant: Plant, point: Point) -> Any:
    return next((machine for machine in plant.equipment if machine.id == point.equipment), None)
