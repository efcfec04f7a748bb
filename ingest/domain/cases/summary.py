"""The yearly summary (年度总结), due by 1 December: one line a plant, then each kind of plant, then all.

Every figure is counted from records, so anybody with the records can count it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Final

from ingest.domain.cases.days import day_of, year_of
from ingest.domain.cases.duties import Duty
from ingest.domain.cases.hazard import Hazard, HazardLevel, HazardState
from ingest.domain.cases.inspection import Inspection, InspectionState
from ingest.domain.cases.labels import KINDS
from ingest.domain.cases.lead import Lead, LeadSource
from ingest.domain.cases.sheet import Column, Language, Sheet, fill
from ingest.domain.model.payload import PLANT_TIME
from ingest.domain.model.text import Text

DUE: Final = (12, 1)
"""Month and day by which a year's summary is to be there (the national work plan)."""

_NO_KIND: Final = Text("", "")


@dataclass(frozen=True, slots=True)
class AlarmFigures:
    """Alarms and warnings of one plant in the year: how many, and how many of those were handled."""

    alarms_1: int = 0
    alarms_2: int = 0
    alarms_handled: int = 0
    false_alarms: int = 0
    warnings_blue: int = 0
    warnings_yellow: int = 0
    warnings_orange: int = 0
    warnings_red: int = 0
    warnings_handled: int = 0


@dataclass(frozen=True, slots=True)
class Records:
    """What a summary is counted from; of every plant in scope, whatever the year."""

    plants: Sequence[tuple[str, Text, str]]  # id, name, kind
    hazards: Sequence[Hazard] = ()
    leads: Sequence[Lead] = ()
    inspections: Sequence[Inspection] = ()
    duties: Sequence[Duty] = ()
    alarm_figures: Mapping[str, AlarmFigures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figures(AlarmFigures):
    """The figures of a plant or of several."""

    hazards_found: int = 0
    major_found: int = 0
    hazards_closed: int = 0
    major_closed: int = 0
    closed_in_time: int = 0
    hazards_open: int = 0
    major_open: int = 0
    overdue: int = 0
    supervised: int = 0
    inspections: int = 0
    findings: int = 0
    leads: int = 0
    leads_overdue: int = 0
    leads_closed: int = 0
    self_inspections_due: int = 0
    self_inspections_done: int = 0
    self_inspections_late: int = 0

    def __add__(self, other: Figures) -> Figures:
        """Both together."""
        return Figures(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Figures)))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the summary."""

    name: Text
    kind: Text
    figures: Figures


def share(part: int, whole: int) -> float | None:
    """The part of the whole; None of nothing."""
    return part / whole if whole else None


def _count(key: str, zh: str, en: str) -> Column[Line]:
    return Column(key, Text(zh, en), "count", lambda of: getattr(of.figures, key))


COLUMNS: Final[tuple[Column[Line], ...]] = (
    Column("name", Text("企业", "Plant"), "text", lambda of: of.name, wide=True),
    Column("kind", Text("类别", "Kind"), "text", lambda of: of.kind),
    _count("alarms_1", "一级报警", "Alarms, level 1"),
    _count("alarms_2", "二级报警", "Alarms, level 2"),
    _count("alarms_handled", "已处置报警", "Alarms handled"),
    _count("false_alarms", "误报", "False alarms"),
    _count("warnings_blue", "蓝色预警", "Blue warnings"),
    _count("warnings_yellow", "黄色预警", "Yellow warnings"),
    _count("warnings_orange", "橙色预警", "Orange warnings"),
    _count("warnings_red", "红色预警", "Red warnings"),
    _count("warnings_handled", "已处置预警", "Warnings handled"),
    _count("hazards_found", "发现隐患", "Hazards found"),
    _count("major_found", "其中重大", "of them major"),
    _count("hazards_closed", "销号隐患", "Hazards closed"),
    _count("major_closed", "其中重大", "of them major"),
    _count("closed_in_time", "按期整改", "Rectified in time"),
    Column(
        "in_time_share",
        Text("按期整改率", "Share in time"),
        "share",
        lambda of: share(of.figures.closed_in_time, of.figures.hazards_closed),
    ),
    _count("hazards_open", "未销号隐患", "Hazards open"),
    _count("major_open", "其中重大", "of them major"),
    _count("overdue", "逾期未整改", "Overdue"),
    _count("supervised", "挂牌督办", "Listed for supervision"),
    _count("inspections", "执法检查", "Inspections"),
    _count("findings", "检查发现问题", "Findings"),
    _count("leads", "执法线索", "Leads"),
    _count("leads_overdue", "其中逾期隐患", "of them overdue hazards"),
    _count("leads_closed", "办结线索", "Leads closed"),
    _count("self_inspections_due", "应自查", "Self-inspections due"),
    _count("self_inspections_done", "已自查", "done"),
    _count("self_inspections_late", "其中超期", "of them late"),
)


def summarise(records: Records, year: int, now: int, lang: Language = "zh") -> Sheet:
    """The summary of a year as it is known at `now`: to its end if that is past."""
    first, end = year_of(year)
    until = min(end, now + 1)
    lines = [Line(name, _kind(kind), _figures(records, key, first, until)) for key, name, kind in records.plants]
    kinds = sorted({line.kind for line in lines}, key=lambda kind: kind.zh)
    groups = [
        Line(
            Text(f"{kind.zh}小计", f"subtotal {kind.en}".rstrip()),
            kind,
            _sum(line.figures for line in lines if line.kind == kind),
        )
        for kind in kinds
    ]
    whole = Line(Text("合计", "total"), _NO_KIND, _sum(line.figures for line in lines))
    last = day_of(until - 1)
    due = dt.date(year, *DUE)
    title = Text(f"{year} 年度安全风险监测预警与隐患治理总结", f"{year}: monitoring, warning and hazards")
    subtitle = Text(
        f"{year}-01-01 至 {last.isoformat()}　报送期限 {due.isoformat()}",
        f"{year}-01-01 to {last.isoformat()}, due by {due.isoformat()}",
    )
    return fill(f"summary-{year}", title, subtitle, COLUMNS, [*lines, *groups, whole], now, lang)


def _figures(records: Records, plant: str, first: int, until: int) -> Figures:
    def within(time: int | None) -> bool:
        return time is not None and first <= time < until

    hazards = [hazard for hazard in records.hazards if hazard.plant == plant and hazard.found < until]
    found = [hazard for hazard in hazards if hazard.found >= first]
    closed = [hazard for hazard in hazards if hazard.state is HazardState.CLOSED and within(hazard.closed)]
    still = [hazard for hazard in hazards if hazard.closed is None or hazard.closed >= until]
    leads = [lead for lead in records.leads if lead.plant == plant]
    opened = [lead for lead in leads if within(lead.opened)]
    done = [
        inspection
        for inspection in records.inspections
        if inspection.plant == plant and inspection.state is InspectionState.CONCLUDED and within(inspection.concluded)
    ]
    days = (day_of(first), day_of(until - 1))
    duties = [duty for duty in records.duties if duty.plant == plant and days[0] <= duty.period.due]
    due = [duty for duty in duties if duty.period.due <= days[1] or duty.done is not None]
    of_alarms = records.alarm_figures.get(plant, AlarmFigures())
    return Figures(
        **{field.name: getattr(of_alarms, field.name) for field in fields(AlarmFigures)},
        hazards_found=len(found),
        major_found=_major(found),
        hazards_closed=len(closed),
        major_closed=_major(closed),
        closed_in_time=sum(hazard.in_time is True for hazard in closed),
        hazards_open=len(still),
        major_open=_major(still),
        overdue=sum(hazard.overdue(until - 1) for hazard in still),
        supervised=sum(
            hazard.supervised_since is not None and days[0] <= hazard.supervised_since <= days[1] for hazard in hazards
        ),
        inspections=len(done),
        findings=sum(len(inspection.findings) for inspection in done),
        leads=len(opened),
        leads_overdue=sum(lead.source is LeadSource.OVERDUE_HAZARD for lead in opened),
        leads_closed=sum(within(lead.closed) for lead in leads),
        self_inspections_due=len(due),
        self_inspections_done=sum(duty.done is not None for duty in due),
        self_inspections_late=sum(duty.late for duty in due),
    )


def _major(hazards: Iterable[Hazard]) -> int:
    return sum(hazard.level is HazardLevel.MAJOR for hazard in hazards)


def _sum(figures: Iterable[Figures]) -> Figures:
    whole = Figures()
    for figure in figures:
        whole += figure
    return whole


def _kind(kind: str) -> Text:
    return KINDS.get(kind, _NO_KIND)


def year_at(now: int) -> int:
    """The year it is at the plants.

    >>> year_at(1_767_196_800 * 10**9 - 8 * 3600 * 10**9)  # 2026 begins there
    2025
    """
    return dt.datetime.fromtimestamp(now // 10**9, PLANT_TIME).year
