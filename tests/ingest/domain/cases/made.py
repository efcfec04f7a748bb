"""Records of the closed loop, made up, as far as a test does not care."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

from ingest.domain.cases.causes import Form
from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.days import begins
from ingest.domain.cases.disposition import Disposition
from ingest.domain.cases.hazard import Hazard, HazardLevel, HazardSource
from ingest.domain.cases.hazard_steps import (
    Action,
    Close,
    Grade,
    HazardStep,
    Rectify,
    Register,
    Report,
    SendBack,
    Submit,
    Supervise,
    advance,
)
from ingest.domain.cases.inspection import Basis, Inspection
from ingest.domain.cases.lead import Lead, LeadSource
from ingest.domain.model.audit import ActRole

MAY = {step: step.verb.who for step in HazardStep}
TRANSITIONS = {(*now, step): after for step in HazardStep for now, after in step.verb.moves.items()}  # type: ignore[misc]
possible = HazardStep.possible

SECOND = 10**9
HOUR = 3600 * SECOND
DAY = 24 * HOUR
TODAY = dt.date(2026, 11, 24)
NOON = begins(TODAY) + 12 * HOUR
CLAUSE = load_criteria().clauses["art14"]

REGISTER = Register()
GENERAL = Grade(HazardLevel.GENERAL)
MAJOR = Grade(HazardLevel.MAJOR, CLAUSE)
REPORT = Report("南安市应急管理局")
SUPERVISE = Supervise("南应急督〔2026〕7号", "南安市应急管理局", TODAY)
SUBMIT = Submit("已更换传感器并校验")
SEND_BACK = SendBack("缺校验记录")
CLOSE = Close("现场复查合格")


def rectify(deadline: dt.date = TODAY + dt.timedelta(days=10)) -> Rectify:
    """A plan with all five."""
    return Rectify("李工", "更换压力变送器", 350_000, deadline, "停产检修，人员撤离")


def hazard(plant: str = "p", at: int = NOON, title: str = "冷却水压力变送器失效") -> Hazard:
    """A hazard somebody found."""
    return Hazard(uuid4(), plant, title, "连续两小时无数据", "1号机", HazardSource.HAND, at, "张三")


def stepped(of: Hazard, *actions: Action, at: int = NOON, step: int = HOUR) -> Hazard:
    """The hazard after these steps, one an hour, each by somebody who may."""
    for number, action in enumerate(actions):
        role: ActRole = (
            "inspector" if action.step in {"grade", "supervise", "extend", "send-back", "close"} else "operator"
        )
        role = "inspector" if action.step == "dismiss" else role
        who = "王检查" if role == "inspector" else "李工"
        of, _ = advance(of, action, by=who, role=role, time=at + number * step)
    return of


def disposition(*alarms: UUID, plant: str = "p", at: int = NOON) -> Disposition:
    """A disposition of alarms."""
    return Disposition(
        uuid4(), plant, Form.PROCESS, "process.water", "开启备用泵", "李工", "中控室", "operator", at - HOUR, at, alarms
    )


def lead(plant: str = "p", at: int = NOON) -> Lead:
    """A lead by hand."""
    return Lead(uuid4(), plant, LeadSource.HAND, "群众举报", at, "王检查")


def inspection(plant: str = "p", at: int = NOON) -> Inspection:
    """An inspection by plan."""
    return Inspection(
        uuid4(), plant, Basis.PLAN, ("王检查", "赵检查"), TODAY, "深井铸造联锁", at, "王检查", reference="2026-4"
    )
