"""A published accident as a scenario: a plant in motion, what happened to it, and which alarms had to be in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway_sim.physics.signals import Physics
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, `at_s` seconds after the scenario begins."""

    at_s: float
    what: Text


@dataclass(frozen=True, slots=True)
class Accident:
    """One accident, replayed as a physical scenario.

    Attributes:
        id: place or company and year; also the process fault the physics knows.
        name: what happened where.
        source: the notice or report the facts are from, and which of the figures are assumptions of ours.
        plant: id of its plant file in `gateway_sim/accidents/plants`.
        physics: the plant in motion, from a seed; it knows the accident as a fault of its id.
        begins_s: when the first thing goes wrong, after so many healthy seconds.
        no_return_s: from then on nobody can prevent it any more.
        ends_s: how long the scenario runs.
        says: rules by point; an alarm of any of them, between `begins_s` and `no_return_s`, is a warning in time.
        needed_s: seconds after `begins_s` by which the first of them is due; None: any time before `no_return_s`.
        healthy_s: how long the same plant runs without a fault (one cast, one day).
        ordinary: rules by point whose alarms on healthy days are true: they tell of something that did happen there.
        physical_lead: False where the physics leaves less than a minute between the first sign and the end.
        course: what happened when.
    """

    id: str
    name: Text
    source: str
    plant: str
    physics: Callable[[int], Physics]
    begins_s: float
    no_return_s: float
    ends_s: float
    says: Mapping[str, tuple[str, ...]]
    healthy_s: float
    needed_s: float | None = None
    ordinary: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    physical_lead: bool = True
    course: tuple[Moment, ...] = ()

    @property
    def most_lead_s(self) -> float:
        """The lead of an alarm in its first second."""
        return self.no_return_s - self.begins_s
