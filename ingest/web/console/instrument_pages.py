"""The console's pages on instruments (仪表台账): the list by due date, one with its ledger, out of service and back."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.hazard import OPEN_STATES, Hazard, HazardFilter
from ingest.domain.cases.ledger import CHECK_STEPS, CORRECT, Ledger, Planning
from ingest.domain.cases.ledger_due import RULE, DueState
from ingest.domain.cases.ledger_steps import LedgerStep, PutBack, TakeOut
from ingest.domain.cases.step_tables import actions_of
from ingest.domain.model.text import Text
from ingest.services.access import Principal
from ingest.services.cases import instruments, records
from ingest.services.cases.instruments import InstrumentView
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller
from ingest.web.console.fields import MaybeDay, Version, Words
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.hazard_views import proofs_of_history
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.console.uploads import Files, handed_in, most_bytes
from ingest.web.inputs import MULTIPART
from ingest.web.instrument_paging import page_of
from ingest.web.routers import page_router

SHOWN: Final = 50
_HAZARDS: Final = 1000
_DONE: Final = actions_of(LedgerStep)

AnyState = Literal[""] | DueState
Key = Annotated[UUID, Form()]


def instrument_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on instruments, and of the forms that take them out of service and back."""
    router = page_router("/instruments")
    most = most_bytes(ports.cases.config.max_evidence_bytes + MULTIPART)

    @router.get("")
    def list_instruments(
        request: Request, caller: Caller, plant: str = "", state: AnyState = "", cursor: str = ""
    ) -> Response:
        """Show instruments, what is due first, first."""
        found = instruments.instruments(ports, caller, plant)
        states = frozenset({state}) if isinstance(state, DueState) else frozenset[DueState]()
        page, later = page_of(found, states, SHOWN, cursor or None)
        return render.page(
            request,
            "instruments.html",
            instruments=page,
            later=later,
            total=len(found),
            uncovered=instruments.uncovered(ports, caller, plant),
            config=ports.cases.config,
            names=plant_names(ports, caller),
            states_known=list(DueState),
            chosen={"plant": plant, "state": str(state)},
        )

    @router.get("/{instrument}")
    def show_instrument(request: Request, caller: Caller, instrument: UUID) -> Response:
        """Show one instrument: how it stands with its checks, and everything that was entered."""
        view = instruments.instrument(ports, caller, instrument)
        return render.page(
            request,
            "instrument.html",
            view=view,
            ledger=view.ledger,
            plant=ports.live.configuration().plants.get(view.ledger.plant),
            steps=_offered(view, caller),
            selectable=_checks(view.ledger),
            corrects=_corrected(view.ledger),
            proofs=proofs_of_history(ports, view.ledger.entries),
            hazards=_hazards(ports, view),
        )

    @router.post("/out-of-service", dependencies=[Depends(own_form)], max_body_size=most)
    async def take_out(
        actor: Actor,
        instrument: Key,
        version: Version,
        planning: Annotated[Planning, Form()],
        reason: Words,
        until: MaybeDay = None,
        files: Files = [],  # noqa: B006  FastAPI copies it
    ) -> Response:
        """Apply for every point of an instrument to be taken out of service."""
        ledger = await run_in_threadpool(records.instrument, ports, actor, instrument)
        proofs = await handed_in(ports, actor, ledger.plant, files)
        await instruments.take_out(ports, actor, instrument, version, TakeOut(planning, reason, until, proofs))
        return go_on(f"/instruments/{instrument}")

    @router.post("/return", dependencies=[Depends(own_form)], max_body_size=most)
    async def put_back(
        actor: Actor,
        instrument: Key,
        version: Version,
        remark: Words,
        files: Files = [],  # noqa: B006  FastAPI copies it
    ) -> Response:
        """Put every point of an instrument back into service."""
        ledger = await run_in_threadpool(records.instrument, ports, actor, instrument)
        proofs = await handed_in(ports, actor, ledger.plant, files)
        await instruments.put_back(ports, actor, instrument, version, PutBack(remark, proofs))
        return go_on(f"/instruments/{instrument}")

    return router


def _offered(view: InstrumentView, caller: Principal) -> list[LedgerStep]:
    """Return the steps this caller can take now; a device that is not there is only written about."""
    unfit = {LedgerStep.TAKE_OUT if view.suppressions else LedgerStep.PUT_BACK}
    if view.status is None:
        unfit = {LedgerStep.TAKE_OUT, LedgerStep.PUT_BACK}
    return [step for step in LedgerStep.offered(view.ledger, caller.name, caller.role) if step not in unfit]


def _checks(ledger: Ledger) -> list[tuple[str, Text]]:
    """Return the entries that can be corrected, the newest first: id, and what they are."""
    found = []
    for entry in reversed(ledger.entries):
        if entry.step in CHECK_STEPS:
            words, day = _DONE[entry.step], entry.detail["day"]
            found.append((str(entry.id), Text(f"{day} {words.zh}", f"{day} {words.en}")))
    return found


def _corrected(ledger: Ledger) -> dict[UUID, int]:
    """Return by correction the number of the entry that it corrects."""
    numbers = {str(entry.id): number for number, entry in enumerate(ledger.entries, 1)}
    return {entry.id: numbers[entry.detail["entry"]] for entry in ledger.entries if entry.step == CORRECT}


def _hazards(ports: Ports, view: InstrumentView) -> list[Hazard]:
    """Return the open hazards of its overdue checks."""
    if view.status is None:
        return []
    instrument = view.status.instrument
    points = {watched.of(instrument.id) for check in instrument.periods if (watched := check.watched) is not None}
    which = HazardFilter(plants=frozenset({instrument.plant}), states=OPEN_STATES, origin=RULE)
    return [hazard for hazard in ports.cases.store.hazards(which, limit=_HAZARDS) if hazard.point in points]
