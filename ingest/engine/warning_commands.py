"""Commands of people on warnings, executed in the engine's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from ingest.domain.model.changed import Changed
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, EarlyWarning, WarningEvent
from ingest.domain.warnings.episodes import WarningEpisodes
from ingest.domain.warnings.policy import Actor
from ingest.engine.commands import Person
from ingest.engine.cycle import Cycle
from ingest.engine.engine_state import EngineState


@dataclass(frozen=True, slots=True)
class AcknowledgeWarning:
    """Acknowledge a warning; an enterprise's own people may only before it was escalated.

    `seen`: the highest colour that the person saw; None: the present one.
    """

    warning: UUID
    who: Person
    comment: str | None = None
    seen: Colour | None = None

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> EarlyWarning:
        """See `ingest.engine.commands.Command`."""
        actor = Actor(self.who.name, self.who.role, now)
        return _apply(
            cycle,
            engine_state,
            self.warning,
            now,
            lambda w: w.acknowledge(self.warning, actor, self.comment),
            self.seen,
        )


@dataclass(frozen=True, slots=True)
class FeedBack:
    """Give feedback on a warning: its cause and the measure taken; once its colour has ended too, it is closed.

    `seen`: the highest colour that the person saw; None: the present one.
    """

    warning: UUID
    who: Person
    cause: str
    measure: str
    seen: Colour | None = None

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> EarlyWarning:
        """See `ingest.engine.commands.Command`."""
        actor = Actor(self.who.name, self.who.role, now)
        return _apply(
            cycle, engine_state, self.warning, now,
            lambda episodes: episodes.give_feedback(self.warning, actor, self.cause, self.measure), self.seen,
        )  # fmt: skip


def _apply(
    cycle: Cycle,
    engine_state: EngineState,
    warning: UUID,
    now: int,
    what: Callable[[WarningEpisodes], list[WarningEvent]],
    seen: Colour | None,
) -> EarlyWarning:
    """Execute a command on a warning, after what was due before it; that is kept also if the command is refused."""
    episodes = engine_state.warnings.find(warning)
    cycle.warnings += episodes.pass_time(now)
    require_colour(episodes.live[warning], seen)
    events = what(episodes)
    cycle.warnings += events
    engine_state.warnings.update_due(episodes)
    return events[-1].warning


def require_colour(warning: EarlyWarning, seen: Colour | None) -> None:
    """Refuse a command of somebody who saw a lower colour than its highest. Raises Changed."""
    if seen is None or seen is warning.peak:
        return
    localized = Text(
        f"您看到的最高颜色是{seen.text.zh}，现在是{warning.peak.text.zh}。请先查看现在的情况，再作决定。",
        f"The highest colour you saw is {seen.text.en}; it is {warning.peak.text.en} now."
        " Look at it as it stands, then decide.",
    )
    now = {"peak": str(warning.peak), "colour": str(warning.colour) if warning.colour else None}
    raise Changed(localized, {"warning": str(warning.id), **now, "step": str(warning.step)})
