"""Declared work (作业报备): dangerous work and planned stops, where, from when to when, and who guards it.

It says what is to be expected at a place. An alarm that is raised there meanwhile says so, and stays an alarm.
Its steps are in `work_steps`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from ingest.domain.cases.errors import Incomplete
from ingest.domain.model.payload import PLANT_TIME, iso
from ingest.domain.model.text import Text

LONGEST_D: Final = 366
"""Days that one declaration covers at most; a longer time is a slip of the pen."""

_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND


class WorkKind(StrEnum):
    """What is done."""

    HOT_WORK = "hot-work"  # 动火
    CONFINED_SPACE = "confined-space"  # 有限空间
    ELECTRICAL = "electrical"  # 临时用电
    MAINTENANCE = "maintenance"  # 检维修
    STOP = "planned-stop"  # 计划停车
    START = "planned-start"  # 计划开车


SPECIAL: Final = (WorkKind.HOT_WORK, WorkKind.CONFINED_SPACE, WorkKind.ELECTRICAL, WorkKind.MAINTENANCE)
"""Dangerous work, which a daily pledge counts; stops and starts are none."""


class WorkState(StrEnum):
    """How far it has come, by the steps that people took."""

    DECLARED = "declared"
    APPROVED = "approved"
    UNDER_WAY = "under-way"
    FINISHED = "finished"
    REFUSED = "refused"
    CANCELLED = "cancelled"


OPEN_WORK: Final = frozenset({WorkState.DECLARED, WorkState.APPROVED, WorkState.UNDER_WAY})
"""States in which something is still to come."""

EXPECTED_WORK: Final = OPEN_WORK | {WorkState.FINISHED}
"""States in which it explains something: what was refused or called off explains nothing."""


class WorkStanding(StrEnum):
    """The status of declared work at a time: its state compared with its times."""

    WAITING = "waiting"  # for approval
    NOT_APPROVED = "not-approved"  # its time has come, and nobody approved it
    PLANNED = "planned"  # approved, its time is still to come
    NOT_BEGUN = "not-begun"  # within its time, and nobody said that it began
    UNDER_WAY = "under-way"
    OVERRAN = "overran"  # past its end, and nobody said that it is finished
    LAPSED = "lapsed"  # past its end, and nobody said that it began
    FINISHED = "finished"
    REFUSED = "refused"
    CANCELLED = "cancelled"


PRESSING: Final = frozenset({WorkStanding.OVERRAN, WorkStanding.NOT_APPROVED, WorkStanding.LAPSED})
"""How it stands where somebody has to do something now."""


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of declared work as it stands. Times are ns since the epoch, UTC.

    Attributes:
        area: where, in words.
        equipment: the equipment of the plant file it is done on; None: alarms of the whole plant may come of it.
        begins, ends: for when it is declared.
        contractor: who does it: a team, or another firm.
        person: who is responsible for it.
        guardian: who stands guard (监护人).
        measures: by which it is made safe.
        begun, finished: when somebody said so.
        remark: what was said when it was finished, refused or called off.
    """

    id: UUID
    plant: str
    kind: WorkKind
    area: str
    description: str
    begins: int
    ends: int
    contractor: str
    person: str
    guardian: str
    measures: str
    made: int
    declared_by: str
    version: int = 1
    state: WorkState = WorkState.DECLARED
    equipment: str | None = None
    approved: int | None = None
    approved_by: str | None = None
    begun: int | None = None
    begun_by: str | None = None
    finished: int | None = None
    finished_by: str | None = None
    remark: str | None = None
    evidence: tuple[UUID, ...] = ()

    @property
    def submitted_by(self) -> str:
        """Return who declared it, and so may not approve it."""
        return self.declared_by

    @property
    def late(self) -> bool:
        """Whether it was declared only after its own beginning."""
        return self.made > self.begins

    def standing(self, now: int) -> WorkStanding:
        """Return its status at a time (ns)."""
        if self.state is WorkState.UNDER_WAY:
            return WorkStanding.OVERRAN if now >= self.ends else WorkStanding.UNDER_WAY
        if self.state is WorkState.APPROVED:
            if now >= self.ends:
                return WorkStanding.LAPSED
            return WorkStanding.NOT_BEGUN if now >= self.begins else WorkStanding.PLANNED
        if self.state is WorkState.DECLARED:
            return WorkStanding.NOT_APPROVED if now >= self.begins else WorkStanding.WAITING
        return WorkStanding(self.state)

    def covers(self, time: int) -> bool:
        """Whether it was to be reckoned with at a time, as far as is known by now.

        From when it was declared for, or began if that is earlier; to when it was finished. While nobody says that it
        is finished it goes on; what nobody said to have begun ends as declared.
        """
        return time >= min(self.begins, self.begun or self.begins) and not self.over_before(time)

    def over_before(self, time: int) -> bool:
        """Whether it covers no moment from that time on."""
        ended = self.ends if self.finished is None else self.finished
        return self.state not in EXPECTED_WORK or (self.state is not WorkState.UNDER_WAY and time >= ended)

    def overran_at(self, time: int) -> bool:
        """Whether it went on at a time at which it was to be over; without a step that began it, it did not."""
        return self.begun is not None and time >= self.ends and self.covers(time)

    def concerns(self, plant: str, equipment: str | None) -> bool:
        """Whether it is done at that place: on that equipment, or in the plant at large."""
        return self.plant == plant and self.equipment in {None, equipment}


@dataclass(frozen=True, slots=True)
class WorkFilter:
    """Which work. None = any."""

    plants: frozenset[str] | None = None
    states: frozenset[WorkState] | None = None
    kind: WorkKind | None = None
    since: int | None = None  # not over by then, as declared
    until: int | None = None  # beginning before then, as declared


def check(work: Work) -> None:
    """Raise Incomplete for what does not hold together."""
    for name in ("area", "description", "contractor", "person", "guardian", "measures"):
        if not getattr(work, name).strip():
            raise Incomplete(name, getattr(work, name), "a text")
    earliest = max(work.begins, work.made)
    if work.ends <= earliest:
        raise Incomplete("ends", iso(work.ends), f"a time after {iso(earliest)}")
    if work.ends - work.begins > LONGEST_D * _DAY:
        raise Incomplete("ends", iso(work.ends), f"at most {LONGEST_D} days after its beginning")


def registered(works: Iterable[Work], plant: str, equipment: str | None, time: int) -> list[Work]:
    """The work that was to be reckoned with at that place and time: that on the equipment first."""
    found = [work for work in works if work.concerns(plant, equipment) and work.covers(time)]
    return sorted(found, key=lambda work: (work.equipment is None, work.begins, work.id))


def span(begins: int, ends: int) -> str:
    """A span of time as people of the plant write it.

    >>> span(1_763_884_800 * 10**9, 1_763_892_000 * 10**9)
    '11-23 16:00–18:00'
    >>> span(1_763_906_400 * 10**9, 1_763_920_800 * 10**9)
    '11-23 22:00–11-24 02:00'
    """
    first, last = (dt.datetime.fromtimestamp(time // _SECOND, PLANT_TIME) for time in (begins, ends))
    return f"{first:%m-%d %H:%M}–{last:{'%H:%M' if first.date() == last.date() else '%m-%d %H:%M'}}"


def sentence(work: Work, kind: Text, time: int) -> Text:
    """What an alarm that was raised at that time says of it; `kind`: what its kind is called.

    It goes by what is known now: an approval that came later counts.
    """
    zh, en = f"登记{kind.zh} {span(work.begins, work.ends)}", f"registered {kind.en} {span(work.begins, work.ends)}"
    if work.equipment is None:
        zh, en = f"{zh}，{work.area}", f"{en}, {work.area}"
    zh, en = f"{zh}，监护人 {work.guardian}", f"{en}, guardian {work.guardian}"
    if work.state is WorkState.DECLARED:
        return Text(f"{zh}（未审批）", f"{en} (not approved)")
    if work.begun is None:
        return Text(f"{zh}（未报开工）", f"{en} (beginning not reported)")
    if work.overran_at(time):
        return Text(f"{zh}（已超时）", f"{en} (overran)")
    return Text(zh, en)
