"""REST: instruments and their ledgers (仪表台账)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.ledger import Ledger
from ingest.domain.cases.ledger_due import DueState
from ingest.domain.cases.ledger_steps import LedgerStep, PutBack, TakeOut
from ingest.services.access import Principal
from ingest.services.cases import instruments
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller
from ingest.web.instrument_paging import page_of
from ingest.web.paging import Cursor, Limit
from ingest.web.rest import instruments_schemas as schemas
from ingest.web.rest.case_steps import add_steps, description_of
from ingest.web.rest.router import rest_router


def instruments_router(ports: Ports) -> APIRouter:
    """Return the routes on instruments."""
    router = rest_router("/instruments", tags=["cases"])

    def detail(ledger: Ledger, caller: Principal) -> schemas.LedgerOut:
        return schemas.ledger_out(instruments.instrument(ports, caller, ledger.id), caller)

    @router.get("")
    def list_instruments(
        caller: Caller,
        plant: str | None = None,
        state: Annotated[list[DueState], Query(description="of any of its checks; default: any")] = [],  # noqa: B006  FastAPI copies it
        point: Annotated[str | None, Query(description="only the one that measures this point")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> schemas.InstrumentPage:
        """List instruments, what is due first, first."""
        found = instruments.instruments(ports, caller, plant)
        if point is not None:
            found = [status for status in found if point in status.instrument.points]
        page, following = page_of(found, frozenset(state), limit, cursor)
        return schemas.InstrumentPage(instruments=[schemas.instrument_out(status) for status in page], next=following)

    @router.get("/{instrument}")
    def show_instrument(instrument: UUID, caller: Caller) -> schemas.LedgerOut:
        """Show the ledger of one instrument, with every entry."""
        return schemas.ledger_out(instruments.instrument(ports, caller, instrument), caller)

    @router.post("/{instrument}/out-of-service", description=description_of(LedgerStep.TAKE_OUT))
    async def out_of_service(instrument: UUID, caller: Actor, body: schemas.OutOfService) -> schemas.LedgerOut:
        form = TakeOut(body.planning, body.reason, body.until, body.evidence)
        after = await instruments.take_out(ports, caller, instrument, body.version, form)
        return await run_in_threadpool(detail, after, caller)

    @router.post("/{instrument}/return", description=description_of(LedgerStep.PUT_BACK))
    async def back_in_service(instrument: UUID, caller: Actor, body: schemas.BackInService) -> schemas.LedgerOut:
        form = PutBack(body.remark, body.evidence)
        after = await instruments.put_back(ports, caller, instrument, body.version, form)
        return await run_in_threadpool(detail, after, caller)

    add_steps(router, ports, LedgerStep, detail, schemas.LedgerOut)
    return router
