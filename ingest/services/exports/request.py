"""What is asked of the process that makes lists, and what comes back for a page of the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ingest.domain.cases.sheet import Kind, Language
from ingest.domain.model.plant import Plant
from ingest.domain.model.text import Text

Ending = Literal["json", "csv", "xlsx", "html", "page"]
"""A file's ending; `page`: part of a sheet as people read it, for the console."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A list, or a year's summary.

    Attributes:
        name: of one of the four lists; "summary" with a year.
        plants: the enterprises it is of, without their points.
        scope: whose hazards, leads and inspections; None: of all plants, also of those removed.
        heard: when each plant was last heard, ns; those never heard are left out.
        recent_s: for how long a plant counts as connected once it was heard.
        now: when its figures are true, ns since the epoch.
        phones: whether telephone numbers are told whole.
        lang: in which language its cells are.
        first, most: of a page, the rows before it and how many it may have.
    """

    name: str
    ending: Ending
    plants: tuple[Plant, ...]
    scope: frozenset[str] | None
    heard: Mapping[str, int]
    recent_s: float
    now: int
    year: int | None = None
    phones: bool = True
    lang: Language = "zh"
    first: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a page."""

    key: str
    heading: Text
    kind: Kind
    wide: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a sheet, its cells as people read them. `first` rows are before it, `total` are there altogether."""

    title: Text
    subtitle: Text
    columns: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    made: int
    first: int
    total: int
