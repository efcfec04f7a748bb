"""When the checks of an instrument are due, by its ledger alone: whatever was entered, in whatever order."""

from __future__ import annotations

import calendar
import datetime as dt
import random
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.days import begins
from ingest.domain.cases.errors import Impossible, Incomplete, NotTheirs
from ingest.domain.cases.ledger import Corrected, Ledger, Outcome, ledger_of
from ingest.domain.cases.ledger_due import Due, DueState, hazard_of, opened, statuses_of
from ingest.domain.cases.ledger_steps import Calibrate, Correct, FunctionTest, Inspect, LedgerStep, Scrap
from ingest.domain.cases.verbs import Form, advance
from ingest.domain.model.instrument import Check, Instrument, Period
from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text

NOON = 12 * 3600 * 10**9
PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
CERTIFICATE = (uuid4(),)
CONFIG = CasesConfig()


def every(months: int = 0, days: int = 0) -> Period:
    return Period(months, days, "engineering default", Confidence.ENGINEERING_DEFAULT)


def instrument(serial: str = "A1", **periods: Period) -> Instrument:
    known = {Check(name.replace("_", "-")): period for name, period in periods.items()}
    return Instrument("p", "CO-01", Text("探头", "head"), ("CO-01", "CO-02"), serial, "", "", "", known)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def at(when: dt.date) -> int:
    return begins(when) + NOON


def entered(ledger: Ledger, form: Form[Any], on: dt.date) -> Ledger:
    """The ledger with an entry made on that day."""
    after: Ledger = advance(LedgerStep, ledger, form, by="李工", role="operator", time=at(on))
    (line,) = LedgerStep.history(after, form, "李工", "operator", at(on))
    return replace(after, entries=(*ledger.entries, line))


def calibrated(when: dt.date, outcome: Outcome = PASSED, until: dt.date | None = None) -> Calibrate:
    return Calibrate(when, outcome, "省计量院", "JL-2026-7", until, evidence=CERTIFICATE)


def due(of: Instrument, ledger: Ledger, today: dt.date, stopped: frozenset[str] = frozenset()) -> Due:
    (found,) = statuses_of([of], [ledger], {"p": stopped}, today, CONFIG)
    return found.dues[0]


def test_a_calibration_counts_through_the_same_day_a_year_later() -> None:
    of = instrument(calibration=every(months=12))
    ledger = entered(opened(of, day("2026-03-01")), calibrated(day("2026-03-10")), day("2026-03-10"))
    states = {
        "2026-03-10": (DueState.IN_ORDER, 0),
        "2027-02-07": (DueState.IN_ORDER, 0),
        "2027-02-08": (DueState.SOON, 0),
        "2027-03-10": (DueState.SOON, 0),
        "2027-03-11": (DueState.OVERDUE, 1),
        "2027-04-10": (DueState.OVERDUE, 31),
    }
    for today, expected in states.items():
        found = due(of, ledger, day(today))
        assert (found.state, found.overdue_days) == expected, today
        assert found.deadline == day("2027-03-10")


@pytest.mark.parametrize(
    ("done", "months", "days", "deadline"),
    [
        ("2024-02-29", 12, 0, "2025-02-28"),
        ("2023-02-28", 12, 0, "2024-02-28"),
        ("2026-11-30", 3, 0, "2027-02-28"),
        ("2027-11-30", 3, 0, "2028-02-29"),
        ("2026-08-31", 1, 0, "2026-09-30"),
        ("2026-12-31", 6, 0, "2027-06-30"),
        ("2026-12-30", 0, 7, "2027-01-06"),
    ],
)
def test_months_end_where_they_end(done: str, months: int, days: int, deadline: str) -> None:
    assert every(months, days).after(day(done)) == day(deadline)


def test_nothing_on_record_is_unknown_until_its_time_to_be_entered_is_over() -> None:
    of = instrument(calibration=every(months=12))
    ledger = opened(of, day("2026-01-01"))
    assert due(of, ledger, day("2026-01-31")).state is DueState.UNKNOWN
    late = due(of, ledger, day("2026-02-01"))
    assert (late.state, late.overdue_days, late.last) == (DueState.OVERDUE, 1, None)
    assert (
        "没有检定（校准）记录"
        in hazard_of(statuses_of([of], [ledger], {}, day("2026-02-01"), CONFIG)[0], late, 0).description
    )


def test_a_failed_calibration_is_overdue_at_once_until_one_is_passed() -> None:
    of, today = instrument(calibration=every(months=12)), day("2026-06-01")
    ledger = entered(opened(of, today), calibrated(day("2026-05-01")), today)
    ledger = entered(ledger, calibrated(today, FAILED), today)
    failed = due(of, ledger, today)
    assert (failed.state, failed.overdue_days) == (DueState.FAILED, 1)
    ledger = entered(ledger, calibrated(today), today)  # of two of a day, the one entered later
    assert due(of, ledger, today).state is DueState.IN_ORDER


def test_a_certificate_may_end_sooner_than_the_period_and_never_makes_it_longer() -> None:
    of, today = instrument(calibration=every(months=12)), day("2026-06-01")
    ledger = opened(of, today)
    sooner = entered(ledger, calibrated(today, until=day("2026-11-30")), today)
    assert due(of, sooner, today).deadline == day("2026-11-30")
    later = entered(ledger, calibrated(today, until=day("2029-01-01")), today)
    assert due(of, later, today).deadline == day("2027-06-01")


def test_a_changed_period_moves_the_deadline_of_what_is_on_record() -> None:
    of, today = instrument(calibration=every(months=12)), day("2026-06-01")
    ledger = entered(opened(of, today), calibrated(today), today)
    assert due(replace(of, periods={Check.CALIBRATION: every(months=6)}), ledger, today).deadline == day("2026-12-01")


def test_another_serial_number_is_another_device_with_nothing_on_record() -> None:
    of, today = instrument(calibration=every(months=12)), day("2026-06-01")
    ledger = entered(opened(of, today), calibrated(today), today)
    new = instrument("A2", calibration=every(months=12))
    assert ledger_of(new) != ledger_of(of)
    found = due(new, ledger, today)
    assert (found.state, found.deadline) == (DueState.UNKNOWN, day("2026-07-01"))


def test_while_all_its_points_are_out_of_service_nothing_is_overdue() -> None:
    of = instrument(calibration=every(months=12))
    ledger, today = opened(of, day("2026-01-01")), day("2026-06-01")
    assert due(of, ledger, today, frozenset({"CO-01"})).state is DueState.OVERDUE
    stopped = due(of, ledger, today, frozenset({"CO-01", "CO-02"}))
    assert (stopped.state, stopped.overdue_days, stopped.deadline) == (DueState.OUT_OF_SERVICE, 0, day("2026-01-31"))


def test_what_is_scrapped_owes_nothing_and_needs_proof() -> None:
    of, today = instrument(calibration=every(months=12)), day("2026-06-01")
    ledger = opened(of, day("2026-01-01"))
    with pytest.raises(Incomplete, match="evidence"):
        entered(ledger, Scrap("探头进水", evidence=()), today)
    ledger = entered(ledger, Scrap("探头进水", CERTIFICATE), today)
    assert (due(of, ledger, today).state, due(of, ledger, today).overdue_days) == (DueState.SCRAPPED, 0)
    with pytest.raises(Impossible):
        entered(ledger, Scrap("再次", CERTIFICATE), today)
    assert entered(ledger, calibrated(day("2026-02-01")), today).last  # entered late


@pytest.mark.parametrize(
    ("form", "parameter"),
    [
        (Calibrate(day("2026-06-02"), PASSED, "院", "1", evidence=CERTIFICATE), "day"),
        (Calibrate(day("2026-06-01"), PASSED, "院", " ", evidence=CERTIFICATE), "number"),
        (Calibrate(day("2026-06-01"), PASSED, "院", "1"), "evidence"),
        (Calibrate(day("2026-06-01"), PASSED, "  ", "1", evidence=CERTIFICATE), "person"),
        (Calibrate(day("2026-06-01"), PASSED, "院", "1", day("2026-05-31"), evidence=CERTIFICATE), "valid_until"),
        (FunctionTest(day("2027-01-01"), PASSED, "李工"), "day"),
        (Correct(uuid4(), day("2026-06-01"), Corrected.VOID, "李工", "录错"), "entry"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field(form: Form[Any], parameter: str) -> None:
    today = day("2026-06-01")
    ledger = entered(opened(instrument(), today), Inspect(today, PASSED, "李工"), today)
    with pytest.raises(Incomplete) as refused:
        entered(ledger, form, today)
    assert refused.value.parameter == parameter


def test_a_failed_calibration_needs_no_certificate_and_an_inspector_enters_none() -> None:
    today = day("2026-06-01")
    ledger = opened(instrument(), today)
    form = Calibrate(today, FAILED, "李工")
    assert not entered(ledger, form, today).last[Check.CALIBRATION].passed
    with pytest.raises(NotTheirs):
        advance(LedgerStep, ledger, form, by="局", role="inspector", time=at(today))


@dataclass
class Entry:
    """What the plain model knows of one check that was entered."""

    id: UUID
    day: dt.date
    order: int
    passed: bool


def plain_deadline(known: list[Entry], since: dt.date, months: int) -> dt.date:
    """Reckoned day by day, from every entry."""
    if not known:
        return since + dt.timedelta(days=CONFIG.ledger_grace_d)
    last = max(known, key=lambda entry: (entry.day, entry.order))
    if not last.passed:
        return last.day - dt.timedelta(days=1)
    year, month = last.day.year, last.day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return dt.date(year, month, min(last.day.day, calendar.monthrange(year, month)[1]))


@pytest.mark.parametrize("seed", range(20))
def test_any_history_of_checks_late_entries_and_corrections_is_reckoned_as_by_hand(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  made-up histories
    months = chance.choice((1, 3, 6, 12))
    of = instrument(calibration=every(months=months))
    today = since = day("2023-11-20") + dt.timedelta(days=chance.randrange(400))
    ledger, known = opened(of, since), list[Entry]()
    for order in range(60):
        today += dt.timedelta(days=chance.randrange(60))
        when = today - dt.timedelta(days=chance.randrange(200) if chance.random() < 0.3 else 0)
        if known and chance.random() < 0.3:
            wrong = chance.choice(known)
            outcome = chance.choice(list(Corrected))
            ledger = entered(ledger, Correct(wrong.id, when, outcome, "李工", "录错"), today)
            if outcome is Corrected.VOID:
                known.remove(wrong)
            else:
                wrong.day, wrong.passed = when, outcome is Corrected.PASSED
        else:
            outcome_ = chance.choice((PASSED, PASSED, FAILED))
            ledger = entered(ledger, calibrated(when, outcome_), today)
            known.append(Entry(ledger.entries[-1].id, when, order, outcome_ is PASSED))
        found, expected = due(of, ledger, today), plain_deadline(known, since, months)
        assert found.deadline == expected
        assert found.overdue_days == max(0, (today - expected).days)
        assert (found.last is None) == (not known)
