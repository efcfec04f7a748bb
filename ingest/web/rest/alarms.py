"""REST: alarms, their history, and commands on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from ingest.domain.alarms.display import Shown
from ingest.domain.alarms.report import alarm_fields
from ingest.domain.alarms.urgency import Order, is_place, place
from ingest.domain.cases.work import Work
from ingest.domain.cases.work_report import work_fields
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmFilter, AlarmState
from ingest.domain.model.payload import iso
from ingest.engine.commands import Assign, Command, Comment, Reset, SignedInspection
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.alarm_commands import acknowledge, order
from ingest.services.alarm_display import show_among
from ingest.services.cases import works
from ingest.services.engine_commands import person
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Actor, Caller
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest import alarms_schemas, schemas
from ingest.web.rest.router import rest_router


def alarms_router(ports: Ports) -> APIRouter:
    """Return the routes on alarms, without the stream."""
    router = rest_router("/alarms", tags=["alarms"])

    @router.get("")
    def alarms(
        caller: Caller,
        plant: str | None = None,
        state: Annotated[list[AlarmState], Query(description="may be given more than once; default: any")] = [],  # noqa: B006  FastAPI copies it
        level: Annotated[int | None, Query(ge=1, le=2)] = None,
        point: str | None = None,
        historical: Annotated[bool | None, Query(description="found in readings that came late, or not")] = None,
        cleared: Annotated[bool | None, Query(description="value back and feedback given (销警), or not yet")] = None,
        assigned: Annotated[str | None, Query(description="to whom")] = None,
        since: Annotated[Instant | None, Query(description="raised at or after")] = None,
        until: Annotated[Instant | None, Query(description="raised before")] = None,
        order: Annotated[
            Order,
            Query(
                description="`raised`: newest raised first; `urgency`: standing ones, unacknowledged before"
                " acknowledged, then level 2 before 1, then the newest call first"
            ),
        ] = Order.RAISED,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> alarms_schemas.AlarmPage:
        """List alarms, newest raised first or those that stand by urgency. Go on with the order a cursor is of."""
        which = AlarmFilter(
            plants=caller_scope.narrowed(caller, plant),
            states=frozenset(state) or None,
            level=level,
            point=point,
            since=since,
            until=until,
            historical=historical,
            cleared=cleared,
            assigned=assigned,
        )
        before = read_token(cursor)
        if before is not None and not is_place(before[0], order):
            raise BadParameter("cursor", cursor, f"`next` of a page with order={order}")
        found = ports.alarms.alarms(which, limit=limit + 1, before=before, order=order)
        page, following = cut(found, limit, lambda alarm: place(alarm, order))
        shown, work = show_among(ports, caller, page), works.during(ports, page)
        return alarms_schemas.AlarmPage(
            alarms=[
                alarms_schemas.AlarmRow(
                    **alarm_fields(alarm), display=_display(shown.get(alarm.id)), work=_work(alarm, work)
                )
                for alarm in page
            ],
            next=following,
        )

    @router.get("/{alarm}")
    def alarm(alarm: UUID, caller: Caller) -> alarms_schemas.AlarmDetail:
        """Show one alarm with its history."""
        found = caller_scope.alarm(ports, caller, alarm)
        return _detail(ports, caller, found, ports.alarms.alarm_history(alarm))

    @router.post("/{alarm}/acknowledge")
    async def acknowledge_alarm(
        alarm: UUID, actor: Actor, body: alarms_schemas.Acknowledgement | None = None
    ) -> alarms_schemas.AlarmDetail:
        """Say that somebody has seen an alarm, by the raise they saw. Operators and admins only.

        409 with `changed` and `now` if it was raised again since, or if somebody was faster: who, and when. The
        comment is kept with the alarm then.
        """
        given = body or alarms_schemas.Acknowledgement()
        return await detailed(actor, alarm, await acknowledge(ports, actor, alarm, given.comment, given.raises))

    @router.post("/{alarm}/reset")
    async def reset_alarm(
        alarm: UUID, actor: Actor, body: alarms_schemas.Reset | None = None
    ) -> alarms_schemas.AlarmDetail:
        """Let go of a latched alarm that was acknowledged, by the raise that was seen. Operators and admins only.

        A rule that is `signed` wants `inspection`: one made since the alarm was raised; else 409.
        """
        given = body or alarms_schemas.Reset()
        signed = given.inspection
        made = SignedInspection(signed.by, signed.at, signed.result, signed.remark) if signed else None
        return await ordered(actor, alarm, Reset(alarm, person(actor), given.raises, made))

    @router.post("/{alarm}/comment")
    async def comment_alarm(alarm: UUID, caller: Caller, body: alarms_schemas.Remark) -> alarms_schemas.AlarmDetail:
        """Say something about an alarm."""
        return await ordered(caller, alarm, Comment(alarm, person(caller), body.comment))

    @router.post("/{alarm}/assign")
    async def assign_alarm(alarm: UUID, actor: Actor, body: alarms_schemas.Assignment) -> alarms_schemas.AlarmDetail:
        """Make somebody responsible for an alarm. Operators and admins only."""
        return await ordered(actor, alarm, Assign(alarm, person(actor), body.to))

    async def ordered(caller: Principal, key: UUID, command: Command[Alarm]) -> alarms_schemas.AlarmDetail:
        return await detailed(caller, key, await order(ports, caller, key, command))

    async def detailed(caller: Principal, key: UUID, changed: Alarm) -> alarms_schemas.AlarmDetail:
        history = await run_in_threadpool(ports.alarms.alarm_history, key)
        return await run_in_threadpool(_detail, ports, caller, changed, history)

    return router


def _detail(ports: Ports, caller: Principal, alarm: Alarm, history: Sequence[AlarmEvent]) -> alarms_schemas.AlarmDetail:
    steps = [
        alarms_schemas.AlarmEventOut(
            seq=event.seq,
            event=event.kind,
            time=str(iso(event.time)),
            received=str(iso(event.received)),
            state=event.alarm.state,
            by=event.by,
            detail=dict(event.detail),
        )
        for event in history
    ]
    rule = caller_scope.rule(ports, alarm)
    reason = schemas.Said.model_validate(rule.reason) if rule else None
    asked = rule.rationalization if rule else None
    return alarms_schemas.AlarmDetail(
        **alarm_fields(alarm),
        history=steps,
        reason=reason,
        rationalization=schemas.RationalizationOut.model_validate(asked) if asked else None,
        display=_display(show_among(ports, caller, [alarm]).get(alarm.id)),
        work=_work(alarm, works.during(ports, [alarm])),
    )


def _work(alarm: Alarm, found: Mapping[UUID, Sequence[Work]]) -> list[alarms_schemas.RegisteredWork]:
    here = (work_fields(work, alarm) for work in found.get(alarm.id, ()))
    return [alarms_schemas.RegisteredWork.model_validate(fields) for fields in here]


def _display(shown: Shown | None) -> alarms_schemas.DisplayOut | None:
    return alarms_schemas.DisplayOut.model_validate(shown) if shown is not None else None
