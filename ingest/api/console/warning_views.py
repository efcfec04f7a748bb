"""What the pages on warnings and plants show of colours, ladders and risk."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from ingest.api import reach
from ingest.api.access import Principal
from ingest.api.ports import Ports
from ingest.model.plant import SERVICE, Text
from ingest.model.warning import Asked, EarlyWarning, Step, WarningEvent, WarningFilter, WarningState
from ingest.warnings.risks import Bands, PlantRisk, assess

STATES_LIVE: Final = frozenset({WarningState.OPEN, WarningState.OVER})
SHOWN: Final = 500

Standing = Literal["done", "now", "next", "skipped"]


@dataclass(frozen=True, slots=True)
class WarningOffer:
    """What the caller may do about a warning as it stands."""

    acknowledge: bool
    dispose: bool  # the plant's form of feedback
    answer: bool  # supervision's


def standing_warnings(ports: Ports, scope: frozenset[str] | None) -> list[EarlyWarning]:
    """Return every warning that is not closed, the gravest first, then whose time is up soonest."""
    found = ports.warnings.warnings(WarningFilter(plants=scope, states=STATES_LIVE), limit=SHOWN)
    return sorted(found, key=lambda one: (-one.colour.rank if one.colour else 1, one.until or 2**63, one.raised))


def warnings_by_plant(ports: Ports, caller: Principal) -> dict[str, EarlyWarning]:
    """Return the gravest warning of each plant that has one which is not closed."""
    found: dict[str, EarlyWarning] = {}
    for one in standing_warnings(ports, caller.plants):
        found.setdefault(one.plant, one)
    return found


def plant_risks(ports: Ports, caller: Principal, plant: str | None = None) -> dict[str, PlantRisk]:
    """Return the risk of every plant in scope, or of one, the highest first. Bands are those of the present alone."""
    now, bands = ports.now(), Bands()
    plants = [one for one in reach.plants(ports, caller) if one.id != SERVICE and plant in {None, one.id}]
    found = [assess(one, ports.live.facts(one.id), now, bands) for one in plants]
    return {one.plant.id: one for one in sorted(found, key=lambda one: -one.index)}


def rungs(warning: EarlyWarning, been: Collection[Step] | None = None) -> list[tuple[Text, Standing]]:
    """Return the ladder from the enterprise to the province; `been` None: nobody knows which steps were passed over."""
    closed = warning.asking is None

    def how(step: Step) -> Standing:
        if step < warning.step:
            return "done" if been is None or step in been else "skipped"
        if step == warning.step:
            return "done" if closed else "now"
        return "next"

    return [(step.text, how(step)) for step in Step]


def visited(history: Iterable[WarningEvent]) -> set[Step]:
    """Return the steps that were asked."""
    return {event.warning.step for event in history}


def offer_of(warning: EarlyWarning, caller: Principal) -> WarningOffer:
    """Return what the caller may do: the plant's people acknowledge only until it has gone up to somebody."""
    live = warning.state in STATES_LIVE
    theirs = caller.role != "operator" or warning.step is Step.ENTERPRISE or not warning.who
    missing = live and warning.feedback is None
    return WarningOffer(
        acknowledge=live and warning.asking is Asked.ACKNOWLEDGEMENT and theirs,
        dispose=missing and caller.may_act,
        answer=missing and not caller.may_act,
    )
