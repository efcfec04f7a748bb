"""Labels of the states and codes of the closed loop, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ingest.domain.cases.bypass import BypassState
from ingest.domain.cases.causes import Form
from ingest.domain.cases.cleaning import CleaningStanding, CleaningState
from ingest.domain.cases.enterprise import RiskClass
from ingest.domain.cases.hazard import HazardLevel, HazardSource, HazardState
from ingest.domain.cases.inspection import Basis, InspectionState, Result
from ingest.domain.cases.lead import LeadSource, LeadState
from ingest.domain.cases.ledger import Corrected, LedgerState, Outcome, Planning
from ingest.domain.cases.ledger_due import CHECKS, DueState
from ingest.domain.cases.pledge import PledgeStanding, PledgeState
from ingest.domain.cases.verbs import VerbTable
from ingest.domain.cases.work import WorkKind, WorkStanding, WorkState
from ingest.domain.model.instrument import Check
from ingest.domain.model.notice import MATTERS, Matter
from ingest.domain.model.text import Text

LABELS: Final[Mapping[type[StrEnum], Mapping[str, Text]]] = {
    HazardState: {
        "found": Text("已发现", "found"),
        "registered": Text("已登记", "registered"),
        "graded": Text("已分级", "graded"),
        "reported": Text("已上报", "reported"),
        "rectifying": Text("整改中", "rectifying"),
        "submitted": Text("待复查", "waiting for review"),
        "closed": Text("已销号", "closed"),
        "dismissed": Text("不构成隐患", "no hazard"),
    },
    HazardLevel: {"general": Text("一般隐患", "general"), "major": Text("重大事故隐患", "major")},
    HazardSource: {
        "by-hand": Text("人工上报", "by hand"),
        "alarm": Text("报警转入", "from an alarm"),
        "inspection": Text("执法检查", "inspection"),
        "self-inspection": Text("企业自查", "self-inspection"),
        "rule": Text("系统规则", "by rule"),
    },
    LeadSource: {
        "overdue-hazard": Text("隐患逾期未整改", "hazard overdue"),
        "warning": Text("预警未处置", "warning not handled"),
        "by-hand": Text("人工录入", "by hand"),
    },
    LeadState: {
        "open": Text("待核查", "open"),
        "taken": Text("核查中", "taken"),
        "closed": Text("已办结", "closed"),
    },
    BypassState: {
        "requested": Text("待批准", "waiting for approval"),
        "approved": Text("已批准，未开始", "approved, not begun"),
        "in-force": Text("旁路中", "in force"),
        "expired": Text("已到期，未恢复", "expired, not put back"),
        "restored": Text("已恢复投用", "put back"),
        "refused": Text("未批准", "refused"),
        "withdrawn": Text("已撤回", "withdrawn"),
    },
    Basis: {"plan": Text("计划检查", "planned"), "lead": Text("线索核查", "after a lead")},
    InspectionState: {
        "planned": Text("待检查", "planned"),
        "under-way": Text("检查中", "under way"),
        "concluded": Text("已结束", "concluded"),
        "cancelled": Text("已取消", "cancelled"),
    },
    Result: {
        "passed": Text("未发现问题", "nothing found"),
        "rectify": Text("责令限期整改", "ordered to rectify"),
        "suspend": Text("责令停产停业整顿", "ordered to suspend"),
        "penalty": Text("立案处罚", "penalty"),
    },
    LedgerState: {"in-use": Text("在用", "in use"), "scrapped": Text("已报废", "scrapped")},
    DueState: {
        "failed": Text("不合格", "failed"),
        "overdue": Text("逾期", "overdue"),
        "due-soon": Text("即将到期", "due soon"),
        "unknown": Text("无记录", "nothing on record"),
        "in-order": Text("有效", "in order"),
        "out-of-service": Text("停用", "out of service"),
        "scrapped": Text("已报废", "scrapped"),
    },
    Outcome: {"passed": Text("合格", "passed"), "failed": Text("不合格", "failed")},
    Corrected: {
        "passed": Text("合格", "passed"),
        "failed": Text("不合格", "failed"),
        "void": Text("作废（无此次检查）", "void (no such check)"),
    },
    Planning: {"planned": Text("正常计划", "planned"), "unplanned": Text("非计划临时", "unplanned")},
    RiskClass: {
        "red": Text("红（A）重大风险", "red (A)"),
        "orange": Text("橙（B）较大风险", "orange (B)"),
        "yellow": Text("黄（C）一般风险", "yellow (C)"),
        "blue": Text("蓝（D）低风险", "blue (D)"),
    },
    WorkKind: {
        "hot-work": Text("动火作业", "hot work"),
        "confined-space": Text("有限空间作业", "confined space work"),
        "electrical": Text("临时用电作业", "temporary electrical work"),
        "maintenance": Text("检维修作业", "maintenance"),
        "planned-stop": Text("计划停车", "planned stop"),
        "planned-start": Text("计划开车", "planned start"),
    },
    WorkState: {
        "declared": Text("待审批", "waiting for approval"),
        "approved": Text("已批准", "approved"),
        "under-way": Text("作业中", "under way"),
        "finished": Text("已完工", "finished"),
        "refused": Text("已驳回", "refused"),
        "cancelled": Text("已取消", "called off"),
    },
    WorkStanding: {
        "waiting": Text("待审批", "waiting for approval"),
        "not-approved": Text("到时未批准", "its time has come, not approved"),
        "planned": Text("已批准，未到时间", "approved, not begun"),
        "not-begun": Text("时段内，未报开工", "in its time, beginning not reported"),
        "under-way": Text("作业中", "under way"),
        "overran": Text("超时未完工", "overran"),
        "lapsed": Text("时段已过，未报开工", "its time is past, beginning not reported"),
        "finished": Text("已完工", "finished"),
        "refused": Text("已驳回", "refused"),
        "cancelled": Text("已取消", "called off"),
    },
    CleaningState: {"valid": Text("有效", "valid"), "voided": Text("已作废", "voided")},
    CleaningStanding: {
        "in-order": Text("按期", "in order"),
        "overdue": Text("超期", "overdue"),
        "long-overdue": Text("严重超期", "long overdue"),
        "unknown": Text("无记录，情况不明", "nothing on record, unknown"),
    },
    PledgeState: {"given": Text("有效", "valid"), "withdrawn": Text("已撤回", "withdrawn")},
    PledgeStanding: {
        "in-time": Text("已承诺", "given"),
        "late": Text("超时承诺", "given late"),
        "due": Text("未到时限", "not due yet"),
        "missing": Text("未承诺", "missing"),
        "missed": Text("漏报", "missed"),
        "not-owed": Text("未要求", "not asked for"),
    },
    Matter: {str(matter): text for matter, text in MATTERS.items()},
    Check: {str(check): text for check, text in CHECKS.items()},
    Form: {"device": Text("设备离线/仪表", "device"), "process": Text("工艺", "process")},
}
"""By enumeration: value -> what it is called."""

KINDS: Final[Mapping[str, Text]] = {
    "dust": Text("粉尘涉爆", "dust explosion"),
    "steel": Text("钢铁", "steel"),
    "aluminium": Text("铝加工（深井铸造）", "deep-well aluminium casting"),
}
"""Kinds of plant."""

CONNECTIONS: Final[Mapping[str, Text]] = {
    "connected": Text("已接入", "connected"),
    "late": Text("逾期", "late"),
    "due": Text("待接入", "due"),
    "not-mandatory": Text("非强制接入", "not mandatory"),
}
"""How a plant stands with its duty to be connected."""


def label(value: StrEnum) -> Text:
    """What a value is called.

    >>> label(HazardLevel.MAJOR).zh
    '重大事故隐患'
    """
    return value.verb.words if isinstance(value, VerbTable) else LABELS[type(value)][value]
