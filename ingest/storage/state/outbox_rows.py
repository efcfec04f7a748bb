"""Messages of the outbox as people see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.model.delivery_failure import failure_text
from ingest.domain.model.outbox import Ending, MessageKind, Urgency, Waiting
from ingest.domain.model.text import Text
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_endings import is_dead, waits
from ingest.storage.state.read_only import ReadOnly
from ingest.storage.state.tables import outbox

COLUMNS: Final = (
    *("seq", "connector", "id", "kind", "plant", "subject", "created", "attempts", "first_attempt", "delivered"),
    *("last_error", "failure", "ended", "ending", "reason", "urgency", "emptied"),
)

Which = Literal["waiting", "dead", "all"]
"""Messages that wait, dead letters, or every message that is stored."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message without its body. Times are ns since the epoch, UTC.

    Attributes:
        last_error, failure: of the newest attempt that failed: its English sentence, and `Failure.row`.
        ended, ending, reason: when and how it ceased to wait although nobody accepted it, and why it was withdrawn.
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
    failure: Mapping[str, Any] | None
    ended: int | None
    ending: Ending | None
    reason: str | None
    urgency: int
    emptied: bool

    @property
    def error(self) -> Text | None:
        """Why the newest attempt that failed did; None: none has."""
        return failure_text(self.failure, self.last_error)

    @property
    def waiting(self) -> Waiting:
        """The message as a sender queues it."""
        return Waiting(self.seq, self.kind, self.plant, self.subject, Urgency(self.urgency))


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for one connector, and its dead letters. `oldest`: when the oldest that waits was created; 0: none."""

    messages: int
    oldest: int
    attempts: int
    dead: int


def backlogs(state: ReadOnly | Database) -> dict[str, Backlog]:
    """What waits and what is dead, by connector, of those that have any. Raises StateUnavailable."""
    column = outbox.c
    counts = sa.select(
        column.connector,
        sa.func.count().label("messages"),
        sa.func.min(column.created).label("oldest"),
        sa.func.sum(column.attempts).label("attempts"),
    ).group_by(column.connector)
    waiting = {row.pop("connector"): row for row in map(dict, state.rows(counts.where(waits())))}
    dead = {row["connector"]: row["messages"] for row in state.rows(counts.where(is_dead()))}
    none = {"messages": 0, "oldest": 0, "attempts": 0}
    return {name: Backlog(**waiting.get(name, none), dead=dead.get(name, 0)) for name in sorted({*waiting, *dead})}


def find(
    state: ReadOnly | Database, limit: int, connector: str | None = None, which: Which = "waiting", after: int = 0
) -> list[OutboxRow]:
    """Up to `limit` messages: those that wait or are dead, oldest first, or all of them, newest first.

    Args:
        state: where they are.
        limit: most of them.
        connector: only those for it.
        which: of them.
        after: the number of the last one seen; 0: from the beginning.

    Raises:
        StateUnavailable: it does not answer.
    """
    seq, conditions = outbox.c.seq, []
    if connector is not None:
        conditions.append(outbox.c.connector == connector)
    if which != "all":
        conditions.append(waits() if which == "waiting" else is_dead())
    if after:
        conditions.append(seq < after if which == "all" else seq > after)
    query = sa.select(*(outbox.c[name] for name in COLUMNS)).where(*conditions)
    return state.page(query.order_by(seq.desc() if which == "all" else seq), limit, row_of)


def body_of(state: ReadOnly, seq: int) -> tuple[OutboxRow, Mapping[str, Any]] | None:
    """A message with its body; None: there is none of that number. Raises StateUnavailable."""
    query = sa.select(outbox).where(outbox.c.seq == seq)
    found = state.records(query, lambda row: (row_of(row), row["body"]))
    return found[0] if found else None


def row_of(row: Mapping[str, Any]) -> OutboxRow:
    """The message in a row of the table."""
    return OutboxRow(**{name: row[name] for name in COLUMNS})
