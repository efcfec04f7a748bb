"""What the engine remembers between turns: all of it can be dumped, and rebuilt by replaying the journal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import numpy as np
import zstandard
from numpy.typing import NDArray

from detectors import Bank
from detectors.packed import pack, unpack
from ingest.domain.alarms.retrospective_alarms import OPEN, RetrospectiveAlarms
from ingest.domain.alarms.suppressions import Suppressions
from ingest.domain.model.alarm import OVER, Alarm, AlarmState
from ingest.domain.model.suppression import Suppression
from ingest.engine.late_data import Limits
from ingest.engine.plant_warnings import PlantWarnings
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.view import NEVER, Latest, PlantView

AlarmKey = tuple[str, str, str]
"""(plant, point, rule)"""

Told = TypeVar("Told", Alarm, Suppression)

RECENT: Final = 10_000
"""Alarms that are back to normal and remembered, whenever they returned: what comes back is told by readings' times."""

_COLUMNS: Final = ("newest", "time", "value", "flags", "received")
_COMPRESSED: Final = zstandard.FRAME_HEADER


class SnapshotUnreadable(Exception):
    """A dumped memory cannot be read: what it held is to be learnt from the journal again."""


def check_snapshot(dump: bytes) -> None:
    """See that a dumped memory is as it was written, as far as that shows without its configuration.

    Raises:
        SnapshotUnreadable: it is not.
    """
    try:
        arrays = _arrays(dump)
        lengths = {len(arrays[name]) for name in _COLUMNS}
        arrays["bank"].tobytes()
    except Exception as error:
        raise SnapshotUnreadable(f"{type(error).__name__}: {error}") from error
    if len(lengths) > 1:
        raise SnapshotUnreadable(f"columns of {sorted(lengths)} points")


def _arrays(dump: bytes) -> dict[str, NDArray[Any]]:
    if dump.startswith(_COMPRESSED):  # older ones were not
        dump = zstandard.ZstdDecompressor().decompress(dump)
    return unpack(dump)


class EngineState:
    """The engine's state, sized for one configuration.

    Attributes:
        configuration: that configuration; detectors name rules by their numbers in it.
        newest: int64[p], newest event time of a live reading by point, ns; 0 = never heard.
        time, value, flags, received: [p], the newest reading in order; time 0 = none yet.
        bank: the detectors.
        limits: what readings that are not live are held against.
        excursions: what they showed, and when live alarms stood.
        alarms: every alarm that is not over.
        recent: by the same key, the newest alarm of each rule that is back to normal, those that returned last at the
            end: it may come back.
        suppressions: what hides alarms.
        warnings: plants' warnings, and what they are derived from.
        record: looks an alarm up that is not in here any more.
        listening: since when points are listened to, ns: begins anew with a start.
        stepped: by how much the service's clock was set since the journal began, ns: `now` less this never jumps.
        reported: number of the last interval readings were reported for. Not dumped: it follows the clock, and a report
            told twice has the same id.
    """

    def __init__(self, configuration: PlantConfiguration) -> None:
        self.configuration = configuration
        points = len(configuration.points)
        self.newest: NDArray[np.int64] = np.zeros(points, np.int64)
        self.time: NDArray[np.int64] = np.zeros(points, np.int64)
        self.value: NDArray[np.float64] = np.full(points, np.nan)
        self.flags: NDArray[np.uint16] = np.zeros(points, np.uint16)
        self.received: NDArray[np.int64] = np.zeros(points, np.int64)
        self.bank = Bank(configuration.tables, configuration.derived)
        self.limits = Limits(configuration)
        self.excursions = RetrospectiveAlarms()
        self.alarms: dict[AlarmKey, Alarm] = {}
        self.recent: dict[AlarmKey, Alarm] = {}
        self.suppressions = Suppressions()
        self.warnings = PlantWarnings()
        self.record: Callable[[UUID], Alarm | None] = lambda _alarm: None
        self.listening = 0
        self.stepped = 0
        self.reported = 0

    def latest(self, index: int, now: int) -> Latest:
        """The newest reading in order of a point by configuration index, as it is at `now` (ns). From any thread."""
        if index >= len(self.time) or not self.time[index]:
            return NEVER
        point = self.configuration.points[index]
        value, allowed = float(self.value[index]), int(point.silence_s * 1e9) if point is not None else 0
        stale = point is None or now - int(self.received[index]) > allowed
        return Latest(
            time=int(self.time[index]),
            value=None if np.isnan(value) else value,
            flags=int(self.flags[index]),
            stale=stale,
            resuming=stale and now - (self.bank.heard(index) or self.listening) <= allowed,
        )

    def settled_until(self, index: int, now: int) -> int:
        """When time alone changes what `latest` says of a point next (ns), as far as is known at `now`."""
        point = self.configuration.points[index]
        if point is None or not self.time[index]:
            return OPEN
        allowed = int(point.silence_s * 1e9)
        silent, resumed = int(self.received[index]) + allowed, (self.bank.heard(index) or self.listening) + allowed
        return next((time + 1 for time in (silent, resumed) if time >= now), OPEN)

    def due(self) -> int:
        """When time alone changes something next (ns), while nothing arrives; settled excursions wait longer."""
        return min(self.bank.due(), self.suppressions.due, self.warnings.due)

    def view(self, now: int) -> PlantView:
        """Plants as they stand at `now` (ns). From any thread."""
        return PlantView(self.configuration, partial(self.latest, now=now))

    def stand(self, alarms: Iterable[Alarm]) -> None:
        """These alarms are not back to normal."""
        self.alarms |= {(a.plant, a.point, a.rule): a for a in alarms}

    def find(self, alarm: UUID) -> Alarm:
        """One alarm as it stands now. Raises KeyError."""
        for known in (self.alarms, self.recent):
            for one in known.values():
                if one.id == alarm:
                    return one
        found = self.record(alarm)
        if found is None:
            raise KeyError(alarm)
        return found

    def settle(self, alarm: Alarm) -> None:
        """Keep the alarm as a step left it; once it is back to normal, only as what may come back."""
        key = (alarm.plant, alarm.point, alarm.rule)
        if alarm.state not in OVER:
            self.alarms[key] = alarm
            return
        standing, last = self.alarms.get(key), self.recent.get(key)
        if standing is not None and standing.id == alarm.id:
            del self.alarms[key]
        if alarm.state is AlarmState.NORMAL and not alarm.historical and (last is None or last.onset <= alarm.onset):
            self.recent.pop(key, None)
            self.recent[key] = alarm
            if len(self.recent) > RECENT:
                del self.recent[next(iter(self.recent))]

    def lately(self, key: AlarmKey, time: int, reopen: int) -> Alarm | None:
        """The alarm that comes back if its rule trips at `time`, at most `reopen` ns from its return; else None."""
        last = self.recent.get(key)
        return last if last is not None and last.returned is not None and abs(time - last.returned) <= reopen else None

    def resume(self, left: int, now: int) -> list[str]:
        """Listen again, having been away from `left` to `now` (ns): alarms that stand tell who is silent.

        Every other watch goes on as if that time had not been. Returns the rules, by their keys, that stood without an
        alarm, as its record was lost: they raise it anew.
        """
        self.listening = now
        lost = self.bank.settle({alarm.rule_key for alarm in self.alarms.values()})
        self.bank.resume(left, now, {alarm.rule_key for alarm in self.alarms.values() if alarm.active})
        return lost

    def shift(self, step: int) -> None:
        """The service's clock was set by `step` ns: everything told by arrival times moves along."""
        self.stepped += step
        self.listening += step
        self.received[self.time > 0] += step
        self.bank.shift(step)
        self.excursions.shift(step)
        self.warnings.shift(step)

    def forget_times(self, points: NDArray[np.int32]) -> None:
        """When these points were heard last is wrong: their rules learn anew, and go on standing where they stand."""
        self.newest[points] = 0
        self.bank = self.bank.successor(self.configuration.tables, self.configuration.derived, anew=points)

    def successor(self, configuration: PlantConfiguration) -> EngineState:
        """A memory for another configuration that keeps what is known of every point and rule both have."""
        if configuration is self.configuration:
            return self
        engine_state = EngineState(configuration)
        engine_state.alarms, engine_state.recent = self.alarms, self.recent
        engine_state.suppressions, engine_state.warnings, engine_state.record = (
            self.suppressions,
            self.warnings,
            self.record,
        )
        renamed = configuration.renamed.items() - self.configuration.renamed.items()
        if renamed:
            engine_state._rename(dict(renamed))
        both = min(len(self.newest), len(engine_state.newest))
        for name in _COLUMNS:
            getattr(engine_state, name)[:both] = getattr(self, name)[:both]
        keys = configuration.renamed_rules()
        engine_state.bank = self.bank.successor(configuration.tables, configuration.derived, renamed=keys)
        engine_state.excursions = self.excursions
        engine_state.excursions.rename(keys)
        engine_state.stepped, engine_state.reported, engine_state.listening = (
            self.stepped,
            self.reported,
            self.listening,
        )
        return engine_state

    def _rename(self, renamed: Mapping[tuple[str, str], str]) -> None:
        """What is told by points' ids is told by those they have now, (plant, former id) -> id."""

        def now(told: Told) -> Told:
            return replace(told, point=renamed.get((told.plant, told.point), told.point))

        self.alarms, self.recent = (
            {(alarm.plant, alarm.point, alarm.rule): alarm for alarm in map(now, known.values())}
            for known in (self.alarms, self.recent)
        )
        self.suppressions = Suppressions(map(now, self.suppressions.records()))

    def dump(self, *, watches: bool = False) -> bytes:
        """Everything that the readings alone determine, the same bytes for the same readings.

        With `watches` also since when nobody was heard, which depends on when the service was there (`resume`). Never
        in it: the alarms, which the state database holds.
        """
        columns = {name: getattr(self, name) for name in _COLUMNS}
        bank = np.frombuffer(self.bank.dump(silence=watches), np.uint8)
        excursions = np.frombuffer(json.dumps(self.excursions.state(), separators=(",", ":")).encode(), np.uint8)
        columns |= {"bank": bank, "excursions": excursions, "stepped": np.array(self.stepped)}
        if watches:
            columns["listening"] = np.array(self.listening)
        return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(pack(columns))

    def load(self, dump: bytes) -> None:
        """Take over a dumped memory, as far as it fits the configuration.

        Raises:
            SnapshotUnreadable: it is not as it was written; this memory is of no use any more.
        """
        try:
            self._load(dump)
        except Exception as error:  # whatever foreign bytes make of it
            raise SnapshotUnreadable(f"{type(error).__name__}: {error}") from error

    def _load(self, dump: bytes) -> None:
        arrays = _arrays(dump)
        both = min(len(self.newest), len(arrays["newest"]))
        for name in _COLUMNS:
            getattr(self, name)[:both] = arrays[name][:both]
        renamed = self.configuration.renamed_rules()
        self.bank.load(arrays["bank"].tobytes(), renamed)
        if "excursions" not in arrays:  # written before they were remembered
            for alarm in self.alarms.values():
                if alarm.active:
                    self.excursions.open_span(alarm.rule_key, alarm.onset)
            return
        self.excursions = RetrospectiveAlarms.of(json.loads(arrays["excursions"].tobytes()))
        self.excursions.rename(renamed)
        self.stepped = int(arrays["stepped"])
        self.listening = int(arrays.get("listening", 0))  # not in older ones
