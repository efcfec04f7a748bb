"""Messages as channels get them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from ingest.domain.model.outbox import Message, Urgency
from tests.ingest.delivery.outbox import PLANT, START

CALL = UUID("3b241101-e2bb-4255-8caf-4136c566a962")


def call_message(seq: int, address: str, colour: str | None = "red", text: str = "红色预警，请立即撤人") -> Message:
    """The call of one person."""
    name = uuid5(CALL, str(seq))
    body: dict[str, Any] = {
        "call": str(CALL),
        "attempt": str(name),
        "plant": PLANT.id,
        "colour": colour,
        "person": {"name": "张三", "address": address},
        "text": {"zh": text, "en": "Red warning: everybody out"},
        "deadline": "2025-11-23T08:05:00.000Z",
    }
    return Message(seq, "robot", name, "call", PLANT.id, body, START, START, 0, Urgency.FIRST, str(CALL))
