"""Hazard (隐患): the record, its states and its history. Its steps are in `hazard_steps`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid5

from ingest.domain.cases.days import overdue
from ingest.domain.model.audit import ActRole

_HAZARDS: Final = UUID("8d3c7a52-0f4e-5c0b-9b5e-6a1f6f0a7d21")


class HazardState(StrEnum):
    """How far a hazard has come."""

    FOUND = "found"  # 发现
    REGISTERED = "registered"  # 登记
    GRADED = "graded"  # 分级
    REPORTED = "reported"  # 上报: major ones only
    RECTIFYING = "rectifying"  # 整改: a plan with all five duties is in force
    SUBMITTED = "submitted"  # 待复查: the enterprise says it is done
    CLOSED = "closed"  # 销号
    DISMISSED = "dismissed"  # 不构成隐患: looked at, and none


class HazardLevel(StrEnum):
    """How grave."""

    GENERAL = "general"  # 一般
    MAJOR = "major"  # 重大, by the criteria


class HazardSource(StrEnum):
    """How it came to be known."""

    HAND = "by-hand"
    ALARM = "alarm"
    INSPECTION = "inspection"
    SELF_INSPECTION = "self-inspection"
    RULE = "rule"


OPEN_STATES: Final = frozenset(set(HazardState) - {HazardState.CLOSED, HazardState.DISMISSED})
"""States in which it is still there, as far as anybody knows."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """A hazard as it stands. Times are ns since the epoch, UTC; deadlines are days of the plant.

    Attributes:
        version: counts its steps, from 1.
        origin: id of the alarm, inspection or self-inspection it came from; for a rule the point.
        level, clause, criteria: set by grading; a major one has the clause it falls under, and of which edition.
        responsible, measure, budget_fen, deadline, contingency: the five duties (五落实: 责任、措施、资金、时限、预案).
        supervision, supervised_by, supervised_since, lifted: its listing (挂牌督办): number, authority, times.
        submitted: when the enterprise last said that it is done; late if that day is after the deadline.
        sent_back: how often review sent it back.
        remark: the words of whoever closed or dismissed it.
    """

    id: UUID
    plant: str
    title: str
    description: str
    place: str
    source: HazardSource
    found: int
    found_by: str
    version: int = 1
    state: HazardState = HazardState.FOUND
    equipment: str | None = None
    point: str | None = None
    origin: str | None = None
    level: HazardLevel | None = None
    clause: str | None = None
    criteria: str | None = None
    graded: int | None = None
    graded_by: str | None = None
    reported: int | None = None
    reported_to: str | None = None
    supervision: str | None = None
    supervised_by: str | None = None
    supervised_since: dt.date | None = None
    lifted: int | None = None
    responsible: str | None = None
    measure: str | None = None
    budget_fen: int | None = None
    deadline: dt.date | None = None
    contingency: str | None = None
    planned: int | None = None
    submitted: int | None = None
    submitted_by: str | None = None
    done: str | None = None
    sent_back: int = 0
    closed: int | None = None
    closed_by: str | None = None
    remark: str | None = None

    @property
    def open(self) -> bool:
        """Whether it is still there, as far as anybody knows."""
        return self.state in OPEN_STATES

    def overdue(self, now: int) -> bool:
        """Whether rectification should have been submitted by now and was not."""
        return self.state is HazardState.RECTIFYING and overdue(self.deadline, now)

    @property
    def in_time(self) -> bool | None:
        """Whether what was last submitted was submitted by its deadline; None if nothing was."""
        return None if self.submitted is None else not overdue(self.deadline, self.submitted)


@dataclass(frozen=True, slots=True)
class HazardMoment:
    """One step of a hazard's history: which, by whom, when, and what was given."""

    hazard: UUID
    version: int
    step: str
    state: HazardState
    time: int
    by: str
    role: ActRole
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HazardFilter:
    """Which hazards. None = any."""

    plants: frozenset[str] | None = None
    states: frozenset[HazardState] | None = None
    level: HazardLevel | None = None
    source: HazardSource | None = None
    origin: str | None = None
    overdue_at: int | None = None  # rectifying, and past its deadline at this time
    since: int | None = None  # on `found`
    until: int | None = None


def hazard_of_rule(plant: str, point: str, rule: str, since: int) -> UUID:
    """The id of a hazard that a rule opens: the same finding always gives the same id, so none is doubled."""
    return uuid5(_HAZARDS, f"{plant}/{point}/{rule}/{since}")
