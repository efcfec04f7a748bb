"""Early warnings: from what became of alarms, and from time, to steps of plants' warnings."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.model.warning import WarningEvent
from ingest.pipeline.memory import Memory
from ingest.pipeline.turn import Turn
from ingest.telemetry import Event


@dataclass(frozen=True, slots=True)
class WarningStep(Event, labels=("what", "colour")):
    """A step in a warning's life; `what` is "escalated" when somebody did not answer in time."""

    what: str
    colour: str
    plant: str
    ladder_step: str
    asking: str | None
    risk: float


def step_of(event: WarningEvent) -> WarningStep:
    """The event as the log tells it, by the warning's highest colour."""
    one = event.warning
    asking = str(one.asking) if one.asking else None
    return WarningStep(str(event.kind), str(one.peak), one.plant, str(one.step), asking, one.risk)


def raise_warnings(turn: Turn, memory: Memory) -> None:
    """Let every plant's watch know what happened to its alarms, and do what is due."""
    turn.warnings += memory.warnings.advance(turn.events, turn.suppressions, memory, turn.now)
