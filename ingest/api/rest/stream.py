"""REST: alarm events as they are committed, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from ingest.alarms.report import alarm_body, iso
from ingest.api import reach
from ingest.api.access import Caller, Principal
from ingest.api.errors import BadParameter
from ingest.api.ports import Ports
from ingest.api.sessions import Session, Sessions
from ingest.model.alarm import AlarmEvent
from ingest.state.errors import StateUnavailable

WAIT_S: Final = 0.5
"""Longest wait before the server's closing and the session's end are looked at again."""

HEARTBEAT_S: Final = 5.0
BATCH: Final = 200


def stream_router(ports: Ports, sessions: Sessions, closing: Callable[[], bool]) -> APIRouter:
    """Return the route of the stream. `closing` turns true when the server wants to stop."""
    router = APIRouter(prefix="/alarms", tags=["alarms"])

    @router.get(
        "/stream",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {"example": EXAMPLE}}}},
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
        newest = await run_in_threadpool(ports.alarms.last_event)
        after = newest
        if last_event_id is not None:
            if not last_event_id.isdecimal():
                raise BadParameter("Last-Event-ID", last_event_id, "the id of an event of this stream")
            after = min(int(last_event_id), newest)  # a number from before the log was restored is not waited for
        session: Session | None = request.state.session

        def over() -> bool:
            return closing() or (session is not None and sessions.find(session.id) is None)

        return StreamingResponse(
            _unless_away(_follow(ports, caller, after, over)),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},  # proxies must not hold events back
        )

    return router


async def _unless_away(stream: AsyncIterator[str]) -> AsyncIterator[str]:
    """End while the state database is away: a stream that beats and tells nothing would be taken for quiet."""
    with suppress(StateUnavailable):
        async for part in stream:
            yield part


async def _follow(ports: Ports, caller: Principal, after: int, over: Callable[[], bool]) -> AsyncIterator[str]:
    yield "retry: 2000\n" + _heartbeat(ports.now())
    clock = asyncio.get_running_loop().time
    beat = clock()
    while not over():
        events = await run_in_threadpool(ports.alarms.events_after, after, limit=BATCH)
        for event in events:
            after = event.seq
            if caller.sees(event.alarm.plant):
                yield _message(ports, event)
        if not events:
            await ports.live.wait_event(after, WAIT_S)
        if clock() - beat >= HEARTBEAT_S:
            beat = clock()
            yield _heartbeat(ports.now())


def _message(ports: Ports, event: AlarmEvent) -> str:
    rule = reach.rule(ports, event.alarm)
    body = alarm_body(event, ports.live.roster().plants.get(event.alarm.plant), rule.reason if rule else None)
    data = json.dumps({"seq": event.seq, **body}, ensure_ascii=False, allow_nan=False)
    return f"id: {event.seq}\nevent: alarm\ndata: {data}\n\n"


def _heartbeat(now: int) -> str:
    """Return a comment for plain clients and an event for browsers, which cannot see comments."""
    return f": heartbeat\nevent: heartbeat\ndata: {iso(now)}\n\n"


EXAMPLE: Final = (
    'id: 412\nevent: alarm\ndata: {"seq": 412, "event": "raised", "time": "2026-11-23T06:00:00.000Z", …}\n\n'
)
