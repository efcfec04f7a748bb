"""Disposition (处置) of alarms or of a warning: cause, measure, who took it, and evidence."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ingest.domain.cases.causes import CAUSES, FALSE_ALARMS, Form
from ingest.domain.cases.errors import Incomplete
from ingest.domain.model.audit import ActRole


@dataclass(frozen=True, slots=True)
class Disposition:
    """One disposition. Times are ns since the epoch, UTC.

    Attributes:
        alarms: of one plant and one form; empty for a warning.
        warning: the warning it is for, or None.
        cause: a code of `causes.CAUSES[form]`.
        measure: what was done.
        false_alarm, words: the reason code, with words of its own; None where the alarm was true.
        person: who did it on site; `by` is who reported it here.
        handled: when it was done; `given` when it was reported.
        evidence: ids of files.
        told: when the engine had taken note of it; None: not yet, it is reported again.
    """

    id: UUID
    plant: str
    form: Form
    cause: str
    measure: str
    person: str
    by: str
    role: ActRole
    handled: int
    given: int
    alarms: tuple[UUID, ...] = ()
    warning: UUID | None = None
    false_alarm: str | None = None
    words: str | None = None
    evidence: tuple[UUID, ...] = ()
    told: int | None = None


@dataclass(frozen=True, slots=True)
class DispositionFilter:
    """Which dispositions. None = any."""

    plants: frozenset[str] | None = None
    alarm: UUID | None = None
    warning: UUID | None = None
    form: Form | None = None
    false_alarm: bool | None = None
    since: int | None = None  # on `given`
    until: int | None = None


def check(disposition: Disposition) -> None:
    """Raise Incomplete for what does not hold together."""
    causes = CAUSES[disposition.form]
    if disposition.cause not in causes:
        raise Incomplete("cause", disposition.cause, f"one of {', '.join(causes)}")
    for name in ("measure", "person"):
        if not getattr(disposition, name).strip():
            raise Incomplete(name, getattr(disposition, name), "a text")
    if disposition.handled > disposition.given:
        raise Incomplete("handled", disposition.handled, "a time that is past")
    if not disposition.alarms and disposition.warning is None:
        raise Incomplete("alarms", [], "at least one alarm, or a warning")
    if disposition.alarms and disposition.warning is not None:
        raise Incomplete("warning", str(disposition.warning), "alarms or a warning, not both")
    if len(set(disposition.alarms)) != len(disposition.alarms):
        raise Incomplete("alarms", [str(alarm) for alarm in disposition.alarms], "each alarm once")
    _check_words(disposition)


def _check_words(disposition: Disposition) -> None:
    reason, words = disposition.false_alarm, (disposition.words or "").strip()
    if reason is not None and reason not in FALSE_ALARMS:
        raise Incomplete("false_alarm", reason, f"one of {', '.join(FALSE_ALARMS)}")
    if reason is not None and not words:
        raise Incomplete("words", disposition.words, "words that say why the alarm was false")
    if disposition.cause.endswith(".other") and not words:
        raise Incomplete("words", disposition.words, "words that say what the cause was")
