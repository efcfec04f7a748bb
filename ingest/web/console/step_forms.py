"""The console's forms of steps: a route for every row of a table of verbs, which reads what the row's form asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import Response
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.verbs import FormField, Kind, VerbTable
from ingest.services.access import Principal
from ingest.services.cases import records, steps
from ingest.services.ports import Ports
from ingest.web.caller import BY_ROLES, Caller
from ingest.web.console.conflict_records import SUBJECT_PAGES
from ingest.web.console.fields import (
    Day,
    Hours,
    Maybe,
    MaybeDay,
    MaybeHours,
    MaybeName,
    MaybeProse,
    MaybeYuan,
    Name,
    Prose,
    Version,
    Words,
    Yuan,
    blank_is_none,
)
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer
from ingest.web.console.uploads import Files, handed_in, most_bytes
from ingest.web.inputs import MULTIPART
from ingest.web.routers import page_router

_CODE: Final = Annotated[str | None, Form(max_length=64)]
_KEY: Final = Annotated[UUID, Form()]
_TYPES: Final[Mapping[Kind, tuple[Any, Any]]] = {
    Kind.WORDS: (Words, Maybe),
    Kind.PROSE: (Prose, MaybeProse),
    Kind.NAME: (Name, MaybeName),
    Kind.DAY: (Day, MaybeDay),
    Kind.DEADLINE: (Day, MaybeDay),
    Kind.HOURS: (Hours, MaybeHours),
    Kind.MONEY: (Yuan, MaybeYuan),
    Kind.CLAUSE: (_CODE, _CODE),
    Kind.RECORD: (_KEY, _KEY),
}
"""Kind of a field -> how it is read where it is required, and where it may be left out."""


def step_forms(table: type[VerbTable]) -> Callable[[Ports, Renderer], APIRouter]:
    """Return what makes the routes of a table's forms."""

    def routes(ports: Ports, _render: Renderer) -> APIRouter:
        router = page_router(SUBJECT_PAGES[table.kind()].rstrip("/"), dependencies=[Depends(own_form)])
        most = most_bytes(ports.cases.config.max_evidence_bytes + MULTIPART)
        for step in table:
            if step.verb.own_operation:
                continue
            if step.verb.takes_files:  # no record in its path: the guard knows paths that take much by their name
                router.post(f"/{step}", max_body_size=most)(_with_files(ports, table, step))
            else:
                router.post(f"/{{{table.kind()}}}/{step}")(_without_files(ports, table, step))
        return router

    return routes


def _without_files(ports: Ports, table: type[VerbTable], step: VerbTable) -> Callable[..., Response]:
    def take(caller: Principal, version: int, **given: Any) -> Response:
        key = given.pop(table.kind())
        values = {field.name: given[field.parameter] for field in step.verb.fields}
        steps.take(ports, caller, table, key, version, steps.fill(step, values))
        return go_on(f"{SUBJECT_PAGES[table.kind()]}{key}")

    return _reading(take, table, step, UUID)


def _with_files(ports: Ports, table: type[VerbTable], step: VerbTable) -> Callable[..., Any]:
    (evidence,) = (field.parameter for field in step.verb.fields if field.kind is Kind.EVIDENCE)
    take = _without_files(ports, table, step)

    async def take_with_files(caller: Principal, version: int, files: Files, **given: Any) -> Response:
        record = await run_in_threadpool(records.RECORDS[table.kind()], ports, caller, given[table.kind()])
        given[evidence] = await handed_in(ports, caller, record.plant, files)
        return await run_in_threadpool(take, caller, version, **given)

    return _reading(take_with_files, table, step, Annotated[UUID, Form()])


def _reading(route: Callable[..., Any], table: type[VerbTable], step: VerbTable, key: Any) -> Callable[..., Any]:
    """The route, with the parameters that the framework reads for it."""
    read = {"caller": BY_ROLES.get(step.verb.who, Caller), table.kind(): key, "version": Version}
    asked = [Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in read.items()]
    asked += [_parameter(field) for field in step.verb.fields]
    route.__signature__ = Signature(asked)  # type: ignore[attr-defined]
    return route


def _parameter(field: FormField) -> Parameter:
    if field.kind is Kind.EVIDENCE:
        return Parameter("files", Parameter.KEYWORD_ONLY, annotation=Files, default=[])
    choices: Any = field.choice
    required, optional = _TYPES.get(field.kind) or (
        Annotated[choices, Form()],
        Annotated[choices | None, BeforeValidator(blank_is_none), Form()],
    )
    if field.required:
        return Parameter(field.parameter, Parameter.KEYWORD_ONLY, annotation=required)
    return Parameter(field.parameter, Parameter.KEYWORD_ONLY, annotation=optional, default=None)
