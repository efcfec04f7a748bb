"""The instruments of a plant file, `[[instruments]]`: whose they are, and how often each is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, cast

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from ingest.domain.model.expectations import InvalidValue, with_near
from ingest.domain.model.instrument import Check, Instrument, Period
from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Catalogue, Signal
from ingest.plants.plant_tables import NAME_TOO, ItemId, Known, Name, named
from ingest.plants.written import Written

_PLANT_FILE: Final = "plant file"
_A_POINT: Final = Text("本文件中测点的编号", "the id of a point of this file")


def _point(name: str, info: ValidationInfo) -> str:
    known = cast("Known", info.context).points
    if name not in known:
        raise InvalidValue(with_near(_A_POINT, name, known))
    return name


def _some(points: tuple[str, ...]) -> tuple[str, ...]:
    if not points:
        raise InvalidValue(Text("它所测的测点编号", "the ids of the points that it measures"))
    return points


class PeriodTable(Written):
    """How often a check is due: in months or in days, with its source where it is not the plant's own choice."""

    months: int | None = Field(default=None, gt=0, le=120)
    days: int | None = Field(default=None, gt=0, le=3650)
    source: str = Field(default=_PLANT_FILE, min_length=1)
    confidence: Confidence = Field(default=Confidence.ENGINEERING_DEFAULT, strict=False)

    @model_validator(mode="after")
    def _one(self) -> PeriodTable:
        if (self.months is None) == (self.days is None):
            raise InvalidValue(Text("months 或 days，二者取一", "months or days, and not both"))
        return self

    @property
    def period(self) -> Period:
        """The period."""
        return Period(self.months or 0, self.days or 0, self.source, self.confidence)


class InstrumentTable(Written):
    """`[[instruments]]`: a device with a serial number and a ledger, and the points that it measures."""

    id: ItemId
    points: Annotated[tuple[Annotated[str, AfterValidator(_point)], ...], AfterValidator(_some)] = Field(strict=False)
    name: Name | None = None
    name_en: Name | None = None
    serial: Name | None = None
    maker: Name | None = None
    model: Name | None = None
    place: Name | None = None
    periods: dict[Annotated[Check, Field(strict=False)], PeriodTable] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _chinese_first(self) -> InstrumentTable:
        if self.name is None and self.name_en is not None:
            raise InvalidValue(NAME_TOO)
        return self


def instrument_of(
    table: InstrumentTable, plant: str, signals: Mapping[str, Signal], catalogue: Catalogue
) -> Instrument:
    """Return an instrument of a plant; `signals`: that of each of its points that is sound, by id.

    Its calibration, where the file says nothing, is due as the strictest of its signals asks; a contact has none.
    """
    periods = {check: written.period for check, written in table.periods.items()}
    measured = [signals[point].table for point in table.points if point in signals]
    usual = [found.calibration or catalogue.calibration for found in measured if found.kind == "analogue"]
    if usual and Check.CALIBRATION not in periods:
        shortest = min(usual, key=lambda one: one.months)
        periods[Check.CALIBRATION] = Period(shortest.months, 0, shortest.source, shortest.confidence)
    first = signals.get(table.points[0])
    usual_name = first.name if first is not None else named(table.id, None)
    return Instrument(
        plant=plant,
        id=table.id,
        name=named(table.name, table.name_en) if table.name else usual_name,
        points=table.points,
        serial=table.serial or "",
        maker=table.maker or "",
        model=table.model or "",
        place=table.place or "",
        periods={check: periods[check] for check in Check if check in periods},
    )
