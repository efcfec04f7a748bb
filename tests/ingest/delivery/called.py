"""A message of a call, as its connector gets it."""

from __future__ import annotations

from uuid import UUID

from ingest.domain.calls.report import call_message
from ingest.domain.calls.texts import WARNING
from ingest.domain.model.call import Call, CallAttempt, Cause, attempt_id, call_id
from ingest.domain.model.outbox import Message
from ingest.domain.model.warning import Colour, warning_id
from tests.ingest.delivery.outbox import PLANT, SECOND, START

FACTS = {"zh": {"enterprise": "样例铝厂", "level": "红色预警"}, "en": {"enterprise": "Sample", "level": "red warning"}}


def ring_message() -> Message:
    """The first attempt of a call for a red warning."""
    subject = str(warning_id(PLANT.id, START))
    number: UUID = call_id(Cause.WARNING, subject, Colour.RED)
    began = START + 2 * SECOND
    call = Call(
        number, PLANT.id, Cause.WARNING, subject, Colour.RED, None, FACTS, START, began, began + 300 * SECOND, ()
    )
    attempt = CallAttempt(
        attempt_id(number, 1), 0, 1, 1, "张三", "inspector", "+8613800000000", began, began + 60 * SECOND
    )
    return call_message(call, attempt, WARNING)
