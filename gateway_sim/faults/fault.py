"""A fault: what goes wrong, where, and what should say so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway_sim.sites import sample_sites
from ingest.domain.model.text import Text


class Where(StrEnum):
    """What a fault acts upon."""

    PROCESS = "process"  # the plant's physics
    STUCK = "stuck"  # the instrument repeats its last value
    DEAD = "dead"  # the column is missing from the frames
    SHOWS = "shows"  # the instrument shows something of its own
    SMOOTHED = "smoothed"  # the instrument follows slowly, and its noise is gone
    NETWORK = "network"  # the gateway's connection is cut; it keeps sampling


@dataclass(frozen=True, slots=True)
class Shows:
    """What an instrument shows instead of its measurement: a value, and the spread of what is laid over it."""

    value: float
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        points: the points expected to alarm; for a network fault the gateway's own id.
        rules: codes of which any one, on any of the points, counts as detection.
        needed_s: how long after its start the fault is detected at the latest.
        begin_s, lasts_s: its place in the cycle of the timetable.
        also: points that may alarm in consequence.
        shows: what its instruments show, for a fault of that sort.
    """

    id: str
    plant: str
    name: Text
    where: Where
    points: tuple[str, ...]
    rules: tuple[str, ...]
    needed_s: float
    begin_s: float
    lasts_s: float
    also: tuple[str, ...] = ()
    shows: Shows | None = None

    @property
    def affects(self) -> tuple[str, ...]:
        """Every point whose alarms this fault explains."""
        if self.where is Where.NETWORK:
            return (*self.points, *sample_sites()[self.plant].gateways[self.points[0]])
        return (*self.points, *self.also)
