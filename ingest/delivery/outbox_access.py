"""What a sender asks of the outbox, from worker threads, again and again until it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, ParamSpec, Protocol, TypeVar, get_args

from ingest.base.telemetry import emit
from ingest.delivery.events import OutboxUnavailable
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Attempt, Message, MessageKind, Waiting

P = ParamSpec("P")
T = TypeVar("T")

OUTBOX_PAUSE_S = 1.0
"""The pause before an outbox that could not be read or written is tried again."""

PAGE = 1000
"""Messages queued by one query, and most readings messages in the queue."""

FRESH: Final = 8
"""Up to so many new messages are read with their bodies at once, which is cheaper than another change of threads."""

MAX_ERROR: Final = 500
"""Characters kept of an error text."""

KINDS: Final[tuple[MessageKind, ...]] = get_args(MessageKind)


class Outbox(Protocol):
    """The part of the state database the sender uses. Blocking; called from worker threads. Times are ns, UTC."""

    def waiting(self, connector: str, kind: MessageKind, after: int, limit: int) -> Sequence[Waiting]:
        """The first `limit` undelivered messages of that kind with a greater `seq`, in its order."""

    def messages(self, connector: str, seqs: Sequence[int]) -> Sequence[Message]:
        """These messages with their bodies, in the order of `seq`; those no longer stored are left out."""

    def oldest(self, connector: str) -> int | None:
        """When the oldest undelivered message was created; None if there are none."""

    def record(self, connector: str, attempts: Sequence[Attempt]) -> None:
        """Store the results of attempts in one transaction: counts each in `attempts`, sets `first_attempt` once."""


class PatientOutbox:
    """The outbox of one connector; each call ends once it succeeded, since it may be locked or its disk full."""

    def __init__(self, outbox: Outbox, connector: str) -> None:
        self._outbox = outbox
        self._connector = connector

    async def waiting(
        self, after: Mapping[MessageKind, int]
    ) -> tuple[dict[MessageKind, Sequence[Waiting]], Sequence[Message]]:
        """The first page of each kind after these numbers, with the bodies if they are few.

        In one go, since each change of threads costs an alarm milliseconds under load.
        """

        def waiting() -> tuple[dict[MessageKind, Sequence[Waiting]], Sequence[Message]]:
            found = {kind: self._outbox.waiting(self._connector, kind, seq, PAGE) for kind, seq in after.items()}
            seqs = [message.seq for messages in found.values() for message in messages]
            if not 0 < len(seqs) <= FRESH:
                return found, []
            try:
                return found, self._outbox.messages(self._connector, seqs)
            except Exception:  # noqa: BLE001  they are read again before they are sent, and that is reported
                return found, []

        return await self._until_done("waiting", waiting)

    async def messages(self, seqs: Sequence[int]) -> Sequence[Message]:
        """See `Outbox`."""
        return await self._until_done("messages", self._outbox.messages, self._connector, seqs)

    async def oldest(self) -> int | None:
        """See `Outbox`."""
        return await self._until_done("oldest", self._outbox.oldest, self._connector)

    async def record(self, attempts: Sequence[Attempt]) -> None:
        """See `Outbox`."""
        await self._until_done("record", self._outbox.record, self._connector, attempts)

    async def _until_done(self, operation: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        while True:
            try:
                return await asyncio.to_thread(call, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  whatever the database raises, sending goes on when it is back
                text = f"{type(error).__name__}: {error}"[:MAX_ERROR]
                emit(OutboxUnavailable(self._connector, operation, text))
                await asyncio.sleep(OUTBOX_PAUSE_S)


def storable(error: str) -> Failure:
    """The failure without characters a database refuses (NUL, lone surrogates); it may quote a receiver."""
    failure = Failure.of(error)
    values = {name: _printable(value) if isinstance(value, str) else value for name, value in failure.values.items()}
    return Failure(failure.code, **values)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text[:MAX_ERROR])
