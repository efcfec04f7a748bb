"""REST: dispositions (处置) of alarms and warnings."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from ingest.domain.cases.causes import Form
from ingest.domain.cases.disposition import DispositionFilter
from ingest.services import caller_scope
from ingest.services.cases import dispositions, records
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Actor, Caller
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest import dispositions_schemas as schemas
from ingest.web.rest.router import rest_router


def dispositions_router(ports: Ports) -> APIRouter:
    """Return the routes on dispositions."""
    router = rest_router("/dispositions", tags=["cases"])

    @router.get("")
    def list_dispositions(
        caller: Caller,
        plant: str | None = None,
        alarm: UUID | None = None,
        warning: UUID | None = None,
        form: Form | None = None,
        false_alarm: Annotated[bool | None, Query(description="of false alarms, or of true ones")] = None,
        since: Annotated[Instant | None, Query(description="given at or after")] = None,
        until: Annotated[Instant | None, Query(description="given before")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> schemas.DispositionPage:
        """List dispositions, newest first."""
        which = DispositionFilter(caller_scope.narrowed(caller, plant), alarm, warning, form, false_alarm, since, until)
        found = ports.cases.store.dispositions(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda disposition: (disposition.given, disposition.id))
        return schemas.DispositionPage(
            dispositions=[schemas.disposition_out(disposition) for disposition in page], next=following
        )

    @router.get("/causes")
    def causes(_: Caller) -> schemas.CausesOut:
        """Show the codes that may be named."""
        return schemas.causes_out()

    @router.get("/{disposition}")
    def show_disposition(disposition: UUID, caller: Caller) -> schemas.DispositionOut:
        """Show one disposition."""
        return schemas.disposition_out(records.disposition(ports, caller, disposition))

    @router.post("", status_code=201)
    async def give_disposition(caller: Actor, body: schemas.NewDisposition) -> schemas.DispositionOut:
        """Give a disposition: cause, measure, evidence. Operators and admins only.

        It is feedback: an alarm or warning is cleared (销警) once its value is back, too.
        """
        return schemas.disposition_out(await dispositions.give(ports, caller, body.draft(), body.expected()))

    return router
