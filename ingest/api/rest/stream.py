"""REST: events of alarms and of warnings as they are committed, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from ingest.alarms.report import alarm_body
from ingest.api import reach
from ingest.api.access import Caller, Principal
from ingest.api.errors import BadParameter
from ingest.api.ports import Ports
from ingest.api.sessions import Session, Sessions
from ingest.model.alarm import AlarmEvent
from ingest.model.telling import iso
from ingest.model.warning import WarningEvent
from ingest.state.errors import StateUnavailable
from ingest.warnings.report import warning_body

E = TypeVar("E", AlarmEvent, WarningEvent)

WAIT_S: Final = 0.5
"""Longest wait before the server's closing and the session's end are looked at again."""

HEARTBEAT_S: Final = 5.0
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class _Feed(Generic[E]):
    """A log of events that can be followed.

    Attributes:
        last: the newest number.
        after: events with a greater number than the first argument, at most so many as the second.
        wait: until there may be one with a greater number, or so many seconds.
        told: an event as JSON-ready data, or None if it is not for this caller.
    """

    name: str
    last: Callable[[], int]
    after: Callable[[int, int], Sequence[E]]
    wait: Callable[[int, float], Awaitable[None]]
    told: Callable[[Principal, E], dict[str, Any] | None]


def stream_router(ports: Ports, sessions: Sessions, closing: Callable[[], bool]) -> APIRouter:
    """Return the routes of the streams. `closing` turns true when the server wants to stop."""
    router = APIRouter()
    alarms, warnings = _alarms(ports), _warnings(ports)

    @router.get(
        "/alarms/stream", tags=["alarms"], response_class=StreamingResponse, responses={200: _example(alarms.name)}
    )
    async def stream(
        request: Request,
        caller: Caller,
        last_event_id: Annotated[str | None, Header(description="go on after this event")] = None,
    ) -> StreamingResponse:
        """Follow alarm events of the plants this token may see.

        `id` is the event's number: a client that reconnects sends it as Last-Event-ID and misses nothing. Without it
        the stream begins with the next event. Every 5 s comes a heartbeat; after 15 s of silence, connect again.
        """
        return await open_stream(alarms, request, caller, last_event_id)

    @router.get(
        "/warnings/stream",
        tags=["warnings"],
        response_class=StreamingResponse,
        responses={200: _example(warnings.name)},
    )
    async def warning_stream(
        request: Request,
        caller: Caller,
        last_event_id: Annotated[str | None, Header(description="go on after this event")] = None,
    ) -> StreamingResponse:
        """Follow events of warnings of the plants this token may see, as the stream of alarms; numbers are its own."""
        return await open_stream(warnings, request, caller, last_event_id)

    async def open_stream(
        feed: _Feed[E], request: Request, caller: Principal, last_event_id: str | None
    ) -> StreamingResponse:
        newest = await run_in_threadpool(feed.last)
        after = newest
        if last_event_id is not None:
            if not last_event_id.isdecimal():
                raise BadParameter("Last-Event-ID", last_event_id, "the id of an event of this stream")
            after = min(int(last_event_id), newest)  # a number from before the log was restored is not waited for
        session: Session | None = request.state.session

        def over() -> bool:
            return closing() or (session is not None and sessions.find(session.id) is None)

        return StreamingResponse(
            _unless_away(_follow(feed, ports.now, caller, after, over)),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},  # proxies must not hold events back
        )

    return router


async def _unless_away(stream: AsyncIterator[str]) -> AsyncIterator[str]:
    """End while the state database is away: a stream that beats and tells nothing would be taken for quiet."""
    with suppress(StateUnavailable):
        async for part in stream:
            yield part


async def _follow(
    feed: _Feed[E], now: Callable[[], int], caller: Principal, after: int, over: Callable[[], bool]
) -> AsyncIterator[str]:
    yield "retry: 2000\n" + _heartbeat(now())
    clock = asyncio.get_running_loop().time
    beat = clock()
    while not over():
        events = await run_in_threadpool(feed.after, after, BATCH)
        for event in events:
            after = event.seq
            body = feed.told(caller, event)
            if body is not None:
                data = json.dumps({"seq": event.seq, **body}, ensure_ascii=False, allow_nan=False)
                yield f"id: {event.seq}\nevent: {feed.name}\ndata: {data}\n\n"
        if not events:
            await feed.wait(after, WAIT_S)
        if clock() - beat >= HEARTBEAT_S:
            beat = clock()
            yield _heartbeat(now())


def _alarms(ports: Ports) -> _Feed[AlarmEvent]:
    def told(caller: Principal, event: AlarmEvent) -> dict[str, Any] | None:
        if not caller.sees(event.alarm.plant):
            return None
        rule = reach.rule(ports, event.alarm)
        plant = ports.live.roster().plants.get(event.alarm.plant)
        return alarm_body(event, plant, rule.reason if rule else None)

    def after(seq: int, most: int) -> Sequence[AlarmEvent]:
        return ports.alarms.events_after(seq, limit=most)

    return _Feed("alarm", ports.alarms.last_event, after, ports.live.wait_event, told)


def _warnings(ports: Ports) -> _Feed[WarningEvent]:
    def told(caller: Principal, event: WarningEvent) -> dict[str, Any] | None:
        plant = event.warning.plant
        return warning_body(event, ports.live.roster().plants.get(plant)) if caller.sees(plant) else None

    def after(seq: int, most: int) -> Sequence[WarningEvent]:
        return ports.warnings.warnings_after(seq, limit=most)

    return _Feed("warning", ports.warnings.last_warning, after, ports.live.wait_warning, told)


def _heartbeat(now: int) -> str:
    """Return a comment for plain clients and an event for browsers, which cannot see comments."""
    return f": heartbeat\nevent: heartbeat\ndata: {iso(now)}\n\n"


def _example(name: str) -> dict[str, Any]:
    data = '{"seq": 412, "event": "raised", "time": "2026-11-23T06:00:00.000Z", …}'
    return {"content": {"text/event-stream": {"example": f"id: 412\nevent: {name}\ndata: {data}\n\n"}}}
