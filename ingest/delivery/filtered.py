"""Settings common to receivers that choose among alarms, warnings and notices."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from ingest.delivery.receiver import ReceiverConfig
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.expectations import misplaced
from ingest.domain.model.notice import Matter
from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, EarlyWarning, Step, WarningEventKind


class FilteredReceiver(ReceiverConfig):
    """A receiver of all alarms and warnings as far as nothing below says which, of notices as it asks for."""

    kinds: frozenset[Literal["alarm", "warning"]] | None = None  # notices go by `notices`
    plants: frozenset[str] | None = None
    levels: frozenset[Literal[1, 2]] | None = None  # of alarms
    colours: frozenset[Colour] | None = None  # of warnings: the highest so far
    steps: frozenset[Step] | None = None  # of warnings: only once one of them was asked
    notices: frozenset[Matter] | None = None  # matters of notices; none: it gets no notice
    events: frozenset[str] | None = None  # others are passed over, and counted

    @model_validator(mode="after")
    def _possible(self) -> Self:
        """Refuse events of which neither `kinds` nor `notices` has one: nothing would ever be sent."""
        possible = {"given", "ended"} if self.notices else set[str]()
        for kind, its_events in (("alarm", AlarmEventKind), ("warning", WarningEventKind)):
            if self.kinds is None or kind in self.kinds:
                possible |= {str(event) for event in its_events}
        if self.events and possible.isdisjoint(self.events):
            expected = Text("至少有一个 kinds 或 notices 会有的事件", "at least one event that kinds or notices have")
            raise misplaced((("events",), sorted(self.events), expected))
        return self

    def wants(self, kind: MessageKind, plant: str, level: int | None) -> bool:
        """Whether an alarm of this plant and level is for this receiver; readings never are."""
        return kind == "alarm" and self._takes("alarm", plant) and (self.levels is None or level in self.levels)

    def wants_warning(self, warning: EarlyWarning) -> bool:
        """Whether events of this warning are for this receiver. `steps` excludes nothing while everyone is asked."""
        everyone = warning.asking is not None and not warning.who
        return (
            self._takes("warning", warning.plant)
            and (self.colours is None or warning.peak in self.colours)
            and (self.steps is None or everyone or min(self.steps) <= warning.step)
        )

    def wants_notice(self, plant: str, matter: Matter) -> bool:
        """Whether notices of this matter in this plant are for this receiver."""
        return matter in (self.notices or ()) and (self.plants is None or plant in self.plants)

    def _takes(self, kind: Literal["alarm", "warning"], plant: str) -> bool:
        return (self.kinds is None or kind in self.kinds) and (self.plants is None or plant in self.plants)
