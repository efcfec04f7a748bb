"""The status of safety pledges (安全承诺) by plant and day, each compared with the work declared for its day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ingest.domain.cases.days import begins, day_of
from ingest.domain.cases.pledge import Contradiction, Pledge, PledgeStanding, contradictions, standing_of
from ingest.domain.cases.work import Work
from ingest.domain.model.plant import Plant

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PledgeDay:
    """How a plant stands with the pledge of one day.

    Attributes:
        pledge: the one that holds, if any.
        contradictions: where it and the work declared for its day tell of different numbers.
    """

    plant: Plant
    day: dt.date
    standing: PledgeStanding
    pledge: Pledge | None
    contradictions: tuple[Contradiction, ...]


def moments_of(pledges: Iterable[Pledge]) -> tuple[int, int]:
    """The first moment of the first day of these pledges, and the first after the last, ns. Raises ValueError: none."""
    days = {pledge.day for pledge in pledges}
    return begins(min(days)), begins(max(days) + _DAY)


def against_declared(pledges: Iterable[Pledge], works: Iterable[Work]) -> dict[UUID, tuple[Contradiction, ...]]:
    """Return by id where pledges and the work declared for their days tell of different numbers."""
    of_plant: defaultdict[str, list[Work]] = defaultdict(list)
    for work in works:
        of_plant[work.plant].append(work)
    return {pledge.id: tuple(contradictions(pledge, of_plant[pledge.plant])) for pledge in pledges}


def pledge_days(
    plants: Iterable[Plant], held: Sequence[Pledge], works: Iterable[Work], since: dt.date, until: dt.date, now: int
) -> list[PledgeDay]:
    """Return the status of pledges for each day from `since` to `until` (not included, nor days to come), by plant.

    `held`: their pledges that hold; `works`: what was declared for these days.
    """
    differing = against_declared(held, works)
    given = {(pledge.plant, pledge.day): pledge for pledge in held}
    until = min(until, day_of(now) + _DAY)
    found = []
    for plant in plants:
        for number in range((until - since).days):
            day = since + number * _DAY
            pledge = given.get((plant.id, day))
            standing = standing_of(plant.pledge, day, pledge, now)
            found.append(PledgeDay(plant, day, standing, pledge, differing.get(pledge.id, ()) if pledge else ()))
    return found
