"""Measuring instrument (仪表) as its plant file names it, and how often it has to be checked."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.plant import Confidence, InstrumentPoint
from ingest.domain.model.text import Text


class Check(StrEnum):
    """What is done to an instrument at intervals."""

    CALIBRATION = "calibration"  # 检定、校准
    FUNCTION_TEST = "function-test"  # 功能测试: it answers to gas, pressure, a simulated signal
    PROOF_TEST = "proof-test"  # 联锁检验: from sensor to final element
    INSPECTION = "inspection"  # 点检: looked at on its place

    @property
    def watched(self) -> InstrumentPoint | None:
        """The service's own point whose alarm says that it is overdue; None: it is only listed."""
        return InstrumentPoint(self) if self is not Check.INSPECTION else None


@dataclass(frozen=True, slots=True)
class Period:
    """How often a check is due: so many months, or so many days."""

    months: int
    days: int
    source: str
    confidence: Confidence

    @property
    def text(self) -> Text:
        """How often that is."""
        if self.months:
            return Text(f"每 {self.months} 个月", f"every {self.months} months")
        return Text(f"每 {self.days} 天", f"every {self.days} days")

    def after(self, day: dt.date) -> dt.date:
        """The last day on which a check of that day still counts; the last of the month where a month is shorter.

        >>> year, week = (Period(*of, "", Confidence.ENGINEERING_DEFAULT) for of in ((12, 0), (0, 7)))
        >>> year.after(dt.date(2024, 2, 29)), week.after(dt.date(2026, 12, 30))
        (datetime.date(2025, 2, 28), datetime.date(2027, 1, 6))
        """
        year, month = divmod(day.year * 12 + day.month - 1 + self.months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return dt.date(year, month + 1, min(day.day, last)) + dt.timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class StatusContact:
    """A contact by which an instrument says a status of itself: a point, and its value while the status holds."""

    point: str
    active: Literal[0, 1]


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument of a plant.

    Attributes:
        points: ids of the points that it measures.
        serial: its serial number; another one is another device, with a ledger of its own. "": not given.
        periods: of the checks it needs.
        contacts: its status contacts, by what they say, the gravest first.
    """

    plant: str
    id: str
    name: Text
    points: tuple[str, ...]
    serial: str
    maker: str
    model: str
    place: str
    periods: Mapping[Check, Period]
    contacts: Mapping[DeviceStatus, StatusContact] = field(default_factory=dict)

    @property
    def contact_points(self) -> tuple[str, ...]:
        """Return the ids of the points that are its status contacts."""
        return tuple(contact.point for contact in self.contacts.values())
