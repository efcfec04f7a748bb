"""Messages of the outbox that cease to wait although nobody accepted them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.model.outbox import Urgency, Waiting
from ingest.storage.state.tables import outbox


def waits() -> sa.ColumnElement[bool]:
    """Whether a message is still to be sent: the condition of the index `outbox_waiting`."""
    return sa.and_(outbox.c.delivered.is_(None), outbox.c.ended.is_(None))


def is_dead() -> sa.ColumnElement[bool]:
    """Whether a message is a dead letter; answered by the index `outbox_ended`."""
    return sa.and_(outbox.c.ended.is_not(None), outbox.c.ending == "rejected")


def bury(connection: sa.Connection, connector: str, rejected: Mapping[int, int]) -> None:
    """Let messages end as dead letters, by number and time (ns), unless they ended meanwhile, within a transaction."""
    for seq, at in rejected.items():
        chosen = sa.update(outbox).where(outbox.c.connector == connector, outbox.c.seq == seq, waits())
        connection.execute(chosen.values(ended=at, ending="rejected"))


def withdraw(connection: sa.Connection, ids: Sequence[UUID], reason: str, now: int) -> dict[str, list[Waiting]]:
    """Let messages of these ids that wait, for whatever connector, end as withdrawn, within the caller's transaction.

    Args:
        connection: of the transaction.
        ids: of messages; what does not wait is left as it is.
        reason: why there is nothing to tell any more; it stays with the message.
        now: ns since the epoch.

    Returns:
        Those that ended, by connector, for `OutboxSender.withdraw` once the transaction is committed.
    """
    column = outbox.c
    statement = (
        sa.update(outbox)
        .where(column.id.in_(ids), waits())
        .values(ended=now, ending="withdrawn", reason=reason)
        .returning(column.connector, column.seq, column.kind, column.plant, column.subject, column.urgency)
    )
    found = defaultdict[str, list[Waiting]](list)
    for connector, seq, kind, plant, subject, urgency in connection.execute(statement):
        found[connector].append(Waiting(seq, kind, plant, subject, Urgency(urgency)))
    return dict(found)
