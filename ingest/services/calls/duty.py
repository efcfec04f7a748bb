"""The roster (值班) as callers see and change it: who is on duty now, sign-in, hand-over, swaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid4

from ingest.domain.calls.roster import PlannedShift, Presence, Roster, Swap
from ingest.domain.model.audit import Act
from ingest.domain.model.call import Cause, LadderStep
from ingest.domain.model.plant import Plant
from ingest.domain.model.warning import Colour
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.errors import BadParameter, Conflict, NotFound
from ingest.services.ports import Ports

SOMEBODY_ELSE: Final = "somebody else has to take it over"


@dataclass(frozen=True, slots=True)
class PositionDuty:
    """Who is on duty at a position now.

    Attributes:
        planned: the shifts that run now, and those that begin within a day.
        present: who signed in.
        called: whom a call would ring, in that order.
        gap: nobody signed in, so that those planned would be.
    """

    position: str
    planned: tuple[PlannedShift, ...]
    present: tuple[Presence, ...]
    called: tuple[str, ...]
    gap: bool


@dataclass(frozen=True, slots=True)
class PlantDuty:
    """The roster of a plant now; `nobody`: a red warning would call nobody at all."""

    plant: Plant
    positions: tuple[PositionDuty, ...]
    nobody: bool


def of_plant(ports: Ports, plant: Plant) -> PlantDuty:
    """Return the roster of a plant as it is now."""
    now, desk = ports.now(), ports.calls
    roster = desk.roster(now)
    ladder = desk.config.ladder(plant.id, plant.region, Cause.WARNING, Colour.RED)
    positions = tuple(_position(roster, plant.id, position, now) for position in _positions(roster, plant, ladder))
    rung = [person for step in ladder for person in roster.on_duty(plant.id, step, now).people]
    return PlantDuty(plant, positions, nobody=not any(person.channels for person in rung))


def sign_in(ports: Ports, caller: Principal, plant: str, position: str, person: str) -> Presence:
    """Sign a person in at a position, until the end of the shift.

    Raises:
        NotFound: no such plant in scope.
        BadParameter: no such position there, or no such person.
        Conflict: the person is signed in there.
    """
    with ports.calls.roster_lock:
        roster = _checked(ports, caller, plant, position, person)
        now = ports.now()
        if any(presence.person == person for presence in roster.signed_in(plant, position, now)):
            raise Conflict(f"{person} is signed in there")
        until = roster.sign_in_until(plant, position, person, now)
        presence = Presence(uuid4(), plant, position, person, now, until, caller.name)
        _commit(ports, caller, "signed-in", presence, [presence], {})
        return presence


def sign_out(ports: Ports, caller: Principal, key: UUID) -> Presence:
    """End a sign-in. Raises NotFound, Conflict."""
    with ports.calls.roster_lock:
        ended = replace(_present(ports, caller, key), ended=ports.now())
        _commit(ports, caller, "signed-out", ended, [ended], {})
        return ended


def hand_over(ports: Ports, caller: Principal, key: UUID, to: str) -> Presence:
    """Hand a position over: one sign-in ends where the other begins. Returns the other, which may have begun before.

    Raises:
        NotFound: no such sign-in in scope.
        Conflict: it is over, or is the same person's.
        BadParameter: no such person.
    """
    with ports.calls.roster_lock:
        before, now = _present(ports, caller, key), ports.now()
        roster = _checked(ports, caller, before.plant, before.position, to, "to")
        if to == before.person:
            raise Conflict(SOMEBODY_ELSE)
        until = max(before.until, roster.sign_in_until(before.plant, before.position, to, now))
        ended = replace(before, ended=now, handed_to=to)
        there = (other for other in roster.signed_in(before.plant, before.position, now) if other.person == to)
        fresh = Presence(uuid4(), before.plant, before.position, to, now, until, caller.name)
        taken = replace(next(there, fresh), until=until)
        _commit(ports, caller, "handed-over", before, [ended, taken], {"to": to})
        return taken


def swap(ports: Ports, caller: Principal, plant: str, position: str, begin: int, person: str, substitute: str) -> Swap:
    """Plan a substitute for a person in one shift.

    Raises:
        NotFound: no such plant in scope.
        BadParameter: the person is not planned for a shift that begins then, nobody has the substitute's name.
        Conflict: the shift is over, or the substitute is the same person.
    """
    with ports.calls.roster_lock:
        roster = _checked(ports, caller, plant, position, substitute, "substitute")
        planned = [shift for shift in roster.shifts_near(plant, position, begin) if shift.begin == begin]
        if not any(person in shift.people for shift in planned):
            raise BadParameter("person", person, "somebody planned for the shift that begins then")
        if substitute == person:
            raise Conflict(SOMEBODY_ELSE)
        if all(shift.end <= ports.now() for shift in planned):
            raise Conflict("the shift is over")
        made = Swap(uuid4(), plant, position, begin, person, substitute, caller.name, ports.now())
        detail = {"position": position, "person": person, "substitute": substitute}
        act = Act(made.time, caller.name, caller.acts_as, "swapped", "roster", str(made.id), plant, detail)
        ports.calls.store.change_roster([], [made], [act])
        return made


def _position(roster: Roster, plant: str, position: str, now: int) -> PositionDuty:
    step = LadderStep(1, 1, position=position)
    near = [shift for shift in roster.shifts_near(plant, position, now) if now < shift.end]
    duty = roster.on_duty(plant, step, now)
    return PositionDuty(
        position,
        tuple(sorted(near, key=lambda shift: shift.begin)),
        tuple(roster.signed_in(plant, position, now)),
        tuple(person.name for person in duty.people),
        duty.gap,
    )


def _positions(roster: Roster, plant: Plant, ladder: Sequence[LadderStep]) -> tuple[str, ...]:
    named = [step.position for step in ladder if step.position is not None]
    return tuple(dict.fromkeys([*named, *roster.positions(plant.id)]))


def _checked(
    ports: Ports, caller: Principal, plant: str, position: str, person: str, parameter: str = "person"
) -> Roster:
    found = caller_scope.plant(ports, caller, plant)
    desk = ports.calls
    roster = desk.roster(ports.now())
    ladder = desk.config.ladder(plant, found.region, Cause.WARNING, Colour.RED)
    if position not in _positions(roster, found, ladder):
        raise BadParameter("position", position, "a position of the roster of this plant")
    if person not in roster.people:
        raise BadParameter(parameter, person, "somebody whom the settings name in calls.people")
    return roster


def _present(ports: Ports, caller: Principal, key: UUID) -> Presence:
    """Return a sign-in that counts now. Raises NotFound, Conflict."""
    now = ports.now()
    found = next((presence for presence in ports.calls.roster(now).presences if presence.id == key), None)
    if found is None or not caller.sees(found.plant):
        raise NotFound(f"sign-in {str(key)!r} is not known")
    if not found.holds(now):
        raise Conflict("the sign-in is over")
    return found


def _commit(
    ports: Ports, caller: Principal, action: str, of: Presence, changed: Sequence[Presence], more: dict[str, str]
) -> None:
    detail = {"position": of.position, "person": of.person, **more}
    act = Act(ports.now(), caller.name, caller.acts_as, action, "roster", str(of.id), of.plant, detail)
    ports.calls.store.change_roster(changed, [], [act])
