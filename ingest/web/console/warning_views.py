"""What the pages on warnings and plants show of colours, ladders and risk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal
from uuid import UUID

from ingest.domain.model.plant import SERVICE
from ingest.domain.model.text import Text
from ingest.domain.model.warning import (
    Asked,
    EarlyWarning,
    Fact,
    Ground,
    Step,
    WarningEvent,
    WarningEventKind,
    WarningFilter,
    WarningState,
)
from ingest.domain.warnings.escalation import may_acknowledge
from ingest.domain.warnings.risks import PlantRisk, assess
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.all_pages import whole
from ingest.services.ports import Ports

STATES_LIVE: Final = frozenset({WarningState.OPEN, WarningState.OVER})
SHOWN: Final = 200

Standing = Literal["done", "late", "passed", "now", "next", "skipped"]


@dataclass(frozen=True, slots=True)
class WarningOffer:
    """What the caller may do about a warning as it stands."""

    acknowledge: bool
    dispose: bool  # the plant's form of feedback
    answer: bool  # supervision's


def standing_warnings(ports: Ports, scope: frozenset[str] | None) -> list[EarlyWarning]:
    """Return every warning that is not closed, the gravest first, then whose time is up soonest."""
    pages = partial(ports.warnings.warnings, WarningFilter(plants=scope, states=STATES_LIVE))
    found = whole(pages, lambda one: (one.raised, one.id))
    return sorted(found, key=lambda one: (-one.colour.rank if one.colour else 1, one.until or 2**63, one.raised))


def page_of(standing: Sequence[EarlyWarning], after: UUID | None) -> tuple[Sequence[EarlyWarning], UUID | None]:
    """Return those to be shown after that one, and what the next page goes on after. If it is gone, begin anew."""
    start = next((at for at, one in enumerate(standing, 1) if one.id == after), 0)
    page = standing[start : start + SHOWN]
    return page, page[-1].id if len(standing) > start + SHOWN else None


def warnings_by_plant(ports: Ports, caller: Principal) -> dict[str, EarlyWarning]:
    """Return the gravest warning of each plant that has one which is not closed."""
    found: dict[str, EarlyWarning] = {}
    for warning in standing_warnings(ports, caller.plants):
        found.setdefault(warning.plant, warning)
    return found


def plant_risks(ports: Ports, caller: Principal, plant: str | None = None) -> dict[str, PlantRisk]:
    """Return the risk of every plant in scope, or of one, the highest first."""
    now = ports.now()
    plants = [one for one in caller_scope.plants(ports, caller) if one.id != SERVICE and plant in {None, one.id}]
    found = [assess(plant, ports.live.facts(plant.id), now) for plant in plants]
    return {one.plant.id: one for one in sorted(found, key=lambda one: -one.index)}


def rungs(warning: EarlyWarning, been: Collection[Step] | None = None) -> list[tuple[Text, Standing]]:
    """Return the ladder from the enterprise to the province.

    A step below the present one did not answer in time, or nobody is assigned to it; `been` None: nobody knows which.
    """
    closed = warning.asking is None

    def how(step: Step) -> Standing:
        if step < warning.step:
            return "passed" if been is None else "late" if step in been else "skipped"
        if step == warning.step:
            return "done" if closed else "now"
        return "next"

    return [(step.text, how(step)) for step in Step]


def visited(history: Iterable[WarningEvent]) -> set[Step]:
    """Return the steps that were asked."""
    return {event.warning.step for event in history}


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a warning, or several in a row that only changed its reasons, with what changed in all of them.

    Attributes:
        events: newest first.
        come, gone: facts that call for it since, and those that do no more; one for each rule of a point.
        rules: rules that hold since.
    """

    events: tuple[WarningEvent, ...]
    come: tuple[Fact, ...]
    gone: tuple[Fact, ...]
    rules: tuple[Text, ...]


def moments(history: Sequence[WarningEvent]) -> list[Moment]:
    """Return the life of a warning, newest first, changes of its reasons in one colour folded into one moment."""
    runs: list[list[WarningEvent]] = []
    for event in history:
        if runs and _same_story(runs[-1][-1], event):
            runs[-1].append(event)
        else:
            runs.append([event])
    before: tuple[Ground, ...] = ()
    found = []
    for run in runs:
        after = run[-1].warning.inputs
        had, has = _facts(before), _facts(after)
        rules = tuple(one.text for one in after if one.rule not in {ground.rule for ground in before})
        come = tuple(fact for key, fact in has.items() if key not in had)
        gone = tuple(fact for key, fact in had.items() if key not in has)
        found.append(Moment(tuple(reversed(run)), come, gone, rules))
        before = after
    return found[::-1]


def _same_story(event: WarningEvent, following: WarningEvent) -> bool:
    only = event.kind is following.kind is WarningEventKind.INPUTS_CHANGED
    return only and (event.warning.colour, event.warning.step) == (following.warning.colour, following.warning.step)


def _facts(grounds: Iterable[Ground]) -> dict[tuple[str, str], Fact]:
    """One fact for each rule of a point: that an alarm of it is another one is no news here."""
    return {(fact.point, fact.rule): fact for ground in grounds for fact in ground.facts}


def offer_of(warning: EarlyWarning, caller: Principal) -> WarningOffer:
    """Return what the caller may do: the plant's people acknowledge only until it has gone up to somebody."""
    live = warning.state in STATES_LIVE and not caller.only_looks
    theirs = may_acknowledge(caller.role, warning.step, assigned=bool(warning.who))
    missing = live and warning.feedback is None
    return WarningOffer(
        acknowledge=live and warning.asking is Asked.ACKNOWLEDGEMENT and theirs,
        dispose=missing and caller.may_act,
        answer=missing and not caller.may_act and not caller.only_looks,
    )
