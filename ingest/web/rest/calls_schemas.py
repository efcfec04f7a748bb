"""Shapes of the routes on calls and on the roster."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from ingest.domain.calls.roster import PlannedShift, Presence
from ingest.domain.model.call import EVENT_TEXTS, Call, CallEvent, CallEventKind, CallState, Cause, Receipt
from ingest.domain.model.warning import Colour, Step
from ingest.services.calls.duty import PlantDuty
from ingest.services.timestamps import Instant
from ingest.storage.state.call_store import Sent
from ingest.web.inputs import WORDS
from ingest.web.rest.case_schemas import When
from ingest.web.rest.schemas import Body, PlantId, Said, Shape

PersonName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64),
    Field(json_schema_extra={"pattern": WORDS}, examples=["张三"]),
]
"""The name of a person of `calls.people`."""


class LadderStepOut(Shape):
    """A step of a call's ladder."""

    position: str | None = Field(description="whose people on duty are rung; null: `people` alone")
    people: list[str]
    tier: Step | None
    ring_s: float
    tries: int
    parallel: bool


class AttemptOut(Shape):
    """One message to one person by one channel."""

    id: UUID = Field(description="what receipts name")
    step: int = Field(description="number of the step, from 1")
    attempt: int = Field(description="which try of that person")
    person: str
    channel: str
    address: str = Field(description="masked, unless the settings show it to this role")
    sent: When
    until: When = Field(description="until when the person is waited for")
    receipt: Receipt
    changed: When | None = Field(description="when the receipt came")
    delivered: When | None = Field(description="its connector had accepted it; null: not yet, or no longer on record")
    withdrawn: When | None = Field(description="it ceased to wait, since the call went on without it")
    rejected: When | None = Field(description="its receiver rejected it for good, so that the attempt has failed")
    error: str | None = Field(description="of the newest delivery")


class CallEventOut(Shape):
    """One event of a call."""

    number: int
    event: CallEventKind
    title: Said
    time: When
    person: str | None
    detail: dict[str, Any]


class CallOut(Shape):
    """A call: people rung until somebody answers."""

    id: UUID
    plant: PlantId
    cause: Cause
    subject: str = Field(description="id of the warning or alarm; of a roll call its own")
    colour: Colour | None
    level: int | None
    state: CallState
    began: When
    deadline: When
    overdue: bool
    step: int = Field(description="number of the present step, from 1")
    ringing: list[str] = Field(description="who is rung now")
    called: list[str] = Field(description="everybody who was called, in that order")
    answered: When | None
    answered_by: str | None
    by_way: str | None = Field(description="a connector, or `console`, `api`, `warning`, `alarm`")
    answered_after_s: float | None
    ended: When | None
    errand: When | None = Field(description="since when somebody has to go there")
    under_way: When | None
    under_way_by: str | None
    arrived: When | None
    arrived_by: str | None


class CallDetail(CallOut):
    """A call with its ladder, its messages and its history."""

    ladder: list[LadderStepOut]
    attempts: list[AttemptOut]
    history: list[CallEventOut]


class CallPage(Shape):
    """Calls, newest first. Pass `next` as `cursor` to go on; null: no more."""

    calls: list[CallOut]
    next: str | None


class RefusalIn(Body):
    """Somebody who is rung cannot come."""

    person: PersonName


class RollIn(Body):
    """Whose roll is called."""

    plant: Annotated[str, Field(min_length=1, max_length=64)]


class ReceiptIn(Body):
    """What a channel reports on an attempt."""

    attempt: UUID
    receipt: Literal["delivered", "answered", "not-answered", "failed", "refused", "acknowledged"]
    detail: Annotated[str, Field(max_length=500)] = ""


class ReceiptOut(Shape):
    """Whether a call has that attempt; the same receipt again changes nothing."""

    known: bool


class PresenceOut(Shape):
    """A sign-in at a position."""

    id: UUID
    plant: PlantId
    position: str
    person: str
    since: When
    until: When
    ended: When | None
    handed_to: str | None
    by: str


class PlannedOut(Shape):
    """A shift that runs now or begins within a day or two, with its swaps."""

    begin: When
    end: When
    people: list[str]


class PositionOut(Shape):
    """Who is on duty at a position now."""

    position: str
    planned: list[PlannedOut]
    present: list[PresenceOut]
    called: list[str] = Field(description="whom a call would ring, in that order")
    gap: bool = Field(description="nobody signed in: those planned would be rung")


class PlantDutyOut(Shape):
    """The roster of a plant now."""

    plant: PlantId
    nobody: bool = Field(description="a red warning would call nobody at all")
    positions: list[PositionOut]


class DutyOut(Shape):
    """The rosters of plants."""

    plants: list[PlantDutyOut]


class SignInIn(Body):
    """Who signs in where."""

    plant: Annotated[str, Field(min_length=1, max_length=64)]
    position: PersonName
    person: PersonName


class HandOverIn(Body):
    """To whom a position is handed over."""

    to: PersonName


class SwapIn(Body):
    """Who is planned in place of whom, in one shift."""

    plant: Annotated[str, Field(min_length=1, max_length=64)]
    position: PersonName
    begin: Instant
    person: PersonName
    substitute: PersonName


class SwapOut(Shape):
    """A swap."""

    id: UUID
    plant: PlantId
    position: str
    begin: When
    person: str
    substitute: str


def call_out(call: Call) -> CallOut:
    """Return the shape of a call."""
    return CallOut.model_validate(_fields(call))


def call_detail(call: Call, events: list[CallEvent], sent: dict[UUID, Sent]) -> CallDetail:
    """Return the shape of a call with its history."""
    none = Sent(None, None, None, None)
    return CallDetail.model_validate(
        _fields(call)
        | {
            "ladder": [
                LadderStepOut(
                    position=step.position,
                    people=list(step.people),
                    tier=step.tier,
                    ring_s=step.ring / 1e9,
                    tries=step.tries,
                    parallel=step.parallel,
                )
                for step in call.ladder
            ],
            "attempts": [
                {
                    "id": of.id, "step": of.step + 1, "attempt": of.attempt, "person": of.person,
                    "channel": of.connector, "address": of.address, "sent": of.sent, "until": of.until,
                    "receipt": of.receipt, "changed": of.changed, "delivered": sent.get(of.id, none).delivered,
                    "withdrawn": sent.get(of.id, none).withdrawn, "rejected": sent.get(of.id, none).rejected,
                    "error": getattr(sent.get(of.id, none).error, "en", None),
                }
                for of in call.attempts
            ],
            "history": [
                {
                    "number": event.number, "event": event.kind, "title": EVENT_TEXTS[event.kind],
                    "time": event.time, "person": event.person, "detail": dict(event.detail),
                }
                for event in events
            ],
        }
    )  # fmt: skip


def presence_out(presence: Presence) -> PresenceOut:
    """Return the shape of a sign-in."""
    return PresenceOut.model_validate(presence)


def duty_out(duty: PlantDuty) -> PlantDutyOut:
    """Return the shape of the roster of a plant."""
    return PlantDutyOut(
        plant=duty.plant.id,
        nobody=duty.nobody,
        positions=[
            PositionOut(
                position=of.position,
                planned=[_planned(shift) for shift in of.planned],
                present=[presence_out(presence) for presence in of.present],
                called=list(of.called),
                gap=of.gap,
            )
            for of in duty.positions
        ],
    )


def _planned(shift: PlannedShift) -> PlannedOut:
    return PlannedOut.model_validate({"begin": shift.begin, "end": shift.end, "people": list(shift.people)})


def _fields(call: Call) -> dict[str, Any]:
    names = set(CallOut.model_fields) - {"step", "ringing", "called", "answered_after_s"}
    return {name: getattr(call, name) for name in names} | {
        "step": call.step + 1,
        "ringing": [ringing.person for ringing in call.ringing],
        "called": list(call.people_called),
        "answered_after_s": None if call.answered is None else (call.answered - call.began) / 1e9,
    }
