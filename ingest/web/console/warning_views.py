"""Views of warnings for the console: colours, the steps of escalation, history and risk."""

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
from ingest.services.all_pages import read_all
from ingest.services.ports import Ports

STATES_LIVE: Final = frozenset({WarningState.OPEN, WarningState.OVER})
SHOWN: Final = 200

StageStatus = Literal["done", "late", "passed", "now", "next", "skipped"]


@dataclass(frozen=True, slots=True)
class WarningOffer:
    """What the caller may do about a warning in its present state."""

    acknowledge: bool
    dispose: bool  # the plant's form of feedback
    answer: bool  # supervision's


def open_warnings(ports: Ports, scope: frozenset[str] | None) -> list[EarlyWarning]:
    """Return every warning that is not closed, the gravest first, then by deadline."""
    pages = partial(ports.warnings.warnings, WarningFilter(plants=scope, states=STATES_LIVE))
    found = read_all(pages, lambda warning: (warning.raised, warning.id))
    return sorted(found, key=_urgency)


def _urgency(warning: EarlyWarning) -> tuple[int, int, int]:
    return -warning.colour.rank if warning.colour else 1, warning.until or 2**63, warning.raised


def page_of(warnings: Sequence[EarlyWarning], after: UUID | None) -> tuple[Sequence[EarlyWarning], UUID | None]:
    """Return the page after a warning and the id after which the next page begins; the first page if none matches."""
    start = next((at for at, warning in enumerate(warnings, 1) if warning.id == after), 0)
    page = warnings[start : start + SHOWN]
    return page, page[-1].id if len(warnings) > start + SHOWN else None


def warnings_by_plant(ports: Ports, caller: Principal) -> dict[str, EarlyWarning]:
    """Return the gravest open warning of each plant that has any."""
    found: dict[str, EarlyWarning] = {}
    for warning in open_warnings(ports, caller.plants):
        found.setdefault(warning.plant, warning)
    return found


def plant_risks(ports: Ports, caller: Principal, plant: str | None = None) -> dict[str, PlantRisk]:
    """Return the risk of every plant in scope, or of one plant, the highest first."""
    now = ports.now()
    plants = [
        found for found in caller_scope.plants(ports, caller) if found.id != SERVICE and plant in {None, found.id}
    ]
    view = ports.live.view()
    risks = [assess(plant, ports.live.facts(plant.id), view.phase, now) for plant in plants]
    return {risk.plant.id: risk for risk in sorted(risks, key=lambda risk: -risk.index)}


def escalation_steps(warning: EarlyWarning, asked: Collection[Step] | None = None) -> list[tuple[Text, StageStatus]]:
    """Return the steps of escalation from the enterprise to the province, each with its status.

    A step below the present one did not answer in time, or nobody is assigned to it; `asked` None: not known which.
    """
    closed = warning.asking is None

    def status(step: Step) -> StageStatus:
        if step < warning.step:
            return "passed" if asked is None else "late" if step in asked else "skipped"
        if step == warning.step:
            return "done" if closed else "now"
        return "next"

    return [(step.text, status(step)) for step in Step]


def asked_steps(history: Iterable[WarningEvent]) -> set[Step]:
    """Return the steps of escalation that were asked."""
    return {event.warning.step for event in history}


@dataclass(frozen=True, slots=True)
class Moment:
    """An event of a warning, or consecutive ones that only changed its reasons, with the net change of facts.

    Attributes:
        events: newest first.
        added, removed: facts that call for it since, and those that no longer do; one for each rule of a point.
        rules: rules that hold since.
    """

    events: tuple[WarningEvent, ...]
    added: tuple[Fact, ...]
    removed: tuple[Fact, ...]
    rules: tuple[Text, ...]


def moments(history: Sequence[WarningEvent]) -> list[Moment]:
    """Return the history of a warning, newest first, with changes of its reasons in one colour merged."""
    runs: list[list[WarningEvent]] = []
    for event in history:
        if runs and _only_reasons_changed(runs[-1][-1], event):
            runs[-1].append(event)
        else:
            runs.append([event])
    before: tuple[Ground, ...] = ()
    found = []
    for run in runs:
        after = run[-1].warning.inputs
        had, has = _facts(before), _facts(after)
        rules = tuple(ground.text for ground in after if ground.rule not in {ground.rule for ground in before})
        added = tuple(fact for key, fact in has.items() if key not in had)
        removed = tuple(fact for key, fact in had.items() if key not in has)
        found.append(Moment(tuple(reversed(run)), added, removed, rules))
        before = after
    return found[::-1]


def _only_reasons_changed(event: WarningEvent, following: WarningEvent) -> bool:
    only = event.kind is following.kind is WarningEventKind.INPUTS_CHANGED
    return only and (event.warning.colour, event.warning.step) == (following.warning.colour, following.warning.step)


def _facts(grounds: Iterable[Ground]) -> dict[tuple[str, str], Fact]:
    """Return a fact for each rule of a point: another alarm of the same rule is no change."""
    return {(fact.point, fact.rule): fact for ground in grounds for fact in ground.facts}


def offer_of(warning: EarlyWarning, caller: Principal) -> WarningOffer:
    """Return what the caller may do: the plant's people may acknowledge only until it has escalated to somebody."""
    live = warning.state in STATES_LIVE and not caller.is_display
    theirs = may_acknowledge(caller.role, warning.step, assigned=bool(warning.who))
    missing = live and warning.feedback is None
    return WarningOffer(
        acknowledge=live and warning.asking is Asked.ACKNOWLEDGEMENT and theirs,
        dispose=missing and caller.may_act,
        answer=missing and not caller.may_act and not caller.is_display,
    )
