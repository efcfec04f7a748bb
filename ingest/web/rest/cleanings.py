"""REST: dust cleaning (粉尘清扫): how areas stand with their plans, and the records."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from ingest.domain.cases.cleaning import AreaStatus, Cleaning, CleaningFilter, CleaningStanding, CleaningState
from ingest.domain.cases.cleaning_steps import CleaningStep
from ingest.services import caller_scope
from ingest.services.cases import cleanings, records
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Actor, Caller
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest.case_schemas import Name, Proofs, When, localized, values_of
from ingest.web.rest.case_steps import add_steps
from ingest.web.rest.router import rest_router
from ingest.web.rest.schemas import Body, PlantId, Said, Shape, Words


class AreaOut(Shape):
    """An area of a plant's file, and how it stands with its plan."""

    plant: PlantId
    area: str
    name: Said
    who: str
    method: str
    longest_h: float = Field(description="how long it may at most go without cleaning")
    point: str = Field(description="that shows how long ago it was cleaned")
    last: When | None = Field(description="when it was last cleaned; null: nothing is on record, which is unknown")
    due: When | None
    standing: CleaningStanding
    standing_said: Said


class CleaningOut(Shape):
    """A record that an area was cleaned."""

    id: UUID
    version: int
    plant: PlantId
    area: str
    done: When
    cleaner: str
    result: str
    thickness_um: int | None = Field(description="deposit before cleaning, in micrometres; null: not measured")
    given: When
    by: str
    state: CleaningState
    state_said: Said
    voided: When | None
    voided_by: str | None
    remark: str | None
    evidence: list[UUID]


class CleaningPage(Shape):
    """Records, newest cleaning first. Pass `next` as `cursor` to go on; null: no more."""

    cleanings: list[CleaningOut]
    next: str | None


class NewCleaning(Body):
    """That an area was cleaned."""

    plant: PlantId
    area: Annotated[str, Field(max_length=64)]
    done: Instant
    cleaner: Name
    result: Words = Field(examples=["已清扫，无可见积尘"])
    thickness_um: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] | None = None
    evidence: Proofs = ()

    def draft(self) -> Cleaning:
        """The record as far as the caller says."""
        return Cleaning(UUID(int=0), given=0, by="", **self.model_dump())


def cleanings_router(ports: Ports) -> APIRouter:
    """Return the routes on dust cleaning."""
    router = rest_router("/cleanings", tags=["cases"])

    @router.get("")
    def list_cleanings(
        caller: Caller,
        plant: str | None = None,
        area: str | None = None,
        state: CleaningState | None = None,
        since: Annotated[Instant | None, Query(description="cleaned at or after")] = None,
        until: Annotated[Instant | None, Query(description="cleaned before")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> CleaningPage:
        """List records, newest cleaning first."""
        which = CleaningFilter(caller_scope.narrowed(caller, plant), area, state, since, until)
        found = ports.cases.daily.cleanings(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda cleaning: (cleaning.done, cleaning.id))
        return CleaningPage(cleanings=[_out(cleaning) for cleaning in page], next=following)

    @router.get("/areas")
    def list_areas(caller: Caller, plant: str | None = None) -> list[AreaOut]:
        """List the areas of plant files, the gravest first: unknown, long overdue, overdue, in order."""
        return [_area_out(status) for status in cleanings.areas(ports, caller, plant)]

    @router.post("", status_code=201)
    def record(caller: Actor, body: NewCleaning) -> CleaningOut:
        """Record that an area was cleaned. Operators and admins only."""
        return _out(cleanings.record(ports, caller, body.draft()))

    @router.get("/{cleaning}")
    def show_cleaning(cleaning: UUID, caller: Caller) -> CleaningOut:
        """Show one record."""
        return _out(records.cleaning(ports, caller, cleaning))

    add_steps(router, ports, CleaningStep, lambda after, _: _out(after), CleaningOut)
    return router


def _out(cleaning: Cleaning) -> CleaningOut:
    return CleaningOut.model_validate(values_of(cleaning) | {"state_said": localized(cleaning.state)})


def _area_out(status: AreaStatus) -> AreaOut:
    area = status.area
    given: dict[str, Any] = {
        "plant": status.plant,
        "area": area.id,
        "name": Said.model_validate(area.name),
        "who": area.who,
        "method": area.method,
        "longest_h": area.longest_h,
        "point": area.point,
        "last": status.last.done if status.last else None,
        "due": status.due,
        "standing": status.standing,
        "standing_said": localized(status.standing),
    }
    return AreaOut.model_validate(given)
