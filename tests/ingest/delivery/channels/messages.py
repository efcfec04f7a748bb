"""Calls as channels get them, by the words that the domain writes."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from ingest.domain.calls.report import call_message as message_of
from ingest.domain.calls.texts import WARNING
from ingest.domain.model.call import Call, CallAttempt, Cause
from ingest.domain.model.outbox import Message
from ingest.domain.model.warning import Colour
from tests.ingest.delivery.outbox import PLANT, SECOND, START

CALL = UUID("3b241101-e2bb-4255-8caf-4136c566a962")
NUMBER = "3b241101"
"""The number that people are told of it."""


def call_message(
    seq: int,
    address: str,
    colour: Colour | None = Colour.RED,
    what: str = "除尘器温度高",
    cause: Cause = Cause.WARNING,
) -> Message:
    """The call of one person; `what`: what it says has happened."""
    until = START + 60 * SECOND
    facts = {language: {"what": what, "level": "红色预警"} for language in ("zh", "en")}
    call = Call(CALL, PLANT.id, cause, str(seq), colour, None, facts, START, START, until, ())
    attempt = CallAttempt(uuid5(CALL, str(seq)), 0, 1, 1, "张三", "robot", address, START, until)
    return replace(message_of(call, attempt, WARNING), seq=seq)
