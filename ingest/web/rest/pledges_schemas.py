"""The shapes of daily safety pledges (安全承诺)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, WithJsonSchema

from ingest.domain.cases.labels import label
from ingest.domain.cases.pledge import SENTENCE, Contradiction, Pledge, PledgeStanding, PledgeState
from ingest.domain.cases.pledge_days import PledgeDay
from ingest.domain.cases.work import SPECIAL, WorkKind
from ingest.domain.model.daily import PledgeDuty
from ingest.web.rest.case_schemas import Day, LongWords, Name, When, localized, values_of
from ingest.web.rest.schemas import Body, PlantId, Said, Shape

Units = Annotated[int, Field(ge=0, le=1000, strict=True)]
Special = Annotated[WorkKind, WithJsonSchema({"type": "string", "enum": [*SPECIAL]})]


class ContradictionOut(Shape):
    """A kind of work of which a pledge says another number than was declared for its day."""

    kind: WorkKind
    pledged: int
    declared: int
    text: Said


class PledgeOut(Shape):
    """A pledge as it stands."""

    id: UUID
    version: int
    plant: PlantId
    day: dt.date
    number: int = Field(description="of its day: 1, unless earlier ones were withdrawn")
    assessment: str
    text: str
    person: str
    running: int
    stopped: int
    works: dict[str, int] = Field(description="kind of dangerous work -> how many; those left out are none")
    given: When
    by: str = Field(description="whose token signed it")
    late: bool = Field(description="given after the plant's hour")
    state: PledgeState
    state_said: Said
    withdrawn: When | None
    withdrawn_by: str | None
    remark: str | None
    contradictions: list[ContradictionOut]


class PledgePage(Shape):
    """Pledges, newest given first. Pass `next` as `cursor` to go on; null: no more."""

    pledges: list[PledgeOut]
    next: str | None


class PledgeDayOut(Shape):
    """How a plant stands with one day."""

    plant: PlantId
    day: dt.date
    standing: PledgeStanding = Field(
        description="`missing`: the hour is past; `missed`: the day is over; `not-owed`: its plant file asks for none"
    )
    standing_said: Said
    pledge: UUID | None
    contradictions: list[ContradictionOut]


class PledgeMonth(Shape):
    """How plants stand with the days of a month, as far as these have come."""

    month: str
    days: list[PledgeDayOut]


class NewPledge(Body):
    """A pledge for today."""

    plant: PlantId
    day: Day
    assessment: LongWords = Field(description="研判", examples=["今日3号机检修，已落实断电挂牌；其余正常"])
    text: LongWords = SENTENCE
    person: Name
    running: Units
    stopped: Units
    works: dict[Special, Units] = Field(default_factory=dict, examples=[{"hot-work": 1}])

    def draft(self) -> Pledge:
        """The pledge as far as the caller says."""
        given: dict[str, Any] = self.model_dump() | {"works": {str(kind): n for kind, n in self.works.items()}}
        return Pledge(UUID(int=0), number=0, given=0, by="", **given)


def pledge_out(pledge: Pledge, duty: PledgeDuty | None, found: tuple[Contradiction, ...]) -> PledgeOut:
    """Return the shape of a pledge; `found`: how it differs from what was declared."""
    return PledgeOut.model_validate(
        values_of(pledge)
        | {
            "works": dict(pledge.works),
            "late": pledge.late(duty),
            "state_said": localized(pledge.state),
            "contradictions": contradictions_out(found),
        }
    )


def day_out(day: PledgeDay) -> PledgeDayOut:
    """Return the shape of a plant's day."""
    return PledgeDayOut(
        plant=day.plant.id,
        day=day.day,
        standing=day.standing,
        standing_said=Said.model_validate(label(day.standing)),
        pledge=day.pledge.id if day.pledge else None,
        contradictions=contradictions_out(day.contradictions),
    )


def contradictions_out(found: tuple[Contradiction, ...]) -> list[ContradictionOut]:
    """Return the shapes of contradictions."""
    return [
        ContradictionOut(
            kind=WorkKind(each.kind),
            pledged=each.pledged,
            declared=each.declared,
            text=Said.model_validate(each.sentence(label(WorkKind(each.kind)))),
        )
        for each in found
    ]
