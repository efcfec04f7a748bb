"""REST: notices (提醒) that were given, and what their receivers have of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from ingest.domain.cases.notice_report import notice_fields
from ingest.domain.model.notice import Matter, Notice, NoticeFilter
from ingest.domain.model.payload import iso
from ingest.services import caller_scope
from ingest.services.ports import Ports
from ingest.storage.state.notice_store import Sent
from ingest.web.caller import Caller
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest.case_schemas import When
from ingest.web.rest.router import rest_router
from ingest.web.rest.schemas import PlantId, Said, Shape


class SentOut(Shape):
    """A message of a notice to one of its receivers."""

    receiver: str = Field(description="name of the webhook")
    event: Annotated[str, Field(examples=["given"], description="`given` or `ended`")]
    delivered: When | None = Field(description="null: not accepted yet, it is tried again")
    error: str | None = Field(description="of the newest attempt")


class NoticeOut(Shape):
    """A notice: what somebody has to do by a time."""

    id: UUID
    plant: PlantId
    matter: Matter
    title: Said
    subject: str = Field(description="id of the ledger and check, the registration, the work, the point or the plant")
    text: Said
    due: When | None = Field(description="late from then on; null: by no time")
    given: When
    ended: When | None = Field(description="withdrawn, since nothing is to be done any more")
    receivers: list[str] = Field(description="whom it was sent to; empty: no webhook asks for such notices")
    sent: list[SentOut] = Field(description="empty also once the outbox has let go of the messages")


class NoticePage(Shape):
    """Notices, newest first. Pass `next` as `cursor` to go on; null: no more."""

    notices: list[NoticeOut]
    next: str | None


def notices_router(ports: Ports) -> APIRouter:
    """Return the route on notices."""
    router = rest_router("/notices", tags=["cases"])

    @router.get("")
    def list_notices(
        caller: Caller,
        plant: str | None = None,
        matter: Matter | None = None,
        standing: Annotated[bool | None, Query(description="false: only withdrawn ones; default: both")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> NoticePage:
        """List notices, newest first."""
        which = NoticeFilter(caller_scope.narrowed(caller, plant), matter, standing)
        found = ports.cases.notices.notices(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda notice: (notice.given, notice.id))
        sent = ports.cases.notices.sent(page)
        return NoticePage(notices=[_out(notice, sent.get(notice.id, [])) for notice in page], next=following)

    return router


def _out(notice: Notice, sent: list[Sent]) -> NoticeOut:
    came = [
        {"receiver": of.receiver, "event": of.event, "delivered": iso(of.delivered), "error": of.error} for of in sent
    ]
    return NoticeOut(**notice_fields(notice), receivers=list(notice.receivers), sent=came)  # type: ignore[arg-type]
