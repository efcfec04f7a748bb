"""The four lists (四个清单) and the registers beside them by name; each column is defined once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from ingest.domain.cases import daily_sheets, ledger_sheet
from ingest.domain.cases.bypass import Bypass
from ingest.domain.cases.bypass_list import BYPASSES, BypassLine
from ingest.domain.cases.criteria import Criteria
from ingest.domain.cases.days import day_of
from ingest.domain.cases.hazard import Hazard
from ingest.domain.cases.labels import CONNECTIONS, KINDS, label
from ingest.domain.cases.listed import Enterprise, HazardLine, Responsibility, responsibilities
from ingest.domain.cases.sheet import Column, Keep, Language, Sheet, fill
from ingest.domain.model.text import Text

ListName = Literal[
    "enterprises",
    "hazards",
    "rectification",
    "responsibility",
    "instruments",
    "bypasses",
    "works",
    "pledges",
    "cleanings",
]


def _kind(of: Enterprise) -> Text | str:
    return KINDS.get(of.plant.kind, of.plant.kind)


def _late_days(of: HazardLine) -> int | None:
    return (day_of(of.now) - of.hazard.deadline).days if of.hazard.overdue(of.now) and of.hazard.deadline else None


def _in_time(of: HazardLine) -> Text | None:
    if of.hazard.overdue(of.now):
        return Text("逾期", "overdue")
    return {True: Text("按期", "in time"), False: Text("超期", "late"), None: None}[of.hazard.in_time]


ENTERPRISES: Final[tuple[Column[Enterprise], ...]] = (
    Column("name", Text("企业名称", "Enterprise"), "text", lambda of: of.plant.name, wide=True),
    Column("uscc", Text("统一社会信用代码", "USCC"), "text", lambda of: of.plant.uscc),
    Column("region", Text("行政区划代码", "Region"), "text", lambda of: of.plant.region),
    Column("kind", Text("类别", "Kind"), "text", _kind),
    Column("workers", Text("从业人数", "Workers"), "count", lambda of: of.plant.workers),
    Column("dust_workers", Text("涉粉作业人数", "Dust workers"), "count", lambda of: of.plant.dust_workers),
    Column("risk_class", Text("风险等级", "Risk class"), "text", lambda of: _called(of.record.risk_class)),
    Column("graded_on", Text("定级日期", "Graded on"), "day", lambda of: of.record.graded_on),
    Column("graded_by", Text("定级人", "Graded by"), "text", lambda of: of.record.graded_by),
    Column("grade_reason", Text("定级依据", "Why"), "text", lambda of: of.record.grade_reason, wide=True),
    Column("principal", Text("主要负责人", "Principal"), "text", lambda of: of.record.principal),
    Column("principal_phone", Text("主要负责人电话", "Phone"), "text", lambda of: of.record.principal_phone),
    Column("safety_head", Text("安全负责人", "Safety head"), "text", lambda of: of.record.safety_head),
    Column("safety_phone", Text("安全负责人电话", "Phone"), "text", lambda of: of.record.safety_phone),
    Column("address", Text("地址", "Address"), "text", lambda of: of.record.address, wide=True),
    Column("standardisation", Text("标准化等级", "Standardisation"), "text", lambda of: of.record.standardisation),
    Column("insurance", Text("安责险", "Insurance"), "text", lambda of: of.record.insurance),
    Column("connect_by", Text("接入期限", "Connect by"), "day", lambda of: of.plant.connect_by),
    Column("tier", Text("接入依据", "Clause"), "text", lambda of: of.plant.tier, wide=True),
    Column("connection", Text("接入状态", "Connection"), "text", lambda of: CONNECTIONS[of.connection.state]),
    Column("days", Text("逾期或剩余天数", "Days late or left"), "count", lambda of: of.connection.days),
    Column("connected_on", Text("接入日期", "Connected on"), "day", lambda of: of.record.connected_on),
    Column("heard", Text("最近数据时间", "Last heard"), "time", lambda of: of.connection.last_received),
)

_WHOSE: Final[tuple[Column[HazardLine], ...]] = (
    Column("id", Text("编号", "Id"), "text", lambda of: str(of.hazard.id)),
    Column("plant", Text("企业名称", "Enterprise"), "text", lambda of: of.plant, wide=True),
    Column("title", Text("隐患名称", "Hazard"), "text", lambda of: of.hazard.title, wide=True),
    Column("level", Text("隐患等级", "Level"), "text", lambda of: _called(of.hazard.level)),
    Column("state", Text("状态", "State"), "text", lambda of: label(of.hazard.state)),
)

HAZARDS: Final[tuple[Column[HazardLine], ...]] = (
    *_WHOSE,
    Column("description", Text("隐患描述", "Description"), "text", lambda of: of.hazard.description, wide=True),
    Column("place", Text("部位", "Place"), "text", lambda of: of.hazard.place),
    Column("source", Text("来源", "Source"), "text", lambda of: label(of.hazard.source)),
    Column("clause", Text("判定条款", "Clause"), "text", lambda of: of.clause),
    Column("found", Text("发现时间", "Found"), "time", lambda of: of.hazard.found),
    Column("found_by", Text("发现人", "Found by"), "text", lambda of: of.hazard.found_by),
    Column("graded_by", Text("定级人", "Graded by"), "text", lambda of: of.hazard.graded_by),
    Column("reported", Text("上报时间", "Reported"), "time", lambda of: of.hazard.reported),
    Column("reported_to", Text("上报单位", "Reported to"), "text", lambda of: of.hazard.reported_to),
    Column("supervision", Text("挂牌督办编号", "Supervision"), "text", lambda of: of.hazard.supervision),
    Column("supervised_by", Text("督办单位", "Supervised by"), "text", lambda of: of.hazard.supervised_by),
    Column("supervised_since", Text("挂牌日期", "Listed"), "day", lambda of: of.hazard.supervised_since),
    Column("lifted", Text("摘牌时间", "Lifted"), "time", lambda of: of.hazard.lifted),
    Column("closed", Text("销号时间", "Closed"), "time", lambda of: of.hazard.closed),
    Column("closed_by", Text("销号人", "Closed by"), "text", lambda of: of.hazard.closed_by),
)

RECTIFICATION: Final[tuple[Column[HazardLine], ...]] = (
    *_WHOSE,
    Column("responsible", Text("整改责任人", "Responsible"), "text", lambda of: of.hazard.responsible),
    Column("measure", Text("整改措施", "Measure"), "text", lambda of: of.hazard.measure, wide=True),
    Column("budget", Text("整改资金（元）", "Budget (yuan)"), "money", lambda of: _yuan(of.hazard.budget_fen)),
    Column("deadline", Text("整改时限", "Deadline"), "day", lambda of: of.hazard.deadline),
    Column("contingency", Text("应急预案", "Contingency"), "text", lambda of: of.hazard.contingency, wide=True),
    Column("submitted", Text("报验时间", "Submitted"), "time", lambda of: of.hazard.submitted),
    Column("submitted_by", Text("报验人", "Submitted by"), "text", lambda of: of.hazard.submitted_by),
    Column("done", Text("整改情况", "Done"), "text", lambda of: of.hazard.done, wide=True),
    Column("sent_back", Text("退回次数", "Sent back"), "count", lambda of: of.hazard.sent_back),
    Column("in_time", Text("是否按期", "In time"), "text", _in_time),
    Column("late_days", Text("逾期天数", "Days overdue"), "count", _late_days),
    Column("closed", Text("销号时间", "Closed"), "time", lambda of: of.hazard.closed),
    Column("closed_by", Text("复查人", "Reviewed by"), "text", lambda of: of.hazard.closed_by),
)

RESPONSIBILITY: Final[tuple[Column[Responsibility], ...]] = (
    Column("plant", Text("企业名称", "Enterprise"), "text", lambda of: of.plant, wide=True),
    Column("duty", Text("责任事项", "Duty"), "text", lambda of: of.duty),
    Column("subject", Text("内容", "Subject"), "text", lambda of: of.subject, wide=True),
    Column("person", Text("责任人（单位）", "Who"), "text", lambda of: of.person),
    Column("phone", Text("电话", "Phone"), "text", lambda of: of.phone),
    Column("deadline", Text("期限", "By"), "day", lambda of: of.deadline),
    Column("standing", Text("情况", "Standing"), "text", lambda of: of.status),
)

TITLES: Final[Mapping[str, Text]] = {
    "enterprises": Text("企业清单", "Enterprises"),
    "hazards": Text("隐患清单", "Hazards"),
    "rectification": Text("整改清单", "Rectification"),
    "responsibility": Text("责任清单", "Responsibility"),
    ledger_sheet.NAME: ledger_sheet.TITLE,
    "bypasses": Text("联锁旁路登记", "Bypassed interlocks"),
    **daily_sheets.TITLES,
}
"""The four lists, and those of instruments, bypasses and daily duties, by name."""


def make(
    name: str,
    enterprises: Iterable[Enterprise],
    hazards: Iterable[Hazard],
    criteria: Criteria,
    now: int,
    lang: Language = "zh",
    keep: Keep = tuple,
) -> Sheet:
    """One of the four lists, from the records. `hazards` are those of the enterprises, oldest first."""
    enterprises = list(enterprises)
    names = {enterprise.plant.id: enterprise.plant.name for enterprise in enterprises}
    lines = (
        HazardLine(hazard, names.get(hazard.plant, Text(hazard.plant, hazard.plant)), _article(hazard, criteria), now)
        for hazard in hazards
    )
    subtitle = Text(f"企业 {len(enterprises)} 家", f"{len(enterprises)} enterprises")
    title = TITLES[name]
    if name == "enterprises":
        return fill(name, title, subtitle, ENTERPRISES, enterprises, now, lang, keep)
    if name == "hazards":
        return fill(name, title, subtitle, HAZARDS, lines, now, lang, keep)
    if name == "rectification":
        planned = (line for line in lines if line.hazard.planned)
        return fill(name, title, subtitle, RECTIFICATION, planned, now, lang, keep)
    return fill(name, title, subtitle, RESPONSIBILITY, responsibilities(enterprises, lines, now), now, lang, keep)


def bypass_sheet(
    enterprises: Iterable[Enterprise],
    bypasses: Iterable[Bypass],
    now: int,
    lang: Language = "zh",
    keep: Keep = tuple,
) -> Sheet:
    """The register of bypassed interlocks, in the order given."""
    names = {enterprise.plant.id: enterprise.plant.name for enterprise in enterprises}
    lines = (BypassLine(bypass, names.get(bypass.plant, Text(bypass.plant, bypass.plant))) for bypass in bypasses)

    def subtitle(count: int) -> Text:
        return Text(f"登记 {count} 条", f"{count} registered")

    return fill("bypasses", TITLES["bypasses"], subtitle, BYPASSES, lines, now, lang, keep)


def _article(hazard: Hazard, criteria: Criteria) -> str:
    if hazard.clause is None:
        return ""
    clause = criteria.clauses.get(hazard.clause)
    return clause.article if clause else hazard.clause


def _called(value: Any) -> Text | None:
    return None if value is None else label(value)


def _yuan(fen: int | None) -> float | None:
    return None if fen is None else fen / 100
