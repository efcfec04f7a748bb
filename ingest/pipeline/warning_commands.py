"""What people ask about warnings: acknowledged and answered in the one thread that writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from ingest.model.warning import EarlyWarning, WarningEvent
from ingest.pipeline.commands import Person
from ingest.pipeline.memory import Memory
from ingest.pipeline.turn import Turn
from ingest.warnings.watch import Hand, Watch


@dataclass(frozen=True, slots=True)
class AcknowledgeWarning:
    """Somebody has seen a warning; an enterprise's own people only before it has gone up."""

    warning: UUID
    who: Person
    comment: str | None = None

    def __call__(self, turn: Turn, memory: Memory, now: int) -> EarlyWarning:
        """See `ingest.pipeline.commands.Command`."""
        hand = Hand(self.who.name, self.who.role, now)
        return _do(turn, memory, self.warning, now, lambda watch: watch.acknowledge(self.warning, hand, self.comment))


@dataclass(frozen=True, slots=True)
class FeedBack:
    """Somebody says what it was and what was done about it; once the colour is gone too, the warning is closed."""

    warning: UUID
    who: Person
    cause: str
    measure: str

    def __call__(self, turn: Turn, memory: Memory, now: int) -> EarlyWarning:
        """See `ingest.pipeline.commands.Command`."""
        hand = Hand(self.who.name, self.who.role, now)
        return _do(
            turn, memory, self.warning, now, lambda watch: watch.feed_back(self.warning, hand, self.cause, self.measure)
        )


def _do(
    turn: Turn, memory: Memory, warning: UUID, now: int, what: Callable[[Watch], list[WarningEvent]]
) -> EarlyWarning:
    """Do it at its moment: what was due before comes first, and is told also if the rest is refused."""
    watch = memory.warnings.find(warning)
    turn.warnings += watch.pass_time(now)
    told = what(watch)
    turn.warnings += told
    memory.warnings.touched(watch)
    return told[-1].warning
