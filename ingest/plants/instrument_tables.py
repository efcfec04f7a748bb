"""The instruments of a plant file, `[[instruments]]`: whose they are, how often each is checked, and their contacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final, cast

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from ingest.domain.model.device_status import STATUS_FLAGS, DeviceStatus
from ingest.domain.model.expectations import InvalidValue, with_near
from ingest.domain.model.fault import Fault
from ingest.domain.model.instrument import Check, Instrument, Period, StatusContact
from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Catalogue, Signal
from ingest.plants.gates import parse_when
from ingest.plants.plant_tables import NAME_TOO, ItemId, Known, Name, named
from ingest.plants.written import Place, Written

_PLANT_FILE: Final = "plant file"
_A_POINT: Final = Text("本文件中测点的编号", "the id of a point of this file")


def _point(name: str, info: ValidationInfo) -> str:
    known = cast("Known", info.context).points
    if name not in known:
        raise InvalidValue(with_near(_A_POINT, name, known))
    return name


_A_CONTACT: Final = Text(
    '本文件的开关量测点，为 1 时表示该状态；常闭触点写 "编号 == 0"',
    'a digital point of this file that is 1 while this is so; for a normally closed contact "ID == 0"',
)


def _contact(text: str, info: ValidationInfo) -> str:
    found = contact_of(text)
    known = cast("Known", info.context).points
    if found is None or found.point not in known:
        raise InvalidValue(with_near(_A_CONTACT, text if found is None else found.point, known))
    return text


def contact_of(text: str) -> StatusContact | None:
    """Return the contact that a text names; None: it names none.

    >>> contact_of("CO-01-FAULT"), contact_of("CO-01-OK == 0")
    (StatusContact(point='CO-01-FAULT', active=1), StatusContact(point='CO-01-OK', active=0))
    """
    if len(text.split()) == 1 and "=" not in text:
        return StatusContact(text, 1)
    try:
        when = parse_when(text)
    except InvalidValue:
        return None
    if when is None or when.op != "==" or when.percent or when.number not in {0, 1}:
        return None
    return StatusContact(when.name, 1 if when.number else 0)


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
    def _months_or_days(self) -> PeriodTable:
        if (self.months is None) == (self.days is None):
            raise InvalidValue(Text("months 或 days，二者取一", "months or days, and not both"))
        return self

    @property
    def period(self) -> Period:
        """The period."""
        return Period(self.months or 0, self.days or 0, self.source, self.confidence)


Contact = Annotated[str, AfterValidator(_contact)]


class StatusTable(Written):
    """`status` of an instrument: the contacts by which it says a status of itself (NAMUR NE 107)."""

    failure: Contact | None = None
    function_check: Contact | None = None
    out_of_specification: Contact | None = None
    maintenance_required: Contact | None = None

    @property
    def contacts(self) -> Mapping[DeviceStatus, StatusContact]:
        """The contacts by what they say, the gravest first."""
        written = ((status, getattr(self, status.name.lower())) for status in STATUS_FLAGS)
        return {status: found for status, text in written if text and (found := contact_of(text)) is not None}


class InstrumentTable(Written):
    """`[[instruments]]`: a device with a serial number and a ledger, the points that it measures, and its contacts."""

    id: ItemId
    points: Annotated[tuple[Annotated[str, AfterValidator(_point)], ...], AfterValidator(_some)] = Field(strict=False)
    name: Name | None = None
    name_en: Name | None = None
    serial: Name | None = None
    maker: Name | None = None
    model: Name | None = None
    place: Name | None = None
    status: StatusTable = StatusTable()
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
        shortest = min(usual, key=lambda period: period.months)
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
        contacts=table.status.contacts,
    )


def contact_faults(
    instruments: Sequence[tuple[Place, InstrumentTable]], signals: Mapping[str, Signal]
) -> Iterator[Fault]:
    """Yield a fault for each contact that is not digital, is measured by an instrument, or bound twice.

    Args:
        instruments: those of one file, each with its place.
        signals: that of each of its points that is sound, by id.
    """
    measured = {point: place.key for place, table in instruments for point in table.points}
    first: dict[str, str] = {}
    for place, table in instruments:
        for status, contact in table.status.contacts.items():
            at = place.at("status", status.name.lower())
            bound, signal = first.setdefault(contact.point, at.key), signals.get(contact.point)
            if signal is not None and signal.states is None:
                expected = Text(
                    f"开关量测点；它的信号 {signal.code} 是模拟量",
                    f"a digital point; its signal {signal.code} is analogue",
                )
            elif contact.point in measured:
                expected = Text(
                    f"没有仪表测量的测点；{measured[contact.point]} 的 points 中有它",
                    f"a point that no instrument measures; it is among the points of {measured[contact.point]}",
                )
            elif bound != at.key:
                expected = Text(
                    f"只属于一台仪表、一种状态的触点；{bound} 已用",
                    f"a contact of one instrument and one status only; {bound} has it",
                )
            else:
                continue
            yield at.fault(contact.point, expected)
