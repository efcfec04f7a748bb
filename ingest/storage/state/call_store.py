"""Calls and the roster's changes: each is committed together with its messages, their withdrawal and its acts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from ingest.domain.calls.advance import Advanced
from ingest.domain.calls.roster import Presence, Swap
from ingest.domain.model.audit import Act
from ingest.domain.model.call import Call, CallEvent, CallState
from ingest.domain.model.delivery_failure import failure_text
from ingest.domain.model.outbox import Message, Waiting
from ingest.domain.model.text import Text
from ingest.storage.state import audit, tables
from ingest.storage.state import call_tables as t
from ingest.storage.state.case_queries import Before, equal, narrowed, paged
from ingest.storage.state.case_rows import row_of
from ingest.storage.state.outbox_endings import is_dead, withdraw
from ingest.storage.state.record_reader import RecordReader
from ingest.storage.state.rows import message_row
from ingest.storage.state.upsert import insert_missing, upsert


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Selects calls; None = any. Times are ns since the epoch on `began`."""

    plants: frozenset[str] | None = None
    state: CallState | None = None
    open: bool | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """How far the message of an attempt came. Times are ns.

    Attributes:
        delivered: its connector had accepted it.
        withdrawn: it ceased to wait, since the call went on without it.
        rejected: its receiver rejected it for good.
        error: why the newest try to deliver it failed, if one did.
    """

    delivered: int | None
    withdrawn: int | None
    rejected: int | None
    error: Text | None


class CallStore(RecordReader):
    """Every call, as committed, and what changed in the roster. Lists come newest first."""

    def commit(
        self, advanced: Advanced, messages: Sequence[Message], acts: Sequence[Act], reason: str
    ) -> dict[str, list[Waiting]]:
        """Write a call as it stands now with its events, messages and acts, and withdraw what it silences.

        Args:
            advanced: the call after a step.
            messages: of the attempts rung; those that are there by id are not written again.
            acts: for the audit trail.
            reason: why messages are withdrawn.

        Returns:
            The messages that were withdrawn, by connector, for `OutboxSender.withdraw`.

        Raises:
            StateUnavailable, StateBroken: nothing was written.
        """
        call, now = advanced.call, advanced.call.changed
        with self._db.write() as connection:
            upsert(connection, t.call, [_row(call)])
            if advanced.events:
                rows = [_event_row(event) for event in advanced.events]
                connection.execute(insert_missing(connection, t.call_event, "call", "number"), rows)
            if advanced.rung:
                attempts = [{"id": attempt.id, "call": call.id} for attempt in advanced.rung]
                connection.execute(insert_missing(connection, t.call_attempt, "id"), attempts)
            if messages:
                sent = [message_row(message) for message in messages]
                connection.execute(insert_missing(connection, tables.outbox, "connector", "id"), sent)
            withdrawn = withdraw(connection, advanced.silenced, reason, now) if advanced.silenced else {}
            audit.append(connection, acts)
        return withdrawn

    def call(self, key: UUID) -> Call | None:
        """A call by its id, or None."""
        return next(iter(self._calls(sa.select(t.call).where(t.call.c.id == key))), None)

    def call_of(self, attempt: UUID) -> UUID | None:
        """The id of the call that an attempt is of; None: there is none."""
        rows = self._db.rows(sa.select(t.call_attempt.c.call).where(t.call_attempt.c.id == attempt))
        return next((row["call"] for row in rows), None)

    def open_calls(self) -> list[Call]:
        """Every call of which an answer or an arrival is awaited, the oldest first."""
        return self._calls(sa.select(t.call).where(t.call.c.open).order_by(t.call.c.began))

    def changed_since(self, plant: str, time: int) -> list[Call]:
        """Every call of a plant that changed since then, the oldest first."""
        column = t.call.c
        query = sa.select(t.call).where(column.plant == plant, column.changed >= time)
        return self._calls(query.order_by(column.began))

    def known(self, ids: Collection[UUID]) -> set[UUID]:
        """Which of these ids are of calls that began."""
        query = sa.select(t.call.c.id).where(t.call.c.id.in_(list(ids)))
        return {row["id"] for row in self._db.rows(query)} if ids else set()

    def calls(self, which: CallFilter, *, limit: int, before: Before = None) -> list[Call]:
        """By the time they began."""
        column = t.call.c
        query = equal(
            narrowed(t.call, which.plants, column.began, which.since, which.until), {column.state: which.state}
        )
        if which.open is not None:
            query = query.where(column.open if which.open else sa.not_(column.open))
        return self._db.page(paged(query, column.began, column.id, before), limit, _call_of)

    def events(self, key: UUID) -> list[CallEvent]:
        """Every event of a call, in order."""
        query = sa.select(t.call_event).where(t.call_event.c.call == key).order_by(t.call_event.c.number)
        return self._records(CallEvent, query)

    def sent(self, call: Call) -> dict[UUID, Sent]:
        """How far the messages of a call came; nothing of those that the outbox let go."""
        column = tables.outbox.c
        query = sa.select(column.id, column.delivered, column.ended, column.ending, column.last_error, column.failure)
        query = query.where(column.id.in_([attempt.id for attempt in call.attempts]))
        rows = self._db.rows(query) if call.attempts else []
        return {row["id"]: _sent(row) for row in rows}

    def rejected(self, ids: Collection[UUID]) -> dict[UUID, Text | None]:
        """Which messages of these attempts are dead letters, with what their receiver answered if that is known."""
        column = tables.outbox.c
        query = sa.select(column.id, column.last_error, column.failure)
        query = query.where(is_dead(), column.id.in_(list(ids))).order_by(column.seq)
        rows = self._db.rows(query) if ids else []
        return {row["id"]: failure_text(row["failure"], row["last_error"]) for row in rows}

    def presences(self, after: int) -> list[Presence]:
        """Sign-ins that may count after that time, in their order."""
        column = t.duty_presence.c
        query = sa.select(t.duty_presence).where(column.until > after).order_by(column.since, column.id)
        return self._records(Presence, query)

    def swaps(self, after: int) -> list[Swap]:
        """Swaps of shifts that begin after that time, in the order in which they were made."""
        column = t.duty_swap.c
        return self._records(Swap, sa.select(t.duty_swap).where(column.begin > after).order_by(column.time, column.id))

    def change_roster(self, presences: Sequence[Presence], swaps: Sequence[Swap], acts: Sequence[Act]) -> None:
        """Write sign-ins as they stand now and new swaps, with their acts. Raises StateUnavailable, StateBroken."""
        with self._db.write() as connection:
            upsert(connection, t.duty_presence, [row_of(presence) for presence in presences])
            upsert(connection, t.duty_swap, [row_of(swap) for swap in swaps])
            audit.append(connection, acts)

    def _calls(self, query: sa.Select[Any]) -> list[Call]:
        return self._db.records(query, _call_of)


def _row(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "plant": call.plant,
        "cause": str(call.cause),
        "subject": call.subject,
        "state": str(call.state),
        "began": call.began,
        "changed": call.changed,
        "open": call.open,
        "record": msgspec.to_builtins(call),
    }


def _call_of(row: Mapping[str, Any]) -> Call:
    return msgspec.convert(row["record"], Call)


def _sent(row: Mapping[str, Any]) -> Sent:
    ended = {row["ending"]: row["ended"]}
    error = failure_text(row["failure"], row["last_error"])
    return Sent(row["delivered"], ended.get("withdrawn"), ended.get("rejected"), error)


def _event_row(event: CallEvent) -> dict[str, Any]:
    return {
        "call": event.call,
        "number": event.number,
        "kind": str(event.kind),
        "time": event.time,
        "person": event.person,
        "detail": dict(event.detail),
    }
