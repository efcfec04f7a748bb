"""Messages of the outbox as people see them at a command line, dropped and sent again while no service runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.model.audit import Act
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.payload import iso
from ingest.storage.state import audit
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_endings import waits
from ingest.storage.state.read_only import ReadOnly
from ingest.storage.state.tables import outbox

_COLUMNS: Final = (
    *("seq", "connector", "id", "kind", "plant", "subject", "created", "attempts", "first_attempt", "delivered"),
    *("last_error", "emptied"),
)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message without its body. Times are ns since the epoch, UTC.

    Attributes:
        emptied: whether its body was let go of, long after its delivery.
    """

    seq: int
    connector: str
    id: UUID
    kind: MessageKind
    plant: str
    subject: str | None
    created: int
    attempts: int
    first_attempt: int | None
    delivered: int | None
    last_error: str | None
    emptied: bool


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for one connector."""

    messages: int
    oldest: int
    attempts: int


def backlogs(state: ReadOnly) -> dict[str, Backlog]:
    """What waits, by connector. Raises StateUnavailable."""
    column = outbox.c
    query = sa.select(
        column.connector,
        sa.func.count().label("messages"),
        sa.func.min(column.created).label("oldest"),
        sa.func.sum(column.attempts).label("attempts"),
    )
    rows = state.rows(query.where(waits()).group_by(column.connector).order_by(column.connector))
    return {row.pop("connector"): Backlog(**row) for row in map(dict, rows)}


def find(state: ReadOnly, limit: int, connector: str | None = None, *, waiting: bool = True) -> list[OutboxRow]:
    """Up to `limit` messages: those that wait, oldest first, or all of them, newest first. Raises StateUnavailable."""
    query = sa.select(*(outbox.c[name] for name in _COLUMNS))
    if connector is not None:
        query = query.where(outbox.c.connector == connector)
    if waiting:
        return state.page(query.where(waits()).order_by(outbox.c.seq), limit, _row)
    return state.page(query.order_by(outbox.c.seq.desc()), limit, _row)


def body_of(state: ReadOnly, seq: int) -> tuple[OutboxRow, Mapping[str, Any]] | None:
    """A message with its body; None: there is none of that number. Raises StateUnavailable."""
    query = sa.select(outbox).where(outbox.c.seq == seq)
    found = state.records(query, lambda row: (_row(row), row["body"]))
    return found[0] if found else None


def drop(database: Database, seqs: Sequence[int], now: int, actor: str, reason: str) -> list[OutboxRow]:
    """Delete messages that wait, each with an act of the audit trail, in one transaction.

    Returns:
        Those that were deleted; others do not exist, or are delivered.
    """
    waiting = sa.select(*(outbox.c[name] for name in _COLUMNS)).where(outbox.c.seq.in_(seqs), waits())
    with database.write() as connection:
        rows = [_row(row._asdict()) for row in connection.execute(waiting.order_by(outbox.c.seq))]
        connection.execute(sa.delete(outbox).where(outbox.c.seq.in_([row.seq for row in rows])))
        audit.append(connection, [_dropped(row, now, actor, reason) for row in rows])
    return rows


def send_again(database: Database, created: range, connector: str, now: int, actor: str) -> int:
    """Let delivered messages that were created in `created` (ns) wait again, under their ids, with an act.

    Those whose bodies were let go of stay delivered.

    Returns:
        Their number.
    """
    column = outbox.c
    chosen = sa.update(outbox).where(
        column.connector == connector,
        column.created >= created.start,
        column.created < created.stop,
        column.delivered.is_not(None),
        column.emptied.is_(False),
    )
    with database.write() as connection:
        count = int(connection.execute(chosen.values(delivered=None, ended=None, ending=None, reason=None)).rowcount)
        if count:
            detail = {"messages": count, "begins": iso(created.start), "ends": iso(created.stop)}
            audit.append(connection, [Act(now, actor, "shell", "resent", "message", connector, "", detail)])
    return count


def _dropped(row: OutboxRow, now: int, actor: str, reason: str) -> Act:
    detail = {"receiver": row.connector, "kind": row.kind, "subject": row.subject or "", "reason": reason}
    return Act(now, actor, "shell", "dropped", "message", str(row.id), row.plant, detail)


def _row(row: Mapping[str, Any]) -> OutboxRow:
    return OutboxRow(**{name: row[name] for name in _COLUMNS})
