"""The closed loop's books: written whole with the audit trail or not at all, one version at a time, on both systems."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from ingest.domain.cases.dead_points import DeadPoint
from ingest.domain.cases.disposition import DispositionFilter
from ingest.domain.cases.duties import SelfInspection
from ingest.domain.cases.enterprise import EnterpriseRecord, RiskClass
from ingest.domain.cases.errors import Already, Stale
from ingest.domain.cases.evidence import Evidence
from ingest.domain.cases.hazard import Hazard, HazardFilter, HazardLevel, HazardSource, HazardState
from ingest.domain.cases.hazard_steps import advance, moment
from ingest.domain.cases.inspection import InspectionFilter
from ingest.domain.cases.lead import LeadFilter, LeadState
from ingest.domain.cases.summary import AlarmFigures
from ingest.domain.model.audit import Act
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from tests.ingest.domain.cases import inspecting, made
from tests.ingest.domain.cases.leading import take
from tests.ingest.domain.cases.made import DAY, HOUR, NOON, TODAY
from tests.ingest.storage.state.test_store import event


def act(subject: object, action: str = "made") -> Act:
    return Act(NOON, "王检查", "inspector", action, "hazard", str(subject), "p", {"词": "据"})


def test_every_record_comes_back_as_it_was_written(database: Database) -> None:
    """Every field of every record: one that had no column, or the wrong one, would not."""
    store = CaseStore(database)
    alarms = (uuid4(), uuid4())
    feedback = replace(
        made.disposition(*alarms), false_alarm="test", words="演练", evidence=(uuid4(),), warning=None, told=9
    )
    answer = replace(made.disposition(), warning=uuid4())
    proof = Evidence(uuid4(), "p", "ab" * 32, "image/png", 10, "照片.png", "李工", NOON)
    hazard = made.stepped(
        made.hazard(), made.REGISTER, made.MAJOR, made.REPORT, made.SUPERVISE, made.rectify(), made.SUBMIT
    )
    hazard = made.stepped(
        replace(hazard, equipment="E", point="P", origin="x"), made.SEND_BACK, made.SUBMIT, made.CLOSE
    )
    lead = take(made.lead(), by="赵检查", time=NOON)
    check = replace(made.inspection(), evidence=(uuid4(),))
    done = SelfInspection(uuid4(), "p", "2026-11", TODAY, "陈总", "查了", 2, "李工", NOON, (uuid4(),))
    firm = EnterpriseRecord(
        "p",
        1,
        RiskClass.RED,
        "王检查",
        TODAY,
        "涉爆",
        "陈总",
        "1",
        "李工",
        "2",
        "3",
        "二级",
        "人保",
        TODAY,
        TODAY,
        NOON,
        "x",
    )
    store.commit(added=[feedback, answer, proof, hazard, lead, check, done, firm])
    assert store.disposition(feedback.id) == feedback
    assert store.dispositions(DispositionFilter(alarm=alarms[1]), limit=9) == [feedback]
    assert store.dispositions(DispositionFilter(warning=answer.warning), limit=9) == [answer]
    assert store.evidence(proof.id) == proof
    assert store.evidence_of([proof.id, uuid4()]) == [proof]
    assert store.hazard(hazard.id) == hazard
    assert all(getattr(hazard, name) is not None for name in Hazard.__slots__), "a field this test does not look at"
    assert store.lead(lead.id) == lead
    assert store.inspection(check.id) == check
    assert store.self_inspections(None) == [done]
    assert store.self_inspections(frozenset({"q"})) == []
    assert store.enterprises(None) == {"p": firm}
    assert store.enterprises(frozenset()) == {}


def test_a_change_is_written_with_its_audit_rows_or_not_at_all(database: Database) -> None:
    store, trail = CaseStore(database), AuditStore(database.rows)
    hazard = made.hazard()
    store.commit(added=[hazard, moment(hazard, "find", by="张三", role="operator", time=NOON)], acts=[act(hazard.id)])
    assert [row.act for row in trail.acts(limit=9)] == [act(hazard.id)]
    other = made.hazard()
    with pytest.raises(Already):
        store.commit(added=[other, hazard], acts=[act(other.id)])
    assert store.hazard(other.id) is None
    assert len(trail.acts(limit=9)) == 1
    assert trail.verify().broken is None


def test_of_two_who_saw_the_same_version_one_is_refused(database: Database) -> None:
    store = CaseStore(database)
    hazard = made.hazard()
    store.commit(added=[hazard])
    mine, line = advance(hazard, made.REGISTER, by="a", role="operator", time=NOON)
    store.commit(added=[line], saved=[mine], acts=[act(hazard.id, "register")])
    yours, again = advance(hazard, made.REGISTER, by="b", role="operator", time=NOON)
    with pytest.raises(Stale) as error:
        store.commit(added=[replace(again, version=7)], saved=[yours], acts=[act(hazard.id, "register")])
    assert error.value.now == 2
    assert store.hazard(hazard.id) == mine
    assert [step.by for step in store.hazard_history(hazard.id)] == ["a"]
    assert len(AuditStore(database.rows).acts(limit=9)) == 1


def test_a_hazards_history_cannot_be_rewritten(database: Database) -> None:
    hazard = made.hazard()
    CaseStore(database).commit(added=[hazard, moment(hazard, "find", by="张三", role="operator", time=NOON)])
    for statement in ("UPDATE hazard_step SET step = 'x'", "DELETE FROM hazard_step"):
        with pytest.raises(sa.exc.DatabaseError, match="append-only"), database.write() as connection:
            connection.execute(sa.text(statement))


def test_findings_of_an_inspection_are_kept_in_order_and_once(database: Database) -> None:
    store = CaseStore(database)
    first, second = made.hazard(), made.hazard()
    check = made.inspection()
    store.commit(added=[check, first])
    check = inspecting.begin(check, time=NOON)
    store.commit(saved=[check])
    check = inspecting.find(check, "无联锁", first.id, by="王检查", time=NOON)
    store.commit(saved=[check])
    check = inspecting.find(check, "无记录", second.id, by="王检查", time=NOON)
    store.commit(added=[second], saved=[check])
    assert store.inspection(check.id) == check
    assert store.inspections(InspectionFilter(states=frozenset({check.state})), limit=9) == [check]


def test_hazards_are_filtered_and_paged_without_a_gap_or_a_repeat(database: Database) -> None:
    store = CaseStore(database)
    plain = [made.hazard("p" if n % 2 else "q", NOON + n // 3) for n in range(10)]
    late = made.stepped(made.hazard(at=NOON - DAY), made.REGISTER, made.GENERAL, made.rectify(TODAY))
    store.commit(added=[*plain, late])
    whole = store.hazards(HazardFilter(), limit=99)
    assert [hazard.found for hazard in whole] == sorted((hazard.found for hazard in whole), reverse=True)
    pages: list[Hazard] = []
    while page := store.hazards(HazardFilter(), limit=3, before=(pages[-1].found, pages[-1].id) if pages else None):
        pages += page
    assert pages == whole
    assert len(whole) == 11

    def count(**asked: object) -> int:
        return len(store.hazards(HazardFilter(**asked), limit=99))  # type: ignore[arg-type]

    assert count(plants=frozenset({"q"})) == 5
    assert count(plants=frozenset()) == 0
    assert count(states=frozenset({HazardState.RECTIFYING})) == 1
    assert count(level=HazardLevel.GENERAL) == 1
    assert count(source=HazardSource.RULE) == 0
    assert count(since=NOON, until=NOON + 1) == 3
    assert count(overdue_at=NOON) == 0, "its day is not over"
    assert count(overdue_at=NOON + DAY) == 1


def test_a_self_inspection_counts_once_for_its_period(database: Database) -> None:
    store = CaseStore(database)
    done = SelfInspection(uuid4(), "p", "2026-11", TODAY, "陈总", "查了", 2, "李工", NOON)
    store.commit(added=[done, replace(done, id=uuid4(), plant="q")])
    with pytest.raises(Already):
        store.commit(added=[replace(done, id=uuid4())])
    assert store.self_inspection(done.id) == done


def test_leads_are_found_by_what_they_are_about(database: Database) -> None:
    store = CaseStore(database)
    about = replace(made.lead(), subject="h")
    store.commit(added=[about, made.lead("q")])
    store.commit(saved=[take(about, by="赵检查", time=NOON)])
    assert [lead.version for lead in store.leads(LeadFilter(subject="h"), limit=9)] == [2]
    assert store.leads(LeadFilter(states=frozenset({LeadState.CLOSED})), limit=9) == []
    assert len(store.leads(LeadFilter(plants=frozenset({"q"})), limit=9)) == 1


def test_dispositions_wait_until_the_engine_has_taken_note(database: Database) -> None:
    store = CaseStore(database)
    first, second = made.disposition(uuid4(), at=NOON), made.disposition(uuid4(), at=NOON + 1)
    store.commit(added=[second, first])
    assert store.unreported(limit=9) == [first, second]
    store.note_reported(first.id, NOON + HOUR)
    assert store.unreported(limit=9) == [second]
    assert store.disposition(first.id) == replace(first, told=NOON + HOUR)


def test_dead_points_are_remembered_changed_and_forgotten(database: Database) -> None:
    store = CaseStore(database)
    a, b = DeadPoint("p", "a", 1, 1), DeadPoint("p", "b", 2, None)
    store.note_dead([a, b], [])
    a = replace(a, since=None, hazard=uuid4())
    store.note_dead([a], [("p", "b"), ("p", "never")])
    assert store.dead_points() == [a]


def test_alarms_and_warnings_are_counted_by_plant_for_a_span(database: Database) -> None:
    events = [event("CO-01", 100), event("CO-02", 150, "q"), event("CO-03", 199), event("CO-04", 200)]
    EngineStore(database).commit(1, events, [])
    ids: list[UUID] = [event.alarm.id for event in events]
    plain, false = made.disposition(ids[0], ids[2]), replace(made.disposition(ids[0]), false_alarm="test", words="x")
    CaseStore(database).commit(added=[plain, false, made.disposition(ids[3])])
    figures = CaseFigures(database)
    assert figures.alarm_figures(None, 100, 200) == {"p": AlarmFigures(2, 0, 2, 1), "q": AlarmFigures(1)}, (
        "an alarm disposed of twice counts once"
    )
    assert figures.alarm_figures(frozenset({"q"}), 100, 200) == {"q": AlarmFigures(1)}
    assert figures.alarm_figures(None, 300, 400) == {}


def test_days_are_kept_as_days(database: Database) -> None:
    firm = EnterpriseRecord("p", 1, insured_until=dt.date(2027, 2, 28))
    store = CaseStore(database)
    store.commit(added=[firm])
    store.commit(saved=[replace(firm, version=2, connected_on=dt.date(2025, 12, 31))])
    assert store.enterprises(None)["p"].connected_on == dt.date(2025, 12, 31)
    with pytest.raises(Already):
        store.commit(added=[firm])
