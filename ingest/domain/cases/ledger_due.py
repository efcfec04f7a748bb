"""When the checks of an instrument are due: from the last one, its period, and what its certificate says (pure)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.days import begins
from ingest.domain.cases.hazard import Hazard, HazardSource, hazard_of_rule
from ingest.domain.cases.ledger import LastCheck, Ledger, LedgerState, ledger_of
from ingest.domain.model.audit import YUJING
from ingest.domain.model.instrument import Check, Instrument, Period
from ingest.domain.model.text import Text

RULE: Final = "check-overdue"
"""The rule's name, in ids and as the hazard's origin."""

CHECKS: Final = {
    Check.CALIBRATION: Text("检定（校准）", "calibration"),
    Check.FUNCTION_TEST: Text("功能测试", "function test"),
    Check.PROOF_TEST: Text("联锁检验", "proof test"),
    Check.INSPECTION: Text("点检", "inspection"),
}
"""What the checks are called."""


Stopped = Mapping[str, AbstractSet[str]]
"""By plant: its points that are out of service."""


class DueState(StrEnum):
    """How an instrument stands with a check, the most urgent first."""

    FAILED = "failed"  # the last one was not passed
    OVERDUE = "overdue"
    SOON = "due-soon"
    UNKNOWN = "unknown"  # nothing is on record, and the time to enter it is not over
    IN_ORDER = "in-order"
    OUT_OF_SERVICE = "out-of-service"  # nothing is due before it is used again
    SCRAPPED = "scrapped"


@dataclass(frozen=True, slots=True)
class Due:
    """One check of an instrument.

    Attributes:
        last: the one that counts; None: nothing is on record.
        deadline: the last day on which all is well: until then the last check counts, or one has to be entered.
        overdue_days: days since then; 0 too while it is out of service.
    """

    check: Check
    period: Period
    state: DueState
    last: LastCheck | None
    deadline: dt.date
    overdue_days: int


@dataclass(frozen=True, slots=True)
class InstrumentStatus:
    """An instrument with its ledger, and how it stands with every check it needs."""

    instrument: Instrument
    ledger: Ledger
    out_of_service: bool
    dues: tuple[Due, ...]

    @property
    def state(self) -> DueState | None:
        """The most urgent state; None: it needs no check."""
        return min((due.state for due in self.dues), key=list(DueState).index, default=None)

    @property
    def deadline(self) -> dt.date:
        """The first of all deadlines; the last day there is where nothing is due."""
        return min((due.deadline for due in self.dues), default=dt.date.max)


def status_of(
    instrument: Instrument, ledger: Ledger, today: dt.date, *, stopped: Collection[str], grace_d: int, notice_d: int
) -> InstrumentStatus:
    """How an instrument stands today.

    `stopped`: ids of the plant's points that are out of service; it is so itself if all of its points are. `grace_d`:
    days from when the service first knew of it, within which its last check is to be entered. `notice_d`: days before
    the deadline from which on it is due soon.
    """
    out = all(point in stopped for point in instrument.points)
    dues = []
    for check, period in instrument.periods.items():
        last = ledger.last.get(check)
        deadline = _deadline(last, period, ledger.since, grace_d)
        left = (deadline - today).days
        if ledger.state is LedgerState.SCRAPPED:
            state = DueState.SCRAPPED
        elif out:
            state = DueState.OUT_OF_SERVICE
        elif last is not None and not last.passed:
            state = DueState.FAILED
        elif left < 0:
            state = DueState.OVERDUE
        elif last is None:
            state = DueState.UNKNOWN
        else:
            state = DueState.SOON if left <= _notice(period, notice_d) else DueState.IN_ORDER
        overdue = -left if state in {DueState.FAILED, DueState.OVERDUE} else 0
        dues.append(Due(check, period, state, last, deadline, overdue))
    return InstrumentStatus(instrument, ledger, out, tuple(dues))


def opened(instrument: Instrument, today: dt.date) -> Ledger:
    """Return the ledger that an instrument begins with."""
    return Ledger(ledger_of(instrument), instrument.plant, instrument.id, instrument.serial, today)


def statuses_of(
    instruments: Iterable[Instrument], ledgers: Iterable[Ledger], stopped: Stopped, today: dt.date, config: CasesConfig
) -> list[InstrumentStatus]:
    """Return how each instrument stands; one whose ledger is not opened yet begins today."""
    known = {ledger.id: ledger for ledger in ledgers}
    return [
        status_of(
            instrument,
            known.get(ledger_of(instrument)) or opened(instrument, today),
            today,
            stopped=stopped.get(instrument.plant, frozenset()),
            grace_d=config.ledger_grace_d,
            notice_d=config.ledger_notice_d,
        )
        for instrument in instruments
    ]


def hazard_of(of: InstrumentStatus, due: Due, now: int) -> Hazard:
    """The hazard that an overdue check is: found by the service, for people to register and grade."""
    instrument, name = of.instrument, CHECKS[due.check].zh
    watched = due.check.watched
    point = watched.of(instrument.id) if watched is not None else instrument.points[0]
    found = f"仪表 {instrument.id}（出厂编号 {instrument.serial or '未填'}，测点 {'、'.join(instrument.points)}）"
    if due.last is None:
        why = f"没有{name}记录，补录宽限期 {due.deadline.isoformat()} 已过"
    elif not due.last.passed:
        why = f"{due.last.day.isoformat()} {name}不合格"
    else:
        why = f"上次{name} {due.last.day.isoformat()}，有效至 {due.deadline.isoformat()}，已逾期"
    return Hazard(
        id=hazard_of_rule(instrument.plant, point, RULE, begins(due.deadline)),
        plant=instrument.plant,
        title=f"仪表{name}逾期：{instrument.name.zh}（{instrument.id}）",
        description=f"{found}{why}。周期：{due.period.text.zh}。",
        place=instrument.place or instrument.id,
        source=HazardSource.RULE,
        found=now,
        found_by=YUJING,
        point=point,
        origin=RULE,
    )


def _deadline(last: LastCheck | None, period: Period, since: dt.date, grace_d: int) -> dt.date:
    if last is None:
        return since + dt.timedelta(days=grace_d)
    if not last.passed:
        return last.day - dt.timedelta(days=1)
    return min(period.after(last.day), last.valid_until or dt.date.max)


def _notice(period: Period, notice_d: int) -> int:
    """Days of notice: no more than a tenth of a period of days, so that a weekly check is not due soon all the time."""
    return min(notice_d, period.days // 10) if period.days and not period.months else notice_d
