"""The console's page of deliveries (投递): receivers, what waits for them, and what they reject."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from pydantic import StringConstraints

from ingest.services.ports import Ports
from ingest.storage.state.outbox_rows import Which
from ingest.web.caller import Admin
from ingest.web.console.fields import COMMENT_LENGTH, Onward
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer
from ingest.web.inputs import Number
from ingest.web.routers import page_router
from ingest.web.texts.outbox import CHOICES, MESSAGE_KINDS

SHOWN: Final = 50

_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=COMMENT_LENGTH), Form()]


def outbox_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the page of deliveries. All of them are for admins of all plants."""
    router = page_router("/outbox")
    deliveries = ports.deliveries

    @router.get("")
    def show(
        request: Request,
        admin: Admin,  # noqa: ARG001  who may see it
        which: Which = "dead",
        receiver: str = "",
        after: Number = 0,
    ) -> Response:
        """Show the receivers, and messages: dead letters unless the filter asks for others."""
        found = deliveries.messages(which, receiver or None, SHOWN, after)
        return render.page(
            request,
            "outbox.html",
            receivers=deliveries.receivers(),
            messages=found,
            following=found[-1].seq if len(found) == SHOWN else None,
            choices=CHOICES,
            message_kinds=MESSAGE_KINDS,
            chosen={"which": which, "receiver": receiver},
        )

    @router.post("/retry", dependencies=[Depends(own_form)])
    def retry(
        admin: Admin,  # noqa: ARG001  who may do it
        receiver: Annotated[str, Form()],
        onward: Onward = "/outbox",
    ) -> Response:
        """Try what waits for a receiver at once."""
        deliveries.retry(receiver)
        return go_on(onward)

    @router.post("/resend", dependencies=[Depends(own_form)])
    def resend(admin: Admin, message: Annotated[Number, Form()], onward: Onward = "/outbox") -> Response:
        """Send a dead letter again."""
        deliveries.resend([message], admin, ports.now())
        return go_on(onward)

    @router.post("/drop", dependencies=[Depends(own_form)])
    def drop(admin: Admin, message: Annotated[Number, Form()], reason: _Reason, onward: Onward = "/outbox") -> Response:
        """Give a message up."""
        deliveries.drop([message], admin, ports.now(), reason)
        return go_on(onward)

    return router
