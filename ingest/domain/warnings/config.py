"""Settings of early warnings; each default names its source, and none of them is a regulation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from ingest.base.config import Config
from ingest.domain.model.assignment import RegionPrefix, is_assigned
from ingest.domain.model.expectations import misplaced
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, Step
from ingest.domain.warnings.escalation import Deadlines, Duty
from ingest.domain.warnings.policy import WarningPolicy
from ingest.domain.warnings.rules import ColourRules, load_rules

Seconds = Annotated[int, Field(gt=0)]


class PerColour(Config):
    """Seconds for each colour."""

    red: Seconds
    orange: Seconds
    yellow: Seconds
    blue: Seconds

    def ns(self) -> dict[Colour, int]:
        """Return them in ns."""
        return {colour: getattr(self, str(colour)) * 10**9 for colour in Colour}


class AcknowledgeTimes(PerColour):
    """Seconds until somebody must have acknowledged."""

    red: Seconds = 300
    orange: Seconds = 900
    yellow: Seconds = 1800
    blue: Seconds = 7200


class FeedbackTimes(PerColour):
    """Seconds from the acknowledgement until feedback is due."""

    red: Seconds = 1800
    orange: Seconds = 7200
    yellow: Seconds = 86_400
    blue: Seconds = 259_200


class DutyConfig(Config):
    """One who answers for plants at one step. Without plants and regions: for all of them."""

    step: Step
    name: str = Field(min_length=1, max_length=100)
    plants: frozenset[str] | None = None
    regions: frozenset[RegionPrefix] | None = None

    def answers_for(self, plant: str, region: str) -> bool:
        """Whether that plant is one of those assigned."""
        return is_assigned(plant, region, self.plants, self.regions)


class WarningsConfig(Config):
    """How a plant's colour is derived, and who must answer for it until when."""

    # None: the rules that come with the service
    rules: Path | None = None
    # a colour falls when the lower one has held for 10 min: engineering default
    fall_after_s: Annotated[int, Field(ge=0)] = 600
    # what comes back within 10 min is the same episode: engineering default
    reopen_s: Annotated[int, Field(ge=0)] = 600
    # reminded at half the time: engineering default
    remind_at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.5,)
    # changes of the reasons of a warning that has been closed for so long; all else of it stays: engineering default
    reason_retention_d: Annotated[float, Field(ge=183)] = 400
    # no time of any regulation could be read: engineering defaults
    ack_s: AcknowledgeTimes = AcknowledgeTimes()
    feedback_s: FeedbackTimes = FeedbackTimes()
    # nobody: then everyone is asked
    duty: tuple[DutyConfig, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if list(self.remind_at) != sorted(set(self.remind_at)):
            expected = Text("时间的几分之几，依次递增", "parts of the time, each later than the one before")
            raise misplaced((("remind_at",), list(self.remind_at), expected))
        return self

    def duty_of(self, plant: str, region: str) -> Duty:
        """Return who answers for that plant."""
        holders: dict[Step, tuple[str, ...]] = {}
        for duty in self.duty:
            if duty.answers_for(plant, region):
                holders[duty.step] = (*holders.get(duty.step, ()), duty.name)
        return Duty(holders)

    def policy(self, rules: ColourRules | None = None) -> WarningPolicy:
        """Return the policy for warning episodes, with these rules or those of the settings.

        Raises:
            InvalidConfig: those of the settings cannot be used.
        """
        deadlines = Deadlines(self.ack_s.ns(), self.feedback_s.ns(), self.remind_at)
        second = 10**9
        return WarningPolicy(
            rules or load_rules(self.rules), deadlines, self.fall_after_s * second, self.reopen_s * second, self.duty_of
        )
