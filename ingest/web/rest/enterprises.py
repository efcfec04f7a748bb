"""REST: enterprise records (企业基础信息), their classification, and self-inspections (自查)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ingest.domain.cases.days import day_of
from ingest.domain.cases.enterprise import ConnectionState, RiskClass
from ingest.services.cases import enterprises
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller, Inspector
from ingest.web.rest import enterprises_schemas as schemas
from ingest.web.rest.router import rest_router


def enterprises_router(ports: Ports) -> APIRouter:
    """Return the routes on enterprises."""
    router = rest_router("/enterprises", tags=["cases"])

    @router.get("")
    def list_enterprises(
        caller: Caller,
        connection: ConnectionState | None = None,
        risk_class: RiskClass | None = None,
        overdue: Annotated[bool, Query(description="only those that owe a self-inspection")] = False,  # noqa: FBT002
    ) -> list[schemas.EnterpriseOut]:
        """List enterprises as they stand, by id: one a plant file, so there are no pages."""
        today = day_of(ports.now())
        return [
            schemas.enterprise_out(enterprise, ports.now())
            for enterprise in enterprises.enterprises(ports, caller)
            if connection in {None, enterprise.connection.state}
            and risk_class in {None, enterprise.record.risk_class}
            and (not overdue or any(duty.overdue(today) for duty in enterprise.duties))
        ]

    @router.get("/{plant}")
    def show_enterprise(plant: str, caller: Caller) -> schemas.EnterpriseOut:
        """Show one enterprise."""
        return _shown(ports, caller, plant)

    @router.patch("/{plant}")
    def note(plant: str, caller: Actor, body: schemas.EnterpriseNote) -> schemas.EnterpriseOut:
        """Note something of an enterprise: persons, address, grades. Operators and admins only."""
        changes = body.model_dump(exclude_unset=True, exclude={"version"})
        enterprises.note(ports, caller, plant, body.version, changes)
        return _shown(ports, caller, plant)

    @router.post("/{plant}/classification")
    def classify(plant: str, caller: Inspector, body: schemas.Classification) -> schemas.EnterpriseOut:
        """分级分类: give it its class. Inspectors and admins only."""
        enterprises.classify(ports, caller, plant, body.version, body.risk_class, body.reason)
        return _shown(ports, caller, plant)

    return router


def self_inspections_router(ports: Ports) -> APIRouter:
    """Return the routes on self-inspections."""
    router = rest_router("/self-inspections", tags=["cases"])

    @router.get("")
    def list_self_inspections(caller: Caller, plant: str | None = None) -> schemas.SelfInspectionsOut:
        """List what is owed and what was done. Owed since the plant was connected, else for the present period."""
        found = enterprises.enterprises(ports, caller, plant)
        keys = frozenset(enterprise.plant.id for enterprise in found)
        return schemas.SelfInspectionsOut(
            owed=[schemas.duty_out(duty, ports.now()) for enterprise in found for duty in enterprise.duties],
            done=[
                schemas.SelfInspectionOut.model_validate(self_inspection)
                for self_inspection in ports.cases.store.self_inspections(keys)
            ],
        )

    @router.post("", status_code=201)
    def self_inspect(caller: Actor, body: schemas.NewSelfInspection) -> schemas.SelfInspectionOut:
        """Note one that was done, once for each month or quarter. Operators and admins only."""
        return schemas.SelfInspectionOut.model_validate(enterprises.self_inspect(ports, caller, body.draft()))

    return router


def _shown(ports: Ports, caller: Caller, plant: str) -> schemas.EnterpriseOut:
    (enterprise,) = enterprises.enterprises(ports, caller, plant)
    return schemas.enterprise_out(enterprise, ports.now())
