"""The yearly summary (年度总结), due by 1 December: one line a plant, then each kind of plant, then all.

Every figure is counted from records, so anybody with the records can count it again.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
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
    """What a summary is counted from; of every plant in scope, whatever the year. Gone through once."""

    plants: Sequence[tuple[str, Text, str]]  # id, name, kind
    hazards: Iterable[Hazard] = ()
    leads: Iterable[Lead] = ()
    inspections: Iterable[Inspection] = ()
    duties: Iterable[Duty] = ()
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
    """The summary of a year as it is known at `now`: to its end if that is past.

    Plants that are configured no more and have records come last, by their ids.
    """
    first, end = year_of(year)
    until = min(end, now + 1)
    counted, duties = _counted(records, first, until), _duties(records.duties, first, until)
    removed = sorted(counted.keys() - {key for key, _, _ in records.plants})
    plants = [*records.plants, *((key, Text(f"{key}（已移除）", f"{key} (removed)"), "") for key in removed)]
    lines = [
        Line(
            name,
            _kind(kind),
            Figures(
                **asdict(records.alarm_figures.get(key, AlarmFigures())),
                **counted.get(key, Counter()),
                **duties.get(key, Counter()),
            ),
        )
        for key, name, kind in plants
    ]
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


def _counted(records: Records, first: int, until: int) -> Mapping[str, Counter[str]]:
    """The figures of every plant that has records, each record looked at once and let go."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for hazard in records.hazards:
        found[hazard.plant].update(_of_hazard(hazard, first, until))
    for lead in records.leads:
        found[lead.plant].update(_of_lead(lead, first, until))
    for inspection in records.inspections:
        counts = found[inspection.plant]
        ended = inspection.concluded
        if inspection.state is InspectionState.CONCLUDED and ended is not None and first <= ended < until:
            counts["inspections"] += 1
            counts["findings"] += len(inspection.findings)
    return found


def _of_hazard(hazard: Hazard, first: int, until: int) -> Iterator[str]:
    """Yield the figures that a hazard counts in."""
    if hazard.found >= until:
        return
    major = hazard.level is HazardLevel.MAJOR
    if hazard.found >= first:
        yield from ("hazards_found", "major_found") if major else ("hazards_found",)
    if hazard.closed is None or hazard.closed >= until:
        yield from ("hazards_open", "major_open") if major else ("hazards_open",)
        if hazard.overdue(until - 1):
            yield "overdue"
    elif hazard.closed >= first and hazard.state is HazardState.CLOSED:
        yield from ("hazards_closed", "major_closed") if major else ("hazards_closed",)
        if hazard.in_time is True:
            yield "closed_in_time"
    since = hazard.supervised_since
    if since is not None and day_of(first) <= since <= day_of(until - 1):
        yield "supervised"


def _of_lead(lead: Lead, first: int, until: int) -> Iterator[str]:
    """Yield the figures that a lead counts in."""
    if first <= lead.opened < until:
        yield "leads"
        if lead.source is LeadSource.OVERDUE_HAZARD:
            yield "leads_overdue"
    if lead.closed is not None and first <= lead.closed < until:
        yield "leads_closed"


def _duties(duties: Iterable[Duty], first: int, until: int) -> Mapping[str, Counter[str]]:
    """The figures of self-inspection by plant."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for duty in duties:
        counts, due = found[duty.plant], duty.period.due
        if due < day_of(first) or (due > day_of(until - 1) and duty.done is None):
            continue
        counts["self_inspections_due"] += 1
        counts["self_inspections_done"] += duty.done is not None
        counts["self_inspections_late"] += duty.late
    return found


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
