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
    """Let messages end as dead letters, by number and time (ns), unless they ended meanwhile, within a transaction.

    Of the reports of readings of a plant the newest alone stays one: there is another every minute, each rejection is
    an event of the log, and the history has what they say.
    """
    column = outbox.c
    for seq, at in rejected.items():
        chosen = sa.update(outbox).where(column.connector == connector, column.seq == seq, waits())
        buried = connection.execute(
            chosen.values(ended=at, ending="rejected").returning(column.kind, column.plant)
        ).first()
        if buried is not None and buried.kind == "readings":
            of_plant = sa.and_(column.connector == connector, column.kind == "readings", column.plant == buried.plant)
            connection.execute(sa.delete(outbox).where(is_dead(), of_plant, column.seq < seq))


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
