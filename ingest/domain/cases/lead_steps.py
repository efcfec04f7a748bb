"""The table of verbs of leads: taken and closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ingest.domain.cases.lead import Lead, LeadState
from ingest.domain.cases.verbs import Form, Input, Kind, Verb, VerbTable
from ingest.domain.model.audit import ActKind
from ingest.domain.model.rights import AUTHORITY
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class Take(Form[Lead]):
    """An inspector looks into it."""


@dataclass(frozen=True, slots=True)
class Close(Form[Lead]):
    """What came of it, or why it is called off."""

    remark: Annotated[
        str,
        Input(Kind.WORDS, "核查结果", "What came of it", expected=Text("必填：核查结果", "a text: what came of it")),
    ]


class LeadTable(VerbTable):
    """A table of verbs of leads."""

    @classmethod
    def kind(cls) -> ActKind:
        """Leads."""
        return "lead"


class LeadStep(LeadTable):
    """What can be done with a lead."""

    TAKE = Verb(
        "take", Text("受理核查", "Look into it"), AUTHORITY, {LeadState.OPEN: LeadState.TAKEN},
        Take, "Look into it.", past=Text("受理核查", "taken"), stamp="taken",
    )  # fmt: skip
    CLOSE = Verb(
        "close", Text("办结", "Settle"), AUTHORITY,
        {LeadState.OPEN: LeadState.CLOSED, LeadState.TAKEN: LeadState.CLOSED},
        Close, "Settle it.", past=Text("办结", "closed"), body="Settled", stamp="closed",
    )  # fmt: skip
