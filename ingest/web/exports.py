"""Exports in a caller's scope: builds the request, limits how many run, and sends the result as a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, BinaryIO, Final

import msgspec
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.daily_sheets import TITLES as REGISTERS
from ingest.domain.cases.daily_sheets import WORKS
from ingest.domain.cases.days import DaySpan
from ingest.domain.cases.ledger_sheet import NAME as LEDGERS
from ingest.domain.cases.sheet import Language
from ingest.domain.cases.written import WRITERS
from ingest.domain.model.audit import Act
from ingest.domain.model.plant import SERVICE
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import instruments
from ingest.services.cases.enterprises import last_received, recent_s
from ingest.services.errors import BadParameter, Conflict, TooManyRequests, Unavailable
from ingest.services.exports.request import Ending, ExportRequest, Page
from ingest.services.exports.runner import ExportFailed
from ingest.services.ports import Ports
from ingest.web.concurrency import ConcurrencyLimit

ROWS: Final = 200
"""Rows of a list on a page of the console."""

_ALL_DAYS: Final = DaySpan()
_RETRY_S: Final = 5.0
_PIECE: Final = 1 << 16
_SLOW_S: Final = 1.0
"""How long a refusal takes, so that a client that repeats its request at once costs next to nothing."""


class Exports:
    """Makes lists for callers: at most 16 requests under way, and two of a token."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._places = ConcurrencyLimit("lists", most=16, most_per_token=2, retry_after_s=_RETRY_S)

    @asynccontextmanager
    async def _place(self, caller: Principal) -> AsyncIterator[ExitStack]:
        with ExitStack() as held:
            try:
                held.enter_context(self._places.held(caller))
            except (TooManyRequests, Unavailable):
                await asyncio.sleep(_SLOW_S)
                raise
            yield held

    async def page(
        self,
        caller: Principal,
        name: str,
        plant: str | None,
        first: int,
        year: int | None = None,
        *,
        span: DaySpan = _ALL_DAYS,
        lang: Language = "zh",
    ) -> Page:
        """Return a page of a list for the console. Raises as `file`."""
        async with self._place(caller):
            request = await run_in_threadpool(self._request, caller, name, "page", plant, year, span)
            with await self._make(replace(request, lang=lang, first=first, most=ROWS)) as file:
                return msgspec.json.decode(file.read(), type=Page)

    async def file(
        self,
        caller: Principal,
        name: str,
        ending: Ending,
        plant: str | None = None,
        year: int | None = None,
        span: DaySpan = _ALL_DAYS,
    ) -> StreamingResponse:
        """Return a list as a file; the page for the printer opens in the browser, csv and xlsx are saved.

        Raises:
            NotFound: the plant is not in the caller's scope.
            BadParameter: days that are none, or of a list that has none.
            TooManyRequests, Unavailable: too many are under way.
            Conflict: it cannot be made, and trying again does not help.
        """
        async with self._place(caller) as held:
            request = await run_in_threadpool(self._request, caller, name, ending, plant, year, span)
            file = held.enter_context(await self._make(request))
            self._audit(caller, request, plant)
            return _File(file, request, held.pop_all())

    def _audit(self, caller: Principal, request: ExportRequest, plant: str | None) -> None:
        detail: dict[str, Any] = {"ending": request.ending, "year": request.year}
        if request.name in REGISTERS:
            detail["days"] = request.span.text.en
        ports = self._ports
        ports.record(
            Act(ports.now(), caller.name, caller.role, "exported", "export", request.name, plant or "", detail)
        )

    def _request(
        self, caller: Principal, name: str, ending: Ending, plant: str | None, year: int | None, span: DaySpan
    ) -> ExportRequest:
        ports = self._ports
        _require_days(name, span)
        listed = instruments.configured(ports, caller_scope.narrowed(caller, plant)) if name == LEDGERS else ()
        plants = [caller_scope.plant(ports, caller, plant)] if plant else caller_scope.plants(ports, caller)
        return ExportRequest(
            name=name,
            ending=ending,
            plants=tuple(
                replace(plant, points=(), equipment=plant.equipment if name == WORKS else (), gateways=())
                for plant in plants
                if plant.id != SERVICE
            ),
            scope=caller_scope.narrowed(caller, plant),
            last_received=last_received(ports),
            recent_s=recent_s(ports),
            now=ports.now(),
            year=year,
            instruments=tuple(listed),
            stopped=instruments.stopped(ports, listed),
            cases=ports.cases.config,
            span=span,
            phones=caller.sees_phones,
        )

    async def _make(self, request: ExportRequest) -> BinaryIO:
        try:
            return await self._ports.exports.make(request)
        except ExportFailed as error:
            if error.again:
                raise Unavailable(error.why, retry_after_s=_RETRY_S) from error
            raise Conflict(error.why) from error


class _File(StreamingResponse):
    """Response that sends a list, then closes its file and releases its place, however it ends."""

    def __init__(self, file: BinaryIO, request: ExportRequest, held: ExitStack) -> None:
        media = WRITERS[request.ending][0]
        name = request.name if request.year is None else f"summary-{request.year}"
        headers = {"content-length": str(_size(file))}
        if request.ending in {"csv", "xlsx"}:
            headers["content-disposition"] = f"attachment; filename={name}.{request.ending}"
        super().__init__(_pieces(file), media_type=media, headers=headers)
        self._held = held

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


def _require_days(name: str, span: DaySpan) -> None:
    """Raise BadParameter for days of a list that is as of now, and for days in the wrong order."""
    if span != _ALL_DAYS and name not in REGISTERS:
        bound, value = ("since", span.since) if span.since else ("through", span.through)
        raise BadParameter(bound, str(value), f"no days: they are for the lists {', '.join(REGISTERS)}")
    if span.since and span.through and span.since > span.through:
        raise BadParameter("through", str(span.through), f"a day not before {span.since}")


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await run_in_threadpool(file.read, _PIECE):
        yield piece


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size
