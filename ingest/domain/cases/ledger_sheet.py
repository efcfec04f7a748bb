"""The list of instruments (仪表台账): a row for each check, what is due first, first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ingest.domain.cases.labels import label
from ingest.domain.cases.ledger_due import Due, InstrumentStatus
from ingest.domain.cases.sheet import Column, Keep, Language, Sheet, fill
from ingest.domain.model.text import Text

NAME: Final = "instruments"
TITLE: Final = Text("仪表台账", "Instruments")


@dataclass(frozen=True, slots=True)
class _Line:
    of: InstrumentStatus
    due: Due | None  # None: it needs no check
    plant: Text


def _last(line: _Line, field: str) -> object:
    last = line.due.last if line.due else None
    return getattr(last, field) if last is not None else None


def _overdue(line: _Line) -> int | None:
    return line.due.overdue_days or None if line.due else None


_COLUMNS: Final[tuple[Column[_Line], ...]] = (
    Column("plant", Text("企业名称", "Enterprise"), "text", lambda line: line.plant, wide=True),
    Column("instrument", Text("仪表位号", "Instrument"), "text", lambda line: line.of.instrument.id),
    Column("name", Text("仪表名称", "Name"), "text", lambda line: line.of.instrument.name, wide=True),
    Column("serial", Text("出厂编号", "Serial number"), "text", lambda line: line.of.instrument.serial or None),
    Column("maker", Text("生产厂家", "Maker"), "text", lambda line: line.of.instrument.maker or None),
    Column("model", Text("型号", "Model"), "text", lambda line: line.of.instrument.model or None),
    Column("place", Text("安装位置", "Place"), "text", lambda line: line.of.instrument.place or None),
    Column("points", Text("测点", "Points"), "text", lambda line: " ".join(line.of.instrument.points)),
    Column("check", Text("项目", "Check"), "text", lambda line: label(line.due.check) if line.due else None),
    Column("period", Text("周期", "Period"), "text", lambda line: line.due.period.text if line.due else None),
    Column("source", Text("周期依据", "Source"), "text", lambda line: line.due.period.source if line.due else None),
    Column("state", Text("状态", "State"), "text", lambda line: label(line.due.state) if line.due else None),
    Column("last", Text("上次日期", "Last"), "day", lambda line: _last(line, "day")),
    Column("number", Text("证书编号", "Certificate"), "text", lambda line: _last(line, "number")),
    Column("person", Text("检定机构或人员", "By whom"), "text", lambda line: _last(line, "person")),
    Column("deadline", Text("有效至", "Due"), "day", lambda line: line.due.deadline if line.due else None),
    Column("overdue_days", Text("逾期天数", "Days overdue"), "count", _overdue),
)


def instrument_sheet(
    statuses: Iterable[InstrumentStatus],
    names: Mapping[str, Text],
    now: int,
    lang: Language = "zh",
    keep: Keep = tuple,
) -> Sheet:
    """Return the list of these instruments; `names`: of their plants, by id."""
    found = sorted(statuses, key=lambda status: (status.deadline, status.instrument.plant, status.instrument.id))
    lines = (
        _Line(
            status,
            due,
            names.get(status.instrument.plant, Text(status.instrument.plant, status.instrument.plant)),
        )
        for status in found
        for due in status.dues or (None,)
    )
    subtitle = Text(f"仪表 {len(found)} 台", f"{len(found)} instruments")
    return fill(NAME, TITLE, subtitle, _COLUMNS, lines, now, lang, keep)
