"""Ledger (台账) of an instrument: what was done to it, and what of that counts now. Its steps are in `ledger_steps`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid5

from ingest.domain.model.audit import ActRole
from ingest.domain.model.instrument import Check, Instrument

_LEDGERS: Final = UUID("5d2a6c1e-7b43-5f0a-9a39-3c1be64b7a10")

CORRECT: Final = "correct"
"""The step that replaces what an earlier entry says."""


CHECK_STEPS: Final[Mapping[str, Check]] = {
    "calibrate": Check.CALIBRATION,
    "function-test": Check.FUNCTION_TEST,
    "proof-test": Check.PROOF_TEST,
    "inspect": Check.INSPECTION,
}
"""The steps that enter a check."""


class LedgerState(StrEnum):
    """Whether the device may be used. Out of service (停用) is no state of it: its points' suppressions say so."""

    IN_USE = "in-use"
    SCRAPPED = "scrapped"  # 报废


class Outcome(StrEnum):
    """What a check found."""

    PASSED = "passed"
    FAILED = "failed"


class Corrected(StrEnum):
    """What a check found after all."""

    PASSED = "passed"
    FAILED = "failed"
    VOID = "void"  # 作废: there was no such check of this instrument


class Planning(StrEnum):
    """Why it is taken out of service."""

    PLANNED = "planned"  # 正常计划
    UNPLANNED = "unplanned"  # 非计划临时


@dataclass(frozen=True, slots=True)
class LastCheck:
    """The check that counts now.

    Attributes:
        valid_until: as its certificate says; None: it says nothing.
        number: of its certificate.
    """

    day: dt.date
    passed: bool
    valid_until: dt.date | None = None
    number: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of a ledger; lines are only ever added.

    Attributes:
        ledger, version: whose it is, and its place there.
        step: the verb.
        detail: what was given with it, JSON-ready.
    """

    id: UUID
    ledger: UUID
    version: int
    step: str
    state: LedgerState
    time: int
    by: str
    role: ActRole
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> Line:
        """What of it counts for the checks."""
        return self.id, self.version, self.step, self.detail


Line = tuple[UUID, int, str, Mapping[str, Any]]
"""Id and place of an entry, its verb, and what was given with it."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one device. Times are ns since the epoch, UTC.

    Attributes:
        instrument, serial: the instrument's id in its plant file, and the device's serial number.
        since: the day on which the service first knew of it.
        last: by check, the one that counts now.
        entries: in the order they were made; filled in where one ledger is looked at.
    """

    id: UUID
    plant: str
    instrument: str
    serial: str
    since: dt.date
    version: int = 1
    state: LedgerState = LedgerState.IN_USE
    last: Mapping[Check, LastCheck] = field(default_factory=dict)
    scrapped: int | None = None
    scrapped_by: str | None = None
    entries: tuple[LedgerEntry, ...] = ()


def ledger_of(instrument: Instrument) -> UUID:
    """The id of the ledger of the device that stands there now."""
    return uuid5(_LEDGERS, f"{instrument.plant}/{instrument.id}/{instrument.serial}")


def entry_id(ledger: UUID, version: int) -> UUID:
    """The id of an entry."""
    return uuid5(ledger, str(version))


def last_checks(lines: Iterable[Line]) -> dict[Check, LastCheck]:
    """By check the one that counts: of the latest day, and of two of a day the one that was entered later.

    One that was corrected says what it was last corrected to, in its own place.
    """
    checks: dict[UUID, tuple[Check, int]] = {}
    found: dict[UUID, LastCheck] = {}
    for key, place, step, detail in lines:
        if step in CHECK_STEPS:
            checks[key] = CHECK_STEPS[step], place
            found[key] = _check_of(detail)
        elif step == CORRECT:
            corrected = UUID(detail["entry"])
            if detail["outcome"] == Corrected.VOID:
                found.pop(corrected, None)
            else:
                found[corrected] = _check_of(detail)
    in_order = sorted(found, key=lambda key: (found[key].day, checks[key][1]))
    latest = {checks[key][0]: found[key] for key in in_order}
    return {check: latest[check] for check in Check if check in latest}


def _check_of(detail: Mapping[str, Any]) -> LastCheck:
    until = detail.get("valid_until")
    return LastCheck(
        dt.date.fromisoformat(detail["day"]),
        detail["outcome"] == Outcome.PASSED,
        dt.date.fromisoformat(until) if until else None,
        detail.get("number"),
        detail.get("person"),
    )
