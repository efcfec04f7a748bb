"""What people do to messages of the outbox: each act is in the audit trail, by the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from ingest.domain.model.audit import Act, ActRole
from ingest.domain.model.payload import iso
from ingest.storage.state import audit
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_endings import is_dead, waits
from ingest.storage.state.outbox_rows import COLUMNS, OutboxRow, row_of
from ingest.storage.state.tables import outbox

_WAITS_AGAIN: Final[Mapping[str, Any]] = dict.fromkeys(("delivered", "ended", "ending", "reason"))


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, and when (ns)."""

    actor: str
    role: ActRole
    now: int


def drop(database: Database, seqs: Sequence[int], by: By, reason: str) -> list[OutboxRow]:
    """Delete messages that wait, and dead letters: their receiver never hears of them.

    Returns:
        Those that were deleted; others do not exist, or are delivered or withdrawn.
    """
    with database.write() as connection:
        rows = _found(connection, outbox.c.seq.in_(seqs), sa.or_(waits(), is_dead()))
        connection.execute(sa.delete(outbox).where(outbox.c.seq.in_([row.seq for row in rows])))
        audit.append(connection, [_act(row, by, "dropped", {"reason": reason}) for row in rows])
    return rows


def revive(database: Database, by: By, *, seqs: Sequence[int] = (), connector: str | None = None) -> list[OutboxRow]:
    """Let dead letters wait again, under their ids: those of these numbers, or all of a connector.

    Returns:
        Those that wait now; others do not exist, or are no dead letters.
    """
    chosen = outbox.c.seq.in_(seqs) if connector is None else outbox.c.connector == connector
    with database.write() as connection:
        rows = _found(connection, chosen, is_dead())
        again = sa.update(outbox).where(outbox.c.seq.in_([row.seq for row in rows]))
        connection.execute(again.values(**_WAITS_AGAIN))
        audit.append(connection, [_act(row, by, "resent", {"error": row.last_error or ""}) for row in rows])
    return rows


def send_again(database: Database, created: range, connector: str, by: By) -> int:
    """Let delivered messages that were created in `created` (ns) wait again, under their ids, with one act.

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
        count = int(connection.execute(chosen.values(**_WAITS_AGAIN)).rowcount)
        if count:
            detail = {"messages": count, "begins": iso(created.start), "ends": iso(created.stop)}
            audit.append(connection, [Act(by.now, by.actor, by.role, "resent", "message", connector, "", detail)])
    return count


def _found(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[OutboxRow]:
    query = sa.select(*(outbox.c[name] for name in COLUMNS)).where(*conditions).order_by(outbox.c.seq)
    return [row_of(row._asdict()) for row in connection.execute(query)]


def _act(row: OutboxRow, by: By, action: str, detail: Mapping[str, str]) -> Act:
    about = {"receiver": row.connector, "kind": row.kind, "subject": row.subject or ""}
    return Act(by.now, by.actor, by.role, action, "message", str(row.id), row.plant, {**about, **detail})
