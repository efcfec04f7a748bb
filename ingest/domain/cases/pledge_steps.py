"""The table of verbs of safety pledges: a wrong one is withdrawn, and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ingest.domain.cases.pledge import Pledge, PledgeState
from ingest.domain.cases.verbs import Form, Input, Kind, Verb, VerbTable
from ingest.domain.model.audit import ActKind
from ingest.domain.model.rights import ENTERPRISE
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class Withdraw(Form[Pledge]):
    """Why it does not hold."""

    remark: Annotated[str, Input(Kind.WORDS, "理由", "Reason")]


class PledgeTable(VerbTable):
    """A table of verbs of pledges."""

    @classmethod
    def kind(cls) -> ActKind:
        """Safety pledges."""
        return "pledge"


class PledgeStep(PledgeTable):
    """What can be done with a pledge."""

    WITHDRAW = Verb(
        "withdraw", Text("撤回", "Withdraw"), ENTERPRISE, {PledgeState.GIVEN: PledgeState.WITHDRAWN},
        Withdraw, "撤回: it was wrong; another one may be given on the same day.", past=Text("撤回", "withdrawn"),
        body="Withdrawn", stamp="withdrawn", secondary=True,
    )  # fmt: skip
