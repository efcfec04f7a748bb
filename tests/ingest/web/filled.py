"""An afternoon with something on every page: suppressions, feedback, hazards in every state, an inspection, leads."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from uuid import UUID

from ingest.domain.cases import hazard_steps as actions
from ingest.domain.cases.causes import Form
from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.days import day_of
from ingest.domain.cases.disposition import Disposition
from ingest.domain.cases.duties import SelfInspection
from ingest.domain.cases.enterprise import RiskClass
from ingest.domain.cases.hazard import Hazard, HazardLevel, HazardSource
from ingest.domain.cases.hazard_steps import Action, HazardStep
from ingest.domain.cases.inspection import Basis, Inspection, Result
from ingest.domain.cases.inspection_steps import Begin, Conclude, InspectionStep
from ingest.domain.cases.ledger import Outcome
from ingest.domain.cases.ledger_steps import Calibrate, FunctionTest, LedgerStep
from ingest.domain.model.suppression import SuppressionKind
from ingest.engine.commands import Decide, Person, Suppress
from ingest.services.access import Principal
from ingest.services.cases import dispositions, enterprises, evidence, hazards, inspections, steps
from ingest.services.ports import Ports
from tests.ingest.web.ledgers import check_instruments, key_of
from tests.ingest.web.made_up_plants import ALUMINIUM, MINUTE, STEEL, WOOD
from tests.ingest.web.stand_in import StandIn

OPERATOR = Principal("中控室 王建国", "operator", None)
INSPECTOR = Principal("南安市应急管理局", "inspector", None)
PDF = b"%PDF-1.7 made up"
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Filled:
    """What a test may want to open."""

    hazards: dict[str, UUID]
    lead: UUID
    inspection: UUID
    concluded: UUID
    shelved: UUID
    waiting: UUID  # an application to take a point out of service
    disposed: UUID  # an alarm that was given feedback
    ledger: UUID  # of an instrument with entries


async def fill(hall: StandIn) -> Filled:
    """Put something on every page of the console."""
    ports = hall.ports
    shelved, waiting = await _hide(hall)
    disposed = await _dispose(hall, ports)
    found = _hazards(ports)
    lead = inspections.open_lead(ports, INSPECTOR, STEEL, "群众反映炉前平台一氧化碳报警器长期被遮挡")
    inspection, concluded = _inspections(ports, lead.id, found["graded"])
    for plant, period in ((STEEL, "2026-10"), (WOOD, "2026-Q3")):
        _self_inspect(ports, plant, period)
    record = {"principal": "林志强", "principal_phone": "0595-86380000", "connected_on": dt.date(2026, 8, 1)}
    enterprises.note(ports, OPERATOR, STEEL, 0, record)
    enterprises.classify(ports, INSPECTOR, STEEL, 1, RiskClass.ORANGE, "高炉与煤气柜，涉煤气作业人员较多")
    ledger = await _ledger(hall)
    return Filled(found, lead.id, inspection, concluded, shelved, waiting, disposed, ledger)


async def _ledger(hall: StandIn) -> UUID:
    await check_instruments(hall)
    key, today = key_of(hall, STEEL, "CO-01"), day_of(hall.time)
    proof = evidence.hand_in(hall.ports, OPERATOR, STEEL, "检定证书.pdf", PDF)
    outcome, last_year = Outcome.PASSED, today - dt.timedelta(days=380)
    entered = Calibrate(last_year, outcome, "福建省计量科学研究院", "JL-2025-118", evidence=(proof.id,))
    for version, form in enumerate((entered, FunctionTest(today, outcome, "林志强", remark="标准气 40 ppm")), 1):
        steps.take(hall.ports, OPERATOR, LedgerStep, key, version, form)
    return key


async def _hide(hall: StandIn) -> tuple[UUID, UUID]:
    who, chief = Person(OPERATOR.name, "operator"), Person(INSPECTOR.name, "inspector")
    alarm = hall.raise_alarm(STEEL, "CW_DT-01", "H", 15.6, ago_s=900)
    until = hall.time + 45 * MINUTE
    await hall.order(Suppress(SuppressionKind.SHELVED, STEEL, "CW_DT-01", "H", "更换热电偶，旁站监护", until, who))
    away = Suppress(SuppressionKind.OUT_OF_SERVICE, STEEL, "GH_LVL-01", None, "柜位计校验", None, who)
    applied = await hall.order(away)
    other = replace(away, point="CO-02", reason="传感器送检")
    approved = await hall.order(other)
    await hall.order(Decide(approved.id, True, chief))
    return alarm.id, applied.id


async def _dispose(hall: StandIn, ports: Ports) -> UUID:
    alarm = next(record for record in hall.book.values() if record.point == "HOPPER_T-01")
    proof = evidence.hand_in(ports, OPERATOR, WOOD, "灰斗现场.pdf", PDF)
    draft = Disposition(
        id=NOBODY,
        plant=WOOD,
        form=Form.PROCESS,
        cause="process.blockage",
        measure="停机清灰，更换破损滤袋两条，复温后恢复运行",
        person="陈立",
        by="",
        role="operator",
        handled=hall.time - 20 * MINUTE,
        given=0,
        alarms=(alarm.id,),
        evidence=(proof.id,),
    )
    await dispositions.give(ports, OPERATOR, draft, dispositions.ExpectedState())
    return alarm.id


def _hazards(ports: Ports) -> dict[str, UUID]:
    today = day_of(ports.now())
    clause = next(known for known in load_criteria().clauses.values() if "steel" in known.kinds)
    grade, major = actions.Grade(HazardLevel.GENERAL), actions.Grade(HazardLevel.MAJOR, clause)
    plan = actions.Rectify("林志强", "更换变送器并做联锁试验", 350_000, today + dt.timedelta(days=7), "加强人工巡检")
    listed = actions.Supervise("南应急督〔2026〕12号", "南安市应急管理局", today)
    register, report = actions.Register(), actions.Report("南安市应急管理局")
    submit = actions.Submit("已更换并试验合格")
    lives: dict[str, tuple[str, str, list[Action]]] = {
        "found": (ALUMINIUM, "结晶器进水压力变送器读数偏低", []),
        "registered": (WOOD, "除尘器锁气卸灰阀漏灰", [register]),
        "graded": (STEEL, "炉前平台一氧化碳报警器被遮挡", [register, grade]),
        "reported": (STEEL, "事故钢水罐区域积水", [register, major, report]),
        "rectifying": (STEEL, "炉体冷却水出水温度未接联锁", [register, major, report, listed, plan]),
        "submitted": (WOOD, "灰斗温度传感器接线松动", [register, grade, plan, submit]),
        "closed": (WOOD, "清扫制度未落实", [register, grade, plan, submit, actions.Close("复查合格")]),
        "dismissed": (ALUMINIUM, "铸井水位计显示异常", [actions.Dismiss("为校验期间读数，不构成隐患")]),
    }
    ours = (actions.Rectify, actions.Submit)
    found = {}
    for state, (plant, title, life) in lives.items():
        draft = Hazard(NOBODY, plant, title, f"巡检发现：{title}，须落实整改", "现场", HazardSource.HAND, 0, "")
        hazard = hazards.open_hazard(ports, INSPECTOR, draft)
        for step in life:
            who = OPERATOR if isinstance(step, ours) else INSPECTOR
            hazard = steps.take(ports, who, HazardStep, hazard.id, hazard.version, step)
        found[state] = hazard.id
    return found


def _inspections(ports: Ports, lead: UUID, hazard: UUID) -> tuple[UUID, UUID]:
    today, names = day_of(ports.now()), ("李明", "吴芳")
    draft = Inspection(NOBODY, STEEL, Basis.LEAD, names, today, "一氧化碳监测与联锁", 0, "", lead=lead)
    inspection = inspections.plan(ports, INSPECTOR, draft)
    inspection = steps.take(ports, INSPECTOR, InspectionStep, inspection.id, inspection.version, Begin())
    inspection = inspections.find(
        ports, INSPECTOR, inspection.id, inspection.version, "炉前平台报警器被铁板遮挡", hazard
    )
    plan = Inspection(NOBODY, WOOD, Basis.PLAN, names, today, "粉尘防爆专项", 0, "", reference="2026年第四季度计划")
    over = inspections.plan(ports, INSPECTOR, plan)
    over = steps.take(ports, INSPECTOR, InspectionStep, over.id, over.version, Begin())
    passed = Conclude(Result.PASSED, "南应急检记〔2026〕88号")
    over = steps.take(ports, INSPECTOR, InspectionStep, over.id, over.version, passed)
    return inspection.id, over.id


def _self_inspect(ports: Ports, plant: str, period: str) -> None:
    day = dt.date(2026, 10, 28) if period.endswith("10") else dt.date(2026, 9, 20)
    draft = SelfInspection(NOBODY, plant, period, day, "林志强", "检查除尘、煤气与消防设施，问题已登记", 1, "", 0)
    enterprises.self_inspect(ports, OPERATOR, draft)
