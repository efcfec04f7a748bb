"""Executes a caller's commands on alarms in their scope."""

from __future__ import annotations

from uuid import UUID

from anyio.to_thread import run_sync

from ingest.domain.model.alarm import Alarm
from ingest.domain.model.text import Text
from ingest.engine.commands import Acknowledge, Assign, Command, Comment
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.engine_commands import carry_out, person
from ingest.services.errors import Conflict
from ingest.services.ports import Ports


async def acknowledge(ports: Ports, caller: Principal, key: UUID, comment: str | None, raises: int) -> Alarm:
    """Acknowledge an alarm in the caller's scope, by the raise they saw; return it as committed.

    Raises:
        NotFound, Unavailable: as `order`.
        Conflict: as `order`. If somebody else acknowledged it before, the comment was kept with the alarm.
    """
    who = person(caller)
    try:
        return await order(ports, caller, key, Acknowledge(key, who, comment, raises))
    except Conflict as conflict:
        if not conflict.done or conflict.localized is None or comment is None:
            raise
        await order(ports, caller, key, Comment(key, who, comment))
        localized = Text(
            f"{conflict.localized.zh}您的备注已保存在该报警下。",
            f"{conflict.localized.en} Your comment is kept with the alarm.",
        )
        raise Conflict(
            localized.en, localized=localized, now={**conflict.now, "comment_kept": True}, done=True
        ) from conflict


async def order(ports: Ports, caller: Principal, key: UUID, command: Command[Alarm]) -> Alarm:
    """Have the engine execute a command on an alarm in the caller's scope; return it as committed.

    Raises:
        NotFound, Conflict, Unavailable: as `carry_out`, and for an alarm out of scope.
        TooManyRequests: the caller has commented or assigned too much today.
    """
    await run_sync(caller_scope.alarm, ports, caller, key)
    if isinstance(command, Comment | Assign):  # nothing that answers an alarm is ever counted
        ports.cases.allowances.acts.take(caller.name)
    return await carry_out(ports, command)
