"""The registers of daily duty as sheets: declared work, dust cleaning, and pledges with the days that lack one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from ingest.domain.cases.cleaning import Cleaning
from ingest.domain.cases.days import DaySpan
from ingest.domain.cases.labels import label
from ingest.domain.cases.pledge import Contradiction, Pledge, PledgeStanding, PledgeState
from ingest.domain.cases.sheet import Column, Keep, Language, Sheet, fill
from ingest.domain.cases.work import SPECIAL, Work, WorkKind
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text

WORKS: Final = "works"
PLEDGES: Final = "pledges"
CLEANINGS: Final = "cleanings"

TITLES: Final[Mapping[str, Text]] = {
    WORKS: Text("作业报备", "Declared work"),
    PLEDGES: Text("安全承诺", "Safety pledges"),
    CLEANINGS: Text("粉尘清扫记录", "Dust cleaning"),
}
"""The registers by name. They grow every day, so they are asked for by spans of days."""

_YES: Final = Text("是", "yes")


@dataclass(frozen=True, slots=True)
class WorkLine:
    """Declared work with the names of its place; `now`: the time at which it stands so."""

    work: Work
    plant: Text
    equipment: Text | None
    now: int


@dataclass(frozen=True, slots=True)
class CleaningLine:
    """A record of cleaning with the names of its place; an area that the plant file no longer has keeps its id."""

    cleaning: Cleaning
    plant: Text
    area: Text


@dataclass(frozen=True, slots=True)
class PledgeLine:
    """A pledge, or a day that lacks one.

    Attributes:
        standing: how the plant stands with the day; of a pledge that was withdrawn: None.
        contradictions: where it and the declared work differ; None: not compared, since it does not hold.
    """

    plant: Text
    day: dt.date
    pledge: Pledge | None
    standing: PledgeStanding | None
    contradictions: tuple[Contradiction, ...] | None

    @property
    def state(self) -> Text:
        """Remarks on it."""
        return label(PledgeState.WITHDRAWN if self.standing is None else self.standing)


def _given(line: PledgeLine, field: str) -> object:
    return getattr(line.pledge, field) if line.pledge is not None else None


def _count(kind: WorkKind) -> Column[PledgeLine]:
    def of(line: PledgeLine) -> int | None:
        return line.pledge.works.get(str(kind), 0) if line.pledge is not None else None

    return Column(str(kind), label(kind), "count", of)


def _differs(line: PledgeLine) -> Text | None:
    if not line.contradictions:
        return None
    found = [each.sentence(label(WorkKind(each.kind))) for each in line.contradictions]
    return Text("；".join(each.zh for each in found), "; ".join(each.en for each in found))


_WORKS: Final[tuple[Column[WorkLine], ...]] = (
    Column("id", Text("编号", "Id"), "text", lambda of: str(of.work.id)),
    Column("plant", Text("企业名称", "Enterprise"), "text", lambda of: of.plant, wide=True),
    Column("kind", Text("作业类别", "Kind"), "text", lambda of: label(of.work.kind)),
    Column("state", Text("状态", "State"), "text", lambda of: label(of.work.standing(of.now))),
    Column(
        "equipment", Text("设备", "Equipment"), "text", lambda of: of.equipment or Text("全厂", "the plant at large")
    ),
    Column("area", Text("地点", "Where"), "text", lambda of: of.work.area, wide=True),
    Column("description", Text("作业内容", "What is done"), "text", lambda of: of.work.description, wide=True),
    Column("begins", Text("报备开始时间", "From, as declared"), "time", lambda of: of.work.begins),
    Column("ends", Text("报备结束时间", "To, as declared"), "time", lambda of: of.work.ends),
    Column("contractor", Text("作业单位", "Done by"), "text", lambda of: of.work.contractor),
    Column("person", Text("作业负责人", "Responsible"), "text", lambda of: of.work.person),
    Column("guardian", Text("监护人", "Guardian"), "text", lambda of: of.work.guardian),
    Column("measures", Text("安全措施", "Measures"), "text", lambda of: of.work.measures, wide=True),
    Column("made", Text("报备时间", "Declared"), "time", lambda of: of.work.made),
    Column("declared_by", Text("报备人", "By"), "text", lambda of: of.work.declared_by),
    Column("late", Text("开始后才报备", "Declared late"), "text", lambda of: _YES if of.work.late else None),
    Column("approved", Text("批准时间", "Approved"), "time", lambda of: of.work.approved),
    Column("approved_by", Text("批准人", "By"), "text", lambda of: of.work.approved_by),
    Column("begun", Text("开工时间", "Begun"), "time", lambda of: of.work.begun),
    Column("begun_by", Text("报开工人", "By"), "text", lambda of: of.work.begun_by),
    Column("finished", Text("完工时间", "Finished"), "time", lambda of: of.work.finished),
    Column("finished_by", Text("报完工人", "By"), "text", lambda of: of.work.finished_by),
    Column("remark", Text("说明", "Remark"), "text", lambda of: of.work.remark, wide=True),
)

_PLEDGES: Final[tuple[Column[PledgeLine], ...]] = (
    Column("id", Text("编号", "Id"), "text", lambda of: str(of.pledge.id) if of.pledge else None),
    Column("plant", Text("企业名称", "Enterprise"), "text", lambda of: of.plant, wide=True),
    Column("day", Text("承诺日期", "Day"), "day", lambda of: of.day),
    Column("state", Text("状态", "State"), "text", lambda of: of.state),
    Column("person", Text("承诺人", "Who pledges"), "text", lambda of: _given(of, "person")),
    Column("given", Text("承诺时间", "Given"), "time", lambda of: _given(of, "given")),
    Column("by", Text("提交人", "By"), "text", lambda of: _given(of, "by")),
    Column("running", Text("运行装置数", "Units that run"), "count", lambda of: _given(of, "running")),
    Column("stopped", Text("停用装置数", "Units that stand"), "count", lambda of: _given(of, "stopped")),
    *map(_count, SPECIAL),
    Column("differs", Text("与报备不符", "Differs from declared work"), "text", _differs, wide=True),
    Column("assessment", Text("风险研判", "Assessment"), "text", lambda of: _given(of, "assessment"), wide=True),
    Column("text", Text("承诺内容", "What is pledged"), "text", lambda of: _given(of, "text"), wide=True),
    Column("withdrawn", Text("撤回时间", "Withdrawn"), "time", lambda of: _given(of, "withdrawn")),
    Column("withdrawn_by", Text("撤回人", "By"), "text", lambda of: _given(of, "withdrawn_by")),
    Column("remark", Text("撤回原因", "Why withdrawn"), "text", lambda of: _given(of, "remark"), wide=True),
)

_CLEANINGS: Final[tuple[Column[CleaningLine], ...]] = (
    Column("id", Text("编号", "Id"), "text", lambda of: str(of.cleaning.id)),
    Column("plant", Text("企业名称", "Enterprise"), "text", lambda of: of.plant, wide=True),
    Column("area", Text("区域", "Area"), "text", lambda of: of.area, wide=True),
    Column("area_id", Text("区域编号", "Area id"), "text", lambda of: of.cleaning.area),
    Column("state", Text("状态", "State"), "text", lambda of: label(of.cleaning.state)),
    Column("done", Text("清扫时间", "Cleaned"), "time", lambda of: of.cleaning.done),
    Column("cleaner", Text("清扫人", "Who cleaned"), "text", lambda of: of.cleaning.cleaner),
    Column("result", Text("清扫情况", "Result"), "text", lambda of: of.cleaning.result, wide=True),
    Column(
        "thickness_um",
        Text("清扫前积尘厚度（微米）", "Deposit before (µm)"),
        "count",
        lambda of: of.cleaning.thickness_um,
    ),
    Column("files", Text("附件数", "Files"), "count", lambda of: len(of.cleaning.evidence)),
    Column("given", Text("登记时间", "Recorded"), "time", lambda of: of.cleaning.given),
    Column("by", Text("登记人", "By"), "text", lambda of: of.cleaning.by),
    Column("voided", Text("作废时间", "Voided"), "time", lambda of: of.cleaning.voided),
    Column("voided_by", Text("作废人", "By"), "text", lambda of: of.cleaning.voided_by),
    Column("remark", Text("作废原因", "Why voided"), "text", lambda of: of.cleaning.remark, wide=True),
)


def work_sheet(
    works: Iterable[Work],
    plants: Mapping[str, Plant],
    span: DaySpan,
    now: int,
    lang: Language = "zh",
    keep: Keep = tuple,
) -> Sheet:
    """Declared work in the order given; `plants`: by id, with their equipment."""
    machines = {(plant.id, machine.id): machine.name for plant in plants.values() for machine in plant.equipment}
    lines = (
        WorkLine(
            work,
            _name(plants, work.plant),
            machines.get((work.plant, work.equipment or ""), _named(work.equipment)),
            now,
        )
        for work in works
    )
    return fill(WORKS, TITLES[WORKS], partial(_subtitle, span), _WORKS, lines, now, lang, keep)


def pledge_sheet(
    lines: Iterable[PledgeLine], span: DaySpan, now: int, lang: Language = "zh", keep: Keep = tuple
) -> Sheet:
    """Pledges and the days that lack one, in the order given."""
    return fill(PLEDGES, TITLES[PLEDGES], partial(_subtitle, span), _PLEDGES, lines, now, lang, keep)


def cleaning_sheet(
    cleanings: Iterable[Cleaning],
    plants: Mapping[str, Plant],
    span: DaySpan,
    now: int,
    lang: Language = "zh",
    keep: Keep = tuple,
) -> Sheet:
    """Records of cleaning in the order given; `plants`: by id, with the areas of their plans."""
    areas = {(plant.id, area.id): area.name for plant in plants.values() for area in plant.cleaning}
    lines = (
        CleaningLine(
            record, _name(plants, record.plant), areas.get((record.plant, record.area), Text(record.area, record.area))
        )
        for record in cleanings
    )
    return fill(CLEANINGS, TITLES[CLEANINGS], partial(_subtitle, span), _CLEANINGS, lines, now, lang, keep)


def _name(plants: Mapping[str, Plant], key: str) -> Text:
    return plants[key].name if key in plants else Text(key, key)


def _named(key: str | None) -> Text | None:
    return None if key is None else Text(key, key)


def _subtitle(span: DaySpan, count: int) -> Text:
    return Text(f"{span.text.zh}　{count} 条", f"{span.text.en}: {count}")
