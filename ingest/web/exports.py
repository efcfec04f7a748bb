"""How lists and summaries are asked for: in a caller's scope, few at a time, made elsewhere, sent as a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, BinaryIO, Final

import msgspec
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.sheet import Language
from ingest.domain.cases.written import WRITERS
from ingest.domain.model.audit import Act
from ingest.domain.model.plant import SERVICE
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases.enterprises import heard, recent_s
from ingest.services.errors import Away, Busy, Conflict
from ingest.services.exports.request import Ending, ExportRequest, Page
from ingest.services.exports.runner import NotMade
from ingest.services.ports import Ports
from ingest.web.concurrency import ConcurrencyLimit

ROWS: Final = 200
"""Of a list on one page of the console."""

_RETRY_S: Final = 5.0
_PIECE: Final = 1 << 16
_SLOW_S: Final = 1.0
"""How long a refusal takes, while its token's other requests wait: whoever asks again at once costs next to nothing."""


class Exports:
    """Lists for callers: one at a time is made, and one token has at most two under way."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._places = ConcurrencyLimit("lists", most=16, most_of_one=2, retry_after_s=_RETRY_S)

    @asynccontextmanager
    async def _place(self, caller: Principal) -> AsyncIterator[ExitStack]:
        with ExitStack() as held:
            try:
                held.enter_context(self._places.held(caller))
            except (Busy, Away):
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
        lang: Language = "zh",
    ) -> Page:
        """Rows of a list for the console. Raises NotThere, Busy, Away, Conflict."""
        async with self._place(caller):
            wish = await run_in_threadpool(self._wish, caller, name, "page", plant, year)
            with await self._made(replace(wish, lang=lang, first=first, most=ROWS)) as file:
                return msgspec.json.decode(file.read(), type=Page)

    async def file(
        self, caller: Principal, name: str, ending: Ending, plant: str | None = None, year: int | None = None
    ) -> StreamingResponse:
        """Return a list as a file; the page for the printer opens in the browser, csv and xlsx are saved.

        Raises:
            NotThere: the plant is not in the caller's scope.
            Busy, Away: too many are under way.
            Conflict: it cannot be made, whenever it is asked for.
        """
        async with self._place(caller) as held:
            wish = await run_in_threadpool(self._wish, caller, name, ending, plant, year)
            file = held.enter_context(await self._made(wish))
            self._tell(caller, wish, plant)
            return _File(file, wish, held.pop_all())

    def _tell(self, caller: Principal, wish: ExportRequest, plant: str | None) -> None:
        detail = {"ending": wish.ending, "year": wish.year}
        ports = self._ports
        ports.record(Act(ports.now(), caller.name, caller.role, "exported", "export", wish.name, plant or "", detail))

    def _wish(self, caller: Principal, name: str, ending: Ending, plant: str | None, year: int | None) -> ExportRequest:
        ports = self._ports
        plants = [caller_scope.plant(ports, caller, plant)] if plant else caller_scope.plants(ports, caller)
        return ExportRequest(
            name=name,
            ending=ending,
            plants=tuple(
                replace(plant, points=(), equipment=(), gateways=()) for plant in plants if plant.id != SERVICE
            ),
            scope=caller_scope.narrowed(caller, plant),
            heard=heard(ports),
            recent_s=recent_s(ports),
            now=ports.now(),
            year=year,
            phones=caller.sees_phones,
        )

    async def _made(self, wish: ExportRequest) -> BinaryIO:
        try:
            return await self._ports.sheets.make(wish)
        except NotMade as error:
            if error.again:
                raise Away(error.why, retry_after_s=_RETRY_S) from error
            raise Conflict(error.why) from error


class _File(StreamingResponse):
    """A list on its way. Its file and its place are given back, however that ends."""

    def __init__(self, file: BinaryIO, wish: ExportRequest, held: ExitStack) -> None:
        media = "application/json" if wish.ending == "json" else WRITERS[wish.ending][0]
        name = wish.name if wish.year is None else f"summary-{wish.year}"
        headers = {"content-length": str(_size(file))}
        if wish.ending in {"csv", "xlsx"}:
            headers["content-disposition"] = f"attachment; filename={name}.{wish.ending}"
        super().__init__(_pieces(file), media_type=media, headers=headers)
        self._held = held

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await run_in_threadpool(file.read, _PIECE):
        yield piece


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size
