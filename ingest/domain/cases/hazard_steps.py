"""The steps of a hazard's life: one table says which follows which, and each step says what it needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

from ingest.domain.cases.days import day_of
from ingest.domain.cases.errors import Impossible, Incomplete, NotTheirs
from ingest.domain.cases.hazard import Hazard, HazardLevel, HazardMoment, HazardState
from ingest.domain.model.audit import ActRole
from ingest.domain.model.rights import AUTHORITY, ENTERPRISE


class HazardStep(StrEnum):
    """What can be done with a hazard."""

    REGISTER = "register"
    GRADE = "grade"
    REPORT = "report"
    SUPERVISE = "supervise"
    RECTIFY = "rectify"
    EXTEND = "extend"
    SUBMIT = "submit"
    SEND_BACK = "send-back"
    CLOSE = "close"
    DISMISS = "dismiss"


_TABLE: Final = """
            F   R   G   P   M   S   C   D
register    R   .   .   .   .   .   .   .
grade       .   G   G   .   .   .   .   .
report      .   .   P*  .   .   .   .   .
supervise   .   .   .   P*  M*  S*  .   .
rectify     .   .   M-  M*  .   .   .   .
extend      .   .   .   .   M   .   .   .
submit      .   .   .   .   S   .   .   .
send-back   .   .   .   .   .   M   .   .
close       .   .   .   .   .   C   .   .
dismiss     D   D   D   .   .   .   .   .
"""
"""A row a step, a column a state: found, registered, graded, rePorted, rectifying (M: measures), submitted, closed,
dismissed. `*` for major hazards only, `-` for general ones only, `.` impossible.
"""

_LETTERS: Final = dict(zip("FRGPMSCD", HazardState, strict=True))
_LEVELS: Final[Mapping[str, tuple[HazardLevel | None, ...]]] = {
    "": (None, *HazardLevel),
    "*": (HazardLevel.MAJOR,),
    "-": (HazardLevel.GENERAL,),
}


def _read(table: str) -> dict[tuple[HazardState, HazardLevel | None, HazardStep], HazardState]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {
        (_LETTERS[column], level, HazardStep(step)): _LETTERS[cell[0]]
        for step, *cells in rows
        for column, cell in zip(head, cells, strict=True)
        if cell != "."
        for level in _LEVELS[cell[1:]]
    }


TRANSITIONS: Final = _read(_TABLE)
"""(state, level, step) -> the state after it; what is not there is impossible."""

MAY: Final[Mapping[HazardStep, frozenset[ActRole]]] = {
    HazardStep.REGISTER: ENTERPRISE | AUTHORITY,
    HazardStep.GRADE: AUTHORITY,
    HazardStep.REPORT: ENTERPRISE | AUTHORITY,
    HazardStep.SUPERVISE: AUTHORITY,
    HazardStep.RECTIFY: ENTERPRISE,
    HazardStep.EXTEND: AUTHORITY,
    HazardStep.SUBMIT: ENTERPRISE,
    HazardStep.SEND_BACK: AUTHORITY,
    HazardStep.CLOSE: AUTHORITY,
    HazardStep.DISMISS: AUTHORITY,
}
"""Who may take a step: the enterprise rectifies, the authority judges."""


class Action(Protocol):
    """One step, with what it needs. Implementations are frozen dataclasses; their fields are what was said."""

    step: ClassVar[HazardStep]

    def changes(self, hazard: Hazard, by: str, time: int) -> dict[str, Any]:
        """What it changes in the hazard besides its state. Raises Incomplete, NotTheirs."""


def possible(hazard: Hazard, role: ActRole | None = None) -> list[HazardStep]:
    """The steps that can follow now, as far as this role may take them; None: whoever takes them."""
    follow = [step for step in HazardStep if (hazard.state, hazard.level, step) in TRANSITIONS]
    return [step for step in follow if role is None or role in MAY[step]]


def advance(hazard: Hazard, action: Action, *, by: str, role: ActRole, time: int) -> tuple[Hazard, HazardMoment]:
    """Take a step; the hazard after it, and the line of its history.

    Raises:
        NotTheirs: not for this role or this person.
        Impossible: the state (named) does not allow it.
        Incomplete: something is missing.
    """
    if role not in MAY[action.step]:
        raise NotTheirs(f"{action.step} a hazard: role {role} may not; {' or '.join(sorted(MAY[action.step]))} may")
    after = TRANSITIONS.get((hazard.state, hazard.level, action.step))
    if after is None:
        level = f"{hazard.level} " if hazard.level else ""
        steps = ", ".join(possible(hazard)) or "nothing"
        raise Impossible(f"{action.step}: the {level}hazard is {hazard.state}; possible now: {steps}")
    changed = replace(hazard, state=after, version=hazard.version + 1, **action.changes(hazard, by, time))
    return changed, moment(changed, action.step, by=by, role=role, time=time, detail=said(action))


def moment(
    hazard: Hazard, step: str, *, by: str, role: ActRole, time: int, detail: Mapping[str, Any] | None = None
) -> HazardMoment:
    """The line of history for a hazard as it stands after a step."""
    return HazardMoment(hazard.id, hazard.version, step, hazard.state, time, by, role, detail or {})


def said(action: Action) -> dict[str, Any]:
    """What was said with a step, JSON-ready."""
    fields = asdict(action)  # type: ignore[call-overload]
    return {key: _plain(value) for key, value in fields.items() if value not in (None, ())}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):  # a clause
        return value["id"]
    if isinstance(value, (tuple, list)):
        return [str(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def required(parameter: str, value: str) -> str:
    """The text without its blank edges. Raises Incomplete if nothing is left."""
    text = value.strip()
    if not text:
        raise Incomplete(parameter, value, "a text")
    return text


def not_past(parameter: str, day: dt.date, time: int) -> dt.date:
    """A deadline that can still be met. Raises Incomplete."""
    today = day_of(time)
    if day < today:
        raise Incomplete(parameter, day.isoformat(), f"a day not before {today.isoformat()}")
    return day
