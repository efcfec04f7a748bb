"""The criteria by which a hazard is major (重大事故隐患判定标准), as clauses of a versioned file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from ingest.base.config import Config
from ingest.domain.model.plant import PlantKind
from ingest.domain.model.text import Text

FILE: Final = Path(__file__).with_name("criteria.toml")


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: what it says, for which plants, what of the catalogue points to it, how far to trust its words."""

    id: str
    edition: str
    article: str
    text: Text
    kinds: frozenset[str]
    signals: frozenset[str]
    rules: frozenset[str]
    source: str
    confidence: Literal["found", "recalled"]


class _Clause(Config):
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    article: str
    zh: str
    en: str
    kinds: tuple[PlantKind, ...]
    signals: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    source: str
    confidence: Literal["found", "recalled"]


class _Criteria(Config):
    edition: str
    law: str
    law_en: str
    clauses: tuple[_Clause, ...]


@dataclass(frozen=True, slots=True)
class Criteria:
    """One edition of the criteria."""

    edition: str
    law: Text
    clauses: Mapping[str, Clause]

    def suggested(self, kind: str, signal: str, rule: str) -> list[Clause]:
        """The clauses that an alarm of that signal and rule points to. It proposes; a person grades.

        >>> [clause.id for clause in load_criteria().suggested("steel", "STL_CO", "SILENT")]
        ['art14', 'art4-6']
        """
        code = rule.partition("_")[0]
        of_kind = [clause for clause in self.clauses.values() if kind in clause.kinds]
        device = [clause for clause in of_kind if code in clause.rules]
        return device + [clause for clause in of_kind if signal in clause.signals and clause not in device]


@cache
def load_criteria(file: Path = FILE) -> Criteria:
    """Read the file that comes with the service."""
    read = _Criteria.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    clauses = {
        clause.id: Clause(
            clause.id,
            read.edition,
            clause.article,
            Text(clause.zh, clause.en),
            frozenset(clause.kinds),
            frozenset(clause.signals),
            frozenset(clause.rules),
            clause.source,
            clause.confidence,
        )
        for clause in read.clauses
    }
    return Criteria(read.edition, Text(read.law, read.law_en), clauses)
