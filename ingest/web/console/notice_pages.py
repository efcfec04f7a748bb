"""The console's page of notices (提醒): what is to be done by when, and who was notified."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ingest.domain.model.notice import Matter, Notice, NoticeFilter
from ingest.services import caller_scope
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router

SHOWN: Final = 50

Which = Literal["", "ended", "all"]
_OUTSTANDING: Final[dict[Which, bool | None]] = {"": True, "ended": False, "all": None}


def notice_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the route of the page of notices."""
    router = page_router("/notices")

    @router.get("")
    def list_notices(
        request: Request,
        caller: Caller,
        plant: str = "",
        matter: Literal[""] | Matter = "",
        state: Which = "",
        cursor: str = "",
    ) -> Response:
        """Show notices, those that stand unless the filters ask for others."""
        of = matter if isinstance(matter, Matter) else None
        which = NoticeFilter(caller_scope.narrowed(caller, plant or None), of, _OUTSTANDING[state])
        found = ports.cases.notices.notices(which, limit=SHOWN + 1, before=read_token(cursor or None))
        page, older = cut(found, SHOWN, lambda notice: (notice.given, notice.id))
        return render.page(
            request,
            "notices.html",
            notices=page,
            older=older,
            sent=ports.cases.notices.sent(page),
            about=place_of,
            matters=list(Matter),
            names=plant_names(ports, caller),
            chosen={"plant": plant, "matter": str(matter), "state": state},
        )

    return router


def place_of(notice: Notice) -> str:
    """Return the path of the page on what a notice is about."""
    plant, subject = quote(notice.plant, safe=""), quote(notice.subject, safe="")
    match notice.matter:
        case Matter.CHECK_DUE:
            return f"/instruments/{notice.subject.partition('/')[0]}"
        case Matter.CHECKS_UNRECORDED:
            return f"/instruments?plant={plant}&state=unknown"
        case Matter.BYPASS_ENDING | Matter.BYPASS_NOT_CLOSED:
            return f"/bypasses/{subject}"
        case Matter.WORK_NOT_CLOSED:
            return f"/works/{subject}"
        case Matter.MAINTENANCE:
            return f"/plants/{plant}/points/{subject}"
