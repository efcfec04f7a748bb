"""Settings of calls (叫应): who is called for what, in which order; each default is ours, none is a regulation."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from ingest.base.config import Config
from ingest.domain.calls import texts
from ingest.domain.calls.roster import EVERY_DAY, Holidays, Roster, Shift
from ingest.domain.model.assignment import RegionPrefix, is_assigned
from ingest.domain.model.call import Cause, Channel, LadderStep, Person
from ingest.domain.model.expectations import InvalidValue, given_once, misplaced, one_of, with_near
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, Step

Seconds = Annotated[int, Field(gt=0, le=86_400)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


def _time_of_day(given: object) -> dt.time:
    with contextlib.suppress(ValueError):
        time = dt.time.fromisoformat(given) if isinstance(given, str) else given
        if isinstance(time, dt.time) and time.tzinfo is None:
            return time
    raise InvalidValue(Text("一天中的时间，如 08:00（北京时间）", "a time of day, as 08:00 (of the plants)"))


def _day(given: object) -> dt.date:
    with contextlib.suppress(ValueError):
        day = dt.date.fromisoformat(given) if isinstance(given, str) else given
        if isinstance(day, dt.date) and not isinstance(day, dt.datetime):
            return day
    raise InvalidValue(Text("日期，如 2026-10-01", "a day, as 2026-10-01"))


TimeOfDay = Annotated[dt.time, BeforeValidator(_time_of_day)]
Day = Annotated[dt.date, BeforeValidator(_day)]

SOME: Final = Field(min_length=1)
"""Of a selection: an empty one would select nothing, and one that is left out selects all."""

_SECOND: Final = 10**9
_UNIQUE: Final = Text("其他人员没有用的姓名", "a name that no other person has")


class ChannelConfig(Config):
    """A way to reach a person: the name of a connector, and the person's address there."""

    connector: Annotated[str, Field(min_length=1)]
    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class PersonConfig(Config):
    """Somebody who may be called, by these channels in this order."""

    name: Name
    channels: tuple[ChannelConfig, ...] = ()


class ShiftConfig(Config):
    """A shift of a position, in the time of the plants; it ends on the next day where `end` is not after `start`."""

    position: Name
    # None: of all plants
    plants: Annotated[frozenset[str], SOME] | None = None
    start: TimeOfDay
    end: TimeOfDay
    # on which it begins: Monday 1 to Sunday 7; None: every day
    weekdays: Annotated[frozenset[Annotated[int, Field(ge=1, le=7)]], SOME] | None = None
    holidays: Holidays = Holidays.ANY
    people: tuple[Name, ...] = Field(min_length=1)

    def shift(self) -> Shift:
        """Return it as the roster needs it."""
        days = self.weekdays or EVERY_DAY
        return Shift(self.position, self.start, self.end, self.people, self.plants, days, self.holidays)


class StepConfig(Config):
    """A step of a ladder: those on duty at a position, then people by their names whether on duty or not."""

    position: Name | None = None
    people: tuple[Name, ...] = ()
    tier: Step | None = None
    # None: as all steps
    ring_s: Seconds | None = None
    tries: Annotated[int, Field(ge=1, le=10)] | None = None
    # all of them at once
    parallel: bool = False

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.position is None and not self.people:
            expected = Text("position 或 people", "position or people")
            raise misplaced((("position",), self.position, expected))
        return self


class LadderConfig(Config):
    """Whom to call, step by step. Of several ladders the first that is for the plant and the cause is taken."""

    # without plants and regions: all plants
    plants: Annotated[frozenset[str], SOME] | None = None
    regions: Annotated[frozenset[RegionPrefix], SOME] | None = None
    # of warnings; None: of every colour
    colours: Annotated[frozenset[Colour], SOME] | None = None
    # None: for everything
    causes: Annotated[frozenset[Cause], SOME] | None = None
    steps: tuple[StepConfig, ...] = Field(min_length=1)

    def is_for(self, plant: str, region: str, cause: Cause, colour: Colour | None) -> bool:
        """Whether it is the ladder of that plant for that cause."""
        here = is_assigned(plant, region, self.plants, self.regions)
        of_colour = self.colours is None or colour is None or colour in self.colours
        return here and of_colour and (self.causes is None or cause in self.causes)


class TemplateConfig(Config):
    """The words of a message in both languages, with fields in braces."""

    zh: str = texts.WARNING.zh
    en: str = texts.WARNING.en

    @field_validator("zh", "en")
    @classmethod
    def _sound(cls, template: str) -> str:
        try:
            found = texts.fields_of(template)
        except ValueError as error:
            expected = Text("成对的花括号，其中只写字段名", f"braces in pairs around names of fields: {error}")
            raise InvalidValue(expected) from error
        for name in sorted(found - texts.FIELDS):
            raise InvalidValue(with_near(one_of(sorted(texts.FIELDS)), name, texts.FIELDS))
        for name in sorted(texts.REQUIRED - found):
            raise InvalidValue(Text(f"含有 {{{name}}} 的文字", f"a text with {{{name}}}"))
        return template

    @property
    def text(self) -> Text:
        """The template."""
        return Text(self.zh, self.en)


class DeadlinesConfig(Config):
    """Seconds until somebody should have answered, by the colour of the warning; `alarm` for everything else."""

    red: Seconds = 300
    orange: Seconds = 900
    yellow: Seconds = 1800
    blue: Seconds = 7200
    alarm: Seconds = 300

    def ns(self, colour: Colour | None) -> int:
        """Return it in ns."""
        seconds: int = getattr(self, str(colour)) if colour else self.alarm
        return seconds * _SECOND


class RollCallConfig(Config):
    """Roll calls (在线抽查) that nobody asks for: at a time of the night drawn anew for each plant and night."""

    # of seven nights; 0: none
    nights_a_week: Annotated[float, Field(ge=0, le=7)] = 0.0
    start: TimeOfDay = dt.time(22)
    end: TimeOfDay = dt.time(6)


class CallsConfig(Config):
    """Who is called until somebody answers. Without a ladder nobody is."""

    # nobody is called, on purpose: then a plant without a ladder is no doubt
    nobody: bool = False
    # warnings of this colour and graver: engineering default
    colour: Colour = Colour.ORANGE
    # alarms of level 2 that no warning of that colour rests on
    alarms: bool = True
    # alarms of level 2 of the service itself
    system: bool = True
    # a try waits so long for an answer: engineering default; no official text has a number
    ring_s: Seconds = 60
    # each person is tried twice: engineering default
    tries: Annotated[int, Field(ge=1, le=10)] = 2
    # what comes back so soon after an answer calls nobody anew: engineering default
    again_s: Annotated[int, Field(ge=0)] = 600
    deadline_s: DeadlinesConfig = DeadlinesConfig()
    roll_call: RollCallConfig = RollCallConfig()
    # roles that see telephone numbers and addresses in full
    addresses_for: tuple[Literal["operator", "inspector", "admin"], ...] = ("operator", "admin")
    holidays: tuple[Day, ...] = ()
    message: TemplateConfig = TemplateConfig()
    people: tuple[PersonConfig, ...] = ()
    shifts: tuple[ShiftConfig, ...] = ()
    ladders: tuple[LadderConfig, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        given_once("people", "name", (person.name for person in self.people), _UNIQUE)
        return self

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield every name that shifts and steps have, with its key."""
        for at, shift in enumerate(self.shifts):
            yield from ((f"calls.shifts.{at}.people", name) for name in shift.people)
        for at, ladder in enumerate(self.ladders):
            for number, step in enumerate(ladder.steps):
                yield from ((f"calls.ladders.{at}.steps.{number}.people", name) for name in step.people)

    def roster(self) -> Roster:
        """Return the planned roster."""
        people = {
            person.name: Person(person.name, tuple(Channel(way.connector, way.address) for way in person.channels))
            for person in self.people
        }
        return Roster(people, tuple(shift.shift() for shift in self.shifts), frozenset(self.holidays))

    def ladder(self, plant: str, region: str, cause: Cause, colour: Colour | None) -> tuple[LadderStep, ...]:
        """Return whom to call for that plant; empty: nobody."""
        for ladder in self.ladders:
            if ladder.is_for(plant, region, cause, colour):
                return tuple(self._step(step) for step in ladder.steps)
        return ()

    def _step(self, step: StepConfig) -> LadderStep:
        ring = (step.ring_s or self.ring_s) * _SECOND
        return LadderStep(ring, step.tries or self.tries, step.position, step.people, step.tier, step.parallel)

    def template(self, cause: Cause) -> Text:
        """Return the words of calls for that cause."""
        return texts.ROLL_CALL if cause is Cause.ROLL_CALL else self.message.text

    def calls_for(self, colour: Colour) -> bool:
        """Whether people are called for a warning of that colour."""
        return colour >= self.colour
