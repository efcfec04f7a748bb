"""Dust cleaning (粉尘清扫): records of what was cleaned when, and when each area of the plan is due again.

An area without a record is unknown, never clean.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from ingest.domain.cases.days import begins, day_of
from ingest.domain.cases.errors import Incomplete
from ingest.domain.cases.hazard import Hazard, HazardSource, hazard_of_rule
from ingest.domain.model.audit import YUJING
from ingest.domain.model.daily import LONG_OVERDUE, CleaningArea
from ingest.domain.model.payload import iso

RULE: Final = "cleaning-overdue"
"""The rule's name, in ids and as the origin of hazards."""

_HOUR: Final = 3600 * 10**9
_MINUTE: Final = 60 * 10**9


class CleaningState(StrEnum):
    """Whether a record counts."""

    VALID = "valid"
    VOIDED = "voided"  # 作废: it was wrong; the one before it counts again


@dataclass(frozen=True, slots=True)
class Cleaning:
    """A record that an area was cleaned. Times are ns since the epoch, UTC.

    Attributes:
        area: its id in the plant's file.
        done: when it was cleaned; `given`: when that was entered.
        cleaner: who cleaned it.
        result: what it was like afterwards, in words.
        thickness_um: the deposit that was measured before, in micrometres; None: it was not measured.
        by: who entered it.
        remark: why it was voided.
    """

    id: UUID
    plant: str
    area: str
    done: int
    cleaner: str
    result: str
    given: int
    by: str
    version: int = 1
    state: CleaningState = CleaningState.VALID
    thickness_um: int | None = None
    voided: int | None = None
    voided_by: str | None = None
    remark: str | None = None
    evidence: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class CleaningFilter:
    """Which records. None = any."""

    plants: frozenset[str] | None = None
    area: str | None = None
    state: CleaningState | None = None
    since: int | None = None  # on `done`
    until: int | None = None


class CleaningStanding(StrEnum):
    """How an area stands with its plan."""

    IN_ORDER = "in-order"
    OVERDUE = "overdue"
    LONG_OVERDUE = "long-overdue"
    UNKNOWN = "unknown"  # nothing is on record


@dataclass(frozen=True, slots=True)
class AreaStatus:
    """An area beside when it was last cleaned, and when that is due again; None: nothing is on record."""

    plant: str
    area: CleaningArea
    last: Cleaning | None
    due: int | None
    standing: CleaningStanding


def due(area: CleaningArea, done: int) -> int:
    """When an area is due again that was cleaned at that time, ns.

    By shifts: cleaned in one shift it is due by the end of the so manieth after it. What is cleaned at the moment at
    which a shift begins is cleaned in that one.
    """
    if not area.every_shifts:
        return done + int(area.every_h * _HOUR)
    day = begins(day_of(done))
    starts = [day + (time.hour * 60 + time.minute) * _MINUTE for time in area.shifts]
    # shifts that have begun since the plant's day did: before the first it is the last one of the day before
    shift = sum(start <= done for start in starts) - 1
    days, number = divmod(shift + area.every_shifts + 1, len(starts))
    return starts[number] + days * 24 * _HOUR


def status_of(plant: str, area: CleaningArea, last: Cleaning | None, now: int) -> AreaStatus:
    """How an area stands, by the record of its newest cleaning."""
    if last is None:
        return AreaStatus(plant, area, None, None, CleaningStanding.UNKNOWN)
    at = due(area, last.done)
    if now < at:
        standing = CleaningStanding.IN_ORDER
    elif now < last.done + int(LONG_OVERDUE * area.longest_h * _HOUR):
        standing = CleaningStanding.OVERDUE
    else:
        standing = CleaningStanding.LONG_OVERDUE
    return AreaStatus(plant, area, last, at, standing)


def check(record: Cleaning, now: int) -> None:
    """Raise Incomplete for what does not hold together."""
    if record.done > now:
        raise Incomplete("done", iso(record.done), f"a time not after {iso(now)}")
    for name in ("cleaner", "result"):
        if not getattr(record, name).strip():
            raise Incomplete(name, getattr(record, name), "a text")
    if record.thickness_um is not None and record.thickness_um < 0:
        raise Incomplete("thickness_mm", record.thickness_um / 1000, "0 or more")


def cleaning_hazard(status: AreaStatus, now: int) -> Hazard | None:
    """Return the hazard that an area is whose cleaning is long overdue, for people to register and grade; else None.

    The same cleaning always leads to the same one, so none is doubled.
    """
    area, last = status.area, status.last
    if last is None or status.standing is not CleaningStanding.LONG_OVERDUE:
        return None
    hours = (now - last.done) // _HOUR
    return Hazard(
        id=hazard_of_rule(status.plant, area.id, RULE, last.done),
        plant=status.plant,
        title=f"粉尘清扫严重超期：{area.name.zh}（{area.id}）",
        description=(
            f"区域 {area.id} 距上次登记的清扫已 {hours} 小时，"
            f"清扫计划为最长 {area.longest_h:g} 小时一次，责任人：{area.who}。"
            "可能违反粉尘清理制度（令第10号第十一条，须人工判定；超期倍数为工程默认值）。"
        ),
        place=area.name.zh,
        source=HazardSource.RULE,
        found=now,
        found_by=YUJING,
        equipment=area.equipment,
        point=area.point,
        origin=RULE,
    )
