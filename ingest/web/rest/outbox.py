"""REST: deliveries (投递): receivers, what waits for them, and what they reject."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.payload import iso
from ingest.services.deliveries import Receiver, ReceiverState
from ingest.services.ports import Ports
from ingest.storage.state.outbox_rows import OutboxRow, Which
from ingest.web.caller import Admin
from ingest.web.inputs import Count, Number
from ingest.web.rest.router import rest_router
from ingest.web.rest.schemas import Body, Instant, Said, Shape, Words

Numbers = Annotated[list[Count], Field(min_length=1, max_length=500, examples=[[1842]])]


class ReceiverOut(Shape):
    """A receiver of messages: whether it takes them, and what it does not have yet."""

    receiver: Annotated[str, Field(examples=["county"])]
    state: ReceiverState = Field(description="`down`: one message at a time probes it; `off`: nothing is sent to it")
    failures: int = Field(description="tries in a row that found it down")
    error: Said | None = Field(description="why the newest of them failed")
    waiting: int
    oldest: Instant | None = Field(description="when the oldest that waits was made; null: nothing waits")
    attempts: int = Field(description="tries of those that wait, altogether")
    rejected: int = Field(description="dead letters")


class MessageOut(Shape):
    """A message without its body, and what became of it."""

    seq: int
    id: UUID
    receiver: str
    kind: MessageKind
    plant: str
    subject: str | None = Field(description="the alarm or warning; those of one subject are sent in their order")
    created: Instant
    attempts: int
    first_attempt: Instant | None
    delivered: Instant | None
    rejected: Instant | None = Field(description="a dead letter since then")
    withdrawn: Instant | None
    reason: str | None = Field(description="why it was withdrawn")
    error: Said | None = Field(description="of the newest try that failed, with the receiver's own words")


class MessagesOut(Shape):
    """Messages: those that wait or are rejected oldest first, all of them newest first. `next`: pass it as `after`."""

    messages: list[MessageOut]
    next: int | None


class ReceiverChoice(Body):
    """A receiver."""

    receiver: Annotated[str, Field(min_length=1, max_length=64, examples=["county"])]


class Choice(Body):
    """Messages by their numbers."""

    messages: Numbers


class Dropping(Choice):
    """Messages that their receiver is never to hear of, and why."""

    reason: Words = Field(examples=["已电话告知"])


class ChangedOut(Shape):
    """The numbers of the messages that it was done to; others do not wait, and are not rejected."""

    messages: list[int]


def outbox_router(ports: Ports) -> APIRouter:
    """Return the routes on deliveries. All of them are for admins of all plants."""
    router = rest_router("/outbox", tags=["service"])
    deliveries = ports.deliveries

    @router.get("/receivers")
    def receivers(admin: Admin) -> list[ReceiverOut]:  # noqa: ARG001  who may see it
        """List receivers: whether they take what comes, and what waits for them. Admins of all plants only."""
        return [_receiver(receiver) for receiver in deliveries.receivers()]

    @router.get("")
    def messages(
        admin: Admin,  # noqa: ARG001  who may see it
        which: Which = "waiting",
        receiver: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: Annotated[Number, Query(description="`next` of the page before")] = 0,
    ) -> MessagesOut:
        """List messages without their bodies; 404: a receiver that nothing knows of. Admins of all plants only."""
        if receiver is not None:
            deliveries.require(receiver)
        found = deliveries.messages(which, receiver, limit, after)
        following = found[-1].seq if len(found) == limit else None
        return MessagesOut(messages=[_message(row) for row in found], next=following)

    @router.post("/retry", status_code=204)
    def retry(admin: Admin, body: ReceiverChoice) -> None:  # noqa: ARG001
        """Try what waits for a receiver at once, whatever it waits for. Admins of all plants only."""
        deliveries.retry(body.receiver)

    @router.post("/resend")
    def resend(admin: Admin, body: Choice) -> ChangedOut:
        """Send dead letters again, under their ids. Admins of all plants only."""
        return ChangedOut(messages=deliveries.resend(body.messages, admin, ports.now()))

    @router.post("/drop")
    def drop(admin: Admin, body: Dropping) -> ChangedOut:
        """Give up messages that wait or are rejected. Admins of all plants only."""
        return ChangedOut(messages=deliveries.drop(body.messages, admin, ports.now(), body.reason))

    return router


def _receiver(receiver: Receiver) -> ReceiverOut:
    backlog = receiver.backlog
    return ReceiverOut(
        receiver=receiver.name,
        state=receiver.state,
        failures=receiver.failures,
        error=None if receiver.error is None else Said.model_validate(receiver.error),
        waiting=backlog.messages,
        oldest=iso(backlog.oldest) if backlog.messages else None,
        attempts=backlog.attempts,
        rejected=backlog.dead,
    )


def _message(row: OutboxRow) -> MessageOut:
    same = {
        name: getattr(row, name) for name in ("seq", "id", "kind", "plant", "subject", "attempts", "reason", "error")
    }
    times = {name: iso(getattr(row, name)) for name in ("created", "first_attempt", "delivered")}
    endings = {ending: iso(row.ended) if row.ending == ending else None for ending in ("rejected", "withdrawn")}
    return MessageOut.model_validate({**same, **times, **endings, "receiver": row.connector})
