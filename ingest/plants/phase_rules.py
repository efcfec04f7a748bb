"""The rules that a model of phases brings along: how long a phase may last, and which phases lead to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ingest.domain.model.text import Text
from ingest.plants.kinds import LimitSpec, Measure, RuleSpec, Score
from ingest.plants.kinds.steps import SequenceSpec
from ingest.plants.phases import After, AtMost, PhaseModel, PhaseTable


class DwellSpec(LimitSpec):
    """A limit rule that trips once its phase has lasted too long, whatever the value is; its limit is that time."""

    def score(self, of: Measure) -> Score:
        """Score = the value, which is at least `on` always."""
        found = super().score(of)
        return Score(found.on, found.off, self.on_delay_s, "s", found.param)

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        return Text("该阶段一直未结束", "the phase has not ended")


def phase_rules(model: PhaseModel | None) -> Mapping[str, RuleSpec]:
    """Return the rules that judge the phases of a model, by code; points of its signal have them."""
    return dict(_rules(model, model.signal)) if model is not None and model.signal is not None else {}


def _rules(model: PhaseModel, signal: str) -> Iterator[tuple[str, RuleSpec]]:
    names = {phase.code: phase.text for phase in model.phases}
    for phase in model.phases:
        if phase.at_most is not None:
            yield f"{phase.code.upper()}_LONG", _dwell(phase, phase.at_most, signal)
        if phase.after is not None:
            yield (
                f"{phase.code.upper()}_ORDER",
                _order(phase, phase.after, [names[code] for code in phase.after.phases]),
            )


def _dwell(phase: PhaseTable, most: AtMost, signal: str) -> DwellSpec:
    return DwellSpec(
        kind="limit",
        side="high",
        of=f"abs({signal})",  # whatever it is: the phase alone decides
        on=0,
        on_delay_s=most.seconds,
        level=most.level,
        phases=[phase.code],
        label=f"{phase.name}阶段过长",
        label_en=f"{phase.name_en} takes too long",
        source=most.source,
        confidence=most.confidence,
    )


def _order(phase: PhaseTable, after: After, before: list[Text]) -> SequenceSpec:
    zh, en = "或".join(name.zh for name in before), " or ".join(name.en for name in before)
    return SequenceSpec(
        kind="sequence",
        enters=phase.code,
        after=after.phases,
        within_s=after.within_s,
        on_delay_s=after.on_delay_s,
        level=after.level,
        label=f"未经{zh}即进入{phase.name}",
        label_en=f"{phase.name_en} without {en}",
        source=after.source,
        confidence=after.confidence,
    )
