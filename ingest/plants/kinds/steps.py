"""Kinds that judge the order of an equipment's phases."""

from __future__ import annotations

from pydantic import Field

from ingest.domain.model.text import Text
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.localized import seconds
from ingest.plants.kinds.rule import Measure, RuleSpec, Score


class SequenceSpec(RuleSpec):
    """The phase `enters` of its equipment is entered from one that is not in `after`.

    Going back from a later phase is not judged: a signal near a limit does so. Neither is an entry where the phase was
    seen last more than `within_s` before.
    """

    params = ("enters", "after", "within_s")

    enters: str
    after: list[str] = Field(min_length=1)
    within_s: float = bounded("sequence", "within_s")

    def steps(self) -> tuple[str, ...]:
        """Return the phase that is entered, and those that lead to it."""
        return self.enters, *self.after

    def score(self, of: Measure) -> Score:
        """Score = 1 from such an entry until the phase is left."""
        codes = [phase.code for phase in of.phases]
        enters = codes.index(self.enters)
        leads = {*map(codes.index, self.after), *range(enters + 1, len(codes))}
        after = float(sum(1 << step for step in leads))
        return Score(1.0, 0.0, 1.0, "", {"enters": float(enters), "after": after, "within_s": self.within_s})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        names, within = {phase.code: phase.text for phase in of.phases}, seconds(self.within_s)
        entered = names[self.enters]
        zh, en = "、".join(names[code].zh for code in self.after), ", ".join(names[code].en for code in self.after)
        return Text(
            f"进入“{entered.zh}”阶段，而此前 {within.zh}内所处的阶段不是“{zh}”",
            f"phase {entered.en} was entered, and the one seen up to {within.en} before was not {en}",
        )
