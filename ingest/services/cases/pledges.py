"""Giving daily safety pledges (安全承诺), and how plants stand with theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid4

from ingest.domain.cases import pledge_days
from ingest.domain.cases.errors import Already
from ingest.domain.cases.pledge import Contradiction, Pledge, check
from ingest.domain.cases.pledge_days import PledgeDay
from ingest.domain.model.plant import SERVICE, Plant
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records
from ingest.services.errors import NotFound
from ingest.services.ports import Ports

_DAY: Final = dt.timedelta(days=1)


def give(ports: Ports, caller: Principal, draft: Pledge) -> Pledge:
    """Give a plant's pledge for today in the caller's name.

    Raises:
        NotFound: the plant is not known or not in scope.
        Incomplete, Already: it does not hold together, or its day has one that holds.
    """
    plant = _plant(ports, caller, draft.plant)
    daily, day = ports.cases.daily, draft.day
    number = daily.pledges_of_day(plant.id, day) + 1
    pledge = replace(draft, id=uuid4(), number=number, by=caller.name, given=ports.now())
    check(pledge, pledge.given)
    if daily.pledges_held(frozenset({plant.id}), day, day + _DAY):
        raise Already("a pledge of that day is there already: withdraw it first")
    detail = {
        "day": day.isoformat(),
        "person": pledge.person,
        "text": pledge.text,
        "running": pledge.running,
        "stopped": pledge.stopped,
        **{kind: count for kind, count in pledge.works.items() if count},
    }
    act = records.act(ports, caller, "give", "pledge", pledge.id, plant.id, detail)
    ports.cases.store.commit(added=[pledge], acts=[act])
    return pledge


def against_declared(ports: Ports, pledges: Sequence[Pledge]) -> dict[UUID, tuple[Contradiction, ...]]:
    """Return by id where pledges and the work declared for their days tell of different numbers."""
    return pledge_days.against_declared(pledges, ports.cases.daily.works_beside(pledges))


def days(ports: Ports, plants: Iterable[Plant], since: dt.date, until: dt.date) -> list[PledgeDay]:
    """Return the status of pledges for each day from `since` to `until` (not included, nor days to come), by plant."""
    plants = list(plants)
    held = ports.cases.daily.pledges_held(frozenset(plant.id for plant in plants), since, until)
    return pledge_days.pledge_days(plants, held, ports.cases.daily.works_beside(held), since, until, ports.now())


def enterprises(ports: Ports, caller: Principal, plant: str | None, region: str) -> list[Plant]:
    """Return the plants in scope whose region begins so, or one. Raises NotFound."""
    if plant:
        return [_plant(ports, caller, plant)]
    plants = caller_scope.plants(ports, caller)
    return [each for each in plants if each.id != SERVICE and each.region.startswith(region)]


def _plant(ports: Ports, caller: Principal, key: str) -> Plant:
    if key == SERVICE:
        raise NotFound("the service itself is no enterprise")
    return caller_scope.plant(ports, caller, key)


def after(first: dt.date) -> dt.date:
    """Return the first day of the month after the one that begins with this day."""
    return (first + dt.timedelta(days=31)).replace(day=1)
