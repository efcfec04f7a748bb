"""Derives events of early warnings from alarm events and from time."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.base.telemetry import Event
from ingest.domain.model.warning import WarningEvent
from ingest.engine.cycle import Cycle
from ingest.engine.engine_state import EngineState


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
    """The event as it is logged, by the warning's highest colour."""
    warning = event.warning
    asking = str(warning.asking) if warning.asking else None
    return WarningStep(str(event.kind), str(warning.peak), warning.plant, str(warning.step), asking, warning.risk)


def raise_warnings(cycle: Cycle, engine_state: EngineState) -> None:
    """Pass alarm events to their plants' warning episodes, and do what is due."""
    cycle.warnings += engine_state.warnings.advance(cycle.events, cycle.suppressions, engine_state, cycle.now)
