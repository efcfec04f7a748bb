"""Daily safety pledge (安全承诺): a responsible person's assessment of the day's risks, and what they promise.

What it says of dangerous work is held against the work that was declared; a day without one is missed, never in order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from ingest.domain.cases.days import begins, day_of
from ingest.domain.cases.errors import Incomplete
from ingest.domain.cases.work import EXPECTED_WORK, SPECIAL, Work
from ingest.domain.model.daily import PledgeDuty
from ingest.domain.model.text import Text

SENTENCE: Final = (
    "今天我公司已经进行了安全风险研判，各项安全风险防控措施已落实到位，我承诺所有生产装置处于安全运行状态。"
)
"""What a plant pledges unless it writes another one. Beginning and end as in an open scoring module; no regulation."""

_MOST: Final = 1000


class PledgeState(StrEnum):
    """Whether it holds."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"  # 撤回: it was wrong; another one may be given that day


@dataclass(frozen=True, slots=True)
class Pledge:
    """A pledge for one day. Times are ns since the epoch, UTC.

    Attributes:
        number: of that day: 1, unless earlier ones were withdrawn.
        assessment: what the day's risks were found to be (研判).
        text: what is promised.
        person: who promises it; `by` signed it with their token.
        running, stopped: how many units run, and how many stand.
        works: kind of dangerous work -> how many are done that day; those left out are none.
        remark: why it was withdrawn.
    """

    id: UUID
    plant: str
    day: dt.date
    number: int
    assessment: str
    text: str
    person: str
    running: int
    stopped: int
    given: int
    by: str
    version: int = 1
    state: PledgeState = PledgeState.GIVEN
    works: Mapping[str, int] = field(default_factory=dict)
    withdrawn: int | None = None
    withdrawn_by: str | None = None
    remark: str | None = None

    def late(self, duty: PledgeDuty | None) -> bool:
        """Whether it was given after the plant's hour."""
        return duty is not None and self.given >= deadline(duty, self.day)


class PledgeStanding(StrEnum):
    """How a plant stands with the pledge of one day."""

    IN_TIME = "in-time"
    LATE = "late"  # given after the hour
    DUE = "due"  # the hour is still to come
    MISSING = "missing"  # the hour is past, and the day is not over
    MISSED = "missed"  # the day is over
    NOT_OWED = "not-owed"  # the plant's file asks for none that day


@dataclass(frozen=True, slots=True)
class PledgeFilter:
    """Which pledges. None = any."""

    plants: frozenset[str] | None = None
    state: PledgeState | None = None
    since: dt.date | None = None
    until: dt.date | None = None  # not included


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A kind of work of which a pledge says another number than was declared for that day."""

    kind: str
    pledged: int
    declared: int

    def sentence(self, kind: Text) -> Text:
        """What that is; `kind`: what the kind is called."""
        return Text(
            f"{kind.zh}：承诺 {self.pledged} 处，报备 {self.declared} 处",
            f"{kind.en}: {self.pledged} pledged, {self.declared} declared",
        )


def deadline(duty: PledgeDuty, day: dt.date) -> int:
    """By when the pledge of a day has to be given, ns."""
    return begins(day) + (duty.by.hour * 60 + duty.by.minute) * 60 * 10**9


def standing_of(duty: PledgeDuty | None, day: dt.date, pledge: Pledge | None, now: int) -> PledgeStanding:
    """How a plant stands with the pledge of a day; `pledge`: the one that holds, if any."""
    if pledge is not None:
        return PledgeStanding.LATE if pledge.late(duty) else PledgeStanding.IN_TIME
    if duty is None or day < duty.since:
        return PledgeStanding.NOT_OWED
    if day_of(now) > day:
        return PledgeStanding.MISSED
    return PledgeStanding.MISSING if now >= deadline(duty, day) else PledgeStanding.DUE


def contradictions(pledge: Pledge, works: Iterable[Work]) -> list[Contradiction]:
    """Return where a pledge and the work declared for its day differ in number; `works` are of its plant."""
    first, end = begins(pledge.day), begins(pledge.day + dt.timedelta(days=1))
    today = [work.kind for work in works if work.state in EXPECTED_WORK and _touches(work, first, end)]
    found = ((str(kind), pledge.works.get(kind, 0), today.count(kind)) for kind in SPECIAL)
    return [Contradiction(*each) for each in found if each[1] != each[2]]


def check(pledge: Pledge, now: int) -> None:
    """Raise Incomplete for what does not hold together: a pledge is given on its day, and not for another one."""
    if pledge.day != day_of(now):
        raise Incomplete("day", pledge.day.isoformat(), f"today, {day_of(now).isoformat()}")
    for name in ("assessment", "text", "person"):
        if not getattr(pledge, name).strip():
            raise Incomplete(name, getattr(pledge, name), "a text")
    for kind, count in (("running", pledge.running), ("stopped", pledge.stopped), *pledge.works.items()):
        if not 0 <= count <= _MOST:
            raise Incomplete(kind, count, f"a number from 0 to {_MOST}")
    for kind in pledge.works:
        if kind not in SPECIAL:
            raise Incomplete("works", kind, f"one of {', '.join(SPECIAL)}")


def _touches(work: Work, first: int, end: int) -> bool:
    """Whether it was to be reckoned with at any moment of that span."""
    begun = min(work.begins, work.begun or work.begins)
    return begun < end and work.covers(max(first, begun))
