"""Notices (提醒): what somebody has to do by a time, sent ahead of it and withdrawn once nothing is to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from ingest.domain.model.text import Text


class Matter(StrEnum):
    """What a notice is about."""

    CHECK_DUE = "check-due"  # of an instrument
    CHECKS_UNRECORDED = "checks-unrecorded"  # of a plant's instruments nothing is on record
    BYPASS_ENDING = "bypass-ending"
    BYPASS_NOT_CLOSED = "bypass-not-closed"  # though the interlock is in service again
    WORK_NOT_CLOSED = "work-not-closed"
    MAINTENANCE = "maintenance-required"  # by the instrument itself, NAMUR NE 107


MATTERS: Final = {
    Matter.CHECK_DUE: Text("仪表检验到期", "check of an instrument due"),
    Matter.CHECKS_UNRECORDED: Text("仪表没有检验记录", "no check on record"),
    Matter.BYPASS_ENDING: Text("联锁旁路即将到期", "bypass ends"),
    Matter.BYPASS_NOT_CLOSED: Text("联锁已投用，旁路登记未关闭", "bypass not closed"),
    Matter.WORK_NOT_CLOSED: Text("报备作业未关闭", "declared work not closed"),
    Matter.MAINTENANCE: Text("仪表需要维护", "instrument needs maintenance"),
}
"""What the matters are called."""

LASTING: Final = frozenset({Matter.BYPASS_NOT_CLOSED, Matter.MAINTENANCE})
"""Matters that follow a signal: one that lasts for a moment calls for nothing."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """A reason for one notice. Two of the same matter, subject and time are the same, whatever their words.

    Attributes:
        subject: id of the ledger, registration or work; of the point, or of the plant.
        due: from then on it is late, ns since the epoch, UTC; None: by no time.
        certain: whether it is known to hold; what is not known gives no notice and withdraws none.
    """

    plant: str
    matter: Matter
    subject: str
    due: int | None
    text: Text = field(compare=False)
    certain: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it stands. Times are ns since the epoch, UTC.

    Attributes:
        zh, en: its words when it was given.
        given, ended: when it was given, and withdrawn because nothing is to be done any more.
        receivers: names of the connectors that it was addressed to.
    """

    id: UUID
    plant: str
    matter: Matter
    subject: str
    due: int | None
    zh: str
    en: str
    given: int
    receivers: tuple[str, ...] = ()
    ended: int | None = None

    @property
    def text(self) -> Text:
        """Its words in both languages."""
        return Text(self.zh, self.en)

    @property
    def occasion(self) -> Occasion:
        """What it was given for."""
        return Occasion(self.plant, self.matter, self.subject, self.due, self.text)

    @property
    def event(self) -> str:
        """The newest of its events."""
        return "given" if self.ended is None else "ended"


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices. None = any."""

    plants: frozenset[str] | None = None
    matter: Matter | None = None
    outstanding: bool | None = None


def message_id(notice: UUID, event: str) -> UUID:
    """The id of the message that tells of an event of a notice."""
    return uuid5(notice, event)
