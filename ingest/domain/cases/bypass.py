"""Bypass of an interlock (联锁旁路、摘除): the record, its states, and what has to be given to ask for one.

IEC 61511 practice: somebody asks, somebody else allows it, for a time, with measures that stand in for the interlock.
Its steps are in `bypass_steps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from ingest.domain.cases.errors import Incomplete
from ingest.domain.model.bypass import RegisteredBypass

HOUR: Final = 3600 * 10**9
"""Ns."""


class BypassState(StrEnum):
    """How far a registration has come."""

    REQUESTED = "requested"  # waits for approval
    APPROVED = "approved"  # allowed, and not begun
    IN_FORCE = "in-force"
    EXPIRED = "expired"  # its longest time is over, and the interlock was not put back
    RESTORED = "restored"  # put back: closed
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


OPEN_STATES: Final = frozenset({BypassState.REQUESTED, BypassState.APPROVED, BypassState.IN_FORCE, BypassState.EXPIRED})
"""States in which a registration is not closed; an interlock has at most one of those."""


@dataclass(frozen=True, slots=True)
class Bypass:
    """A registration as it stands. Times are ns since the epoch, UTC.

    Attributes:
        point: the interlock's state.
        reason, measure: why it is bypassed, and what stands in for it meanwhile.
        hours: the longest time, from when it begins; after an extension, from its approval.
        begins: not before; from its approval on, when it is or was in force.
        until: the end of its longest time; None before it is approved.
        decided, decided_by: who last approved it, its extension included, or refused it.
        extension_hours, extension_reason: an extension asked for and not decided on.
        extended, extended_by: who asked for the newest extension, and when.
        restored, restored_by: when the interlock was put back, and by whom.
    """

    id: UUID
    plant: str
    point: str
    reason: str
    measure: str
    hours: int
    requested: int
    requested_by: str
    begins: int
    version: int = 1
    state: BypassState = BypassState.REQUESTED
    until: int | None = None
    decided: int | None = None
    decided_by: str | None = None
    extension_hours: int | None = None
    extension_reason: str | None = None
    extended: int | None = None
    extended_by: str | None = None
    restored: int | None = None
    restored_by: str | None = None
    remark: str | None = None

    @property
    def submitted_by(self) -> str:
        """Return who submitted the request that waits for a decision, and so may not decide on it."""
        return self.extended_by if self.extension_hours is not None and self.extended_by else self.requested_by

    @property
    def waits(self) -> bool:
        """Whether somebody has to decide."""
        return self.state is BypassState.REQUESTED or self.extension_hours is not None

    @property
    def is_open(self) -> bool:
        """Whether it is not closed."""
        return self.state in OPEN_STATES

    @property
    def due(self) -> int | None:
        """When time alone changes its state; None: never."""
        if self.state is BypassState.APPROVED:
            return self.begins
        return self.until if self.state is BypassState.IN_FORCE else None

    @property
    def note(self) -> RegisteredBypass | None:
        """What the interlock's alarm says of it; None while it is not in force and has not been."""
        if self.state not in {BypassState.IN_FORCE, BypassState.EXPIRED} or self.until is None:
            return None
        return RegisteredBypass(
            self.id,
            self.requested_by,
            self.decided_by or "",
            self.reason,
            self.measure,
            self.until,
            expired=self.state is BypassState.EXPIRED,
        )


@dataclass(frozen=True, slots=True)
class BypassFilter:
    """Which registrations. None = any."""

    plants: frozenset[str] | None = None
    states: frozenset[BypassState] | None = None
    point: str | None = None
    since: int | None = None  # on `requested`
    until: int | None = None


def check(bypass: Bypass, most: int) -> None:
    """Raise Incomplete for what does not hold together; `most`: the longest time a bypass may have, h."""
    for name in ("reason", "measure"):
        if not getattr(bypass, name).strip():
            raise Incomplete(name, getattr(bypass, name), "a text")
    check_hours(bypass.hours, most)


def check_hours(hours: int, most: int) -> None:
    """Raise Incomplete for a longest time that is none, or more than a bypass may have."""
    if not 1 <= hours <= most:
        raise Incomplete("hours", hours, f"1 to {most} h: longer takes an extension, which is approved anew")
