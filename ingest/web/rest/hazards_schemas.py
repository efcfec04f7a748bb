"""The shapes of hazards (隐患)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import Field, create_model

from ingest.domain.cases.hazard import Hazard, HazardLevel, HazardMoment, HazardSource, HazardState
from ingest.domain.cases.hazard_steps import HazardTable
from ingest.domain.model.audit import ActRole
from ingest.services.config import Role
from ingest.web.rest.case_schemas import LongWords, Name, When, localized, values_of
from ingest.web.rest.schemas import Body, PlantId, PointId, Said, Shape, Words


class _Hazard(Shape):
    """A hazard as it stands."""

    id: UUID
    version: Annotated[int, Field(description="counts its steps; send it back with the next one", examples=[3])]
    plant: PlantId
    title: Annotated[str, Field(examples=["冷却水压力变送器失效"])]
    description: str
    place: str
    equipment: str | None
    point: PointId | None
    source: HazardSource
    origin: str | None = Field(description="id of the alarm or inspection it comes from; of a rule its name")
    state: HazardState
    state_said: Said
    found: When
    found_by: str
    level: HazardLevel | None
    clause: str | None = Field(description="of the criteria, for a major one", examples=["art14"])
    criteria: str | None = Field(description="edition of the criteria")
    graded: When | None
    graded_by: str | None
    reported: When | None
    reported_to: str | None
    supervision: str | None = Field(description="number under which it is listed (挂牌督办)")
    supervised_by: str | None
    supervised_since: dt.date | None
    lifted: When | None
    responsible: str | None
    measure: str | None
    budget_yuan: float | None
    deadline: dt.date | None
    contingency: str | None
    planned: When | None
    submitted: When | None
    submitted_by: str | None
    done: str | None
    sent_back: int
    closed: When | None
    closed_by: str | None
    remark: str | None
    overdue: bool
    in_time: bool | None = Field(description="null: nothing was submitted yet")


class HazardStepOut(Shape):
    """One step of its history."""

    version: int
    step: str
    state: HazardState
    time: When
    by: str
    role: ActRole
    detail: dict[str, Any]


class NewHazard(Body):
    """A hazard somebody found."""

    plant: PlantId
    title: Words
    description: LongWords
    place: Words
    equipment: Name | None = None
    point: PointId | None = None
    source: Literal["by-hand", "alarm", "self-inspection"] = "by-hand"
    origin: Annotated[str | None, Field(max_length=64, description="for source alarm its id")] = None

    def draft(self) -> Hazard:
        """The hazard as far as the caller says."""
        return hazard_draft(self.plant, self, HazardSource(self.source), self.origin)


class FoundHazard(Body):
    """A hazard an inspection finds."""

    title: Words
    description: LongWords
    place: Words
    equipment: Name | None = None
    point: PointId | None = None


class HazardShapes(NamedTuple):
    """A hazard, a hazard with its history, a page of hazards."""

    out: Callable[..., Shape]
    detail: Callable[..., Shape]
    page: Callable[..., Shape]


@cache
def shapes(table: type[HazardTable]) -> HazardShapes:
    """Return the shapes of hazards, which name the steps of a table."""
    about = "steps that can follow, as far as this caller may take them"
    possible: Any = (list[table], Field(description=about))  # type: ignore[valid-type]
    out = create_model("HazardOut", __base__=_Hazard, __doc__=_Hazard.__doc__, possible=possible)
    detail = create_model(
        "HazardDetail",
        __base__=out,
        __doc__="A hazard with its history, oldest first.",
        history=(list[HazardStepOut], ...),
    )
    page: dict[str, Any] = {"hazards": (list[out], ...), "next": (str | None, ...)}  # type: ignore[valid-type]
    about = "Hazards, newest found first. Pass `next` as `cursor` to go on; null: no more."
    return HazardShapes(out, detail, create_model("HazardPage", __base__=Shape, __doc__=about, **page))


class ClauseOut(Shape):
    """A clause of the criteria for major hazards, and how far to trust its words."""

    id: str
    article: str
    text: Said
    kinds: list[str]
    signals: list[str]
    rules: list[str]
    source: str
    confidence: Literal["found", "recalled"]


class CriteriaOut(Shape):
    """The criteria in force."""

    edition: str
    law: Said
    clauses: list[ClauseOut]


def hazard_draft(plant: str, body: NewHazard | FoundHazard, source: HazardSource, origin: str | None = None) -> Hazard:
    """A hazard as far as somebody says; who and when is added where it is opened."""
    return Hazard(
        UUID(int=0),
        plant,
        body.title,
        body.description,
        body.place,
        source,
        0,
        "",
        equipment=body.equipment,
        point=body.point,
        origin=origin,
    )


def hazard_out(hazard: Hazard, now: int, role: Role, table: type[HazardTable]) -> dict[str, Any]:
    """The fields of `HazardOut`."""
    return values_of(hazard) | {
        "state_said": localized(hazard.state),
        "budget_yuan": None if hazard.budget_fen is None else hazard.budget_fen / 100,
        "overdue": hazard.overdue(now),
        "in_time": hazard.in_time,
        "possible": table.possible(hazard, role),
    }


def step_out(hazard_moment: HazardMoment) -> HazardStepOut:
    """One line of the history."""
    return HazardStepOut(**{name: value for name, value in values_of(hazard_moment).items() if name != "hazard"})
