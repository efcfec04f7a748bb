"""Sends a caller's commands to the engine and maps its errors to the API's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from ingest.domain.alarms.labels import cannot
from ingest.domain.alarms.lifecycle import Refused
from ingest.domain.model.changed import Changed, DoneBefore
from ingest.engine.commands import Command, Person
from ingest.services.access import Principal
from ingest.services.errors import Conflict, NotFound, Unavailable
from ingest.services.ports import Ports

T = TypeVar("T")


def person(caller: Principal) -> Person:
    """Return the caller as records name them."""
    return Person(caller.name, caller.acts_as)


@contextmanager
def as_conflict() -> Iterator[None]:
    """Raise Conflict where the block finds a record changed since the caller read it."""
    try:
        yield
    except Changed as error:
        done = isinstance(error, DoneBefore)
        raise Conflict(str(error), localized=error.text, now=error.now, done=done) from error


async def carry_out(ports: Ports, command: Command[T]) -> T:
    """Have the engine execute a command; return its committed result.

    Raises:
        NotFound: what it names is not known.
        Conflict: it cannot be done in the present state.
        Unavailable: the engine did not answer.
        StateUnavailable: what it names could not be read; nothing was done.
    """
    try:
        with as_conflict():
            return await ports.live.order(command)
    except KeyError as error:
        raise NotFound(f"{error.args[0]} is not known") from error
    except Refused as error:
        raise Conflict(
            str(error), localized=cannot(error.kind, error.state), now={"state": str(error.state)}
        ) from error
    except ValueError as error:
        raise Conflict(str(error)) from error
    except TimeoutError as error:
        raise Unavailable("the engine did not answer; it may be done already, look again") from error
