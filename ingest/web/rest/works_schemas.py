"""The shapes of declared work (作业报备)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from ingest.domain.cases.work import Work, WorkKind, WorkStanding, WorkState
from ingest.services.cases.works import StopSeen
from ingest.services.timestamps import Instant
from ingest.web.rest.case_schemas import LongWords, Name, When, localized, values_of
from ingest.web.rest.schemas import Body, PlantId, Said, Shape, Words

EquipmentId = Annotated[str, Field(max_length=64, examples=["CAST-01"])]


class WorkOut(Shape):
    """A piece of declared work as it stands."""

    id: UUID
    version: int
    plant: PlantId
    kind: WorkKind
    kind_said: Said
    area: str = Field(description="where, in words")
    equipment: str | None = Field(description="of the plant; null: alarms of the whole plant may come of it")
    description: str
    begins: When
    ends: When
    contractor: str
    person: str
    guardian: str
    measures: str
    made: When
    declared_by: str
    late: bool = Field(description="declared only after its own beginning")
    state: WorkState
    state_said: Said
    standing: WorkStanding = Field(description="its state held against its times; `overran`: past its end, unfinished")
    standing_said: Said
    stop_seen: StopSeen | None = Field(
        description="of a planned stop while it lasts: what the plant's points show; null: it is none, or not its time"
    )
    approved: When | None
    approved_by: str | None
    begun: When | None
    begun_by: str | None
    finished: When | None
    finished_by: str | None
    remark: str | None
    evidence: list[UUID]


class WorkPage(Shape):
    """Declared work, newest beginning first. Pass `next` as `cursor` to go on; null: no more."""

    works: list[WorkOut]
    next: str | None


class NewWork(Body):
    """Work to be declared."""

    plant: PlantId
    kind: WorkKind
    area: Words = Field(examples=["2号打磨间除尘器旁"])
    equipment: EquipmentId | None = None
    description: LongWords = Field(examples=["更换风管法兰，气割"])
    begins: Instant
    ends: Instant
    contractor: Name = Field(examples=["维修班"])
    person: Name
    guardian: Name = Field(description="监护人")
    measures: LongWords = Field(examples=["停机断电挂牌，清除积尘，接火盆，灭火器两具"])

    def draft(self) -> Work:
        """The work as far as the caller says."""
        return Work(UUID(int=0), made=0, declared_by="", **self.model_dump())


def work_out(work: Work, seen: StopSeen | None, now: int) -> WorkOut:
    """Return the shape of a piece of work as it stands now."""
    standing = work.standing(now)
    return WorkOut.model_validate(
        values_of(work)
        | {
            "kind_said": localized(work.kind),
            "state_said": localized(work.state),
            "late": work.late,
            "standing": standing,
            "standing_said": localized(standing),
            "stop_seen": seen,
        }
    )
