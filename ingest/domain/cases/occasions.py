"""What calls for a notice: checks of instruments, bypasses of interlocks, declared work, maintenance (pure)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from ingest.domain.cases.bypass import HOUR, Bypass, BypassState
from ingest.domain.cases.days import begins
from ingest.domain.cases.ledger_due import CHECKS, Due, DueState, InstrumentStatus
from ingest.domain.cases.work import PRESSING, Work, WorkStanding, span
from ingest.domain.model.notice import Matter, Occasion
from ingest.domain.model.payload import PLANT_TIME
from ingest.domain.model.plant import Point
from ingest.domain.model.text import Text

SHORTEST_D: Final = 28
"""Days: of checks at shorter intervals nobody wants a message each time; they are listed. Engineering default."""

_MINUTE: Final = 60 * 10**9
_CALLS: Final = frozenset({DueState.FAILED, DueState.OVERDUE, DueState.SOON, DueState.UNKNOWN})


def check_occasions(statuses: Iterable[InstrumentStatus], today: dt.date, notice_d: int) -> list[Occasion]:
    """One for each deadline of a check that is due soon or was missed, and one of a plant for all without a record.

    `notice_d`: days before the end of the time to enter a first check from which on it calls for a notice.
    """
    found, unrecorded = [], Counter[tuple[str, dt.date]]()
    for of in statuses:
        for due in of.dues:
            if due.state not in _CALLS or 0 < due.period.days < SHORTEST_D:
                continue
            if due.last is not None:
                found.append(_check_due(of, due))
            elif (due.deadline - today).days <= notice_d:
                unrecorded[of.instrument.plant, due.deadline] += 1
    return found + [_unrecorded(plant, deadline, count) for (plant, deadline), count in unrecorded.items()]


def bypass_occasions(record: Bypass, *, bypassed: bool | None, now: int, notice_h: float) -> Iterator[Occasion]:
    """Of one registration: that its time ends, and that its interlock is in service again.

    `bypassed`: as the interlock shows; None: not known. `notice_h`: hours before the end from which on it calls for a
    notice; half of the registration's time at most.
    """
    if record.state not in {BypassState.IN_FORCE, BypassState.EXPIRED} or record.until is None:
        return
    subject, reason = str(record.id), record.reason
    if record.until - now <= min(int(notice_h * HOUR), (record.until - record.begins) // 2):
        end = clock(record.until)
        yield Occasion(
            record.plant, Matter.BYPASS_ENDING, subject, record.until,
            Text(f"联锁 {record.point} 的旁路登记至 {end} 到期，请恢复投用或申请延期：{reason}",
                 f"the registered bypass of interlock {record.point} ends {end}: put it back or extend it: {reason}"),
        )  # fmt: skip
    if bypassed is not True:
        yield Occasion(
            record.plant, Matter.BYPASS_NOT_CLOSED, subject, None,
            Text(f"联锁 {record.point} 已投用，旁路登记未关闭，请登记恢复：{reason}",
                 f"interlock {record.point} is in service again: close its registration: {reason}"),
            certain=bypassed is False,
        )  # fmt: skip


def work_occasion(work: Work, kind: Text, standing: WorkStanding, now: int, after_min: float) -> Occasion | None:
    """Return the occasion of work that is past its end and not closed, or is to begin and not approved; None: neither.

    `kind`: what its kind is called; `after_min`: minutes after its end.
    """
    due = work.begins if standing is WorkStanding.NOT_APPROVED else work.ends
    wait = 0 if standing is WorkStanding.NOT_APPROVED else int(after_min * _MINUTE)
    if standing not in PRESSING or now < due + wait:
        return None
    zh, en = {
        WorkStanding.NOT_APPROVED: ("到时未批准", "its time has come, and nobody approved it"),
        WorkStanding.LAPSED: ("时段已过，未报开工，请取消或补报", "its time is past, and nobody said that it began"),
    }.get(standing, ("超时未报完工", "its time is past, and nobody said that it is finished"))
    what = f"{span(work.begins, work.ends)}, {work.area}"
    text = Text(
        f"{kind.zh} {what}（监护人 {work.guardian}）：{zh}", f"{kind.en} {what}, guardian {work.guardian}: {en}"
    )
    return Occasion(work.plant, Matter.WORK_NOT_CLOSED, str(work.id), due, text)


def maintenance_occasion(point: Point, *, certain: bool) -> Occasion:
    """Return the occasion of an instrument that asks for maintenance; `certain` False: its last status is too old."""
    text = Text(
        f"{point.name.zh}（{point.id}）的仪表报告需要维护",
        f"the instrument of {point.name.en} ({point.id}) asks for maintenance",
    )
    return Occasion(point.plant, Matter.MAINTENANCE, point.id, None, text, certain=certain)


def clock(time: int) -> str:
    """A time as people of the plant write it.

    >>> clock(1_763_884_800 * 10**9)
    '2025-11-23 16:00'
    """
    return f"{dt.datetime.fromtimestamp(time // 10**9, PLANT_TIME):%Y-%m-%d %H:%M}"


def _check_due(of: InstrumentStatus, due: Due) -> Occasion:
    instrument, name, day = of.instrument, CHECKS[due.check], due.deadline.isoformat()
    zh, en = f"{instrument.name.zh}（{instrument.id}）", f"{instrument.name.en} ({instrument.id})"
    if instrument.serial:
        zh, en = f"{zh}，出厂编号 {instrument.serial}", f"{en}, serial number {instrument.serial}"
    if due.last is not None and not due.last.passed:
        failed = due.last.day.isoformat()
        text = Text(f"仪表{name.zh}不合格：{zh}，{failed}", f"{name.en} failed: {en}, on {failed}")
    else:
        text = Text(f"仪表{name.zh}到期：{zh}，有效至 {day}", f"{name.en} due: {en}, valid through {day}")
    return Occasion(instrument.plant, Matter.CHECK_DUE, f"{of.ledger.id}/{due.check}", _late_from(due.deadline), text)


def _unrecorded(plant: str, deadline: dt.date, count: int) -> Occasion:
    text = Text(
        f"仪表台账有 {count} 项检定、测试没有记录，请在 {deadline.isoformat()} 前补录，之后按逾期处理",
        f"{count} checks of instruments have nothing on record: enter them by {deadline.isoformat()}, then they are"
        " overdue",
    )
    return Occasion(plant, Matter.CHECKS_UNRECORDED, plant, _late_from(deadline), text)


def _late_from(deadline: dt.date) -> int:
    return begins(deadline + dt.timedelta(days=1))
