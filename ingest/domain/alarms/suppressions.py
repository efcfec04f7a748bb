"""The suppressions in force, and which of them covers an alarm (pure)."""

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
"""The highest level of an alarm."""

NEVER: Final = 2**63 - 1
"""The due time of nothing. Times are ns since the epoch."""

_OPEN: Final = frozenset({SuppressionState.APPLIED, SuppressionState.IN_FORCE})


def reaches(suppression: Suppression, level: int, *, highest: bool) -> bool:
    """Whether it hides alarms of that level; the highest only if applied for and approved, or if `highest` says so."""
    return level < HIGHEST or highest or suppression.kind is SuppressionKind.OUT_OF_SERVICE


ASKED: Final = {
    SuppressionKind.SHELVED: Text("搁置该规则的报警", "shelved alarms of this rule"),
    SuppressionKind.SUPPRESSED: Text("设计抑制该规则的报警", "suppressed alarms of this rule by design"),
    SuppressionKind.OUT_OF_SERVICE: Text("申请停用该测点", "applied for this point to be taken out of service"),
}
"""What somebody has done who asked for one."""

_APPROVED: Final = Text("批准该申请", "approved this application")
_REJECTED: Final = Text("驳回该申请", "rejected this application")
_WITHDRAWN: Final = Text("撤回该停用申请", "withdrew this application")
_ENDED: Final = {
    SuppressionKind.SHELVED: Text("取消该搁置", "ended this shelving"),
    SuppressionKind.SUPPRESSED: Text("解除该设计抑制", "ended this suppression by design"),
    SuppressionKind.OUT_OF_SERVICE: Text("恢复该测点使用", "put this point back into service"),
}


def decided_before(suppression: Suppression) -> DoneBefore | None:
    """What to tell whoever decides on it, or ends it, after somebody else; None while it waits for a decision."""
    match suppression.state:
        case SuppressionState.APPLIED:
            return None
        case SuppressionState.IN_FORCE:
            if suppression.decided is None:  # nobody had to approve it
                return done_before(ASKED[suppression.kind], suppression.applicant, suppression.applied)
            return done_before(_APPROVED, suppression.approver, suppression.decided)
        case SuppressionState.REJECTED:
            return done_before(_REJECTED, suppression.approver, suppression.decided)
    asked = suppression.kind is SuppressionKind.OUT_OF_SERVICE and suppression.decided is None
    what = _WITHDRAWN if asked else _ENDED[suppression.kind]
    if suppression.ended_by == YUJING:
        what = Text(f"因期满{what.zh}", f"{what.en}, its time being over,")
    return done_before(what, suppression.ended_by, suppression.ended)


class Suppressions:
    """Those that wait for approval or are in force. What ended is forgotten here and kept in the state database."""

    def __init__(self, records: Iterable[Suppression] = ()) -> None:
        self._known: dict[UUID, Suppression] = {}
        self._of_point: dict[tuple[str, str], dict[UUID, Suppression]] = {}
        self._looked = 0
        self.due = NEVER
        """When the next one begins or its time is over."""
        for record in records:
            self.keep(record)

    def records(self) -> list[Suppression]:
        """All of them."""
        return list(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def find(self, suppression: UUID) -> Suppression | None:
        """One that has not ended, or None."""
        return self._known.get(suppression)

    def of_point(self, plant: str, point: str) -> list[Suppression]:
        """Those of a point that have not ended."""
        return list(self._of_point.get((plant, point), {}).values())

    def keep(self, record: Suppression) -> None:
        """Take note of one as it stands now."""
        place = (record.plant, record.point)
        if record.state in _OPEN:
            self._known[record.id] = record
            self._of_point.setdefault(place, {})[record.id] = record
        elif self._known.pop(record.id, None) is not None:
            del self._of_point[place][record.id]
        self._set_due()

    def over(self, alarm: Alarm, now: int, *, highest: bool) -> Suppression | None:
        """The strongest one that covers an alarm at `now`.

        An alarm of the highest level is covered only by what was applied for and approved, or if `highest` says so.
        """
        found = [
            suppression
            for suppression in self.of_point(alarm.plant, alarm.point)
            if suppression.holds(now)
            and suppression.covers(alarm.plant, alarm.point, alarm.rule)
            and reaches(suppression, alarm.level, highest=highest)
        ]
        return max(found, key=lambda suppression: suppression.kind.strength, default=None)

    def expire(self, now: int) -> tuple[list[Suppression], set[tuple[str, str]]]:
        """What ended by itself up to `now`, and the points whose alarms have to be looked at: something began or ended.

        One that was applied for and never decided ends too, once its time is over.
        """
        if now < self.due:
            return [], set()
        before, self._looked = self._looked, now
        over = [
            suppression
            for suppression in self._known.values()
            if suppression.until is not None and suppression.until <= now
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
        self.due = min((time for time in times if time > self._looked), default=NEVER)
