"""The table of verbs of records of dust cleaning: a wrong one is voided, and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ingest.domain.cases.cleaning import Cleaning, CleaningState
from ingest.domain.cases.verbs import Form, Input, Kind, Verb, VerbTable
from ingest.domain.model.audit import ActKind
from ingest.domain.model.rights import AUTHORITY, ENTERPRISE
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class Void(Form[Cleaning]):
    """Why the record does not count."""

    remark: Annotated[str, Input(Kind.WORDS, "理由", "Reason")]


class CleaningTable(VerbTable):
    """A table of verbs of records of cleaning."""

    @classmethod
    def kind(cls) -> ActKind:
        """Records of cleaning."""
        return "cleaning"


class CleaningStep(CleaningTable):
    """What can be done with a record of cleaning."""

    VOID = Verb(
        "void", Text("作废", "Void"), AUTHORITY | ENTERPRISE, {CleaningState.VALID: CleaningState.VOIDED},
        Void, "作废: it was wrong and does not count; the one before it counts again.", past=Text("作废", "voided"),
        body="Voided", stamp="voided", secondary=True,
    )  # fmt: skip
