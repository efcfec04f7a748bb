"""What the service opens by itself: each thing once, however often it runs, whatever ends it in between."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from ingest.domain.cases.hazard import Hazard, HazardFilter
from ingest.domain.cases.lead import Lead, LeadFilter
from ingest.domain.model.alarm import Alarm, AlarmEventKind, AlarmState
from ingest.domain.model.audit import YUJING
from ingest.domain.model.plant import Equipment, Gate
from ingest.domain.model.text import Text
from ingest.domain.model.warning import (
    Asked,
    Colour,
    EarlyWarning,
    Feedback,
    Step,
    WarningEvent,
    WarningEventKind,
    WarningState,
)
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.view import Latest
from ingest.runtime.case_automation import CaseAutomation
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.errors import StateUnavailable
from tests.ingest.domain.cases import made
from tests.ingest.domain.cases.made import DAY, HOUR, NOON, SECOND, TODAY
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL
from tests.ingest.web.stand_in import StandIn

MINUTE = 60 * SECOND
POINT = "CW_IN_P-01"


@pytest.fixture
def hall() -> StandIn:
    """A county where the casting machine's water pressure is a mandatory point, in production while it casts."""
    made_up = StandIn(NOON)
    made_up.known = duty(made_up.known)
    return made_up


def duty(configuration: PlantConfiguration) -> PlantConfiguration:
    plant = configuration.plants[ALUMINIUM]
    points = tuple(replace(known, mandatory=known.id == POINT) for known in plant.points)
    machine = Equipment("CAST-01", Text("1号机", "1"), Gate("CAST_LEN-01", ">", 0.0))
    plants = {**configuration.plants, ALUMINIUM: replace(plant, points=points, equipment=(machine,))}
    changed = {known.index: known for known in points}
    return replace(
        configuration,
        plants=plants,
        points=tuple(changed.get(known.index, known) for known in configuration.points if known),
    )


def automation(hall: StandIn) -> CaseAutomation:
    """As after a start: it remembers nothing but what is in the books."""
    ports = hall.ports
    return CaseAutomation(
        hall.cases.store, ports.alarms, ports.warnings, hall.configuration, hall.view, hall.order, hall.cases.config,
        lambda: hall.time,
    )  # fmt: skip


def silent(hall: StandIn, point: str = POINT, rule: str = "SILENT") -> Alarm:
    """The point's silence, raised now."""
    alarm = Alarm(
        uuid4(), ALUMINIUM, point, rule, 1, AlarmState.UNACKNOWLEDGED, Text("数据中断", "silent"), None, 0, "",
        hall.time, hall.time, annunciated=hall.time, raises=1,
    )  # fmt: skip
    return hall._commit(alarm, AlarmEventKind.RAISED, hall.time)


def casting(hall: StandIn, length: float | None, *, stale: bool = False) -> None:
    hall.put(ALUMINIUM, "CAST_LEN-01", Latest(hall.time, length, 0, stale=stale))


async def wait(hall: StandIn, work: CaseAutomation, minutes: int, every: int = 10) -> None:
    for _ in range(0, minutes, every):
        hall.time += every * MINUTE
        await work.run_once()


def hazards(hall: StandIn) -> list[Hazard]:
    return hall.cases.store.hazards(HazardFilter(), limit=99)


def leads(hall: StandIn) -> list[Lead]:
    return hall.cases.store.leads(LeadFilter(), limit=99)


async def test_a_mandatory_sensor_dead_for_two_hours_in_production_is_a_hazard_once(hall: StandIn) -> None:
    work = automation(hall)
    casting(hall, 900.0)
    silent(hall)
    await wait(hall, work, 110)
    assert hazards(hall) == []
    await wait(hall, work, 300)
    (hazard,) = hazards(hall)
    assert (hazard.plant, hazard.point, hazard.source, hazard.found_by, hazard.found) == (
        ALUMINIUM, POINT, "rule", YUJING, NOON + 2 * HOUR,
    )  # fmt: skip
    assert [line.step for line in hall.cases.store.hazard_history(hazard.id)] == ["find"]
    (row,) = AuditStore(hall.database.rows).acts(limit=9, kind="hazard")
    assert (row.act.actor, row.act.role, row.act.action, row.act.subject) == (YUJING, "service", "open", str(hazard.id))


async def test_a_restart_at_any_moment_opens_nothing_twice_and_loses_no_time(hall: StandIn) -> None:
    casting(hall, 900.0)
    silent(hall)
    for _ in range(40):
        await wait(hall, automation(hall), 10)
    (hazard,) = hazards(hall)
    assert hazard.found == NOON + 2 * HOUR


async def test_killed_between_the_hazard_and_its_memory_it_is_not_opened_again(
    hall: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    casting(hall, 900.0)
    silent(hall)
    work = automation(hall)
    await wait(hall, work, 110)
    plain = hall.cases.store.note_dead

    def dies(kept: Any, over: Any) -> None:
        if any(dead.hazard for dead in kept):
            raise StateUnavailable("made up")
        plain(kept, over)

    monkeypatch.setattr(type(hall.cases.store), "note_dead", lambda _, kept, over: dies(kept, over))
    with pytest.raises(StateUnavailable):
        await wait(hall, work, 10)
    monkeypatch.undo()
    await wait(hall, automation(hall), 60)
    assert len(hazards(hall)) == 1


async def test_a_machine_that_stands_is_no_production_and_one_nobody_knows_of_is(hall: StandIn) -> None:
    work = automation(hall)
    casting(hall, 0.0)
    silent(hall)
    await wait(hall, work, 300)
    assert hazards(hall) == []
    casting(hall, 0.0, stale=True)
    await wait(hall, work, 110)
    assert hazards(hall) == []
    await wait(hall, work, 20)
    assert len(hazards(hall)) == 1, "nobody escapes by cutting the wire that tells of production"


async def test_a_sensor_that_died_again_is_another_hazard_only_when_the_first_is_settled(hall: StandIn) -> None:
    work = automation(hall)
    casting(hall, 900.0)
    first = silent(hall)
    await wait(hall, work, 120)
    hall.return_alarm(first)
    await wait(hall, work, 20)
    second = silent(hall)
    await wait(hall, work, 200)
    (hazard,) = hazards(hall)
    hazard = made.stepped(hazard, made.REGISTER, made.GENERAL, made.rectify(), made.SUBMIT, made.CLOSE, at=hall.time)
    for version in range(2, 7):  # one version at a time, as the books want it
        hall.cases.store.commit(saved=[replace(hazard, version=version)])
    hall.return_alarm(second)
    await wait(hall, work, 20)
    silent(hall)
    await wait(hall, work, 130)
    assert len(hazards(hall)) == 2


async def test_a_missed_deadline_is_a_lead_once_and_a_new_deadline_missed_another(hall: StandIn) -> None:
    books = hall.cases.store
    hazard = made.stepped(
        made.hazard(ALUMINIUM), made.REGISTER, made.GENERAL, made.rectify(TODAY + dt.timedelta(days=1))
    )
    books.commit(added=[hazard])
    work = automation(hall)
    await wait(hall, work, 35 * 60, every=60)
    assert leads(hall) == [], "the deadline's day is not over"
    await wait(hall, work, 24 * 60, every=60)
    await wait(hall, automation(hall), 24 * 60, every=60)
    (lead,) = leads(hall)
    assert (lead.source, lead.subject, lead.plant, lead.opened_by) == (
        "overdue-hazard",
        str(hazard.id),
        ALUMINIUM,
        YUJING,
    )
    extended = replace(hazard, version=hazard.version + 1, deadline=TODAY + dt.timedelta(days=6))
    books.commit(saved=[extended])
    await wait(hall, work, 24 * 60, every=60)
    assert len(leads(hall)) == 1
    await wait(hall, work, 5 * 24 * 60, every=60)
    assert {two.subject for two in leads(hall)} == {str(hazard.id)}
    assert len(leads(hall)) == 2
    done = made.stepped(extended, made.SUBMIT, at=hall.time)
    books.commit(saved=[done])
    await wait(hall, work, 24 * 60, every=60)
    assert len(leads(hall)) == 2


def warned(hall: StandIn, colour: Colour, **changes: Any) -> EarlyWarning:
    """A warning that is that colour from now on."""
    warning = EarlyWarning(
        uuid4(), STEEL, colour, colour, hall.time, hall.time, WarningState.OPEN, Step.ENTERPRISE,
        Asked.ACKNOWLEDGEMENT, hall.time, 0, 50.0, "1", (),
    )  # fmt: skip
    return record_event(hall, replace(warning, **changes), WarningEventKind.RAISED)


def record_event(hall: StandIn, warning: EarlyWarning, kind: WarningEventKind) -> EarlyWarning:
    hall.warned.append(WarningEvent(len(hall.warned) + 1, uuid4(), kind, hall.time, warning))
    return warning


@pytest.mark.parametrize(("colour", "minutes"), [(Colour.RED, 30), (Colour.ORANGE, 120)])
async def test_a_grave_warning_nobody_answers_is_a_lead_once(hall: StandIn, colour: Colour, minutes: int) -> None:
    warning = warned(hall, colour)
    work = automation(hall)
    await wait(hall, work, minutes - 10)
    assert leads(hall) == []
    await wait(hall, work, 10)
    await wait(hall, automation(hall), 300)
    (lead,) = leads(hall)
    assert (lead.source, lead.subject, lead.plant) == ("warning", str(warning.id), STEEL)
    assert lead.text == f"{colour.text.zh}预警未处置"


async def test_the_time_counts_from_when_it_became_so_grave(hall: StandIn) -> None:
    warning = warned(hall, Colour.YELLOW)
    work = automation(hall)
    await wait(hall, work, 600)
    record_event(
        hall, replace(warning, colour=Colour.RED, peak=Colour.RED, since=hall.time), WarningEventKind.COLOUR_CHANGED
    )
    await wait(hall, work, 20)
    assert leads(hall) == []
    await wait(hall, work, 10)
    assert len(leads(hall)) == 1


async def test_a_warning_that_was_answered_is_no_lead(hall: StandIn) -> None:
    warning = warned(hall, Colour.RED)
    record_event(
        hall, replace(warning, feedback=Feedback("process.water", "x", "李工", hall.time)), WarningEventKind.FEEDBACK
    )
    warned(hall, Colour.RED, state=WarningState.CLOSED)
    warned(hall, Colour.YELLOW)
    await wait(hall, automation(hall), 600)
    assert leads(hall) == []


async def test_a_disposition_is_repeated_to_the_engine_until_it_answers(hall: StandIn) -> None:
    alarm = silent(hall, "CW_IN_T-01")
    disposition = made.disposition(alarm.id, plant=ALUMINIUM, at=hall.time)
    hall.cases.store.commit(added=[disposition])
    work = automation(hall)
    await work.run_once()
    assert hall.book[alarm.id].disposed is None, "whoever gave it may be telling it right now"
    hall.engine_away = True
    await wait(hall, work, 20)
    assert hall.cases.store.unreported(limit=9) == [disposition]
    hall.engine_away = False
    await wait(hall, work, 10)
    assert hall.book[alarm.id].disposed == hall.time
    assert hall.cases.store.unreported(limit=9) == []
    logged = len(hall.log)
    await wait(hall, work, 60)
    assert len(hall.log) == logged, "once"


async def test_a_command_the_engine_refuses_is_not_submitted_for_ever(hall: StandIn) -> None:
    disposition = made.disposition(uuid4(), plant=ALUMINIUM, at=hall.time - DAY)
    hall.cases.store.commit(added=[disposition])
    await automation(hall).run_once()
    assert hall.cases.store.unreported(limit=9) == []
