"""Holds the suppressions that have not ended, finds the one that covers an alarm, and ends those that expire (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from uuid import UUID

from ingest.domain.model.alarm import Alarm
from ingest.domain.model.audit import YUJING
from ingest.domain.model.changed import DoneBefore, done_before
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.domain.model.text import Text

HIGHEST: Final = 2
"""The highest alarm level."""

NEVER: Final = 2**63 - 1
"""The due time if nothing is due. Times are ns since the epoch."""

_OPEN: Final = frozenset({SuppressionState.APPLIED, SuppressionState.IN_FORCE})


def reaches(suppression: Suppression, level: int, *, highest: bool) -> bool:
    """Whether it hides alarms of that level: the highest only if out of service, or if `highest` allows it."""
    return level < HIGHEST or highest or suppression.kind is SuppressionKind.OUT_OF_SERVICE


REQUESTED: Final = {
    SuppressionKind.FUNCTION_CHECK: Text("开始该测点的功能检查", "began a function check of this point"),
    SuppressionKind.SHELVED: Text("搁置该规则的报警", "shelved alarms of this rule"),
    SuppressionKind.SUPPRESSED: Text("设计抑制该规则的报警", "suppressed alarms of this rule by design"),
    SuppressionKind.OUT_OF_SERVICE: Text("申请停用该测点", "applied for this point to be taken out of service"),
}
"""What the applicant of each kind has done."""

_APPROVED: Final = Text("批准该申请", "approved this application")
_REJECTED: Final = Text("驳回该申请", "rejected this application")
_WITHDRAWN: Final = Text("撤回该停用申请", "withdrew this application")
_ENDED: Final = {
    SuppressionKind.FUNCTION_CHECK: Text("结束该功能检查", "ended this function check"),
    SuppressionKind.SHELVED: Text("取消该搁置", "ended this shelving"),
    SuppressionKind.SUPPRESSED: Text("解除该设计抑制", "ended this suppression by design"),
    SuppressionKind.OUT_OF_SERVICE: Text("恢复该测点使用", "put this point back into service"),
}


def decided_before(suppression: Suppression) -> DoneBefore | None:
    """Return the refusal of a decision that somebody else has taken already; None while it waits for one."""
    match suppression.state:
        case SuppressionState.APPLIED:
            return None
        case SuppressionState.IN_FORCE:
            if suppression.decided is None:  # nobody had to approve it
                return done_before(REQUESTED[suppression.kind], suppression.applicant, suppression.applied)
            return done_before(_APPROVED, suppression.approver, suppression.decided)
        case SuppressionState.REJECTED:
            return done_before(_REJECTED, suppression.approver, suppression.decided)
    application = suppression.kind is SuppressionKind.OUT_OF_SERVICE and suppression.decided is None
    what = _WITHDRAWN if application else _ENDED[suppression.kind]
    if suppression.ended_by == YUJING:
        what = Text(f"因期满{what.zh}", f"{what.en}, its time being over,")
    return done_before(what, suppression.ended_by, suppression.ended)


class Suppressions:
    """The suppressions that wait for approval or are in force. Ended ones are only in the state database."""

    def __init__(self, records: Iterable[Suppression] = ()) -> None:
        self._known: dict[UUID, Suppression] = {}
        self._of_point: dict[tuple[str, str], dict[UUID, Suppression]] = {}
        self._expired_until = 0
        self.due = NEVER
        """When the next one begins or expires."""
        for record in records:
            self.keep(record)

    def records(self) -> list[Suppression]:
        """Return all of them."""
        return list(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def find(self, suppression: UUID) -> Suppression | None:
        """Return the one with that id if it has not ended, else None."""
        return self._known.get(suppression)

    def of_point(self, plant: str, point: str) -> list[Suppression]:
        """Return those of a point that have not ended."""
        return list(self._of_point.get((plant, point), {}).values())

    def keep(self, record: Suppression) -> None:
        """Store the present state of one; one that has ended is dropped."""
        place = (record.plant, record.point)
        if record.state in _OPEN:
            self._known[record.id] = record
            self._of_point.setdefault(place, {})[record.id] = record
        elif self._known.pop(record.id, None) is not None:
            del self._of_point[place][record.id]
        self._set_due()

    def over(self, alarm: Alarm, now: int, *, highest: bool) -> Suppression | None:
        """Return the strongest one that covers an alarm at `now`, or None.

        An alarm of the highest level is covered only if it is out of service, or if `highest` allows it.
        """
        found = [
            suppression
            for suppression in self.of_point(alarm.plant, alarm.point)
            if suppression.kind.hides
            and suppression.holds(now)
            and suppression.covers(alarm.plant, alarm.point, alarm.rule)
            and reaches(suppression, alarm.severity, highest=highest)
        ]
        return max(found, key=lambda suppression: suppression.kind.strength, default=None)

    def expire(self, now: int) -> tuple[list[Suppression], set[tuple[str, str]]]:
        """Return what expired up to `now`, and the points where a suppression began or expired since the last call.

        An application that was never decided ends too once its time is over. A function check does not: until somebody
        ends it, it is overdue.
        """
        if now < self.due:
            return [], set()
        before, self._expired_until = self._expired_until, now
        over = [
            suppression
            for suppression in self._known.values()
            if suppression.until is not None and suppression.until <= now and suppression.kind.hides
        ]
        touched = {(suppression.plant, suppression.point) for suppression in over}
        touched |= {
            (suppression.plant, suppression.point)
            for suppression in self._known.values()
            if before < suppression.begins <= now
        }
        ended = [
            replace(suppression, state=SuppressionState.ENDED, ended=suppression.until, ended_by=YUJING)
            for suppression in over
        ]
        for suppression in ended:
            self.keep(suppression)
        self._set_due()
        return ended, touched

    def _set_due(self) -> None:
        times = [
            time
            for suppression in self._known.values()
            for time in (suppression.begins, suppression.until)
            if time is not None
        ]
        self.due = min((time for time in times if time > self._expired_until), default=NEVER)
