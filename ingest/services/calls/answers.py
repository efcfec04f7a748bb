"""Calls as callers see and answer them, in their scope, and what channels report of them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from ingest.domain.calls.config import CallsConfig
from ingest.domain.calls.happenings import Happening, ReceiptArrived, Refusal
from ingest.domain.cases.phones import masked
from ingest.domain.model.call import Call, CallAttempt, Cause, Receipt
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.errors import Conflict, NotAllowed, NotFound
from ingest.services.ports import Ports

_DIGITS = 7
"""An address with so many is a telephone number."""


def call(ports: Ports, caller: Principal, key: UUID) -> Call:
    """Return a call of a plant in scope. Raises NotFound."""
    found = ports.calls.store.call(key)
    if found is None or not caller.sees(found.plant):
        raise NotFound(f"call {str(key)!r} is not known")
    return found


def take(ports: Ports, caller: Principal, key: UUID, happened: Happening) -> Call:
    """Have a call take what a caller does.

    Raises:
        NotFound: there is none in the caller's scope.
        Conflict: somebody refuses whom it has not rung.
    """
    actor = caller.name, caller.acts_as
    found = call(ports, caller, key)
    if isinstance(happened, Refusal) and happened.person not in found.people_called:
        raise Conflict(f"this call has not rung {happened.person}")
    taken = ports.calls.take(key, happened, actor)
    if taken is None:
        raise NotFound(f"call {str(key)!r} is not known")
    return taken


def receive(ports: Ports, caller: Principal, channel: str, attempt: UUID, receipt: Receipt, detail: str) -> bool:
    """Take a receipt of a channel; returns whether a call of its has that attempt, which a repeat changes nothing of.

    Raises:
        NotAllowed: the caller is not that channel.
    """
    if not caller.is_channel or caller.name != channel:
        raise NotAllowed("receipts are for the channel of that name, by a token of role channel")
    key = ports.calls.store.call_of(attempt)
    known = ports.calls.store.call(key) if key is not None else None
    if known is None or not caller.sees(known.plant):
        return False
    if not any(each.id == attempt and each.connector == channel for each in known.attempts):
        return False
    ports.calls.receive(ReceiptArrived(ports.now(), attempt, receipt, detail))
    return True


def call_the_roll(ports: Ports, caller: Principal, plant: str) -> Call:
    """Call the roll of a plant (在线抽查): whoever is on duty at the first step that calls for red warnings is rung.

    Raises:
        NotFound: no such plant in scope.
        Conflict: it has no ladder, or its roll is called now.
    """
    found = caller_scope.plant(ports, caller, plant)
    actor = caller.name, caller.acts_as
    desk = ports.calls
    if not desk.roll_ladder(found):
        raise Conflict("the settings have no ladder for this plant: nobody would be called")
    if any(of.cause is Cause.ROLL_CALL and of.plant == plant and of.ringing for of in desk.store.open_calls()):
        raise Conflict("the roll of this plant is being called")
    begun = desk.call_the_roll(found, str(uuid4()), ports.now(), actor)
    if begun is None:
        raise Conflict("the roll of this plant is being called")
    return begun


def sees_addresses(caller: Principal, config: CallsConfig) -> bool:
    """Whether a caller sees addresses in full."""
    return caller.role in config.addresses_for


def shown(found: Call, caller: Principal, config: CallsConfig) -> Call:
    """Return a call as a caller sees it: addresses masked unless the settings say that the role needs them."""
    if sees_addresses(caller, config):
        return found
    return replace(found, attempts=tuple(_masked(attempt) for attempt in found.attempts))


def masked_address(address: str) -> str:
    """Return an address of which little can be read.

    >>> masked_address("+8613812345678"), masked_address("zhang@example.cn")
    ('+861********78', 'zh***')
    """
    if sum(character.isdigit() for character in address) >= _DIGITS:
        return str(masked(address))
    return f"{address[:2]}***"


def _masked(attempt: CallAttempt) -> CallAttempt:
    return replace(attempt, address=masked_address(attempt.address))
