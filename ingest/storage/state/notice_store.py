"""Notices that were given, each committed together with the messages that tell of it, and how far these came."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.model.notice import Notice, NoticeFilter, message_id
from ingest.domain.model.outbox import Message
from ingest.storage.state import tables as t
from ingest.storage.state.case_queries import Before, equal, narrowed
from ingest.storage.state.case_rows import row_of
from ingest.storage.state.notice_table import notice as notice_table
from ingest.storage.state.outbox_endings import waits
from ingest.storage.state.record_reader import RecordReader
from ingest.storage.state.rows import message_row
from ingest.storage.state.upsert import insert_missing, upsert

MOST_COUNTED: Final = 10_000
"""Waiting messages of a connector are counted up to so many, by the index of what waits."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How far a message of a notice has come with one receiver.

    Attributes:
        event: which event of the notice it tells of.
        delivered: when the receiver had accepted it, ns; None: it waits.
        error: of the newest attempt.
    """

    receiver: str
    event: str
    delivered: int | None
    error: str | None


class NoticeStore(RecordReader):
    """Every notice, as committed. Lists come newest first."""

    def commit(self, notices: Sequence[Notice], messages: Sequence[Message]) -> None:
        """Write notices as they stand now, with their messages, in one transaction.

        What is there already, by id, is not written into the outbox again. Raises StateUnavailable, StateBroken.
        """
        with self._db.write() as connection:
            upsert(connection, notice_table, [row_of(notice) for notice in notices])
            if messages:
                rows = [message_row(message) for message in messages]
                connection.execute(insert_missing(connection, t.outbox, "connector", "id"), rows)

    def outstanding(self) -> list[Notice]:
        """Every notice that is not withdrawn."""
        return self._records(Notice, sa.select(notice_table).where(notice_table.c.ended.is_(None)))

    def notices(self, which: NoticeFilter, *, limit: int, before: Before = None) -> list[Notice]:
        """By the time they were given."""
        column = notice_table.c
        query = equal(narrowed(notice_table, which.plants, column.given, None, None), {column.matter: which.matter})
        if which.outstanding is not None:
            query = query.where(column.ended.is_(None) if which.outstanding else column.ended.is_not(None))
        return self._page(Notice, query, column.given, limit, before)

    def undelivered(self, connectors: Collection[str]) -> dict[str, int]:
        """Up to `MOST_COUNTED` messages about notices that wait for each of these connectors."""
        return {connector: self._waiting(connector) for connector in connectors}

    def _waiting(self, connector: str) -> int:
        column = t.outbox.c
        found = sa.select(column.seq).where(column.connector == connector, column.kind == "notice", waits())
        some = found.limit(MOST_COUNTED).subquery()
        return int(self._db.rows(sa.select(sa.func.count().label("messages")).select_from(some))[0]["messages"])

    def sent(self, notices: Sequence[Notice]) -> dict[UUID, list[Sent]]:
        """By notice what its receivers have of it; nothing where nobody receives it, or the outbox forgot it."""
        messages = {
            message_id(notice.id, event): (notice.id, event) for notice in notices for event in ("given", "ended")
        }
        receivers = {name for notice in notices for name in notice.receivers}
        if not receivers:
            return {}
        column = t.outbox.c
        query = sa.select(column.connector, column.id, column.delivered, column.last_error)
        found: dict[UUID, list[Sent]] = {}
        for row in self._db.rows(
            query.where(column.connector.in_(sorted(receivers)), column.id.in_(list(messages))).order_by(column.seq)
        ):
            key, event = messages[row["id"]]
            found.setdefault(key, []).append(Sent(row["connector"], event, row["delivered"], row["last_error"]))
        return found
