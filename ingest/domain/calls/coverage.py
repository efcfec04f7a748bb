"""When a ladder calls nobody who can be reached, in any week as the shifts repeat (pure)."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ingest.domain.calls.roster import Roster
from ingest.domain.model.call import LadderStep
from ingest.domain.model.payload import PLANT_TIME

MONDAY: Final = dt.date(2026, 1, 5)
"""Of the week that stands for all; which one is of no matter, since holidays are put aside or are every day."""

_WEEK: Final = [MONDAY + dt.timedelta(days=number) for number in range(7)]
_WEEK_AND_BEFORE: Final = frozenset({MONDAY - dt.timedelta(days=1), *_WEEK})


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of the week at which nobody would be called, in the time of the plants; `end` is not in it."""

    begin: dt.datetime
    end: dt.datetime


def gaps(roster: Roster, plant: str, ladder: Sequence[LadderStep], *, holidays: bool) -> list[Gap]:
    """Return when a ladder calls nobody who has a channel, in the order of the week.

    Args:
        roster: as planned.
        plant: whose.
        ladder: of it.
        holidays: whether every day is taken for a holiday; else none is.
    """
    week = replace(roster, holidays=_WEEK_AND_BEFORE if holidays else frozenset(), presences=(), swaps=())
    first, last = (_moment(day) for day in (MONDAY, MONDAY + dt.timedelta(days=7)))
    moments = {first} | {
        time
        for day in _WEEK
        for step in ladder
        if step.position is not None
        for shift in week.shifts_near(plant, step.position, _moment(day))
        for time in (shift.begin, shift.end)
        if first < time < last
    }
    found: list[Gap] = []
    ordered = [*sorted(moments), last]
    for begin, end in itertools.pairwise(ordered):
        if any(person.channels for step in ladder for person in week.on_duty(plant, step, begin).people):
            continue
        starts = found.pop().begin if found and found[-1].end == _clock(begin) else _clock(begin)
        found.append(Gap(starts, _clock(end)))
    return found


def _moment(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), PLANT_TIME).timestamp()) * 10**9


def _clock(moment: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(moment // 10**9, PLANT_TIME)
