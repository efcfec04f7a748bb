"""Few rules and short times, for tests: seconds are easy to calculate with."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid5

from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, Fact, Step, Trait
from ingest.domain.warnings.episodes import WarningEpisodes
from ingest.domain.warnings.escalation import Deadlines, Duty
from ingest.domain.warnings.policy import PlantContext, WarningPolicy
from ingest.domain.warnings.rules import ColourRule, ColourRules, Selector

SECOND = 10**9
NOBODY = Trait(0)
OLD_S = 7
ACK_S = {Colour.RED: 4, Colour.ORANGE: 6, Colour.YELLOW: 8, Colour.BLUE: 12}
FEEDBACK_S = {Colour.RED: 6, Colour.ORANGE: 8, Colour.YELLOW: 14, Colour.BLUE: 20}
FALL_S, REOPEN_S = 5, 5
HALF = 0.5
_NAMES = UUID(int=7)


def rule(name: str, colour: Colour, wanted: Trait, older_s: int = 0) -> ColourRule:
    """A rule about single facts."""
    select = Selector(wanted, NOBODY)
    text = Text(name, name)
    confidence = Confidence.ENGINEERING_DEFAULT
    return ColourRule(
        name, colour, text, "test", confidence, select, older_s * SECOND, None, 1, None, "alarm", None, None
    )


RULES = ColourRules(
    "small",
    frozenset(),
    (
        rule("L1", Colour.BLUE, Trait.LEVEL_1),
        rule("OLD", Colour.YELLOW, Trait.LEVEL_1, OLD_S),
        rule("L2", Colour.ORANGE, Trait.LEVEL_2),
        rule("RED", Colour.RED, Trait.LEVEL_2 | Trait.RED),
    ),
    0,
)
TERMS = WarningPolicy(
    RULES,
    Deadlines(
        {colour: s * SECOND for colour, s in ACK_S.items()},
        {colour: s * SECOND for colour, s in FEEDBACK_S.items()},
        (HALF,),
    ),
    FALL_S * SECOND,
    REOPEN_S * SECOND,
)
EVERYBODY: Mapping[Step, tuple[str, ...]] = {step: (f"{step} office",) for step in Step}


def episodes_of_plant(
    at_s: int = 0, holders: Mapping[Step, tuple[str, ...]] = EVERYBODY, terms: WarningPolicy = TERMS
) -> WarningEpisodes:
    """A watch over one plant."""
    return WarningEpisodes(PlantContext("small", 40.0, Duty(holders)), terms, at_s * SECOND)


def fact(name: str, since_s: int, level: int = 1, traits: Trait = NOBODY, **more: object) -> Fact:
    """An alarm's fact; `more` replaces the point, signal, equipment and so on."""
    own = {"point": name, "signal": "S", "equipment": "E", "value": 1.0, "limit": 0.5, "unit": "MPa"} | more
    whole = traits | (Trait.LEVEL_2 if level == 2 else Trait.LEVEL_1)
    return Fact(
        alarm=uuid5(_NAMES, name),
        rule="H",
        level=level,
        traits=whole,
        since=since_s * SECOND,
        **own,  # type: ignore[arg-type]
    )
