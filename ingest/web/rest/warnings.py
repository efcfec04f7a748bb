"""REST: early warnings (预警) with their reasons and history, commands on them, and the risk index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from ingest.domain.model.payload import iso
from ingest.domain.model.warning import Colour, EarlyWarning, WarningEvent, WarningFilter, WarningState
from ingest.domain.warnings import risk
from ingest.domain.warnings.explain import NotYet, as_json, explain
from ingest.domain.warnings.report import reasons, title, warning_fields
from ingest.domain.warnings.risks import PlantRisk, assess, regions
from ingest.engine.commands import Command
from ingest.engine.warning_commands import AcknowledgeWarning, FeedBack
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.engine_commands import person
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.services.warning_commands import order, seen_colour
from ingest.web.caller import Caller
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest import warnings_schemas as schemas
from ingest.web.rest.router import rest_router
from ingest.web.rest.schemas import Said


def warnings_router(ports: Ports) -> APIRouter:
    """Return the routes on warnings, without the stream."""
    router = rest_router("/warnings", tags=["warnings"])

    @router.get("")
    def warnings(
        caller: Caller,
        plant: str | None = None,
        colour: Annotated[list[Colour], Query(description="now; may be given more than once; default: any")] = [],  # noqa: B006  FastAPI copies it
        peak: Annotated[list[Colour], Query(description="the highest so far")] = [],  # noqa: B006  FastAPI copies it
        state: Annotated[list[WarningState], Query(description="default: any")] = [],  # noqa: B006  FastAPI copies it
        since: Annotated[Instant | None, Query(description="raised at or after")] = None,
        until: Annotated[Instant | None, Query(description="raised before")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> schemas.WarningPage:
        """List warnings, newest raised first."""
        which = WarningFilter(
            plants=caller_scope.narrowed(caller, plant),
            colours=frozenset(colour) or None,
            peaks=frozenset(peak) or None,
            states=frozenset(state) or None,
            since=since,
            until=until,
        )
        found = ports.warnings.warnings(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda warning: (warning.raised, warning.id))
        return schemas.WarningPage(warnings=[_out(warning) for warning in page], next=following)

    @router.get("/{warning}")
    def warning(warning: UUID, caller: Caller) -> schemas.WarningDetail:
        """Show one warning with why it stands and its history."""
        found = caller_scope.warning(ports, caller, warning)
        return _detail(ports, found, ports.warnings.warning_history(warning))

    @router.get("/{warning}/explain")
    def explain_warning(
        warning: UUID,
        caller: Caller,
        at: Annotated[Instant | None, Query(description="default: when it first had its highest colour")] = None,
    ) -> schemas.ExplanationOut:
        """Say why it had its colour at a moment: every rule that held, with its words, source and inputs of then."""
        caller_scope.warning(ports, caller, warning)
        try:
            return schemas.ExplanationOut(**as_json(explain(ports.warnings.warning_history(warning), at)))
        except NotYet as error:
            raise BadParameter("at", iso(error.at), f"a time not before {iso(error.raised)}") from error

    @router.post("/{warning}/acknowledge")
    async def acknowledge_warning(
        warning: UUID, caller: Caller, body: schemas.Seen | None = None
    ) -> schemas.WarningDetail:
        """Say that somebody has seen it, up to the colour they saw. An operator only while the enterprise is asked.

        409 with `changed` and `now` if it has risen since.
        """
        given = body or schemas.Seen()
        seen = await run_in_threadpool(seen_colour, ports, caller, warning, given.peak)
        return await ordered(caller, warning, AcknowledgeWarning(warning, person(caller), given.comment, seen))

    @router.post("/{warning}/feedback")
    async def feed_back(warning: UUID, caller: Caller, body: schemas.Answer) -> schemas.WarningDetail:
        """Say what it was and what was done. Once the colour is gone too, the warning is closed."""
        seen = await run_in_threadpool(seen_colour, ports, caller, warning, body.peak)
        return await ordered(caller, warning, FeedBack(warning, person(caller), body.cause, body.measure, seen))

    async def ordered(caller: Principal, key: UUID, command: Command[EarlyWarning]) -> schemas.WarningDetail:
        changed = await order(ports, caller, key, command)
        history = await run_in_threadpool(ports.warnings.warning_history, key)
        return _detail(ports, changed, history)

    return router


def risk_router(ports: Ports) -> APIRouter:
    """Return the route on the risk index."""
    router = rest_router(tags=["warnings"])

    @router.get("/risk")
    def risks(caller: Caller, plant: str | None = None) -> schemas.RiskOut:
        """Show the risk index of plants and their equipment, and of regions by the plants this token may see."""
        chosen = None if plant is None else caller_scope.plant(ports, caller, plant).id
        now, configuration, view = ports.now(), ports.live.configuration(), ports.live.view()
        found = [
            assess(enterprise, ports.live.facts(enterprise.id), view.phase, now)
            for enterprise in configuration.enterprises()
            if caller.sees(enterprise.id)
        ]
        places = regions(found)
        shown = [plant_risk for plant_risk in found if chosen in {None, plant_risk.plant.id}]
        return schemas.RiskOut(
            model=risk.MODEL,
            plants=[_plant_out(plant_risk) for plant_risk in sorted(shown, key=lambda plant_risk: -plant_risk.index)],
            regions=[schemas.RegionRiskOut.model_validate(place) for place in places] if chosen is None else [],
        )

    return router


def _out(warning: EarlyWarning) -> schemas.WarningOut:
    return schemas.WarningOut(**warning_fields(warning))


def _detail(ports: Ports, warning: EarlyWarning, history: Sequence[WarningEvent]) -> schemas.WarningDetail:
    steps = [
        schemas.WarningEventOut(
            seq=event.seq,
            event=event.kind,
            time=str(iso(event.time)),
            by=event.by,
            detail=dict(event.detail),
            colour=event.warning.colour,
            step=event.warning.step,
            who=list(event.warning.who),
            risk=event.warning.risk,
        )
        for event in history
    ]
    plant = ports.live.configuration().plants.get(warning.plant)
    return schemas.WarningDetail(
        **warning_fields(warning),
        title=Said.model_validate(title(warning, plant)),
        reasons=[schemas.ReasonOut(**reason) for reason in reasons(warning.inputs, ports.now())],
        history=steps,
    )


def _plant_out(found: PlantRisk) -> schemas.PlantRiskOut:
    return schemas.PlantRiskOut(
        plant=found.plant.id,
        name=Said.model_validate(found.plant.name),
        region=found.plant.region,
        inherent=found.inherent,
        index=found.index,
        band=found.band,
        facts=found.facts,
        equipment=[schemas.EquipmentRiskOut.model_validate(machine) for machine in found.equipment],
    )
