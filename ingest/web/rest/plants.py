"""REST: plants, their points, and readings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from detectors.detector import Reason
from ingest.domain.model.budget import RuleBudget
from ingest.domain.model.flags import Flag
from ingest.domain.model.instrument import Check
from ingest.domain.model.payload import iso
from ingest.domain.model.plant import Equipment, Plant, Point
from ingest.domain.model.suppression import Suppression
from ingest.plants.view import Latest, PlantView
from ingest.services import caller_scope
from ingest.services.cases.instruments import overdue_checks
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.services.status_contacts import contact_states
from ingest.services.timestamps import Instant
from ingest.storage.history.store import Trend, TrendQuery
from ingest.web.caller import Caller
from ingest.web.rest import plants_schemas, schemas
from ingest.web.rest.router import rest_router

HOUR_NS: Final = 3_600_000_000_000


def plants_router(ports: Ports) -> APIRouter:
    """Return the routes on plants and points."""
    router = rest_router("/plants", tags=["plants"])

    @router.get("")
    def plants(caller: Caller) -> list[plants_schemas.PlantOut]:
        """List the plants this token may see."""
        return [
            plants_schemas.PlantOut(**body) for body in _plant_bodies(ports, caller, caller_scope.plants(ports, caller))
        ]

    @router.get("/{plant}")
    def plant(plant: str, caller: Caller) -> plants_schemas.PlantDetail:
        """Show one plant."""
        found = caller_scope.plant(ports, caller, plant)
        (body,) = _plant_bodies(ports, caller, [found])
        view = ports.live.view()
        return plants_schemas.PlantDetail(
            **body,
            workers=found.workers,
            dust_workers=found.dust_workers,
            dust=found.dust,
            equipment=[_equipment(view, plant, machine) for machine in found.equipment],
        )

    @router.get("/{plant}/points")
    def points(plant: str, caller: Caller) -> list[plants_schemas.PointOut]:
        """List the points of a plant, gateways' own points included, each with its newest reading."""
        found = caller_scope.plant(ports, caller, plant)
        hidden, overdue = caller_scope.hiding(ports, found.id), overdue_checks(ports, found.id)
        return [plants_schemas.PointOut(**_point_body(ports, point, hidden, overdue)) for point in found.points]

    @router.get("/{plant}/points/{point}")
    def point(plant: str, point: str, caller: Caller) -> plants_schemas.PointDetail:
        """Show one point with the rules it is judged by and those it is not."""
        found = caller_scope.point(ports, caller, plant, point)
        return plants_schemas.PointDetail(
            **_point_body(ports, found, caller_scope.hiding(ports, plant, point), overdue_checks(ports, plant)),
            was=found.was,
            silence_s=found.silence_s,
            setpoint=found.setpoint,
            mandatory=found.mandatory,
            basis=found.basis,
            status_contacts=[
                plants_schemas.StatusContactOut.model_validate(contact) for contact in contact_states(ports, found)
            ],
            rules=_rules(found, ports.live.not_evaluated(found.rules), ports.live.budgets(found.rules)),
            unjudged=[str(rule) for rule in found.not_evaluated],
        )

    @router.get("/{plant}/points/{point}/readings")
    async def readings(
        plant: str,
        point: str,
        caller: Caller,
        start: Annotated[Instant | None, Query(alias="from", description="default: an hour before `to`")] = None,
        end: Annotated[Instant | None, Query(alias="to", description="not included; default: now")] = None,
        buckets: Annotated[int, Query(ge=1, le=2000, description="at most so many")] = 120,
    ) -> plants_schemas.ReadingsOut:
        """Downsample a point's readings: lowest, mean and highest value of each bucket; null where there is none.

        Values of every quality count, those marked bad, too: this is what was measured. The width of a bucket
        (`bucket_s`) is rounded up to a whole unit of time, such as 30 s, 2 min, 1 h or 2 days, so that there are at
        most `buckets`, and buckets begin at multiples of it, days and longer at midnight by plant time (UTC+8). So the
        first bucket and the last may be shorter than the others: they hold readings from `from` on and before `to`.
        """
        found = caller_scope.point(ports, caller, plant, point)
        first, last = span_of(ports, start, end)
        query = TrendQuery(plant, point, first, last, buckets, found.was)
        (trend,) = await caller_scope.trends(ports, [query])
        return plants_schemas.ReadingsOut(
            plant=plant,
            point=point,
            unit=found.unit,
            start=_text(first),
            end=_text(last),
            bucket_s=query.width / 1e9,
            buckets=await run_in_threadpool(fill_buckets, trend, query),
        )

    return router


def span_of(ports: Ports, start: int | None, end: int | None) -> tuple[int, int]:
    """Return the span that `from` and `to` mean, ns: without them the last hour. Raises BadParameter."""
    last = ports.now() if end is None else end
    first = last - HOUR_NS if start is None else start
    if first >= last:
        raise BadParameter("from", iso(first), f"a time before `to` = {iso(last)}")
    return first, last


def fill_buckets(trend: Trend, query: TrendQuery) -> list[plants_schemas.Bucket]:
    """Return every bucket of the span in order, the first from its start on; those without readings have nulls."""
    start, width = query.first, query.width
    rows = {round((int(time) - start) / width): row for row, time in enumerate(trend.time)}
    filled = []
    for bucket in range(-(-(query.end - start) // width)):
        row = rows.get(bucket)
        time = _text(max(query.start, start + bucket * width))
        if row is None:
            filled.append(plants_schemas.Bucket(time=time, low=None, mean=None, high=None, count=0))
        else:
            low, mean, high = (_finite(float(column[row])) for column in (trend.low, trend.mean, trend.high))
            filled.append(plants_schemas.Bucket(time=time, low=low, mean=mean, high=high, count=int(trend.count[row])))
    return filled


def _plant_bodies(ports: Ports, caller: Caller, plants: Sequence[Plant]) -> list[dict[str, Any]]:
    outstanding = caller_scope.outstanding_alarms(ports, caller, plants[0].id if len(plants) == 1 else None)
    online = [view.plant for view in caller_scope.gateways(ports, caller) if view.online]
    return [
        {
            "id": plant.id,
            "name": schemas.Said.model_validate(plant.name),
            "uscc": plant.uscc,
            "region": plant.region,
            "kind": plant.kind,
            "connect_by": plant.connect_by.isoformat() if plant.connect_by else None,
            "tier": schemas.Said.model_validate(plant.tier),
            "points": sum(not point.is_device for point in plant.points),
            "gateways_online": online.count(plant.id),
            "gateways": len(plant.gateways),
            "standing": plants_schemas.Standing.model_validate(
                outstanding.get(plant.id, caller_scope.OutstandingCounts())
            ),
        }
        for plant in plants
    ]


def _equipment(view: PlantView, plant: str, machine: Equipment) -> plants_schemas.EquipmentOut:
    phase = view.phase(plant, machine.id)
    return plants_schemas.EquipmentOut(
        id=machine.id,
        name=schemas.Said.model_validate(machine.name),
        phase=schemas.PhaseOut.model_validate(phase) if phase is not None else None,
    )


def _point_body(
    ports: Ports,
    point: Point,
    hidden: Mapping[str, Sequence[Suppression]],
    overdue: Mapping[str, Sequence[Check]],
) -> dict[str, Any]:
    return {
        "plant": point.plant,
        "id": point.id,
        "signal": point.signal,
        "name": schemas.Said.model_validate(point.name),
        "unit": point.unit,
        "equipment": point.equipment,
        "gateway": point.gateway,
        "low": _finite(point.low),
        "high": _finite(point.high),
        "latest": _latest(point, ports.live.latest(point.index)),
        "overdue_checks": overdue.get(point.id, []),
        "hidden_by": next((suppression.kind for suppression in hidden.get(point.id, ())), None),
    }


def _rules(
    point: Point, not_evaluated: Mapping[str, Reason], budgets: Mapping[str, RuleBudget]
) -> list[plants_schemas.RuleOut]:
    reasons = {code: reason.name.lower() for code, reason in not_evaluated.items()}
    spending = {code: plants_schemas.BudgetOut.model_validate(budget) for code, budget in budgets.items()}
    return [
        plants_schemas.RuleOut.model_validate(rule).model_copy(
            update={"standing": reasons.get(rule.code), "budget": spending.get(rule.code)}
        )
        for rule in point.rules
    ]


def _latest(point: Point, latest: Latest) -> plants_schemas.LatestOut:
    word = point.word(latest.trusted)
    return plants_schemas.LatestOut(
        time=iso(latest.time) if latest.time else None,
        value=latest.trusted,
        text=schemas.Said.model_validate(word) if word else None,
        quality=[str(flag.name).lower() for flag in Flag if latest.flags & flag],
        status=latest.status,
        stale=latest.stale,
    )


def _text(time: int) -> str:
    return str(iso(time))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
