"""The JSON form in which the messages of calls leave the service."""

from __future__ import annotations

from typing import Any

from ingest.domain.calls.texts import message_text
from ingest.domain.model.call import Call, CallAttempt
from ingest.domain.model.outbox import Message, Urgency
from ingest.domain.model.payload import iso, localized
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour


def call_message(call: Call, attempt: CallAttempt, template: Text) -> Message:
    """Return the message of an attempt: it waits for no other, and is sent before everything but grave alarms."""
    grave = call.colour is Colour.RED or call.level == 2
    urgency = Urgency.FIRST if grave else Urgency.URGENT
    body, sent = call_body(call, attempt, template), attempt.sent
    return Message(0, attempt.connector, attempt.id, "call", call.plant, body, sent, sent, 0, urgency)


def call_body(call: Call, attempt: CallAttempt, template: Text) -> dict[str, Any]:
    """Return the body of the message of an attempt."""
    return {
        "event": "ring",
        "call": str(call.id),
        "attempt": str(attempt.id),
        "plant": call.plant,
        "cause": str(call.cause),
        "colour": str(call.colour) if call.colour else None,
        "person": {"name": attempt.person, "address": attempt.address},
        "text": localized(message_text(call, attempt, template)),
        "time": iso(attempt.sent),
        "deadline": iso(attempt.until),
    }
