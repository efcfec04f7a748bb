"""`[[cleaning]]` of a plant file: an area that is cleaned of dust by plan, and the point that its records drive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from ingest.domain.model.daily import LONG_OVERDUE, LONGEST_AGE_H, CleaningArea
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text
from ingest.plants.plant_tables import (
    EquipmentId,
    ItemId,
    Known,
    Name,
    PointTable,
    TimeOfDay,
    named,
    require_member,
    time_of_day,
)
from ingest.plants.written import Written

SIGNAL: Final = "DUST_CLEAN_AGE"
"""Hours since the last cleaning."""

LONGEST_H: Final = 24 * 31
"""Longest period of a plan; a longer one is none."""

_EITHER: Final = Text(
    "every_h，或 every_shifts 与 shifts，二者取一", "every_h, or every_shifts with shifts; one of the two"
)
_A_POINT: Final = Text(f"本文件中信号为 {SIGNAL} 的测点编号", f"the id of a point of this file, of signal {SIGNAL}")


def _point(name: str, info: ValidationInfo) -> str:
    known = cast("Known", info.context).points
    return require_member(name, known, _A_POINT)


class CleaningTable(Written):
    """`[[cleaning]]`."""

    id: ItemId
    name: Name
    name_en: Name | None = None
    every_h: float = Field(default=0, ge=0, le=LONGEST_H)
    every_shifts: int = Field(default=0, ge=0, le=100)
    shifts: tuple[TimeOfDay, ...] = Field(default=(), strict=False, max_length=24)
    method: Name
    who: Name
    equipment: EquipmentId | None = None
    point: Annotated[str, AfterValidator(_point)] | None = None  # that a gateway sends; None: the records make one

    @field_validator("shifts")
    @classmethod
    def _in_order(cls, shifts: tuple[str, ...]) -> tuple[str, ...]:
        if list(shifts) != sorted(set(shifts)):
            raise InvalidValue(
                Text("各班开始的时刻，按一天的先后，不重复", "when shifts begin, in the order of the day, each once")
            )
        return shifts

    @model_validator(mode="after")
    def _hours_or_shifts(self) -> CleaningTable:
        by_hours, by_shifts = self.every_h > 0, self.every_shifts > 0
        if by_hours == by_shifts or by_shifts != bool(self.shifts):
            raise InvalidValue(_EITHER)
        return self

    @property
    def area(self) -> CleaningArea:
        """The area."""
        return CleaningArea(
            id=self.id,
            name=named(self.name, self.name_en),
            method=self.method,
            who=self.who,
            point=self.point or self.id,
            every_h=self.every_h,
            every_shifts=self.every_shifts,
            shifts=tuple(map(time_of_day, self.shifts)),
            equipment=self.equipment,
            measured=self.point is not None,
        )


def point_of(area: CleaningArea) -> tuple[PointTable, Mapping[str, Mapping[str, Any]]]:
    """Return the point that the records of an area drive, with its own limits: the plan's, and that of a hazard."""
    table = PointTable.model_construct(
        id=area.id,
        signal=SIGNAL,
        equipment=area.equipment,
        gateway="",
        range=(0.0, LONGEST_AGE_H),
        name=f"{area.name.zh} 距上次清扫时间",
        name_en=f"{area.name.en}: time since last cleaning",
    )
    return table, {"H": {"on": area.longest_h}, "HH": {"on": LONG_OVERDUE * area.longest_h}}
