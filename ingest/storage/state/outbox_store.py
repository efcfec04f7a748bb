"""The outbox: messages to be delivered, and the results of their deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Attempt, Message, MessageKind, Urgency, Waiting
from ingest.storage.state import tables as t
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_endings import bury, is_dead, waits, withdraw
from ingest.storage.state.prepared import change
from ingest.storage.state.rows import message_of

KINDS: Final[tuple[MessageKind, ...]] = get_args(MessageKind)

_OF_CONNECTOR: Final = t.outbox.c.connector == sa.bindparam("of_connector")
_OF_KIND: Final = t.outbox.c.kind == sa.bindparam("of_kind")
_WAITS: Final = waits()
_OLDEST: Final = sa.select(t.outbox.c.created).where(_OF_CONNECTOR, _OF_KIND, _WAITS).order_by(t.outbox.c.seq).limit(1)
_NEWS: Final = (
    sa.select(t.outbox.c.seq, t.outbox.c.plant, t.outbox.c.subject, t.outbox.c.urgency)
    .where(_OF_CONNECTOR, _OF_KIND, _WAITS, t.outbox.c.seq > sa.bindparam("after"))
    .order_by(t.outbox.c.seq)
    .limit(sa.bindparam("most"))
)
_COUNT: Final = sa.select(sa.func.count()).select_from(
    sa.select(t.outbox.c.seq)
    .where(_OF_CONNECTOR, _OF_KIND, _WAITS, t.outbox.c.seq > sa.bindparam("after"))
    .limit(sa.bindparam("most"))
    .subquery()
)
_MESSAGES: Final = (
    sa.select(t.outbox)
    .where(t.outbox.c.seq.in_(sa.bindparam("seqs", expanding=True)), _OF_CONNECTOR)
    .order_by(t.outbox.c.seq)
)
_TRIED: Final = (
    sa.update(t.outbox)
    .where(_OF_CONNECTOR, t.outbox.c.seq == sa.bindparam("of_seq"))
    .values(
        attempts=t.outbox.c.attempts + 1,
        first_attempt=sa.func.coalesce(t.outbox.c.first_attempt, sa.bindparam("started")),
    )
)
"""Prepared once, since they are executed again and again."""


@dataclass(frozen=True, slots=True)
class OutboxTotals:
    """Totals of one connector's messages."""

    messages: int
    attempted: int
    delivered: int


class OutboxStore:
    """The outbox in the state database. Times are ns since the epoch, UTC."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def waiting(self, connector: str, kind: MessageKind, after: int, limit: int) -> list[Waiting]:
        """The first `limit` undelivered messages of that kind with a greater `seq`, in its order."""

        def waiting(row: Mapping[str, Any]) -> Waiting:
            return Waiting(row["seq"], kind, row["plant"], row["subject"], Urgency(row["urgency"]))

        return self._db.page(_NEWS, limit, waiting, of_connector=connector, of_kind=kind, after=after)

    def messages(self, connector: str, seqs: Sequence[int]) -> list[Message]:
        """These messages with their bodies, in the order of `seq`; those no longer stored are left out."""
        return self._db.records(_MESSAGES, message_of, of_connector=connector, seqs=seqs)

    def oldest(self, connector: str, kinds: Sequence[MessageKind] = KINDS) -> int | None:
        """When the oldest undelivered message (of these kinds) was created; None if there are none."""
        found = [self._db.scalar(_OLDEST, of_connector=connector, of_kind=kind) for kind in kinds]
        return min((created for created in found if created is not None), default=None)

    def count(self, connector: str, most: int, kinds: Sequence[MessageKind] = KINDS, after: int = 0) -> int:
        """Up to `most` of the undelivered messages of each kind with a greater number; costs as much as it counts."""
        found = (
            self._db.scalar(_COUNT, of_connector=connector, of_kind=kind, after=after, most=most) for kind in kinds
        )
        return sum(found)

    def record(self, connector: str, attempts: Sequence[Attempt]) -> None:
        """Store the results of attempts in one transaction: counts each in `attempts`, sets `first_attempt` once."""
        rows = [
            {
                "of_connector": connector,
                "of_seq": attempt.seq,
                "started": attempt.started,
                "delivered": attempt.delivered,
                "last_error": attempt.error,
                "failure": None if attempt.error is None else Failure.of(attempt.error).row,
            }
            for attempt in attempts
        ]
        if rows:
            with self._db.write(durable=False) as connection:  # a message can be delivered again under its id
                change(connection, _TRIED, *rows)
                if dead := {attempt.seq: attempt.rejected for attempt in attempts if attempt.rejected is not None}:
                    bury(connection, connector, dead)

    def withdraw(self, ids: Sequence[UUID], reason: str, now: int) -> dict[str, list[Waiting]]:
        """Let messages of these ids that wait, for whatever connector, end as withdrawn for this reason.

        Returns:
            Those that did, by connector, for `OutboxSender.withdraw`. One under way may be accepted all the same.
        """
        with self._db.write() as connection:
            return withdraw(connection, ids, reason, now)

    def rejected(self) -> dict[str, int]:
        """The number of dead letters by connector, of those that have any; costs as much as it counts."""
        column = t.outbox.c
        query = sa.select(column.connector, sa.func.count().label("messages"))
        query = query.where(is_dead()).group_by(column.connector)
        return {row["connector"]: row["messages"] for row in self._db.rows(query)}

    def undelivered(self) -> dict[str, int]:
        """The number of messages that wait by connector; connectors without any are left out."""
        column = t.outbox.c
        query = sa.select(column.connector, sa.func.count().label("messages")).where(waits())
        return {row["connector"]: row["messages"] for row in self._db.rows(query.group_by(column.connector))}

    def empty(self, before: int, limit: int) -> int:
        """Remove the bodies of up to `limit` messages delivered or withdrawn before then; returns their number."""
        column = t.outbox.c
        return self._trim(sa.update(t.outbox).values(body={}, emptied=True), column.emptied.is_(False), before, limit)

    def forget(self, before: int, limit: int) -> int:
        """Delete up to `limit` messages without bodies delivered or withdrawn before then; returns their number."""
        return self._trim(sa.delete(t.outbox), t.outbox.c.emptied.is_(True), before, limit)

    def forget_reports(self, before: int, limit: int) -> int:
        """Delete up to `limit` readings reports delivered before then; the history has the readings."""
        column = t.outbox.c
        # Queried outside the transaction: no commit of the engine waits for it.
        found = self._db.rows(
            sa.select(column.seq)
            .where(column.kind == "readings", column.emptied.in_([False, True]), column.delivered < before)
            .limit(limit)
        )
        seqs = [row["seq"] for row in found]
        return self._change(sa.delete(t.outbox).where(column.seq.in_(seqs))) if seqs else 0

    def _trim(self, statement: sa.Update | sa.Delete, chosen: sa.ColumnElement[bool], before: int, limit: int) -> int:
        """Execute a statement for up to `limit` of the chosen messages that were over before then."""
        column, changed = t.outbox.c, 0
        withdrawn = sa.and_(column.ending == "withdrawn", column.ended < before)
        for over, at in ((column.delivered < before, column.delivered), (withdrawn, column.ended)):
            found = sa.select(column.seq).where(chosen, over).order_by(at).limit(limit - changed)
            changed += self._change(statement.where(column.seq.in_(found)))
        return changed

    def _change(self, statement: sa.Update | sa.Delete) -> int:
        with self._db.write() as connection:
            return int(connection.execute(statement).rowcount)

    def totals(self) -> dict[str, OutboxTotals]:
        """Totals of the stored messages by connector. It scans the whole table."""
        column = t.outbox.c
        query = sa.select(
            column.connector,
            sa.func.count().label("messages"),
            sa.func.count(column.first_attempt).label("attempted"),
            sa.func.count(column.delivered).label("delivered"),
        ).group_by(column.connector)
        return {row.pop("connector"): OutboxTotals(**row) for row in self._db.rows(query)}

    def latencies(self, connector: str, kind: str) -> list[int]:
        """The time (ns) from a frame's arrival to the first attempt of each message it led to."""
        column = t.outbox.c
        query = sa.select((column.first_attempt - column.received).label("ns")).where(
            column.connector == connector, column.kind == kind, column.first_attempt.is_not(None)
        )
        return [row["ns"] for row in self._db.rows(query)]

    def acceptances(self, connector: str, urgency: Urgency) -> list[int]:
        """The time (ns) from a frame's arrival until each message so urgent or more that it led to was accepted."""
        column = t.outbox.c
        query = sa.select((column.delivered - column.received).label("ns")).where(
            column.connector == connector, column.urgency <= int(urgency), column.delivered.is_not(None)
        )
        return [row["ns"] for row in self._db.rows(query)]
