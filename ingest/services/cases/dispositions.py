"""Giving a disposition (处置): committed first, then sent to the engine, the only writer of alarms and warnings."""

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
from ingest.services.errors import BadParameter, Conflict, NotFound, Unavailable
from ingest.services.ports import Ports


def form_for(ports: Ports, alarm: Alarm) -> Form:
    """The form an alarm is disposed of with, by its point and rule."""
    point = ports.live.configuration().find(alarm.plant, alarm.point)
    return form_of(point.signal if point else "", alarm.rule)


@dataclass(frozen=True, slots=True)
class ExpectedState:
    """What the caller saw: which raise of each alarm, the highest colour of the warning. Empty: as they are now."""

    raises: Mapping[UUID, int] = field(default_factory=dict)
    peak: Colour | None = None


async def give(ports: Ports, caller: Principal, draft: Disposition, expected: ExpectedState) -> Disposition:
    """Give a disposition in the caller's name; `plant` and `form` follow from the alarms or the warning.

    It is committed before the engine has it. If the engine does not answer, the service sends it again.

    Raises:
        NotFound: an alarm or the warning is not known or not in scope.
        BadParameter, Incomplete: something does not hold together.
        Conflict: the warning was answered already, or something is not as expected.
    """
    disposition = await run_sync(_keep, ports, caller, draft, expected)
    try:
        await carry_out(ports, command(disposition, expected))
    except Unavailable:  # kept all the same: the service tells the engine again
        return disposition
    except (Conflict, NotFound):  # somebody was faster: kept on record, and nothing is left to be sent
        await run_sync(ports.cases.store.note_reported, disposition.id, ports.now())
        raise
    reported = ports.now()
    await run_sync(ports.cases.store.note_reported, disposition.id, reported)
    return replace(disposition, told=reported)


def command(disposition: Disposition, expected: ExpectedState | None = None) -> Dispose | FeedBack:
    """The command to the engine that a disposition leads to, in the name of whoever gave it."""
    who, expected = Person(disposition.by, disposition.role), expected or ExpectedState()
    if disposition.warning is not None:
        return FeedBack(disposition.warning, who, disposition.cause, disposition.measure, expected.peak)
    return Dispose(disposition.alarms, who, disposition.id, expected.raises)


def _keep(ports: Ports, caller: Principal, draft: Disposition, expected: ExpectedState) -> Disposition:
    plant, form = _subject(ports, caller, draft, expected)
    disposition = replace(
        draft, id=uuid4(), plant=plant, form=form, by=caller.name, role=caller.acts_as, given=ports.now()
    )
    check(disposition)
    records.require_evidence(ports, plant, disposition.evidence)
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
    act = records.act(ports, caller, "disposed", "disposition", disposition.id, plant, detail)
    ports.cases.store.commit(added=[disposition], acts=[act])
    return disposition


def _subject(ports: Ports, caller: Principal, draft: Disposition, expected: ExpectedState) -> tuple[str, Form]:
    """The plant and the form. What is not as it was seen is refused before anything is kept; the engine asks again."""
    if draft.warning is not None:
        warning = caller_scope.warning(ports, caller, draft.warning)
        if warning.state is WarningState.CLOSED or warning.feedback is not None:
            raise Conflict(f"the warning is {warning.state} and was answered")
        with as_conflict():
            require_colour(warning, expected.peak)
        return warning.plant, draft.form
    alarms = [caller_scope.alarm(ports, caller, key) for key in draft.alarms]
    if not alarms:
        raise BadParameter("alarms", [], "at least one alarm, or a warning")
    with as_conflict():
        for alarm in alarms:
            require_raise(alarm, expected.raises.get(alarm.id))
    if len({alarm.plant for alarm in alarms}) > 1:
        raise BadParameter("alarms", _ids(draft.alarms), "alarms of one plant")
    forms = {form_for(ports, alarm) for alarm in alarms}
    if len(forms) > 1:
        raise BadParameter("alarms", _ids(draft.alarms), "alarms of devices or of the process, each has its own form")
    return alarms[0].plant, forms.pop()


def _ids(keys: tuple[UUID, ...]) -> list[str]:
    return [str(key) for key in keys]
