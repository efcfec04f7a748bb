"""Executes a caller's commands on early warnings in their scope."""

from __future__ import annotations

from uuid import UUID

from anyio.to_thread import run_sync

from ingest.domain.model.warning import Colour, EarlyWarning, WarningState
from ingest.engine.commands import Command
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.engine_commands import carry_out
from ingest.services.errors import Conflict, NotFound
from ingest.services.ports import Ports


async def order(ports: Ports, caller: Principal, key: UUID, command: Command[EarlyWarning]) -> EarlyWarning:
    """Have the engine execute a command on a warning in the caller's scope; return it as committed.

    Raises:
        NotFound: there is none in the caller's scope.
        Conflict: it is closed, or it cannot be done in the present state.
        Unavailable: the engine did not answer.
    """
    found = await run_sync(caller_scope.warning, ports, caller, key)
    if found.state is WarningState.CLOSED:
        raise Conflict("the warning is closed")
    try:
        return await carry_out(ports, command)
    except NotFound as error:  # the engine keeps no closed warnings: it was closed a moment ago
        raise Conflict("the warning is closed") from error


def seen_colour(ports: Ports, caller: Principal, key: UUID, peak: Colour | None) -> Colour:
    """Return the highest colour the caller saw; without `peak`, the one it was raised with. Raises NotFound."""
    found = caller_scope.warning(ports, caller, key)
    if peak is not None:
        return peak
    history = ports.warnings.warning_history(key)
    return history[0].warning.peak if history else found.peak
