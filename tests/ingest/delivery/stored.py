"""Messages as a state database has them."""

from __future__ import annotations

from typing import get_args

from ingest.domain.model.outbox import Message, MessageKind
from ingest.storage.state.outbox_store import OutboxStore


def waiting_messages(outbox: OutboxStore, connector: str) -> list[Message]:
    """Every message that waits for a connector, in the order of the outbox."""
    waiting = [waiting.seq for kind in get_args(MessageKind) for waiting in outbox.waiting(connector, kind, 0, 1000)]
    return outbox.messages(connector, waiting)
