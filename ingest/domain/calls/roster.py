"""The roster (值班表): who is on duty at a position of a plant at a moment (pure). Times are ns since the epoch, UTC.

Who signed in counts. Where nobody has for the shift that runs, those planned by it count, with their swaps, before who
is there for the next one already. Shifts go by the time of day of the plants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from ingest.domain.model.call import LadderStep, OnDuty, Person
from ingest.domain.model.payload import PLANT_TIME

EARLY: Final = 3600 * 10**9
"""So long before a shift begins those planned may sign in for it: engineering default."""

UNPLANNED: Final = 12 * 3600 * 10**9
"""So long a sign-in counts while no shift is planned: engineering default."""

EVERY_DAY: Final = frozenset(range(1, 8))

_DAY: Final = dt.timedelta(days=1)


class Holidays(StrEnum):
    """Whether a shift is worked on holidays."""

    ANY = "any"
    ONLY = "only"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of a position, as it repeats; it ends on the next day where its end is not after its start.

    Attributes:
        plants: whose; None: of all.
        weekdays: on which it begins, Monday 1 to Sunday 7.
        people: those planned, in the order in which they are called.
    """

    position: str
    start: dt.time
    end: dt.time
    people: tuple[str, ...]
    plants: frozenset[str] | None = None
    weekdays: frozenset[int] = EVERY_DAY
    holidays: Holidays = Holidays.ANY

    def begins_on(self, day: dt.date, holidays: Collection[dt.date]) -> bool:
        """Whether it is worked from that day on."""
        if self.holidays is Holidays.ONLY:
            return day in holidays
        return day.isoweekday() in self.weekdays and (self.holidays is Holidays.ANY or day not in holidays)

    def span(self, day: dt.date) -> tuple[int, int]:
        """Return its first moment and the first one after it, of the shift that begins on that day."""
        last = day if self.end > self.start else day + _DAY
        return _moment(day, self.start), _moment(last, self.end)


@dataclass(frozen=True, slots=True)
class PlannedShift:
    """A shift of one day, with its swaps."""

    shift: Shift
    begin: int
    end: int
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """A person's sign-in at a position. It counts from `since` until it is ended, at most until `until`."""

    id: UUID
    plant: str
    position: str
    person: str
    since: int
    until: int
    by: str
    ended: int | None = None
    handed_to: str | None = None

    def holds(self, at: int) -> bool:
        """Whether it counts at that moment."""
        return self.since <= at < (self.until if self.ended is None else min(self.ended, self.until))


@dataclass(frozen=True, slots=True)
class Swap:
    """In the shift that begins at `begin`, `substitute` is planned in place of `person`."""

    id: UUID
    plant: str
    position: str
    begin: int
    person: str
    substitute: str
    by: str
    time: int


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is on duty: the settings' people and shifts, and what changed at run time.

    Attributes:
        people: by their names.
        presences: sign-ins, in their order.
        swaps: in their order; a later one is applied to what an earlier one made.
    """

    people: Mapping[str, Person] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    holidays: frozenset[dt.date] = frozenset()
    presences: tuple[Presence, ...] = ()
    swaps: tuple[Swap, ...] = ()

    def on_duty(self, plant: str, step: LadderStep, at: int) -> OnDuty:
        """Return whom a step of that plant calls at a moment."""
        if step.position is None:
            return OnDuty(self._people(step.people))
        shifts = self.planned(plant, step.position, at)
        present = self.signed_in(plant, step.position, at)
        end = max((shift.end for shift in shifts), default=at)
        covered = any(presence.until <= end for presence in present) or (bool(present) and not shifts)
        planned = [] if covered else [name for shift in shifts for name in shift.people]
        people = self._people([*planned, *(presence.person for presence in present), *step.people])
        return OnDuty(people, gap=bool(planned))

    def signed_in(self, plant: str, position: str, at: int) -> list[Presence]:
        """Return the sign-ins that count at a moment."""
        of = [presence for presence in self.presences if (presence.plant, presence.position) == (plant, position)]
        return [presence for presence in of if presence.holds(at)]

    def planned(self, plant: str, position: str, at: int) -> list[PlannedShift]:
        """Return the shifts of a position that run at a moment."""
        return [shift for shift in self.shifts_near(plant, position, at) if shift.begin <= at < shift.end]

    def shifts_near(self, plant: str, position: str, at: int) -> Iterator[PlannedShift]:
        """Yield the shifts of a position that begin on the day before, that day and the next."""
        today = dt.datetime.fromtimestamp(at // 10**9, PLANT_TIME).date()
        for shift in self.shifts:
            if shift.position == position and (shift.plants is None or plant in shift.plants):
                for day in (today - _DAY, today, today + _DAY):
                    if shift.begins_on(day, self.holidays):
                        begin, end = shift.span(day)
                        yield PlannedShift(shift, begin, end, self._after_swaps(plant, shift, begin))

    def sign_in_until(self, plant: str, position: str, person: str, at: int) -> int:
        """Return until when a sign-in at a moment counts: the end of the shift it is for.

        It is for the one that runs, or for one that begins within `EARLY` if the person is planned for that and not
        for the one that runs.
        """
        near = list(self.shifts_near(plant, position, at))
        runs = [shift for shift in near if shift.begin <= at < shift.end]
        soon = [shift for shift in near if at < shift.begin <= at + EARLY and person in shift.people]
        chosen = [shift for shift in runs if person in shift.people] or soon or runs
        return max((shift.end for shift in chosen), default=at + UNPLANNED)

    def positions(self, plant: str) -> tuple[str, ...]:
        """Return the positions of a plant that shifts are planned for."""
        shifts = (shift for shift in self.shifts if shift.plants is None or plant in shift.plants)
        return tuple(dict.fromkeys(shift.position for shift in shifts))

    def with_changes(self, presences: Collection[Presence], swaps: Collection[Swap]) -> Roster:
        """Return it with what changed at run time."""
        return replace(self, presences=tuple(presences), swaps=tuple(swaps))

    def _after_swaps(self, plant: str, shift: Shift, begin: int) -> tuple[str, ...]:
        people = shift.people
        for swap in self.swaps:
            if (swap.plant, swap.position, swap.begin) == (plant, shift.position, begin):
                people = tuple(swap.substitute if name == swap.person else name for name in people)
        return people

    def _people(self, names: Collection[str]) -> tuple[Person, ...]:
        """Return the people of these names; somebody who left the settings cannot be reached."""
        return tuple(self.people.get(name, Person(name)) for name in dict.fromkeys(names))


def _moment(day: dt.date, time: dt.time) -> int:
    return int(dt.datetime.combine(day, time, PLANT_TIME).timestamp()) * 10**9
