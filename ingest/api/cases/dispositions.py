"""Disposition (处置) as people give it: kept first, then told to the engine, the only writer of alarms and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from starlette.concurrency import run_in_threadpool

from ingest.alarms.lifecycle import require_raise
from ingest.api import reach
from ingest.api.access import Principal
from ingest.api.cases import books
from ingest.api.errors import Away, BadParameter, Conflict, NotThere
from ingest.api.orders import as_conflict, carry_out
from ingest.api.ports import Ports
from ingest.cases.causes import Form, form_of
from ingest.cases.disposition import Disposition, check
from ingest.model.alarm import Alarm
from ingest.model.warning import Colour, WarningState
from ingest.pipeline.commands import Dispose, Person
from ingest.pipeline.warning_commands import FeedBack, require_colour


def form_for(ports: Ports, alarm: Alarm) -> Form:
    """The form an alarm is disposed of with, by its point and rule."""
    point = ports.live.roster().find(alarm.plant, alarm.point)
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
    one = await run_in_threadpool(_keep, ports, caller, wish, seen)
    try:
        await carry_out(ports, command(one, seen))
    except Away:  # kept all the same: the service tells the engine again
        return one
    except (Conflict, NotThere):  # somebody was faster: kept on record, and nothing is left to be told
        await run_in_threadpool(ports.cases.books.note_told, one.id, ports.now())
        raise
    told = ports.now()
    await run_in_threadpool(ports.cases.books.note_told, one.id, told)
    return replace(one, told=told)


def command(one: Disposition, seen: Seen | None = None) -> Dispose | FeedBack:
    """What the engine is told of a disposition, in the name of whoever gave it."""
    who, seen = Person(one.by, one.role), seen or Seen()
    if one.warning is not None:
        return FeedBack(one.warning, who, one.cause, one.measure, seen.peak)
    return Dispose(one.alarms, who, one.id, seen.raises)


def _keep(ports: Ports, caller: Principal, wish: Disposition, seen: Seen) -> Disposition:
    plant, form = _subject(ports, caller, wish, seen)
    one = replace(wish, id=uuid4(), plant=plant, form=form, by=caller.name, role=caller.acts_as, given=ports.now())
    check(one)
    books.proofs(ports, plant, one.evidence)
    detail = {
        "alarms": [str(alarm) for alarm in one.alarms],
        "warning": str(one.warning) if one.warning else None,
        "cause": one.cause,
        "measure": one.measure,
        "person": one.person,
        "false_alarm": one.false_alarm,
        "words": one.words,
        "evidence": [str(key) for key in one.evidence],
    }
    told = books.act(ports, caller, "disposed", "disposition", one.id, plant, detail)
    ports.cases.books.commit(added=[one], acts=[told])
    return one


def _subject(ports: Ports, caller: Principal, wish: Disposition, seen: Seen) -> tuple[str, Form]:
    """The plant and the form. What is not as it was seen is refused before anything is kept; the engine asks again."""
    if wish.warning is not None:
        warning = reach.warning(ports, caller, wish.warning)
        if warning.state is WarningState.CLOSED or warning.feedback is not None:
            raise Conflict(f"the warning is {warning.state} and was answered")
        with as_conflict():
            require_colour(warning, seen.peak)
        return warning.plant, wish.form
    alarms = [reach.alarm(ports, caller, key) for key in wish.alarms]
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
