"""REST: committed events of alarms and warnings as server-sent events."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from ingest.domain.alarms.report import alarm_body
from ingest.domain.cases.work_report import work_fields
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.warning import WarningEvent
from ingest.domain.warnings.report import warning_body
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import works
from ingest.services.config import ApiConfig
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.concurrency import ConcurrencyLimit
from ingest.web.fan_out import EncodedEvent, FanOut, Log
from ingest.web.rest.router import rest_router
from ingest.web.sessions import Session, Sessions

_RETRY_S: Final = 5.0
_EVENT_ID: Final = re.compile(r"[0-9]{1,20}")

LastEventId = Annotated[
    Annotated[str, Field(json_schema_extra={"pattern": f"^{_EVENT_ID.pattern}$"})] | None,
    Header(alias="Last-Event-ID", description="go on after this event"),
]


def stream_router(ports: Ports, sessions: Sessions, config: ApiConfig, closing: Callable[[], bool]) -> APIRouter:
    """Return the routes of the streams. `closing` turns true when the server wants to stop."""
    router = rest_router()
    places = ConcurrencyLimit("event streams", config.max_streams, config.max_streams_of_token, retry_after_s=_RETRY_S)
    alarms, warnings = _alarms(ports), _warnings(ports)
    alarm_streams, warning_streams = FanOut(alarms, ports.now), FanOut(warnings, ports.now)

    @router.get(
        "/alarms/stream", tags=["alarms"], response_class=StreamingResponse, responses={200: _example(alarms.name)}
    )
    async def stream(request: Request, caller: Caller, last_event_id: LastEventId = None) -> StreamingResponse:
        """Follow alarm events of the plants this token may see.

        `id` is the event's number: a client that reconnects sends it as Last-Event-ID and misses nothing, whoever was
        restarted meanwhile. Without it the stream begins with the next event. Every 5 s comes a heartbeat, which bears
        an `id`, too; after 15 s of silence, connect again.
        """
        return await open_stream(alarms, alarm_streams, request, caller, last_event_id)

    @router.get(
        "/warnings/stream",
        tags=["warnings"],
        response_class=StreamingResponse,
        responses={200: _example(warnings.name)},
    )
    async def warning_stream(request: Request, caller: Caller, last_event_id: LastEventId = None) -> StreamingResponse:
        """Follow events of warnings of the plants this token may see, as the stream of alarms; numbers are its own."""
        return await open_stream(warnings, warning_streams, request, caller, last_event_id)

    async def open_stream(
        log: Log, streams: FanOut, request: Request, caller: Principal, last_event_id: str | None
    ) -> StreamingResponse:
        if last_event_id is not None and not _EVENT_ID.fullmatch(last_event_id):
            raise BadParameter("Last-Event-ID", last_event_id, "the id of an event of this stream")
        session: Session | None = request.state.session

        def over() -> bool:
            return closing() or (session is not None and sessions.find(session.id) is None)

        with ExitStack() as held:
            held.enter_context(places.held(caller))
            newest = await run_in_threadpool(log.last)
            # a number from before the log was restored is not waited for
            after = newest if last_event_id is None else min(int(last_event_id), newest)
            return _Stream(streams.follow(caller, after, over), held.pop_all())

    return router


class _Stream(StreamingResponse):
    """Response with a stream that releases its place, however it ends."""

    def __init__(self, content: AsyncIterator[bytes], place: ExitStack) -> None:
        # proxies must not hold events back
        super().__init__(content, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
        self._place = place

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self._place:
            await super().__call__(scope, receive, send)


def _alarms(ports: Ports) -> Log:
    def encode(event: AlarmEvent) -> EncodedEvent:
        plant = ports.live.configuration().plants.get(event.alarm.plant)
        work = [work_fields(each, event.alarm) for each in works.during(ports, [event.alarm]).get(event.alarm.id, ())]
        body = alarm_body(event, plant, caller_scope.rule(ports, event.alarm), work)
        return _encode("alarm", event.seq, event.alarm.plant, body)

    def after(seq: int, most: int) -> Sequence[EncodedEvent]:
        return [encode(event) for event in ports.alarms.events_after(seq, limit=most)]

    return Log("alarm", ports.alarms.last_event, after, ports.live.wait_event)


def _warnings(ports: Ports) -> Log:
    def encode(event: WarningEvent) -> EncodedEvent:
        plant = event.warning.plant
        return _encode("warning", event.seq, plant, warning_body(event, ports.live.configuration().plants.get(plant)))

    def after(seq: int, most: int) -> Sequence[EncodedEvent]:
        return [encode(event) for event in ports.warnings.warnings_after(seq, limit=most)]

    return Log("warning", ports.warnings.last_warning, after, ports.live.wait_warning)


def _encode(name: str, seq: int, plant: str, body: dict[str, Any]) -> EncodedEvent:
    """Encode an event with its id last, so that no client takes an event cut off before it for received."""
    data = json.dumps({"seq": seq, **body}, ensure_ascii=False, allow_nan=False)
    return EncodedEvent(seq, plant, f"event: {name}\ndata: {data}\nid: {seq}\n\n".encode())


def _example(name: str) -> dict[str, Any]:
    data = '{"seq": 412, "event": "raised", "time": "2026-11-23T06:00:00.000Z", …}'
    return {"content": {"text/event-stream": {"example": f"event: {name}\ndata: {data}\nid: 412\n\n"}}}
