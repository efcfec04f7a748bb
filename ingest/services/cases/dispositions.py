"""Disposition (处置) as people give it: kept first, then told to the engine, the only writer of alarms and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from anyio.to_thread import run_sync

from ingest.domain.alarms.lifecycle import require_raise
from ingest.domain.cases.causes import Form, form_of
from ingest.domain.cases.disposition import Disposition, check
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.warning import Colour, WarningState
from ingest.engine.commands import Dispose, Person
from ingest.engine.warning_commands import FeedBack, require_colour
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records
from ingest.services.engine_commands import as_conflict, carry_out
from ingest.services.errors import Away, BadParameter, Conflict, NotThere
from ingest.services.ports import Ports


def form_for(ports: Ports, alarm: Alarm) -> Form:
    """The form an alarm is disposed of with, by its point and rule."""
    point = ports.live.configuration().find(alarm.plant, alarm.point)
    return form_of(point.signal if point else "", alarm.rule)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at: which raise of each alarm, the highest colour of the warning. Not said: as it stands."""

    raises: Mapping[UUID, int] = field(default_factory=dict)
    peak: Colour | None = None


async def give(ports: Ports, caller: Principal, wish: Disposition, seen: Seen) -> Disposition:
    """Give a disposition in the caller's name; `plant` and `form` follow from the alarms or the warning.

    It is kept before the engine is told. If the engine does not answer it is told again by the service.

    Raises:
        NotThere: an alarm or the warning is not known or not in scope.
        BadParameter, Incomplete: something does not hold together.
        Conflict: the warning was answered already, or something is not as it was seen.
    """
    disposition = await run_sync(_keep, ports, caller, wish, seen)
    try:
        await carry_out(ports, command(disposition, seen))
    except Away:  # kept all the same: the service tells the engine again
        return disposition
    except (Conflict, NotThere):  # somebody was faster: kept on record, and nothing is left to be told
        await run_sync(ports.cases.books.note_told, disposition.id, ports.now())
        raise
    told = ports.now()
    await run_sync(ports.cases.books.note_told, disposition.id, told)
    return replace(disposition, told=told)


def command(disposition: Disposition, seen: Seen | None = None) -> Dispose | FeedBack:
    """What the engine is told of a disposition, in the name of whoever gave it."""
    who, seen = Person(disposition.by, disposition.role), seen or Seen()
    if disposition.warning is not None:
        return FeedBack(disposition.warning, who, disposition.cause, disposition.measure, seen.peak)
    return Dispose(disposition.alarms, who, disposition.id, seen.raises)


def _keep(ports: Ports, caller: Principal, wish: Disposition, seen: Seen) -> Disposition:
    plant, form = _subject(ports, caller, wish, seen)
    disposition = replace(
        wish, id=uuid4(), plant=plant, form=form, by=caller.name, role=caller.acts_as, given=ports.now()
    )
    check(disposition)
    records.proofs(ports, plant, disposition.evidence)
    detail = {
        "alarms": [str(alarm) for alarm in disposition.alarms],
        "warning": str(disposition.warning) if disposition.warning else None,
        "cause": disposition.cause,
        "measure": disposition.measure,
        "person": disposition.person,
        "false_alarm": disposition.false_alarm,
        "words": disposition.words,
        "evidence": [str(key) for key in disposition.evidence],
    }
    told = records.act(ports, caller, "disposed", "disposition", disposition.id, plant, detail)
    ports.cases.books.commit(added=[disposition], acts=[told])
    return disposition


def _subject(ports: Ports, caller: Principal, wish: Disposition, seen: Seen) -> tuple[str, Form]:
    """The plant and the form. What is not as it was seen is refused before anything is kept; the engine asks again."""
    if wish.warning is not None:
        warning = caller_scope.warning(ports, caller, wish.warning)
        if warning.state is WarningState.CLOSED or warning.feedback is not None:
            raise Conflict(f"the warning is {warning.state} and was answered")
        with as_conflict():
            require_colour(warning, seen.peak)
        return warning.plant, wish.form
    alarms = [caller_scope.alarm(ports, caller, key) for key in wish.alarms]
    if not alarms:
        raise BadParameter("alarms", [], "at least one alarm, or a warning")
    with as_conflict():
        for alarm in alarms:
            require_raise(alarm, seen.raises.get(alarm.id))
    if len({alarm.plant for alarm in alarms}) > 1:
        raise BadParameter("alarms", _ids(wish.alarms), "alarms of one plant")
    forms = {form_for(ports, alarm) for alarm in alarms}
    if len(forms) > 1:
        raise BadParameter("alarms", _ids(wish.alarms), "alarms of devices or of the process, each has its own form")
    return alarms[0].plant, forms.pop()


def _ids(keys: tuple[UUID, ...]) -> list[str]:
    return [str(key) for key in keys]
