"""Request to the export process, and its answer for a page of the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.days import DaySpan
from ingest.domain.cases.ledger_due import Stopped
from ingest.domain.cases.sheet import Kind, Language
from ingest.domain.model.instrument import Instrument
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text

Ending = Literal["json", "csv", "xlsx", "html", "page"]
"""A file's ending; `page`: part of a sheet as people read it, for the console."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Request for a list, or for a year's summary.

    Attributes:
        name: of a list (`lists.TITLES`); "summary" with a year.
        plants: the enterprises it covers, without their points.
        scope: plants whose hazards, leads and inspections it covers; None: all plants, also removed ones.
        last_received: when each plant last sent something, ns; plants that never did are left out.
        recent_s: for how long after that a plant counts as connected.
        now: the time its figures are of, ns since the epoch.
        instruments, stopped: those of the enterprises, and points out of service; of the list of instruments alone.
        cases: grace and notice of their checks.
        span: the days that a register of daily duty covers; of such a register alone.
        phones: whether telephone numbers are given in full.
        lang: the language of its cells.
        first, most: of a page, the number of rows before it and its most rows.
    """

    name: str
    ending: Ending
    plants: tuple[Plant, ...]
    scope: frozenset[str] | None
    last_received: Mapping[str, int]
    recent_s: float
    now: int
    year: int | None = None
    instruments: tuple[Instrument, ...] = ()
    stopped: Stopped = field(default_factory=dict)
    cases: CasesConfig = field(default_factory=CasesConfig)
    span: DaySpan = field(default_factory=DaySpan)
    phones: bool = True
    lang: Language = "zh"
    first: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """Heading of a page's column."""

    key: str
    heading: Text
    kind: Kind
    wide: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a sheet with their cells as text: `first` is the number of rows before them, `total` of all."""

    title: Text
    subtitle: Text
    columns: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    made: int
    first: int
    total: int
