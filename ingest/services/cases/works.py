"""Declaring work (作业报备), what declared work says of alarms, and whether machines stand as was declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from uuid import UUID, uuid4

from ingest.domain.cases.work import Work, WorkKind, check, registered
from ingest.domain.cases.work_report import raised
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.equipment_state import Running
from ingest.domain.model.payload import iso
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports


class StopSeen(StrEnum):
    """What the plant's points show of a declared stop while it lasts."""

    STANDS = "stands"  # as declared
    RUNS = "runs"  # against what was declared
    UNKNOWN = "unknown"  # no point shows it, or none that can be trusted


def declare(ports: Ports, caller: Principal, draft: Work) -> Work:
    """Declare work in the caller's name.

    Raises:
        NotFound, BadParameter: the plant, or its equipment, is not known or not in scope.
        Incomplete: something is missing or does not hold together.
    """
    plant = caller_scope.plant(ports, caller, draft.plant)
    if draft.equipment is not None and draft.equipment not in {machine.id for machine in plant.equipment}:
        raise BadParameter("equipment", draft.equipment, f"an equipment of plant {plant.id}")
    work = replace(draft, id=uuid4(), made=ports.now(), declared_by=caller.name)
    check(work)
    detail = {
        "kind": str(work.kind),
        "area": work.area,
        "equipment": work.equipment,
        "begins": iso(work.begins),
        "ends": iso(work.ends),
        "guardian": work.guardian,
    }
    act = records.act(ports, caller, "declare", "work", work.id, plant.id, detail)
    ports.cases.store.commit(added=[work], acts=[act])
    return work


def during(ports: Ports, alarms: Sequence[Alarm]) -> dict[UUID, list[Work]]:
    """Return by id the declared work that alarms were raised during; those without any are left out."""
    if not alarms:
        return {}
    times = [raised(alarm) for alarm in alarms]
    plants = frozenset(alarm.plant for alarm in alarms)
    works = ports.cases.daily.works_during(plants, min(times), max(times))
    find = ports.live.configuration().find
    found = {}
    for alarm in alarms if works else ():
        point = find(alarm.plant, alarm.point)
        there = registered(works, alarm.plant, point.equipment if point else None, raised(alarm))
        if there:
            found[alarm.id] = there
    return found


def stop_seen(ports: Ports, work: Work) -> StopSeen | None:
    """Return what is seen of a declared stop; None: it is none, or not its time.

    Unknown stays unknown: a declaration is no reading. Of the whole plant one machine that runs is enough.
    """
    if work.kind is not WorkKind.STOP or not work.covers(ports.now()):
        return None
    view, plant = ports.live.view(), ports.live.configuration().plants.get(work.plant)
    machines = plant.equipment if plant is not None else ()
    seen = {
        Running.UNKNOWN if machine.running is None else view.running(work.plant, machine.id)
        for machine in machines
        if work.equipment in {None, machine.id}
    }
    if Running.YES in seen:
        return StopSeen.RUNS
    return StopSeen.STANDS if seen == {Running.NO} else StopSeen.UNKNOWN
