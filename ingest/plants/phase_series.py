"""Derives the phases of equipment as series from the readings, in the order of the journal.

The same readings give the same records, however they are cut. As in `PlantView`, a point that is bad, or silent for
longer than it may be, by its arrivals or by its times, leaves its phase unknown unless the others decide alone;
historical and late readings tell none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import compile_expression
from ingest.domain.model.batch import Batch, concat, empty_batch
from ingest.domain.model.flags import Flag, unusable
from ingest.domain.model.phase_record import HEARTBEAT, PhaseRecord
from ingest.domain.model.plant import UNKNOWN_PHASE, Equipment, Point
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.phase_channels import Newest, PhaseChannels, compared_with

Commits = Sequence[tuple[Batch, int]]
"""Readings of entries of the journal, each with the step of the service's clock before it, ns."""

_NONE: Final = np.empty(0, np.int64)


class PhaseSeries:
    """The phases of all equipment of one configuration, as of the last readings it was given.

    Attributes:
        silence: how far back readings decide, ns; 0: no equipment has phases.
    """

    def __init__(
        self, configuration: PlantConfiguration, add_flags: Callable[[Batch, PlantConfiguration], Batch]
    ) -> None:
        self.configuration: Final = configuration
        self._add_flags = add_flags
        self._machines = [
            _Machine(configuration, plant.id, equipment)
            for plant in configuration.enterprises()
            for equipment in plant.equipment
            if equipment.phases
        ]
        self._channels = PhaseChannels(
            [machine.points for machine in self._machines],
            [machine.silence for machine in self._machines],
            [compared_with(machine.conditions, len(machine.points)) for machine in self._machines],
        )
        self._concerned = np.zeros(len(configuration.points) + 1, np.bool_)  # the last stands for all numbered later
        self._concerned[self._channels.point[self._channels.point >= 0]] = True
        self.silence: Final = int(self._channels.silence.max(initial=0))
        self._stepped = 0  # steps of the service's clock so far: arrivals count without them
        self._now = 0  # the newest arrival

    def advance(self, commits: Commits) -> list[PhaseRecord]:
        """Take in readings; returns what is to be recorded, in the order of the times of each equipment."""
        parts, moments, numbers = [], [], []
        for number, (readings, step) in enumerate(commits):
            self._stepped += step
            if not len(readings):
                continue
            self._now = max(self._now, int(readings.received.max()) - self._stepped)
            rows = self._concerned.take(readings.point, mode="clip")
            count = int(np.count_nonzero(rows))
            if count:
                parts.append(readings.take(rows))
                moments.append(np.full(count, self._now))
                numbers.append(np.full(count, number))
        readings, moment, commit = empty_batch(), _NONE, _NONE
        if parts:
            batch = self._add_flags(concat(parts), self.configuration)
            live = (batch.flags & np.uint16(Flag.HISTORICAL)) == 0
            readings = batch.take(live)
            moment, commit = np.concatenate(moments)[live], np.concatenate(numbers)[live]
        found: list[PhaseRecord] = []
        for number in self._channels.take_in(readings, moment, self._now).tolist():
            machine = self._machines[number]
            rows = np.isin(readings.point, machine.points)
            newest = self._channels.newest(number)
            found += machine.advance(newest, readings.take(rows), moment[rows], commit[rows], self._now)
            self._channels.settle(number)
        return found

    def standing(self) -> list[PhaseRecord]:
        """Return the phase of each equipment that is known, from its last reading on."""
        return [
            machine.record(int(at), machine.number)
            for machine, at in zip(self._machines, self._channels.at, strict=True)
            if machine.number
        ]


class _Machine:
    """One equipment with phases.

    Attributes:
        points: int32[w], configuration indices of the points that tell its phase; -1: not configured.
        silence: int64[w], ns.
        conditions: of its phases from the second on, each with the places of its points.
        number: of its phase, as last recorded; 0: unknown.
    """

    def __init__(self, configuration: PlantConfiguration, plant: str, equipment: Equipment) -> None:
        self._plant, self._equipment = plant, equipment
        names = list(dict.fromkeys(name for phase in equipment.phases for name in phase.points))
        found: list[Point | None] = [configuration.find(plant, name) for name in names]
        self.points = np.array([-1 if point is None else point.index for point in found], np.int32)
        self.silence = np.array([0 if point is None else int(point.silence_s * 1e9) for point in found], np.int64)
        self.conditions = [
            (compile_expression(phase.when), [names.index(name) for name in phase.points])
            for phase in equipment.phases[1:]
        ]
        self.number = 0

    def advance(
        self, newest: Newest, readings: Batch, moment: NDArray[np.int64], commit: NDArray[np.int64], now: int
    ) -> list[PhaseRecord]:
        """Take in readings of its points, each with the moment of its arrival and the number of its commit."""
        carried, before = newest.value.copy(), int(newest.at[0])
        events = _in_order([self._events(at, newest, readings, moment, commit, now) for at in range(len(self.points))])
        if not len(events.time):
            return []
        places = np.arange(len(events.time))
        values = []
        for at, value in enumerate(carried.tolist()):
            latest = np.maximum.accumulate(np.where(events.point == at, places, -1))
            values.append(np.where(latest >= 0, events.value[latest], value))
        # What a commit has of one time is judged together.
        last = np.ones(len(events.time), np.bool_)
        last[:-1] = (np.diff(events.commit) != 0) | (np.diff(events.time) != 0)
        numbers = self._numbers([column[last] for column in values])
        times = np.maximum.accumulate(np.maximum(events.time[last], before))
        earlier, since = np.append(self.number, numbers[:-1]), np.append(before, times[:-1])
        newest.at[0], self.number = times[-1], int(numbers[-1])
        return [*self._recorded(times, numbers, since, earlier)]

    def _recorded(
        self,
        times: NDArray[np.int64],
        numbers: NDArray[np.int64],
        since: NDArray[np.int64],
        earlier: NDArray[np.int64],
    ) -> Iterator[PhaseRecord]:
        """Yield what is recorded of its phases at `times`, after those from `since` on: changes and heartbeats."""
        beats = (times // HEARTBEAT > since // HEARTBEAT) & (earlier > 0)
        for at in np.flatnonzero(beats | (numbers != earlier)).tolist():
            if beats[at]:
                for beat in range(int(since[at]) // HEARTBEAT + 1, int(times[at]) // HEARTBEAT + 1):
                    yield self.record(beat * HEARTBEAT, int(earlier[at]))
            if numbers[at] != earlier[at]:
                yield self.record(int(times[at]), int(numbers[at]))

    def _events(
        self,
        at: int,
        known: Newest,
        readings: Batch,
        moment: NDArray[np.int64],
        commit: NDArray[np.int64],
        now: int,
    ) -> _Events:
        """Return what becomes of one of its points: its readings, and when it had been silent for too long."""
        rows = np.flatnonzero(readings.point == self.points[at])
        own = slice(at, at + 1)
        newest = np.maximum.accumulate(np.concatenate((known.time[own], readings.time[rows])))
        rows = rows[readings.time[rows] > newest[:-1]]
        times = np.concatenate((known.time[own], readings.time[rows]))
        moments = np.concatenate((known.moment[own], moment[rows]))
        values = np.where(unusable(readings.flags[rows]), np.nan, readings.value[rows])
        silence = int(self.silence[at])
        silent = np.diff(moments, append=now) > silence
        # Readings that a gateway has kept arrive together: of what lay between their times nothing is known, either.
        missed = np.append(np.diff(times) > silence, False) & ~silent
        silent[0] &= known.heard[at]
        missed[0] &= known.heard[at]
        known.time[at], known.moment[at] = times[-1], moments[-1]
        if len(rows):
            known.heard[at], known.value[at] = True, values[-1]
        if silent[-1]:
            known.heard[at], known.value[at] = False, np.nan
        events = _Events(moments[1:], commit[rows], times[1:], rows, np.full(len(rows), at), values)
        if not (silent | missed).any():
            return events
        fell, before = np.flatnonzero(silent), np.flatnonzero(missed)
        ended = np.concatenate((fell, before))
        silences = _Events(
            moment=np.concatenate((moments[fell] + silence + 1, moments[before + 1])),
            commit=np.concatenate((-1 - moments[fell], commit[rows[before]])),
            time=times[ended] + silence,
            order=ended,
            point=np.full(len(ended), at),
            value=np.full(len(ended), np.nan),
        )
        return _in_order([events, silences])

    def _numbers(self, values: Sequence[NDArray[np.float64]]) -> NDArray[np.int64]:
        """Return the number of the phase for each row of values: the last whose condition holds."""
        count = len(values[0])
        found, open_ = np.ones(count, np.int64), np.ones(count, np.bool_)
        for number, (condition, places) in reversed([*enumerate(self.conditions, start=2)]):
            truth = condition.evaluate([values[place] for place in places])
            unknown = open_ & np.isnan(truth)
            reached = open_ & (truth > 0)
            found[unknown], found[reached] = 0, number
            open_ &= ~(unknown | reached)
        return found

    def record(self, time: int, number: int) -> PhaseRecord:
        """Return that it is in the phase of that number from `time` on."""
        phase = self._equipment.phases[number - 1] if number else UNKNOWN_PHASE
        return PhaseRecord(self._plant, self._equipment.id, time, phase.code, number)


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    """Readings and silences of points, as columns.

    Attributes:
        moment: of arrival, or when the silence had lasted for too long.
        commit: number of the reading's commit; of a silence a negative number of its own moment.
        time: ns since the epoch.
        order: among those of one time.
        point: the place of the point.
        value: NaN where it cannot be used.
    """

    moment: NDArray[np.int64]
    commit: NDArray[np.int64]
    time: NDArray[np.int64]
    order: NDArray[np.int64]
    point: NDArray[np.int64]
    value: NDArray[np.float64]


def _in_order(parts: Sequence[_Events]) -> _Events:
    moment, commit, time, order, point = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("moment", "commit", "time", "order", "point")
    )
    by = np.lexsort((order, time, commit, moment))
    value = np.concatenate([part.value for part in parts])
    return _Events(moment[by], commit[by], time[by], order[by], point[by], value[by])
