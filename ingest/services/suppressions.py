"""Finds, decides on and ends suppressions in a caller's scope, and counts the alarms one would hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from anyio.to_thread import run_sync

from ingest.domain.alarms.suppressions import decided_before
from ingest.domain.model.alarm import AlarmFilter, AlarmState
from ingest.domain.model.suppression import Suppression
from ingest.engine.commands import Decide, End
from ingest.services.access import Principal
from ingest.services.engine_commands import as_conflict, carry_out
from ingest.services.errors import NotFound
from ingest.services.ports import Ports

_NOT_NORMAL: Final = frozenset(set(AlarmState) - {AlarmState.NORMAL})
_MOST: Final = 1000  # more than a point has rules


@dataclass(frozen=True, slots=True)
class Hidden:
    """Number of a point's alarms that are not normal, by level, and how often they were raised altogether."""

    level_1: int
    level_2: int
    raises: int


async def settle(ports: Ports, caller: Principal, command: Decide | End) -> Suppression:
    """Decide on a suppression, or end it; return it as committed.

    Raises:
        NotFound: it is not known, or not in scope.
        Conflict: it cannot be done in the present state; if it is over: who ended or rejected it, and when.
        Unavailable: the engine did not answer.
    """
    await run_sync(suppression_of, ports, caller, command.suppression)
    try:
        return await carry_out(ports, command)
    except NotFound:  # the engine forgets ended suppressions, the records do not
        record = await run_sync(suppression_of, ports, caller, command.suppression)
        with as_conflict():
            if (before := decided_before(record)) is not None:
                raise before from None
        raise


def suppression_of(ports: Ports, caller: Principal, key: UUID) -> Suppression:
    """Return a suppression of a plant in scope. Raises NotFound."""
    found = ports.suppressions.suppression(key)
    if found is None or not caller.sees(found.plant):
        raise NotFound(f"suppression {str(key)!r} is not known")
    return found


def hidden_by(ports: Ports, suppression: Suppression) -> Hidden:
    """Count the alarms that taking this point out of service would hide."""
    which = AlarmFilter(plants=frozenset({suppression.plant}), states=_NOT_NORMAL, point=suppression.point)
    found = ports.alarms.alarms(which, limit=_MOST)
    return Hidden(
        sum(alarm.level == 1 for alarm in found),
        sum(alarm.level == 2 for alarm in found),
        sum(alarm.raises for alarm in found),
    )
